/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What counters and gauges were: a ring of moments for each length of
 * time.  Nothing is kept beyond a day, and memory does not grow.
 */
#ifndef TREND_H
#define TREND_H

#include <stdint.h>

#include "stats.h"

#define TREND_UNKNOWN (-1)

struct trend;

struct trend *trend_new(void);
void trend_free(struct trend *t);
/* All values at a moment of the wall clock, later than those before. */
void trend_add(struct trend *t, int64_t wall_us,
	       const int64_t values[STAT_COUNT]);
/* What is shown ends at this time: nothing is known behind the last. */
void trend_end(struct trend *t, int64_t wall_us);
/*
 * One value of the past, as history has it: between two moments it is taken
 * to have grown evenly.  They come before any trend_add().
 */
void trend_add_past(struct trend *t, enum stat_id st, int64_t from_us,
		    int64_t from, int64_t to_us, int64_t to);

/*
 * Growth of a counter over the last so many microseconds, or as far back
 * as is known; *span_us gets how far that was.  UNKNOWN: nothing is known.
 */
int64_t trend_growth(const struct trend *t, enum stat_id st, int64_t last_us,
		     int64_t *span_us);
/* Thousandths a second over the last so many microseconds. */
int64_t trend_rate(const struct trend *t, enum stat_id st, int64_t last_us);
/*
 * count values over the last so many microseconds, oldest first: of a
 * gauge the largest in each part, of a counter its thousandths a second.
 * UNKNOWN where nothing is known.
 */
void trend_values(const struct trend *t, enum stat_id st, int64_t last_us,
		  int64_t *values, int count);

#endif
