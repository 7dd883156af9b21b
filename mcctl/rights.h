/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who mcctl runs as.  Root's rights are used to get at things, never to
 * leave files of root's among those of mcd.
 */
#ifndef RIGHTS_H
#define RIGHTS_H

#include <stddef.h>

#include "conf.h"
#include "err.h"

/*
 * Root becomes user (users.main or users.queue of conf); everybody else
 * stays who they are, and so does root where mcd keeps root.
 */
int rights_become(const struct conf *conf, const char *user, struct err *e);
/* Root makes the folder of the databases as mcd would at its start; for
 * others it is there or it is not. */
int rights_make_lib(const struct conf *conf, struct err *e);
/* Who has typed the command, for the log of changes. */
void rights_login_name(char *dst, size_t size);

#endif
