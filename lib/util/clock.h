/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Time: wall clock (UTC) for what is stored and shown, monotonic clock for
 * intervals.  Units are in the names.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_wall_us(void);
int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);

/* RFC 5322 section 3.3 date-time in local time with its offset;
 * size >= 40. */
void clock_rfc5322(char *dst, size_t size, int64_t wall_us);
/* "2026-11-23T14:05:09.123Z"; size >= 32. */
void clock_iso8601(char *dst, size_t size, int64_t wall_us);

#endif
