/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Recipients that part ways: the parent durably holds the list of its
 * children, then the children are written, then the parent durably goes;
 * no child is acted on before.  A start that finds such a parent does the
 * same again under the same names.
 */
#ifndef SPLIT_H
#define SPLIT_H

#include "arena.h"
#include "envelope.h"
#include "message.h"

/* env has its children and all of a is taken over; m is busy.  Ends with
 * stage_done(). */
void split_start(struct message *m, struct arena *a,
		 const struct envelope *env);
/*
 * The same for one that is parked in quarantine: its list is written to
 * filtering, where a start finds it.  done is told -1 when that failed and
 * m is where it was; with 0 its children have begun and m goes.
 */
typedef void split_fn(struct message *m, int result, void *arg);
void split_parked(struct message *m, struct arena *a,
		  const struct envelope *env, split_fn *done, void *arg);
/* m's envelope on disk has children. */
void split_resume(struct message *m);

/* m is durably in the state it has: whatever comes next begins. */
void split_enter(struct message *m, const struct envelope *env);

#endif
