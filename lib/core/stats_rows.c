/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keyed tables and rings of the stats file.  A table never grows: a key
 * that finds no room is counted under "other", the last row.
 */
#include <stdlib.h>
#include <string.h>

#include "stats.h"
#include "stats_layout.h"
#include "str.h"
#include "xalloc.h"

/* clang-format off */
const struct stats_table_row stats_table_rows[TABLE_COUNT] = {
	[TABLE_PROCESS] = {
		"process", ROLE_PARENT, STATS_PROCESS_ROWS,
		{ "pid", "state", "restarts", "since_us" },
		0,
	},
	[TABLE_DOMAIN] = {
		"domain", ROLE_QUEUE, STATS_DOMAIN_ROWS,
		{ "queued", "delivered", "deferred", "bounced" },
		1u << DOMAIN_QUEUED,
	},
	[TABLE_HOP] = {
		"hop", ROLE_OUTGOING, STATS_HOP_ROWS,
		{ "connections", "open", "delivered", "deferred", "refused",
		  "failures" },
		1u << HOP_OPEN,
	},
	[TABLE_FILTER] = {
		"filter", ROLE_FILTER, STATS_FILTER_ROWS,
		{ "calls", "ham", "spam", "unknown", "errors", "left_out",
		  "time_us", "breaker" },
		1u << FILTER_ROW_BREAKER,
	},
	[TABLE_RBL] = {
		"rbl", ROLE_LOOKUP, STATS_RBL_ROWS,
		{ "hits", "misses", "errors", "time_us", "suspended" },
		1u << RBL_SUSPENDED,
	},
};
/* clang-format on */

const struct stats_ring_row stats_ring_rows[RING_COUNT] = {
	[RING_ERROR] = { "error", ROLE_PARENT },
	[RING_DECISION] = { "decision", ROLE_QUEUE },
};

/* Text into whole words, cut and closed by a NUL. */
static void
store_text(stats_word *w, size_t words, const char *text)
{
	size_t len = strnlen(text, words * 8 - 1), i, n;
	uint64_t v;

	for (i = 0; i < words; i++) {
		v = 0;
		n = len > i * 8 ? len - i * 8 : 0;
		if (n > 0)
			memcpy(&v, text + i * 8, n < 8 ? n : 8);
		stats_store_word(&w[i], v);
	}
}

/* dst holds words * 8 bytes. */
static void
load_text(char *dst, size_t words, const uint64_t *w)
{
	memcpy(dst, w, words * 8);
	dst[words * 8 - 1] = '\0';
}

static stats_word *
words_of(const struct stats *s, enum stats_table t, size_t row)
{
	for (int i = 0; i < (int)t; i++)
		row += stats_table_rows[i].rows;
	return s->map->rows[row];
}

static void
start_table(struct stats *s, enum stats_table t)
{
	const struct stats_table_row *row = &stats_table_rows[t];
	struct stats_rows *rows = &s->map->tables[t];
	stats_word *words;
	char key[STATS_KEY_SIZE];
	uint64_t w[KEY_WORDS];
	size_t i, k;

	stats_write_recover(&rows->seq);
	stats_write_begin(&rows->seq);
	store_text(words_of(s, t, row->rows - 1), KEY_WORDS, "other");
	for (i = 0; i < row->rows; i++) {
		words = words_of(s, t, i);
		for (k = 0; k < STATS_COLUMNS; k++) {
			if (row->gauges & 1u << k)
				stats_store_word(&words[KEY_WORDS + k], 0);
		}
		for (k = 0; k < KEY_WORDS; k++)
			w[k] = stats_load_word(&words[k]);
		load_text(key, KEY_WORDS, w);
		if (key[0] != '\0')
			dict_set(&s->rows[t], key, (void *)(i + 1));
	}
	stats_write_end(&rows->seq);
}

void
stats_rows_start(struct stats *s)
{
	int i;

	for (i = 0; i < TABLE_COUNT; i++) {
		if (stats_table_rows[i].role == s->self)
			start_table(s, (enum stats_table)i);
	}
	for (i = 0; i < RING_COUNT; i++) {
		if (stats_ring_rows[i].role == s->self)
			stats_write_recover(&s->map->rings[i].seq);
	}
}

const char *
stats_table_name(enum stats_table t)
{
	return stats_table_rows[t].name;
}

const char *
stats_column_name(enum stats_table t, int col)
{
	return stats_table_rows[t].columns[col];
}

/* NULL for whoever is not its writer. */
static struct stats_rows *
own_table(struct stats *s, enum stats_table t)
{
	if (s == NULL || stats_table_rows[t].role != s->self)
		return NULL;
	return &s->map->tables[t];
}

size_t
stats_row(struct stats *s, enum stats_table t, const char *key)
{
	size_t other = stats_table_rows[t].rows - 1, i;
	struct stats_rows *rows = own_table(s, t);
	char cut[STATS_KEY_SIZE];
	stats_word *words;
	void *found;

	if (rows == NULL || key[0] == '\0')
		return other;
	str_copy(cut, sizeof(cut), key);
	found = dict_get(&s->rows[t], cut);
	if (found != NULL)
		return (size_t)found - 1;
	if (s->rows[t].count > other)
		return other; /* full: nothing to look for */
	for (i = 0; i < other; i++) {
		words = words_of(s, t, i);
		if (stats_load_word(&words[0]) != 0)
			continue;
		stats_write_begin(&rows->seq);
		store_text(words, KEY_WORDS, cut);
		stats_write_end(&rows->seq);
		dict_set(&s->rows[t], cut, (void *)(i + 1));
		return i;
	}
	return other;
}

