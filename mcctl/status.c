/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl status: read from the shared mapping, no question to the daemon.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "command.h"
#include "stats.h"
#include "str.h"

#define PROCESSES_MAX 300
#define BEAT_OLD_US 15000000

static const enum stat_id queues[] = {
	STAT_queue_incoming, STAT_queue_filtering,  STAT_queue_outgoing,
	STAT_queue_hold,     STAT_queue_quarantine, STAT_queue_corrupt
};

struct view {
	bool is_running;
	int64_t beat_us, started_us, pid;
	struct stats_row_copy rows[PROCESSES_MAX];
	size_t count;
};

static const char *
queue_name(enum stat_id s)
{
	return stats_name(s) + strlen("queue_");
}

static void
print_json(const struct stats *s, const struct view *v)
{
	struct buf b = { 0 };

	buf_printf(&b, "{\"running\":%s,\"since\":%lld,\"pid\":%lld,",
		   v->is_running ? "true" : "false",
		   (long long)(v->started_us / 1000000), (long long)v->pid);
	buf_printf(&b, "\"seen\":%lld,\"intake_open\":%s,\"processes\":[",
		   (long long)(v->beat_us / 1000000),
		   v->is_running && stats_get(s, STAT_intake_open) ? "true"
								   : "false");
	for (size_t i = 0; i < v->count; i++) {
		const int64_t *n = v->rows[i].n;

		buf_add_str(&b, i > 0 ? ",{\"role\":" : "{\"role\":");
		json_string(&b, v->rows[i].key);
		buf_printf(&b,
			   ",\"pid\":%lld,\"state\":\"%s\",\"restarts\":%lld,"
			   "\"since\":%lld}",
			   (long long)n[PROCESS_PID],
			   process_state_name(n[PROCESS_STATE]),
			   (long long)n[PROCESS_RESTARTS],
			   (long long)(n[PROCESS_SINCE_US] / 1000000));
	}
	buf_add_str(&b, "],\"queues\":{");
	for (size_t i = 0; i < sizeof(queues) / sizeof(*queues); i++)
		buf_printf(&b, "%s\"%s\":%lld", i > 0 ? "," : "",
			   queue_name(queues[i]),
			   (long long)stats_get(s, queues[i]));
	buf_add_str(&b, "}}");
	printf("%s\n", buf_str(&b));
	buf_release(&b);
}

static void
print_text(struct ctx *c, const struct stats *s, const struct view *v)
{
	char when[40];
	char age[32];
	int64_t now_us = clock_wall_us();

	clock_iso8601(when, sizeof(when),
		      v->is_running ? v->started_us : v->beat_us);
	str_duration(age, sizeof(age),
		     (now_us - (v->is_running ? v->started_us : v->beat_us)) /
			     1000000 * 1000);
	printf("%s %s (%s)\n",
	       v->is_running ? "mcd: running since" : "mcd: DOWN, last seen",
	       when, age);
	printf("intake: %s\n", stats_get(s, STAT_intake_open) && v->is_running
				       ? "open"
				       : "CLOSED: new mail is answered later");
	printf("queues:");
	for (size_t i = 0; i < sizeof(queues) / sizeof(*queues); i++)
		printf("  %s %lld", queue_name(queues[i]),
		       (long long)stats_get(s, queues[i]));
	printf("\n\n");
	for (size_t i = 0; i < v->count; i++) {
		const int64_t *n = v->rows[i].n;
		struct record r = { 0 };

		record_str(&r, "role", v->rows[i].key);
		record_int(&r, "pid", n[PROCESS_PID]);
		record_str(&r, "state", process_state_name(n[PROCESS_STATE]));
		record_int(&r, "restarts", n[PROCESS_RESTARTS]);
		str_duration(age, sizeof(age),
			     (now_us - n[PROCESS_SINCE_US]) / 1000000 * 1000);
		record_str(&r, "for", age);
		out_row(&c->out, &r);
		record_release(&r);
	}
}

int
cmd_status(struct ctx *c)
{
	char path[1024];
	struct stats *s;
	struct view v = { 0 };
	struct err e;

	str_fmt(path, sizeof(path), "%s/stats", c->conf.run_dir);
	s = stats_open(path, &e);
	if (s == NULL)
		return complain(c, EX_UNAVAILABLE, "mcd is not running: %s",
				e.text);
	stats_alive(s, &v.beat_us, &v.started_us, &v.pid);
	v.is_running = v.pid != 0 && clock_wall_us() - v.beat_us < BEAT_OLD_US;
	v.count = stats_rows(s, TABLE_PROCESS, v.rows, PROCESSES_MAX);
	if (c->out.json)
		print_json(s, &v);
	else
		print_text(c, s, &v);
	stats_unmap(s);
	return v.is_running ? EX_OK : EX_UNAVAILABLE;
}
