/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Next hops.
 */
#include "panel.h"

enum { HOP, OPEN, DELIVERED, DEFERRED, REFUSED, FAILURES, ERROR_TEXT };

static const struct column columns[] = {
	[HOP] = { "next hop", 28, true, 0 },
	[OPEN] = { "open", 6, false, 1 },
	[DELIVERED] = { "delivered", 9, false, 0 },
	[DEFERRED] = { "deferred", 8, false, 0 },
	[REFUSED] = { "refused", 7, false, 2 },
	[FAILURES] = { "failures", 8, false, 3 },
	[ERROR_TEXT] = { "last error", 0, true, 4 },
};

static void
fill(const struct sample *s, struct table *t)
{
	const struct table_copy *hops = &s->tables[TABLE_HOP];

	for (size_t i = 0; i < hops->count; i++) {
		const struct stats_row_copy *h = &hops->rows[i];
		struct table_row *r = table_add(t);

		if (r == NULL)
			return;
		table_text(r, HOP, INK_STRONG, h->key);
		panel_count(r, OPEN, h->n[HOP_OPEN]);
		panel_count(r, DELIVERED, h->n[HOP_DELIVERED]);
		panel_count_bad(r, DEFERRED, h->n[HOP_DEFERRED]);
		panel_count_bad(r, REFUSED, h->n[HOP_REFUSED]);
		panel_count_bad(r, FAILURES, h->n[HOP_FAILURES]);
		table_text(r, ERROR_TEXT, INK_WARN, h->text);
	}
}

const struct panel panel_hops = {
	COLUMNS_OF(columns),
	DELIVERED,
	"no next hop was connected to yet",
	fill,
};
