/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Figures for columns: each fits six characters, and three digits count.
 */
#ifndef UNITS_H
#define UNITS_H

#include <stddef.h>
#include <stdint.h>

#define UNITS_SIZE 24

/* 0, 17, 1,203, 99,999, 123k, 4.56M; "-" for a negative one. */
const char *units_count(char dst[UNITS_SIZE], int64_t n);
/* Of a thousandth each second: 0, 0.04, 1.3, 168, 12.3k. */
const char *units_rate(char dst[UNITS_SIZE], int64_t milli);
/* Powers of 1024: 812B, 1.4K, 23M, 5.1G. */
const char *units_bytes(char dst[UNITS_SIZE], int64_t n);
/* Two units at most: 3s, 12m, 2h04m, 3d04h, 99d. */
const char *units_age(char dst[UNITS_SIZE], int64_t us);
/* 0%, 0.4%, 12.3%, 100%: of a thousandth. */
const char *units_share(char dst[UNITS_SIZE], int64_t part, int64_t whole);
/* Hour, minute and second here, or the day too when it is not today. */
const char *units_clock(char dst[UNITS_SIZE], int64_t wall_us, int64_t now_us);

#endif
