/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rows of TABLE_HOP.
 */
#include "hop_stats.h"

#include <string.h>

#include "role.h"
#include "stats.h"
#include "str.h"

static void
count(const struct hop_stats *s, int col, int64_t n)
{
	stats_row_add(role_stats(), TABLE_HOP, s->row, col, n);
}

static void
note(const struct hop_stats *s, const struct client_result *r)
{
	char text[STATS_ROW_TEXT];

	if (r->code > 0)
		str_fmt(text, sizeof(text), "%d %s %s", r->code, r->enhanced,
			r->text);
	else
		str_fmt(text, sizeof(text), "%s", r->text);
	stats_row_text(role_stats(), TABLE_HOP, s->row, text);
}

void
hop_stats_open(struct hop_stats *s, const char *name, uint16_t port)
{
	char key[STATS_KEY_SIZE];

	/* Of a long name the end is the telling part. */
	if (!str_fmt(key, sizeof(key), "%s:%u", name, (unsigned)port)) {
		size_t len = strlen(name);
		size_t keep = sizeof(key) - sizeof(":65535");

		str_fmt(key, sizeof(key), "%s:%u", name + len - keep,
			(unsigned)port);
	}
	s->row = stats_row(role_stats(), TABLE_HOP, key);
	count(s, HOP_OPEN, 1);
}

void
hop_stats_close(struct hop_stats *s)
{
	count(s, HOP_OPEN, -1);
}

void
hop_stats_connected(struct hop_stats *s)
{
	count(s, HOP_CONNECTIONS, 1);
}

void
hop_stats_result(struct hop_stats *s, const struct client_result *r)
{
	if (r->outcome == OUTCOME_DELIVERED) {
		count(s, HOP_DELIVERED, 1);
		return;
	}
	count(s, r->outcome == OUTCOME_DEFERRED ? HOP_DEFERRED : HOP_REFUSED,
	      1);
	note(s, r);
}

void
hop_stats_failed(struct hop_stats *s, const struct client_result *why)
{
	count(s, HOP_FAILURES, 1);
	note(s, why);
}
