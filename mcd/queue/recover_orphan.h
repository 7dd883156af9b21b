/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Bodies without an envelope, at the start.  One whose trailer is ours
 * and whole was committed: its envelope had not come to the disk, or has
 * gone when all was done and the body came back with a crash.  The ledger
 * tells which; only recipients without a final result are mail again.
 */
#ifndef RECOVER_ORPHAN_H
#define RECOVER_ORPHAN_H

#include <stdbool.h>
#include <stddef.h>

#include "ledger.h"
#include "message.h"

void orphan_init(void);
void orphan_release(void);
/* Looks at a body of no envelope.  False: it was not committed.  True: it
 * is in the table, busy, until it is settled. */
bool orphan_look(const char *id);
/* A line of the ledger. */
void orphan_event(const struct ledger_event *ev);
/* The hour of the oldest that has recipients left; false: there is none. */
bool orphan_oldest(char hour[LEDGER_NAME_SIZE]);
/*
 * After the ledger has been read: messages in incoming come of them, or
 * nothing.  During the start enter is NULL, and what is of no use is left
 * to the scan of the bodies; later enter gets each message.  Returns how
 * many could not be read or written now.
 */
size_t orphan_settle(void (*enter)(struct message *m));
/* Those that could not be read are looked at again. */
void orphan_look_again(void);
struct orphan_counts {
	size_t made; /* became messages */
	size_t done; /* came back, but there was nothing left to do */
	size_t uncommitted; /* were not whole on the disk */
};
const struct orphan_counts *orphan_counts(void);

#endif
