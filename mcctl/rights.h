/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who mcctl runs as, and its word to a running mcd.
 */
#ifndef RIGHTS_H
#define RIGHTS_H

#include "conf.h"
#include "err.h"

/*
 * Root becomes the owner of the databases, so that no file of root's is
 * left among them; others stay who they are.
 */
int rights_become(const struct conf *conf, struct err *e);
/* Tells control to look at settings.db now; nothing when mcd is down. */
void rights_nudge(const struct conf *conf);

#endif
