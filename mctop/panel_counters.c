/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Every counter and gauge: what is new in stats.def is here at once.
 */
#include "panel.h"
#include "str.h"
#include "units.h"

#define MINUTE 60000000LL

enum { NAME, VALUE, RATE, UNIT, WHAT };

static const struct column columns[] = {
	[NAME] = { "name", 26, true, 0 }, [VALUE] = { "value", 8, false, 0 },
	[RATE] = { "1/s", 7, false, 0 },  [UNIT] = { "unit", 12, true, 2 },
	[WHAT] = { "", 0, true, 1 },
};

static void
fill_value(const struct sample *s, enum stat_id st, struct table_row *r)
{
	int64_t v = s->values[st];
	char text[UNITS_SIZE];

	if (str_eq(stats_unit(st), "bytes"))
		table_number(r, VALUE, v ? INK_TEXT : INK_DIM, v,
			     units_bytes(text, v));
	else if (str_eq(stats_unit(st), "microseconds"))
		table_number(r, VALUE, INK_TEXT, v,
			     v > 0 ? units_age(text, s->wall_us - v) : "-");
	else
		panel_count(r, VALUE, v);
}

static void
fill(const struct sample *s, struct table *t)
{
	for (int i = 0; i < STAT_COUNT && s->has_stats; i++) {
		enum stat_id st = (enum stat_id)i;
		struct table_row *r = table_add(t);

		if (r == NULL)
			return;
		table_text(r, NAME, s->values[i] ? INK_STRONG : INK_DIM,
			   stats_name(st));
		fill_value(s, st, r);
		if (stats_is_counter(st))
			panel_rate(r, RATE, trend_rate(s->trend, st, MINUTE));
		table_text(r, UNIT, INK_DIM, stats_unit(st));
		table_text(r, WHAT, INK_DIM, stats_help(st));
	}
}

const struct panel panel_counters = {
	COLUMNS_OF(columns),
	-1,
	"nothing is known",
	fill,
};
