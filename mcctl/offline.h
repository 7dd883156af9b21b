/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The spool read straight from its folders, for when mcd is down.
 */
#ifndef OFFLINE_H
#define OFFLINE_H

#include "command.h"

/* Each prints what its command prints and returns the exit code. */
int offline_count(struct ctx *c);
int offline_list(struct ctx *c);
int offline_show(struct ctx *c, const char *name);
/* Reads the whole ledger: slower than a running mcd's history. */
int offline_trace(struct ctx *c, const char *any);

#endif