static stats_word *
own_cell(struct stats *s, enum stats_table t, size_t row, int col)
{
	struct stats_rows *rows = own_table(s, t);

	if (rows == NULL || row >= stats_table_rows[t].rows || col < 0 ||
	    col >= STATS_COLUMNS)
		return NULL;
	return &words_of(s, t, row)[KEY_WORDS + col];
}

void
stats_row_set(struct stats *s, enum stats_table t, size_t row, int col,
	      int64_t value)
{
	stats_word *cell = own_cell(s, t, row, col);

	if (cell == NULL)
		return;
	stats_write_begin(&s->map->tables[t].seq);
	stats_store_word(cell, (uint64_t)value);
	stats_write_end(&s->map->tables[t].seq);
}

void
stats_row_add(struct stats *s, enum stats_table t, size_t row, int col,
	      int64_t n)
{
	stats_word *cell = own_cell(s, t, row, col);

	if (cell != NULL)
		stats_row_set(s, t, row, col,
			      (int64_t)(stats_load_word(cell) + (uint64_t)n));
}

void
stats_row_text(struct stats *s, enum stats_table t, size_t row,
	       const char *text)
{
	struct stats_rows *rows = own_table(s, t);

	if (rows == NULL || row >= stats_table_rows[t].rows)
		return;
	stats_write_begin(&rows->seq);
	store_text(&words_of(s, t, row)[KEY_WORDS + STATS_COLUMNS],
		   ROW_TEXT_WORDS, text);
	stats_write_end(&rows->seq);
}

void
stats_row_drop(struct stats *s, enum stats_table t, const char *key)
{
	struct stats_rows *rows = own_table(s, t);
	char cut[STATS_KEY_SIZE];
	size_t row, i;

	if (rows == NULL)
		return;
	str_copy(cut, sizeof(cut), key);
	row = (size_t)dict_get(&s->rows[t], cut);
	if (row == 0 || row == stats_table_rows[t].rows)
		return;
	dict_del(&s->rows[t], cut);
	stats_write_begin(&rows->seq);
	for (i = 0; i < ROW_WORDS; i++)
		stats_store_word(&words_of(s, t, row - 1)[i], 0);
	stats_write_end(&rows->seq);
}

void
stats_ring_add(struct stats *s, enum stats_ring r, int64_t at_us,
	       const char *text)
{
	struct stats_lines *ring;
	stats_word *line;
	uint64_t count;

	if (s == NULL || stats_ring_rows[r].role != s->self)
		return;
	ring = &s->map->rings[r];
	count = stats_load_word(&ring->count);
	line = ring->words[count % STATS_RING_SLOTS];
	stats_write_begin(&ring->seq);
	stats_store_word(&line[0], (uint64_t)at_us);
	store_text(&line[1], TEXT_WORDS, text);
	stats_store_word(&ring->count, count + 1);
	stats_write_end(&ring->seq);
}

static bool
is_all_zero(const int64_t *n, size_t count)
{
	while (count-- > 0) {
		if (n[count] != 0)
			return false;
	}
	return true;
}

size_t
stats_rows(const struct stats *s, enum stats_table t,
	   struct stats_row_copy *rows, size_t max)
{
	const struct stats_rows *from = &s->map->tables[t];
	size_t all = stats_table_rows[t].rows, count = 0, i;
	uint64_t *copy = xreallocarray(NULL, all * ROW_WORDS, sizeof(*copy));
	const uint64_t *words;
	struct stats_row_copy *row;

	stats_copy(&from->seq, words_of(s, t, 0), copy, all * ROW_WORDS);
	for (i = 0; i < all && count < max; i++) {
		row = &rows[count];
		words = &copy[i * ROW_WORDS];
		load_text(row->key, KEY_WORDS, words);
		memcpy(row->n, words + KEY_WORDS, sizeof(row->n));
		load_text(row->text, ROW_TEXT_WORDS,
			  words + KEY_WORDS + STATS_COLUMNS);
		if (row->key[0] == '\0' ||
		    (i == all - 1 && is_all_zero(row->n, STATS_COLUMNS)))
			continue;
		count++;
	}
	free(copy);
	return count;
}

size_t
stats_ring(const struct stats *s, enum stats_ring r, struct stats_line *lines,
	   size_t max)
{
	const struct stats_lines *ring = &s->map->rings[r];
	uint64_t copy[1 + STATS_RING_SLOTS * LINE_WORDS];
	const uint64_t *line;
	uint64_t count;
	size_t n;

	/* count stands before the lines: one copy takes both. */
	stats_copy(&ring->seq, &ring->count, copy,
		   1 + STATS_RING_SLOTS * LINE_WORDS);
	count = copy[0];
	for (n = 0; n < max && n < count && n < STATS_RING_LINES; n++) {
		line = &copy[1 +
			     (count - 1 - n) % STATS_RING_SLOTS * LINE_WORDS];
		lines[n].at_us = (int64_t)line[0];
		load_text(lines[n].text, TEXT_WORDS, line + 1);
	}
	return n;
}
