/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whether the wall clock can be trusted for expiry: it must not have moved
 * by over ten minutes against the monotonic clock.
 */
#ifndef DRIFT_H
#define DRIFT_H

#include <stdbool.h>

void drift_init(void);
/* False: nothing expires now. */
bool drift_is_sane(void);

#endif
