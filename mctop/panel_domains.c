/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Recipient domains.
 */
#include "panel.h"

enum { DOMAIN, QUEUED, DELIVERED, DEFERRED, FAILED };

static const struct column columns[] = {
	[DOMAIN] = { "domain", 0, true, 0 },
	[QUEUED] = { "queued", 8, false, 0 },
	[DELIVERED] = { "delivered", 9, false, 0 },
	[DEFERRED] = { "deferred", 8, false, 1 },
	[FAILED] = { "failed", 8, false, 2 },
};

static void
fill(const struct sample *s, struct table *t)
{
	const struct table_copy *domains = &s->tables[TABLE_DOMAIN];

	for (size_t i = 0; i < domains->count; i++) {
		const struct stats_row_copy *d = &domains->rows[i];
		struct table_row *r = table_add(t);

		if (r == NULL)
			return;
		table_text(r, DOMAIN, INK_STRONG, d->key);
		panel_count(r, QUEUED, d->n[DOMAIN_QUEUED]);
		panel_count(r, DELIVERED, d->n[DOMAIN_DELIVERED]);
		panel_count_bad(r, DEFERRED, d->n[DOMAIN_DEFERRED]);
		panel_count_bad(r, FAILED, d->n[DOMAIN_BOUNCED]);
	}
}

const struct panel panel_domains = {
	COLUMNS_OF(columns),
	DELIVERED,
	"no mail for any domain yet",
	fill,
};
