/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl status: read from the shared mapping; mcd is asked only for the
 * words of what is wrong.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "asking.h"
#include "beat.h"
#include "clock.h"
#include "command.h"
#include "figures_of.h"
#include "stats.h"
#include "status.h"
#include "str.h"

#define ASK_MS 2000

static const enum stat_id queues[] = {
	STAT_queue_incoming, STAT_queue_filtering,  STAT_queue_outgoing,
	STAT_queue_hold,     STAT_queue_quarantine, STAT_queue_corrupt
};
#define QUEUES (sizeof(queues) / sizeof(queues[0]))

struct view {
	bool is_running;
	bool is_hung; /* there, but the parent does not beat */
	bool is_open; /* new mail is taken */
	bool is_draining;
	bool is_drained; /* queue says that nothing is left */
	int64_t left; /* messages that a drain waits for */
	int64_t damaged, oldest_us; /* parked; of what waits, 0: none */
	int64_t beat_us, started_us, pid;
	int64_t queued[QUEUES];
	char settings[512]; /* "" all is well */
	struct stats_row_copy rows[STATS_ROWS_LIMIT];
	size_t count;
	struct figures filters;
};

static const char *
queue_name(enum stat_id s)
{
	return stats_name(s) + strlen("queue_");
}

/* Why control has no settings: its own words. */
static void
ask_settings(struct ctx *c, struct view *v)
{
	struct err e = { "" };
	int code = EX_OK;
	struct asking *a = asking_open(&c->conf, &code, &e);

	if (a != NULL) {
		asking_set_wait(a, ASK_MS);
		code = asking_run(a, "settings", "", NULL, &e);
		asking_close(a);
	}
	if (code == EX_OK)
		return; /* read by now */
	str_copy(v->settings, sizeof(v->settings), e.text);
}

static void
take_view(struct ctx *c, const struct stats *s, struct view *v)
{
	struct beat beat;

	beat_take(s, &beat);
	v->is_running = beat.is_running;
	v->is_hung = beat.is_hung;
	v->beat_us = beat.beat_us;
	v->started_us = beat.started_us;
	v->pid = beat.pid;
	v->is_open = v->is_running && stats_get(s, STAT_intake_open) != 0;
	for (size_t i = 0; i < QUEUES; i++)
		v->queued[i] = stats_get(s, queues[i]);
	v->is_draining = v->is_running && stats_get(s, STAT_in_draining) != 0 &&
			 stats_get(s, STAT_queue_drain) != 0;
	v->is_drained = stats_get(s, STAT_queue_drain) == 2;
	v->left = stats_get(s, STAT_queue_receiving) +
		  stats_get(s, STAT_queue_incoming) +
		  stats_get(s, STAT_queue_filtering) +
		  stats_get(s, STAT_queue_outgoing);
	v->damaged = stats_get(s, STAT_queue_corrupt);
	v->oldest_us = stats_get(s, STAT_queue_oldest_us);
	figures_of(s, &v->filters);
	v->count = stats_rows(s, TABLE_PROCESS, v->rows, STATS_ROWS_LIMIT);
	if (v->is_running && stats_get(s, STAT_settings_read) == 0)
		ask_settings(c, v);
}

/* A process of an mcd that is down is down. */
static const char *
state_of(const struct view *v, const struct stats_row_copy *row)
{
	return process_state_name(v->is_running || v->is_hung
					  ? row->n[PROCESS_STATE]
					  : PROCESS_DOWN);
}

/* Nothing comes in, and all that came has gone on. */
static bool
is_safe(const struct view *v)
{
	return v->is_draining && v->is_drained && v->left == 0;
}

/* The next filter behind i whose breaker is not closed; count at the end. */
static size_t
next_left_out(const struct view *v, size_t i)
{
	while (i < v->filters.count &&
	       (!v->is_running || v->filters.row[i].n[FILTER_ROW_BREAKER] == 0))
		i++;
	return i;
}

static void
json_filters(const struct view *v, struct buf *b)
{
	size_t i;

	for (i = next_left_out(v, 0); i < v->filters.count;
	     i = next_left_out(v, i + 1)) {
		const struct stats_row_copy *row = &v->filters.row[i];

		buf_add_str(b, b->data[b->len - 1] == '[' ? "{\"name\":"
							  : ",{\"name\":");
		json_string(b, row->key);
		buf_add_str(b, ",\"breaker\":");
		json_string(b, figures_breaker(row));
		buf_add_str(b, ",\"last_error\":");
		json_string(b, row->text);
		buf_add_char(b, '}');
	}
}

