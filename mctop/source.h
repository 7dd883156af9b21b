/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Everything mctop shows, as of one moment: the stats file, which mcd is
 * never asked for, and what /proc says.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "beat.h"
#include "conf.h"
#include "host.h"
#include "stats.h"
#include "trend.h"

#define PROCESSES_MAX (STATS_ROWS_LIMIT + 1) /* the parent besides */

struct table_copy {
	struct stats_row_copy *rows;
	size_t count;
};

struct ring_copy {
	struct stats_line *lines;
	size_t count;
};

/* A process of mcd beside what the system says of it. */
struct member {
	const char *role; /* lies in sample.tables */
	int64_t state, restarts, since_us;
	struct process is;
	int64_t cpu_permille; /* of one core; -1: not known yet */
};

struct sample {
	int64_t wall_us, mono_us;
	bool has_stats; /* else nothing below but host counts */
	bool is_foreign; /* it has not: they are of another version of mcd */
	char why_not[256]; /* words, when it has not */
	struct beat alive;
	int64_t values[STAT_COUNT];
	struct table_copy tables[TABLE_COUNT];
	struct ring_copy rings[RING_COUNT];
	struct member members[PROCESSES_MAX];
	size_t member_count;
	struct host host;
	int64_t cpu_permille; /* of all cores; -1: not known yet */
	int64_t received_rate, sent_rate; /* bytes a second; -1 likewise */
	struct trend *trend;
};

struct source;

/* conf is borrowed for as long as it lives. */
struct source *source_new(const struct conf *conf);
void source_free(struct source *s);
/*
 * Takes the next sample, which stays the source's.  A file that another
 * mcd has put in the place of the old one is opened anew.
 */
const struct sample *source_take(struct source *s);
/* Fills the trend from history.db; no history is no error. */
void source_load_history(struct source *s);

#endif
