/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How mcd is, for the first line and the overview: out of the mapping that
 * it writes anyway.
 */
#ifndef PULSE_H
#define PULSE_H

#include <stdbool.h>

#include "beat.h"
#include "conf.h"
#include "stats.h"

struct pulse {
	bool has_stats;
	bool is_foreign; /* a file of another version is there */
	char why_not[256];
	struct beat beat;
	int64_t now_us;
	int64_t values[STAT_COUNT];
};

void pulse_take(const struct conf *conf, struct pulse *p);
/* "running for 3h04m, intake open" and the like. */
void pulse_words(const struct pulse *p, char *dst, size_t size);
/* It runs and takes mail. */
bool pulse_is_well(const struct pulse *p);

#endif
