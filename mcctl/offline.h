/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Spool and ledger read straight from their folders, for when mcd is
 * down.  Nothing is ever written there.
 */
#ifndef OFFLINE_H
#define OFFLINE_H

#include "command.h"
#include "ledger.h"

/* Becomes the spool's owner if root, and opens it: EX_OK and *fd, or it
 * complains. */
int offline_spool(struct ctx *c, int *fd);

/* Each prints what its command prints and returns the exit code. */
int offline_count(struct ctx *c);
/* words: queue_view.h */
int offline_list(struct ctx *c, const char *words);
int offline_shape(struct ctx *c, const char *words);
int offline_show(struct ctx *c, const char *name);
/* Reads the whole ledger: slower than a running mcd's history. */
int offline_trace(struct ctx *c, const char *any);
/* All events of the ledger to fn; an exit code. */
int offline_ledger(struct ctx *c, ledger_fn *fn, void *arg);

#endif
