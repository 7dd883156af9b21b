/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What can happen to an envelope in the spool, one function each.  Every
 * change of content is a new generation, durable before anybody acts on
 * it.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include "committer.h"
#include "envelope.h"
#include "ledger.h"
#include "message.h"

/* result 0 or -1; never called before the function that took it returns. */
typedef void change_fn(struct message *m, int result, void *arg);

/*
 * Writes env as the next generation of m into the folder of state to; the
 * caller has set m->is_busy.  Whatever fails, the message is on disk as it
 * was or as it should be, and may be tried again.
 */
void change_write(struct message *m, struct envelope *env, enum state to,
		  change_fn *fn, void *arg);

/*
 * Takes a message out of the spool for good: it is not seen any more from
 * now on.  Its envelopes go durably, then the body, when no other envelope
 * needs it; failures are tried again.  fn (or NULL) is called when it is
 * done, then m is freed.
 */
void change_remove(struct message *m, change_fn *fn, void *arg);

/*
 * For who removes the last envelope of a busy message himself: older ones
 * that must not come back without it go durably, as often as it takes, and
 * fn is called.  False, and fn is not called: there are none.
 */
bool change_settle(struct message *m, change_fn *fn, void *arg);

/* A rename that is not synced: incoming -> filtering. */
int change_move(struct message *m, enum state to);

/*
 * What cannot be used goes to corrupt as it is: never deleted, logged,
 * counted, in the ledger when env (or NULL) could be read.
 */
void change_park(struct message *m, const struct envelope *env,
		 const char *why);

/* Only the file: it goes to corrupt under its name or one near it.  -1,
 * logged, when it could not. */
int change_park_file(enum state from, const char *name, const char *why);

/* Fills a file that is to hold the envelope; -1 when it cannot be
 * written. */
int change_file(struct commit_file *f, const struct envelope *env, enum state s,
		struct err *e);

/* One line a recipient; ev holds all but name and rcpt. */
void change_ledger(const struct message *m, const struct envelope *env,
		   const struct ledger_event *ev);

#endif
