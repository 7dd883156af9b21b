/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Private to ledger*.c: the time of an event, "2026-11-23T14:05:09.123456Z",
 * UTC, of the years 1970 to 9999.
 */
#ifndef LEDGER_TIME_H
#define LEDGER_TIME_H

#include <stdint.h>

#include "buf.h"

#define LEDGER_TIME_LEN 27
#define LEDGER_TIME_MAX_US INT64_C(253402300799999999)

/* at_us is 0 to LEDGER_TIME_MAX_US. */
void ledger_write_time(int64_t at_us, char dst[LEDGER_TIME_LEN + 1]);
/* -1 for whatever ledger_write_time() does not make. */
int ledger_read_time(struct span s, int64_t *at_us);

#endif
