/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whether new mail is taken.  A failed commit or a ledger that cannot be
 * written closes the intake; a probe that becomes durable opens it again.
 */
#ifndef HEALTH_H
#define HEALTH_H

#include <stdbool.h>

#include "err.h"

void health_init(void);
void health_release(void);
/* A commit has failed: e says how. */
void health_commit_failed(const struct err *e);
/* NULL: the ledger works again. */
void health_ledger(const char *why);
/* For good. */
void health_stopping(void);

bool health_is_open(void);
/* "" while open. */
const char *health_reason(void);
/* Tells incoming, which has just come up. */
void health_tell(void);

#endif
