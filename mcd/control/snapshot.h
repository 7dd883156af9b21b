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

/* Looks at the database now and then each second; changed is called in
 * the loop when there is a new snapshot. */
void snapshot_start(const char *dir, int64_t node, void (*changed)(void));
/* Looks now. */
void snapshot_look(void);
/* NULL when settings.db cannot be used: snapshot_trouble() says why. */
const struct policy *snapshot(void);
/* "" when all is well. */
const char *snapshot_trouble(void);
void snapshot_stop(void);

#endif
