/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The last verdicts: "ID ACTION KEY=VALUE ...".
 */
#include <string.h>

#include "panel.h"
#include "str.h"
#include "units.h"

enum { AT, ID, ACTION, REST };

static const struct column columns[] = {
	[AT] = { "time", 11, true, 2 },
	[ID] = { "message", 18, true, 1 },
	[ACTION] = { "action", 10, true, 0 },
	[REST] = { "why", 0, true, 0 },
};

/* Cuts the first word off. */
static const char *
word(const char **rest, char *dst, size_t size)
{
	size_t n = strcspn(*rest, " ");

	str_fmt(dst, size, "%.*s", (int)(n < size ? n : size - 1), *rest);
	*rest += n;
	*rest += strspn(*rest, " ");
	return dst;
}

static void
fill(const struct sample *s, struct table *t)
{
	const struct ring_copy *ring = &s->rings[RING_DECISION];
	char text[64], when[UNITS_SIZE];

	for (size_t i = 0; i < ring->count; i++) {
		const char *rest = ring->lines[i].text;
		struct table_row *r = table_add(t);

		if (r == NULL)
			return;
		units_clock(when, ring->lines[i].at_us, s->wall_us);
		table_text(r, AT, INK_DIM, when);
		table_text(r, ID, INK_LABEL, word(&rest, text, sizeof(text)));
		word(&rest, text, sizeof(text));
		table_text(r, ACTION,
			   str_eq(text, "deliver") ? INK_GOOD : INK_WARN, text);
		table_text(r, REST, INK_TEXT, rest);
	}
}

const struct panel panel_decisions = {
	COLUMNS_OF(columns),
	-1,
	"no verdict yet",
	fill,
};