static void
print_json(struct ctx *c, const struct view *v)
{
	struct buf b = { 0 };

	buf_printf(&b,
		   "{\"running\":%s,\"since\":%lld,\"pid\":%lld,"
		   "\"seen\":%lld,\"intake_open\":%s,\"draining\":%s,"
		   "\"left\":%lld,\"safe_to_stop\":%s,\"settings\":",
		   v->is_running ? "true" : "false",
		   (long long)(v->started_us / 1000000), (long long)v->pid,
		   (long long)(v->beat_us / 1000000),
		   v->is_open ? "true" : "false",
		   v->is_draining ? "true" : "false", (long long)v->left,
		   is_safe(v) ? "true" : "false");
	json_string(&b, v->settings);
	buf_add_str(&b, ",\"processes\":[");
	for (size_t i = 0; i < v->count; i++) {
		const int64_t *n = v->rows[i].n;

		buf_add_str(&b, i > 0 ? ",{\"role\":" : "{\"role\":");
		json_string(&b, v->rows[i].key);
		buf_printf(&b,
			   ",\"pid\":%lld,\"state\":\"%s\",\"restarts\":%lld,"
			   "\"since\":%lld}",
			   (long long)n[PROCESS_PID], state_of(v, &v->rows[i]),
			   (long long)n[PROCESS_RESTARTS],
			   (long long)(n[PROCESS_SINCE_US] / 1000000));
	}
	buf_add_str(&b, "],\"queues\":{");
	for (size_t i = 0; i < QUEUES; i++)
		buf_printf(&b, "%s\"%s\":%lld", i > 0 ? "," : "",
			   queue_name(queues[i]), (long long)v->queued[i]);
	buf_add_str(&b, "},\"filters_left_out\":[");
	json_filters(v, &b);
	buf_add_str(&b, "]}");
	out_line(&c->out, buf_str(&b));
	buf_release(&b);
}

static void
age_text(char *dst, size_t size, int64_t since_us)
{
	int64_t ms = (clock_wall_us() - since_us) / 1000;

	str_duration(dst, size, ms > 0 ? ms / 1000 * 1000 : 0);
}

/* Each with what its last failure was, and what to do. */
static void
print_filters(const struct view *v)
{
	char why[STATS_ROW_TEXT];
	size_t i;

	for (i = next_left_out(v, 0); i < v->filters.count;
	     i = next_left_out(v, i + 1)) {
		const struct stats_row_copy *row = &v->filters.row[i];

		str_printable(why, sizeof(why), row->text, strlen(row->text));
		printf("filter: %s LEFT OUT (breaker %s): %s; see \"mcctl "
		       "doctor\"; \"mcctl reload\" tries it at once\n",
		       row->key, figures_breaker(row), why);
	}
}

static void
print_state(const struct view *v)
{
	int64_t since_us = v->is_running ? v->started_us : v->beat_us;
	char when[40];
	char age[32];

	clock_iso8601(when, sizeof(when), since_us);
	age_text(age, sizeof(age), since_us);
	printf("mcd: %s %s (%s%s)\n",
	       v->is_running ? "running since"
	       : v->is_hung  ? "DOES NOT ANSWER since"
			     : "DOWN since about",
	       when, age, v->is_running ? "" : " ago");
	printf("intake: %s\n", v->is_open ? "open"
			       : v->is_running
				       ? "CLOSED: new mail is answered later"
				       : "CLOSED");
	if (v->is_draining)
		printf("drain: %lld messages left; safe to stop: %s\n",
		       (long long)v->left, is_safe(v) ? "yes" : "no");
	if (v->settings[0] != '\0')
		printf("settings: NOT READ: %s\n", v->settings);
	print_filters(v);
	printf("queues%s:", v->is_running ? "" : " when last seen");
	for (size_t i = 0; i < QUEUES; i++)
		printf("  %s %lld", queue_name(queues[i]),
		       (long long)v->queued[i]);
	printf("\n\n");
}

static void
print_text(struct ctx *c, const struct view *v)
{
	char age[32];

	print_state(v);
	for (size_t i = 0; i < v->count; i++) {
		const int64_t *n = v->rows[i].n;
		struct record r = { 0 };

		record_str(&r, "role", v->rows[i].key);
		record_int(&r, "pid", n[PROCESS_PID]);
		record_str(&r, "state", state_of(v, &v->rows[i]));
		record_int(&r, "restarts", n[PROCESS_RESTARTS]);
		age_text(age, sizeof(age), n[PROCESS_SINCE_US]);
		record_str(&r, "for", v->is_running ? age : "");
		out_row(&c->out, &r);
		record_release(&r);
	}
}

/* mcctl status -x: only what is wrong, each with what to do. */
struct faults {
	struct ctx *c;
	size_t count;
};

