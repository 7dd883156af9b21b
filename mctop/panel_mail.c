/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What mail turned out to be, by recipients.
 */
#include <string.h>

#include "chart.h"
#include "panel.h"
#include "units.h"

#define MINUTE 60000000LL
#define PIE_ROWS 10
#define PIE_FROM_COLS 90

enum { KIND, MINUTE_N, MINUTE_P, HOUR_N, HOUR_P, DAY_N, DAY_P, EVER, WHAT };

static const struct column columns[] = {
	[KIND] = { "mail", 8, true, 0 },
	[MINUTE_N] = { "minute", 7, false, 0 },
	[MINUTE_P] = { "", 6, false, 0 },
	[HOUR_N] = { "hour", 7, false, 1 },
	[HOUR_P] = { "", 6, false, 1 },
	[DAY_N] = { "day", 7, false, 2 },
	[DAY_P] = { "", 6, false, 2 },
	[EVER] = { "ever", 7, false, 3 },
	[WHAT] = { "", 0, true, 4 },
};

const struct kind_row kind_rows[KIND_COUNT] = {
	[KIND_CLEAN] = { "clean", "clean mail, by recipients", STAT_mail_clean,
			 INK_CLEAN },
	[KIND_TAGGED] = { "tagged", "spam that was passed on", STAT_mail_tagged,
			  INK_TAGGED },
	[KIND_SPAM] = { "spam", "spam that was kept back", STAT_mail_spam,
			INK_SPAM },
	[KIND_VIRUS] = { "virus", "mail with a virus", STAT_mail_virus,
			 INK_VIRUS },
	[KIND_REFUSED] = { "refused", "5xx replies to clients", STAT_in_refused,
			   INK_REFUSED },
};

int64_t
kinds_count(const struct sample *s, int64_t last_us, int64_t counts[KIND_COUNT])
{
	int64_t sum = 0, span_us;

	for (int i = 0; i < KIND_COUNT; i++) {
		counts[i] = 0;
		if (!s->has_stats)
			continue;
		counts[i] = last_us == 0
				    ? s->values[kind_rows[i].stat]
				    : trend_growth(s->trend, kind_rows[i].stat,
						   last_us, &span_us);
		if (counts[i] < 0)
			counts[i] = 0;
		sum += counts[i];
	}
	return sum;
}

static void
fill_span(const struct sample *s, struct table *t, int64_t last_us, int number,
	  int share)
{
	int64_t counts[KIND_COUNT], sum = kinds_count(s, last_us, counts);
	char text[UNITS_SIZE];

	for (int i = 0; i < t->count; i++) {
		panel_count(&t->rows[i], number, counts[i]);
		if (share >= 0)
			table_number(&t->rows[i], share, kind_rows[i].ink,
				     sum > 0 ? counts[i] * 1000 / sum : -1,
				     units_share(text, counts[i], sum));
	}
}

static void
fill(const struct sample *s, struct table *t)
{
	for (int i = 0; i < KIND_COUNT && s->has_stats; i++) {
		struct table_row *r = table_add(t);

		if (r == NULL)
			return;
		table_text(r, KIND, kind_rows[i].ink, kind_rows[i].name);
		table_text(r, WHAT, INK_DIM, kind_rows[i].help);
	}
	fill_span(s, t, MINUTE, MINUTE_N, MINUTE_P);
	fill_span(s, t, 60 * MINUTE, HOUR_N, HOUR_P);
	fill_span(s, t, 1440 * MINUTE, DAY_N, DAY_P);
	fill_span(s, t, 0, EVER, -1);
}

const struct panel panel_mail = {
	COLUMNS_OF(columns),
	-1,
	"nothing is known",
	fill,
};
