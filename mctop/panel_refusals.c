/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Refusals by check: every counter in_refused_NAME, so that a new check
 * shows up by its row in stats.def.
 */
#include "panel.h"
#include "str.h"
#include "units.h"

#define PREFIX "in_refused_"
#define MINUTE 60000000LL

enum { CHECK, MINUTE_N, HOUR_N, DAY_N, EVER, WHAT };

static const struct column columns[] = {
	[CHECK] = { "check", 16, true, 0 },
	[MINUTE_N] = { "minute", 7, false, 0 },
	[HOUR_N] = { "hour", 7, false, 0 },
	[DAY_N] = { "day", 7, false, 1 },
	[EVER] = { "ever", 7, false, 2 },
	[WHAT] = { "", 0, true, 3 },
};

static void
fill(const struct sample *s, struct table *t)
{
	static const struct {
		int column;
		int64_t last_us;
	} spans[] = { { MINUTE_N, MINUTE },
		      { HOUR_N, 60 * MINUTE },
		      { DAY_N, 1440 * MINUTE } };
	struct table_row *r;
	int64_t span_us, n;

	for (int i = 0; i < STAT_COUNT && s->has_stats; i++) {
		enum stat_id st = (enum stat_id)i;

		if (!str_has_prefix(stats_name(st), PREFIX) ||
		    (r = table_add(t)) == NULL)
			continue;
		table_text(r, CHECK, s->values[i] > 0 ? INK_STRONG : INK_DIM,
			   stats_name(st) + sizeof(PREFIX) - 1);
		for (size_t k = 0; k < sizeof(spans) / sizeof(*spans); k++) {
			n = trend_growth(s->trend, st, spans[k].last_us,
					 &span_us);
			panel_count(r, spans[k].column, n);
		}
		panel_count(r, EVER, s->values[i]);
		table_text(r, WHAT, INK_DIM, stats_help(st));
	}
}

const struct panel panel_refusals = {
	COLUMNS_OF(columns),
	HOUR_N,
	"nothing is known",
	fill,
};