static void fault(struct faults *f, const char *what, const char *todo,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
fault(struct faults *f, const char *what, const char *todo, const char *fmt,
      ...)
{
	char text[700], shown[700], line[1100];
	struct record r = { 0 };
	va_list ap;

	f->count++;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	str_printable(shown, sizeof(shown), text, strlen(text));
	if (!f->c->out.json) {
		str_fmt(line, sizeof(line), "%s: %s\n  to do: %s", what, shown,
			todo);
		out_line(&f->c->out, line);
		return;
	}
	record_str(&r, "fault", what);
	record_str(&r, "found", shown);
	record_str(&r, "todo", todo);
	out_row(&f->c->out, &r);
	record_release(&r);
}

static void
fault_mcd(struct faults *f, const struct view *v)
{
	char when[40];

	clock_iso8601(when, sizeof(when), v->beat_us);
	if (v->is_hung)
		fault(f, "mcd",
		      "see its log; stop the process and start it again",
		      "does not answer since %s", when);
	else if (!v->is_running)
		fault(f, "mcd", "start it: systemctl start mcd, or mcd",
		      "down since about %s", when);
	else if (v->is_draining)
		fault(f, "intake", "\"mcctl undrain\" takes new mail again",
		      "closed by mcctl drain: %lld messages left",
		      (long long)v->left);
	else if (!v->is_open)
		fault(f, "intake",
		      "see the log for what was written last; \"mcctl doctor "
		      "disk\": is there room?",
		      "closed: new mail is answered later");
	if (v->settings[0] != '\0')
		fault(f, "settings",
		      "\"mcctl check\"; \"mcctl restore FILE\" "
		      "puts a backup back",
		      "not read, mail is answered later: %s", v->settings);
}

static void
fault_parts(struct faults *f, const struct view *v)
{
	size_t i;

	for (i = 0; v->is_running && i < v->count; i++)
		if (v->rows[i].n[PROCESS_STATE] == PROCESS_DOWN)
			fault(f, "process",
			      "see its last words in the log; it is started "
			      "again by itself",
			      "%s is down, after %lld restarts", v->rows[i].key,
			      (long long)v->rows[i].n[PROCESS_RESTARTS]);
	for (i = next_left_out(v, 0); i < v->filters.count;
	     i = next_left_out(v, i + 1))
		fault(f, "filter",
		      "\"mcctl doctor\" says what it needs; \"mcctl reload\" "
		      "tries it at once",
		      "%s is left out (breaker %s): %s", v->filters.row[i].key,
		      figures_breaker(&v->filters.row[i]),
		      v->filters.row[i].text);
}

static void
fault_mail(struct faults *f, const struct view *v)
{
	int64_t age_s = (clock_wall_us() - v->oldest_us) / 1000000;
	int64_t limit_s = f->c->conf.alert_queue_age_s;
	char age[32];

	if (v->damaged > 0)
		fault(f, "damaged mail",
		      "\"mcctl queue list corrupt\"; its bytes are in the "
		      "spool's folder corrupt",
		      "%lld messages are parked", (long long)v->damaged);
	if (v->oldest_us <= 0 || limit_s == 0 || age_s < limit_s)
		return;
	str_duration(age, sizeof(age), age_s / 60 * 60000);
	fault(f, "old mail",
	      "\"mcctl queue shape\" says for whom; \"mcctl dest test DOMAIN\" "
	      "why it does not go",
	      "the oldest message waits for %s", age);
}

/* 69 when there is something, as doctor says. */
static int
print_faults(struct ctx *c, const struct view *v)
{
	struct faults f = { .c = c };

	fault_mcd(&f, v);
	fault_parts(&f, v);
	fault_mail(&f, v);
	if (f.count > 0)
		return EX_UNAVAILABLE;
	if (!c->out.json)
		out_line(&c->out, "all is well");
	return EX_OK;
}

static int
open_stats(struct ctx *c, struct stats **s)
{
	char path[1024];
	struct err e;

	str_fmt(path, sizeof(path), "%s/stats", c->conf.run_dir);
	if (access(path, R_OK) < 0 && errno == EACCES)
		return complain(c, EX_NOPERM,
				"%s: permission denied: expected root, or a "
				"member of its group",
				path);
	*s = stats_open(path, &e);
	if (*s == NULL)
		return complain(c, EX_UNAVAILABLE, "mcd is not running: %s",
				e.text);
	return EX_OK;
}

int
cmd_status(struct ctx *c)
{
	static struct view v;
	struct stats *s = NULL;
	int code = open_stats(c, &s);

	if (code != EX_OK)
		return code;
	take_view(c, s, &v);
	stats_unmap(s);
	if (option_is_given(c, "faults"))
		return print_faults(c, &v);
	if (c->out.json)
		print_json(c, &v);
	else
		print_text(c, &v);
	return v.is_running ? EX_OK : EX_UNAVAILABLE;
}

int
status_drain(struct ctx *c, struct drain_state *out)
{
	static struct view v;
	struct stats *s = NULL;
	int code = open_stats(c, &s);

	memset(out, 0, sizeof(*out));
	if (code != EX_OK)
		return code;
	take_view(c, s, &v);
	stats_unmap(s);
	out->is_running = v.is_running;
	out->is_draining = v.is_draining;
	out->left = v.left;
	out->is_safe = is_safe(&v);
	return EX_OK;
}
