/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The stats file: a shared mapping that describes itself.  Four kinds of
 * section, each with one writer, a seqlock and a fixed size: counters and
 * gauges (one of each per role), keyed tables (rows with a key, eight
 * numbers and a text; what overflows goes to the row "other"), rings (recent
 * texts).
 * Readers map it read-only and never slow a writer.
 */
#ifndef STATS_H
#define STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "proto.h"

enum stat_id {
#define COUNTER(role, name, unit, help) STAT_##name,
#define GAUGE(role, name, unit, help) STAT_##name,
#include "stats.def"
#undef COUNTER
#undef GAUGE
	STAT_COUNT
};

/* Keyed tables: writer, rows, meaning of the numbers in stats.c's table. */
enum stats_table {
	TABLE_PROCESS, /* parent: role or worker N */
	TABLE_DOMAIN, /* queue: recipient domains */
	TABLE_HOP, /* outgoing: next hops, "name:port" */
	TABLE_FILTER, /* filter: the filters by name */
	TABLE_RBL, /* lookup: DNS lists */
	TABLE_COUNT
};

/* Columns of TABLE_PROCESS. */
enum { PROCESS_PID, PROCESS_STATE, PROCESS_RESTARTS, PROCESS_SINCE_US };
/* Values of PROCESS_STATE. */
enum process_state {
	PROCESS_STARTING,
	PROCESS_RUNNING,
	PROCESS_STOPPING,
	PROCESS_DOWN
};
const char *process_state_name(int64_t s);
/* Columns of TABLE_DOMAIN. */
enum { DOMAIN_QUEUED, DOMAIN_DELIVERED, DOMAIN_DEFERRED, DOMAIN_BOUNCED };

/* Columns of TABLE_HOP; the text of a row is its last error. */
enum {
	HOP_CONNECTIONS,
	HOP_OPEN,
	HOP_DELIVERED,
	HOP_DEFERRED,
	HOP_REFUSED,
	HOP_FAILURES
};

/* Columns of TABLE_FILTER; the text of a row is why it could not tell, the
 * last time. */
enum {
	FILTER_ROW_CALLS,
	FILTER_ROW_HAM,
	FILTER_ROW_SPAM, /* or a virus */
	FILTER_ROW_UNKNOWN, /* could not tell, for the message's sake */
	FILTER_ROW_ERRORS, /* could not tell, its engine or server failed */
	FILTER_ROW_LEFT_OUT, /* was not asked: its breaker was open */
	FILTER_ROW_TIME_US, /* of all calls */
	FILTER_ROW_BREAKER /* 0 closed, 1 half open, 2 open */
};
/* Columns of TABLE_RBL; the text of a row is why it is suspended. */
enum { RBL_HITS, RBL_MISSES, RBL_ERRORS, RBL_TIME_US, RBL_SUSPENDED };

enum stats_ring {
	RING_ERROR, /* parent: what died, what was refused */
	RING_DECISION, /* queue: one line per verdict */
	RING_COUNT
};

#define STATS_COLUMNS 8
#define STATS_KEY_SIZE 64
#define STATS_ROW_TEXT 128
#define STATS_RING_TEXT 240

struct stats;

/* Bytes the mapping takes. */
size_t stats_size(void);
/* Fills a fresh file of that size; the parent does it. */
int stats_create(int fd, struct err *e);
/*
 * Maps it.  self is the role that may write its own sections, or
 * ROLE_CTL to only read; fd stays the caller's.  A file of another layout
 * is refused with a plain word.  A role that maps it anew finds its
 * counters as they were and its gauges 0.
 */
struct stats *stats_map(int fd, enum role self, struct err *e);
struct stats *stats_open(const char *path, struct err *e);
void stats_unmap(struct stats *s);

/*
 * For the writer of the row's role, from one thread; from any other role
 * it has no effect.  A null s is allowed and ignored.
 */
void stats_add(struct stats *s, enum stat_id st, int64_t n);
void stats_set(struct stats *s, enum stat_id st, int64_t value);
/* The row of a key, made when there is room, else the row "other". */
size_t stats_row(struct stats *s, enum stats_table t, const char *key);
void stats_row_set(struct stats *s, enum stats_table t, size_t row, int col,
		   int64_t value);
void stats_row_add(struct stats *s, enum stats_table t, size_t row, int col,
		   int64_t n);
/* Cut where it is too long. */
void stats_row_text(struct stats *s, enum stats_table t, size_t row,
		    const char *text);
void stats_row_drop(struct stats *s, enum stats_table t, const char *key);
void stats_ring_add(struct stats *s, enum stats_ring r, int64_t at_us,
		    const char *text);

/* For readers: consistent copies. */
int64_t stats_get(const struct stats *s, enum stat_id st);
/* All at once; those of one role are of one moment. */
void stats_all(const struct stats *s, int64_t out[STAT_COUNT]);
const char *stats_name(enum stat_id st);
const char *stats_unit(enum stat_id st);
const char *stats_help(enum stat_id st);
bool stats_is_counter(enum stat_id st);
enum role stats_role(enum stat_id st);
const char *stats_table_name(enum stats_table t);
/* NULL for a column without meaning. */
const char *stats_column_name(enum stats_table t, int col);
struct stats_row_copy {
	char key[STATS_KEY_SIZE];
	int64_t n[STATS_COLUMNS];
	char text[STATS_ROW_TEXT];
};
#define STATS_ROWS_LIMIT 1025 /* rows of the largest table */
/* Rows in use, at most max; "other" only when it counts something. */
size_t stats_rows(const struct stats *s, enum stats_table t,
		  struct stats_row_copy *rows, size_t max);
struct stats_line {
	int64_t at_us;
	char text[STATS_RING_TEXT];
};
/* Newest first, at most max. */
size_t stats_ring(const struct stats *s, enum stats_ring r,
		  struct stats_line *lines, size_t max);
/* The parent's beat, wall clock; a reader sees by it that mcd is gone. */
void stats_beat(struct stats *s, int64_t wall_us, int64_t started_us,
		int64_t pid);
void stats_alive(const struct stats *s, int64_t *beat_us, int64_t *started_us,
		 int64_t *pid);

/*
 * Counters saved as text "name=value" lines and added back by name; the
 * parent does it before it starts a role.  No file is no error; unknown
 * names are skipped, a line that is none is -1 after all others are taken.
 */
int stats_save(const struct stats *s, const char *path, struct err *e);
int stats_load(struct stats *s, const char *path, struct err *e);

#endif
