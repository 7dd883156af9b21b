/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Mail in quarantine as mcctl reads it itself, from the spool: beside a
 * running mcd or without one.  Nothing is ever written there.
 */
#ifndef HELD_MAIL_H
#define HELD_MAIL_H

#include "arena.h"
#include "command.h"
#include "quar.h"

/* A message with its mail, mapped. */
struct held_mail {
	struct arena arena;
	struct envelope env;
	struct span raw;
};

/* By ID or ID.N, below an open spool; complains and returns an exit code. */
int held_mail_open(struct ctx *c, int spool_fd, const char *name,
		   struct held_mail *out);
void held_mail_close(struct held_mail *m);

/* All rows, newest first, that a filter (or NULL) takes and whose ID is this
 * (or NULL); fn not 0 stops.  Complains and returns an exit code. */
typedef int held_row_fn(void *arg, const struct quar_row *r);
int held_rows(struct ctx *c, const struct quar_filter *filter, const char *id,
	      held_row_fn *fn, void *arg);

#endif
