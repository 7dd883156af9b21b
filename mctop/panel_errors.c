/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The last errors of the parent.
 */
#include "panel.h"
#include "units.h"

enum { AT, AGE, TEXT };

static const struct column columns[] = {
	[AT] = { "time", 11, true, 1 },
	[AGE] = { "ago", 6, false, 0 },
	[TEXT] = { "what", 0, true, 0 },
};

static void
fill(const struct sample *s, struct table *t)
{
	const struct ring_copy *ring = &s->rings[RING_ERROR];
	char text[UNITS_SIZE];

	for (size_t i = 0; i < ring->count; i++) {
		struct table_row *r = table_add(t);
		int64_t age_us = s->wall_us - ring->lines[i].at_us;

		if (r == NULL)
			return;
		table_text(r, AT, INK_DIM,
			   units_clock(text, ring->lines[i].at_us, s->wall_us));
		table_number(r, AGE, INK_TEXT, -age_us,
			     units_age(text, age_us));
		table_text(r, TEXT, INK_TEXT, ring->lines[i].text);
	}
}

const struct panel panel_errors = {
	COLUMNS_OF(columns),
	-1,
	"nothing went wrong since mcd was started",
	fill,
};
