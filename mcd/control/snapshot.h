/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * settings.db as control holds it in memory: a snapshot that is replaced
 * when the database has changed.  While there is none, answers are LATER.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdint.h>

#include "policy.h"

/*
 * Makes dir/settings.db if it is not there, looks at it now and then each
 * second; changed is called in the loop when there is a new snapshot.  A
 * database that goes away later is not made again: an administrator is
 * about to put one there.
 *
 * A change is read by a thread, as that takes long where there are many
 * domains, and the last snapshot answers meanwhile; without one it is read at
 * once.  Loads are numbered from 1; looked is called in the loop when those
 * up to a number are over, well or not.
 */
void snapshot_start(const char *dir, int64_t node, void (*changed)(void),
		    void (*looked)(uint64_t number));
/* Looks now: 0 when all that was written is in use or known to be bad, else
 * the number of the load that sees it. */
uint64_t snapshot_look(void);
/* NULL while settings.db cannot be used (for some seconds the last one
 * still holds), or while no domain has ever been added to it. */
const struct policy *snapshot(void);
/* Why; "" when all is well. */
const char *snapshot_trouble(void);
void snapshot_stop(void);

#endif
