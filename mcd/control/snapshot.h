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
 */
void snapshot_start(const char *dir, int64_t node, void (*changed)(void));
/* Looks now. */
void snapshot_look(void);
/* NULL while settings.db cannot be used (for some seconds the last one
 * still holds), or while no domain has ever been added to it. */
const struct policy *snapshot(void);
/* Why; "" when all is well. */
const char *snapshot_trouble(void);
void snapshot_stop(void);

#endif
