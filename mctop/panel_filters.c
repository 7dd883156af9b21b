/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The filters: what they found, how long a call takes, and whether one is
 * left out for a while because it failed too often.
 */
#include "panel.h"
#include "str.h"

enum {
	FILTER,
	CALLS,
	SPAM,
	HAM,
	UNKNOWN,
	ERRORS,
	LEFT_OUT,
	TIME,
	BREAKER,
	WHY
};

static const struct column columns[] = {
	[FILTER] = { "filter", 14, true, 0 },
	[CALLS] = { "calls", 7, false, 0 },
	[SPAM] = { "spam", 7, false, 0 },
	[HAM] = { "ham", 7, false, 1 },
	[UNKNOWN] = { "unknown", 7, false, 3 },
	[ERRORS] = { "errors", 7, false, 0 },
	[LEFT_OUT] = { "left out", 8, false, 2 },
	[TIME] = { "mean", 7, false, 0 },
	[BREAKER] = { "state", 7, true, 0 },
	[WHY] = { "could not tell", 0, true, 4 },
};

static void
fill_state(struct table_row *r, int64_t breaker)
{
	static const char *const names[] = { "works", "tried", "shut off" };
	int at = breaker < 0 || breaker > 2 ? 2 : (int)breaker;

	table_text(r, BREAKER,
		   at == 0   ? INK_GOOD
		   : at == 1 ? INK_WARN
			     : INK_BAD,
		   names[at]);
}

static void
fill_time(struct table_row *r, const int64_t *n)
{
	int64_t each_us;
	char text[32];

	if (n[FILTER_ROW_CALLS] <= 0) {
		table_number(r, TIME, INK_DIM, -1, "-");
		return;
	}
	each_us = n[FILTER_ROW_TIME_US] / n[FILTER_ROW_CALLS];
	if (each_us < 10000)
		str_fmt(text, sizeof(text), "%.1fms", (double)each_us / 1000);
	else if (each_us < 10000000)
		str_fmt(text, sizeof(text), "%.0fms", (double)each_us / 1000);
	else
		str_fmt(text, sizeof(text), "%.0fs", (double)each_us / 1e6);
	table_number(r, TIME, INK_STRONG, each_us, text);
}

static void
fill(const struct sample *s, struct table *t)
{
	const struct table_copy *filters = &s->tables[TABLE_FILTER];

	for (size_t i = 0; i < filters->count; i++) {
		const struct stats_row_copy *f = &filters->rows[i];
		struct table_row *r = table_add(t);

		if (r == NULL)
			return;
		table_text(r, FILTER, INK_STRONG, f->key);
		panel_count(r, CALLS, f->n[FILTER_ROW_CALLS]);
		panel_count(r, SPAM, f->n[FILTER_ROW_SPAM]);
		panel_count(r, HAM, f->n[FILTER_ROW_HAM]);
		panel_count(r, UNKNOWN, f->n[FILTER_ROW_UNKNOWN]);
		panel_count_bad(r, ERRORS, f->n[FILTER_ROW_ERRORS]);
		panel_count_bad(r, LEFT_OUT, f->n[FILTER_ROW_LEFT_OUT]);
		fill_time(r, f->n);
		fill_state(r, f->n[FILTER_ROW_BREAKER]);
		table_text(r, WHY, INK_DIM, f->text);
	}
}

const struct panel panel_filters = {
	COLUMNS_OF(columns),
	-1,
	"no filter was asked yet",
	fill,
};
