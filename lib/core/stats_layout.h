/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Private to stats*.c: how the mapping is laid out, and the seqlock around
 * each section.  The writer of a section makes its sequence odd, writes,
 * and makes it even; a reader repeats until it saw one even number before
 * and behind its copy.  All words are atomics, so a torn one is never seen.
 */
#ifndef STATS_LAYOUT_H
#define STATS_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "dict.h"
#include "stats.h"

#define STATS_NAME_SIZE 32
/* With "other", as all tables. */
#define STATS_PROCESS_ROWS 301
#define STATS_DOMAIN_ROWS STATS_ROWS_LIMIT
#define STATS_HOP_ROWS STATS_ROWS_LIMIT
#define STATS_FILTER_ROWS 65
#define STATS_RBL_ROWS 81
#define STATS_ROWS_ALL                                             \
	(STATS_PROCESS_ROWS + STATS_DOMAIN_ROWS + STATS_HOP_ROWS + \
	 STATS_FILTER_ROWS + STATS_RBL_ROWS)
#define STATS_RING_LINES 256 /* that readers see */
#define STATS_RING_SLOTS (STATS_RING_LINES + 1) /* one being written */

#define KEY_WORDS (STATS_KEY_SIZE / 8)
#define TEXT_WORDS (STATS_RING_TEXT / 8)
#define ROW_TEXT_WORDS (STATS_ROW_TEXT / 8)
#define ROW_WORDS (KEY_WORDS + STATS_COLUMNS + ROW_TEXT_WORDS)
#define LINE_WORDS (1 + TEXT_WORDS)

typedef _Atomic uint64_t stats_word;

/* What the file says of itself, for whoever looks at it. */
struct stats_describe_stat {
	char name[STATS_NAME_SIZE];
	char unit[STATS_NAME_SIZE];
	uint32_t role;
	uint32_t is_counter;
};

struct stats_describe_table {
	char name[STATS_NAME_SIZE];
	uint32_t role;
	uint32_t rows;
	char columns[STATS_COLUMNS][STATS_NAME_SIZE];
};

struct stats_describe_ring {
	char name[STATS_NAME_SIZE];
	uint32_t role;
	uint32_t lines;
};

struct stats_header {
	char magic[8];
	uint64_t layout; /* hash over all that follows in this struct */
	uint64_t size;
	struct stats_describe_stat stats[STAT_COUNT];
	struct stats_describe_table tables[TABLE_COUNT];
	struct stats_describe_ring rings[RING_COUNT];
};

enum { ALIVE_BEAT, ALIVE_STARTED, ALIVE_PID, ALIVE_WORDS };

/* Of one role; rows of other roles and kinds are not used. */
struct stats_values {
	_Alignas(64) stats_word seq;
	stats_word values[STAT_COUNT];
};

/* Of one table, whose rows lie in struct stats_map. */
struct stats_rows {
	_Alignas(64) stats_word seq;
};

struct stats_lines {
	_Alignas(64) stats_word seq;
	stats_word count; /* ever written; the next goes to count % slots */
	stats_word words[STATS_RING_SLOTS][LINE_WORDS];
};

struct stats_alive {
	_Alignas(64) stats_word seq;
	stats_word words[ALIVE_WORDS];
};

struct stats_map {
	struct stats_header header;
	struct stats_alive alive;
	struct stats_values counters[ROLE_COUNT];
	struct stats_values gauges[ROLE_COUNT];
	struct stats_rows tables[TABLE_COUNT];
	/* Table after table, each as long as its row in the header says. */
	_Alignas(64) stats_word rows[STATS_ROWS_ALL][ROW_WORDS];
	struct stats_lines rings[RING_COUNT];
};

struct stats {
	struct stats_map *map;
	enum role self;
	struct dict rows[TABLE_COUNT]; /* of the writer: key to row + 1 */
};

/* As in the header, with numbers that the code needs. */
struct stats_table_row {
	const char *name;
	enum role role;
	size_t rows;
	const char *columns[STATS_COLUMNS];
	unsigned gauges; /* set of columns: 0 when the role starts */
};
extern const struct stats_table_row stats_table_rows[TABLE_COUNT];

struct stats_ring_row {
	const char *name;
	enum role role;
};
extern const struct stats_ring_row stats_ring_rows[RING_COUNT];

/* For stats_load(): adds to a counter of any role, by the parent alone. */
void stats_carry(struct stats *s, enum stat_id st, int64_t n);
/* For stats_map(): takes up the role's own tables and rings. */
void stats_rows_start(struct stats *s);

static inline uint64_t
stats_load_word(const stats_word *w)
{
	return atomic_load_explicit(w, memory_order_relaxed);
}

static inline void
stats_store_word(stats_word *w, uint64_t v)
{
	atomic_store_explicit(w, v, memory_order_relaxed);
}

static inline void
stats_write_begin(stats_word *seq)
{
	stats_store_word(seq, stats_load_word(seq) + 1);
	atomic_thread_fence(memory_order_release);
}

static inline void
stats_write_end(stats_word *seq)
{
	atomic_store_explicit(seq, stats_load_word(seq) + 1,
			      memory_order_release);
}

/* A writer that died in the middle has left an odd number. */
static inline void
stats_write_recover(stats_word *seq)
{
	if (stats_load_word(seq) & 1)
		stats_write_end(seq);
}

/*
 * Copies n words.  The writer may have died in the middle, so a reader
 * gives up after a while and takes the words as they are.
 */
void stats_copy(const stats_word *seq, const stats_word *from, uint64_t *to,
		size_t n);

#endif
