/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Names of the users of this host, for a role whose jail hides them.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>
#include <sys/types.h>

/* Reads them, up to a limit; before the jail. */
void names_load(void);
/* "uid N" for one that is not known. */
void names_find(uid_t uid, char *dst, size_t size);

#endif
