/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the agent knows of the gateway: one copy of the stats mapping, with
 * what may be believed of it.  Only reads; never waits for mcd.
 */
#ifndef GLANCE_H
#define GLANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stats.h"

/* Numbers of mcStatusState in the MIB: not to be changed. */
enum glance_state {
	GLANCE_RUNNING = 1,
	GLANCE_STARTING = 2, /* a role that every message needs is not up */
	GLANCE_HUNG = 3, /* the parent does not beat */
	GLANCE_DOWN = 4, /* was there, is not */
	GLANCE_ABSENT = 5, /* no mapping: never started here */
	GLANCE_OTHER_VERSION = 6, /* a mapping that this program cannot read */
	GLANCE_UNREADABLE = 7 /* no right to read it */
};

struct glance {
	enum glance_state state;
	char text[512]; /* of the state, for people */
	int64_t taken_us; /* wall clock */
	int64_t beat_us, started_us; /* 0: not known */
	int64_t values[STAT_COUNT];
	bool is_known[STAT_COUNT]; /* that value may be served */
	bool has_rows[TABLE_COUNT]; /* and these */
	struct stats_row_copy rows[TABLE_COUNT][STATS_ROWS_LIMIT];
	size_t counts[TABLE_COUNT];
	bool has_error;
	struct stats_line error; /* the newest */
};

/*
 * keeps_last: values of an mcd that is down stay known; else only counters
 * and gauges of running roles are.
 */
void glance_open(const char *run_dir, bool keeps_last);
void glance_close(void);
/* Not older than that; borrowed until the next call. */
const struct glance *glance_now(int64_t max_age_ms);
const char *glance_state_name(enum glance_state s);

#endif
