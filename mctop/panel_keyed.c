/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keyed tables that no panel knows, by their own words: key, numbers, text.
 */
#include <string.h>

#include "panel.h"
#include "str.h"
#include "units.h"

bool
panel_keyed_is_known(enum stats_table t)
{
	return t == TABLE_PROCESS || t == TABLE_DOMAIN || t == TABLE_HOP ||
	       t == TABLE_FILTER;
}

static int
numbers_of(enum stats_table t)
{
	int n = 0;

	while (n < STATS_COLUMNS && n < TABLE_COLUMNS - 2 &&
	       stats_column_name(t, n) != NULL)
		n++;
	return n;
}

void
panel_keyed_columns(enum stats_table t, struct column *columns, int *count)
{
	int n = numbers_of(t), i;

	columns[0] = (struct column){ stats_table_name(t), 20, true, 0 };
	for (i = 0; i < n; i++) {
		const char *name = stats_column_name(t, i);
		int width = (int)strlen(name);

		columns[1 + i] = (struct column){ name, width > 7 ? width : 7,
						  false, 1 + i };
	}
	columns[1 + n] = (struct column){ "", 0, true, 2 + n };
	*count = n + 2;
}

static bool
ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && str_eq(s + n - k, end);
}

static void
fill_number(const struct sample *s, enum stats_table st, int col, int64_t v,
	    struct table_row *r)
{
	const char *name = stats_column_name(st, col);
	char text[UNITS_SIZE];

	if (ends_in(name, "since_us") || ends_in(name, "at_us"))
		table_number(r, 1 + col, INK_TEXT, v,
			     v > 0 ? units_age(text, s->wall_us - v) : "-");
	else if (ends_in(name, "_us")) {
		str_fmt(text, sizeof(text), v < 100000 ? "%.1fms" : "%.0fms",
			(double)v / 1000);
		table_number(r, 1 + col, v ? INK_TEXT : INK_DIM, v, text);
	} else if (ends_in(name, "bytes"))
		table_number(r, 1 + col, v ? INK_TEXT : INK_DIM, v,
			     units_bytes(text, v));
	else
		panel_count(r, 1 + col, v);
}

void
panel_keyed_fill(enum stats_table st, const struct sample *s, struct table *t)
{
	int n = numbers_of(st), k;

	for (size_t i = 0; i < s->tables[st].count; i++) {
		const struct stats_row_copy *from = &s->tables[st].rows[i];
		struct table_row *r = table_add(t);

		if (r == NULL)
			return;
		table_text(r, 0, INK_STRONG, from->key);
		for (k = 0; k < n; k++)
			fill_number(s, st, k, from->n[k], r);
		table_text(r, 1 + n, INK_WARN, from->text);
	}
}
