/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Everything of a sample as one JSON object.  Times are seconds, as in
 * mcctl, but for members that end in _us.
 */
#include "dump.h"

#include "record.h"

static void
member(struct buf *b, const char *comma, const char *name, int64_t n)
{
	buf_printf(b, "%s\"%s\":%lld", comma, name, (long long)n);
}

static void
add_values(const struct sample *s, struct buf *b)
{
	for (int i = 0; i < STAT_COUNT; i++)
		member(b, i > 0 ? "," : ",\"values\":{",
		       stats_name((enum stat_id)i), s->values[i]);
	buf_add_char(b, '}');
}

static void
add_table(const struct sample *s, enum stats_table t, struct buf *b)
{
	buf_printf(b, ",\"%s\":[", stats_table_name(t));
	for (size_t i = 0; i < s->tables[t].count; i++) {
		const struct stats_row_copy *r = &s->tables[t].rows[i];

		buf_add_str(b, i > 0 ? ",{\"key\":" : "{\"key\":");
		json_string(b, r->key);
		for (int k = 0; k < STATS_COLUMNS; k++) {
			if (stats_column_name(t, k) != NULL)
				member(b, ",", stats_column_name(t, k),
				       r->n[k]);
		}
		buf_add_str(b, ",\"text\":");
		json_string(b, r->text);
		buf_add_char(b, '}');
	}
	buf_add_char(b, ']');
}

static void
add_members(const struct sample *s, struct buf *b)
{
	buf_add_str(b, ",\"processes\":[");
	for (size_t i = 0; i < s->member_count; i++) {
		const struct member *m = &s->members[i];

		buf_add_str(b, i > 0 ? ",{\"role\":" : "{\"role\":");
		json_string(b, m->role);
		member(b, ",", "pid", m->is.pid);
		buf_printf(b, ",\"state\":\"%s\"",
			   process_state_name(m->state));
		member(b, ",", "restarts", m->restarts);
		member(b, ",", "since", m->since_us / 1000000);
		member(b, ",", "cpu_permille", m->cpu_permille);
		member(b, ",", "resident", m->is.resident);
		buf_add_char(b, '}');
	}
	buf_add_char(b, ']');
}

static void
add_host(const struct sample *s, struct buf *b)
{
	const struct host *h = &s->host;

	member(b, ",\"host\":{", "cpu_permille", s->cpu_permille);
	member(b, ",", "cores", h->cores);
	member(b, ",", "load_1_percent", h->load[0]);
	member(b, ",", "memory_used", h->memory_used);
	member(b, ",", "memory_all", h->memory_all);
	member(b, ",", "swap_used", h->swap_used);
	member(b, ",", "spool_used", h->disk_used);
	member(b, ",", "spool_free", h->disk_free);
	member(b, ",", "inodes_used", h->inodes_used);
	member(b, ",", "inodes_all", h->inodes_all);
	member(b, ",", "received_rate", s->received_rate);
	member(b, ",", "sent_rate", s->sent_rate);
	buf_add_char(b, '}');
}

void
dump_json(const struct sample *s, struct buf *out)
{
	buf_printf(out, "{\"at\":%lld,\"running\":%s,\"hung\":%s",
		   (long long)(s->wall_us / 1000000),
		   s->alive.is_running ? "true" : "false",
		   s->alive.is_hung ? "true" : "false");
	member(out, ",", "since", s->alive.started_us / 1000000);
	member(out, ",", "seen", s->alive.beat_us / 1000000);
	add_host(s, out);
	if (s->has_stats) {
		add_values(s, out);
		add_members(s, out);
		for (int t = 0; t < TABLE_COUNT; t++) {
			if (t != TABLE_PROCESS)
				add_table(s, (enum stats_table)t, out);
		}
	}
	buf_add_str(out, "}\n");
}
