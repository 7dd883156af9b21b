/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Taking samples.
 */
#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "db_samples.h"
#include "err.h"
#include "str.h"
#include "xalloc.h"

#define RING_LINES 256
#define SECOND 1000000LL
#define GAP_MAX_S 660 /* between rows that belong together */

struct use {
	int64_t pid, ticks;
};

struct source {
	const struct conf *conf;
	char path[1024];
	struct stats *stats;
	dev_t dev;
	ino_t ino;
	struct sample now;
	/* Of the sample before. */
	struct host before;
	int64_t before_us;
	struct use uses[PROCESSES_MAX];
	size_t use_count;
};

struct source *
source_new(const struct conf *conf)
{
	struct source *s = xcalloc(1, sizeof(*s));
	int i;

	s->conf = conf;
	str_fmt(s->path, sizeof(s->path), "%s/stats", conf->run_dir);
	for (i = 0; i < TABLE_COUNT; i++)
		s->now.tables[i].rows = xcalloc(STATS_ROWS_LIMIT,
						sizeof(struct stats_row_copy));
	for (i = 0; i < RING_COUNT; i++)
		s->now.rings[i].lines =
			xcalloc(RING_LINES, sizeof(struct stats_line));
	s->now.trend = trend_new();
	return s;
}

void
source_free(struct source *s)
{
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < TABLE_COUNT; i++)
		free(s->now.tables[i].rows);
	for (i = 0; i < RING_COUNT; i++)
		free(s->now.rings[i].lines);
	trend_free(s->now.trend);
	stats_unmap(s->stats);
	free(s);
}

static void
explain_missing(struct source *s, int error)
{
	if (error == EACCES)
		str_fmt(s->now.why_not, sizeof(s->now.why_not),
			"%s: permission denied: expected root, or a member of "
			"its group",
			s->path);
	else
		str_fmt(s->now.why_not, sizeof(s->now.why_not), "%s: %s",
			s->path, strerror(error));
}

/* Opens the file where it is not the one that is open. */
static void
follow_file(struct source *s)
{
	struct stat st;
	struct err e;

	s->now.is_foreign = false;
	if (stat(s->path, &st) != 0) {
		explain_missing(s, errno);
		stats_unmap(s->stats);
		s->stats = NULL;
		return;
	}
	if (s->stats != NULL && st.st_dev == s->dev && st.st_ino == s->ino)
		return;
	stats_unmap(s->stats);
	s->stats = stats_open(s->path, &e);
	if (s->stats == NULL && access(s->path, R_OK) != 0) {
		explain_missing(s, errno);
		return;
	}
	if (s->stats == NULL) {
		s->now.is_foreign = true;
		str_copy(s->now.why_not, sizeof(s->now.why_not), e.text);
		return;
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
}

static void
read_stats(struct source *s)
{
	struct sample *n = &s->now;
	int i;

	n->has_stats = s->stats != NULL;
	if (!n->has_stats) {
		for (i = 0; i < TABLE_COUNT; i++)
			n->tables[i].count = 0;
		for (i = 0; i < RING_COUNT; i++)
			n->rings[i].count = 0;
		memset(&n->alive, 0, sizeof(n->alive));
		return;
	}
	beat_take(s->stats, &n->alive);
	stats_all(s->stats, n->values);
	for (i = 0; i < TABLE_COUNT; i++)
		n->tables[i].count =
			stats_rows(s->stats, (enum stats_table)i,
				   n->tables[i].rows, STATS_ROWS_LIMIT);
	for (i = 0; i < RING_COUNT; i++)
		n->rings[i].count = stats_ring(s->stats, (enum stats_ring)i,
					       n->rings[i].lines, RING_LINES);
}

/* Thousandths of a core since the sample before. */
static int64_t
cpu_of(const struct source *s, const struct process *p)
{
	int64_t span_us = s->now.mono_us - s->before_us, ticks;

	for (size_t i = 0; i < s->use_count; i++) {
		if (s->uses[i].pid != p->pid || p->ticks < 0)
			continue;
		ticks = p->ticks - s->uses[i].ticks;
		if (ticks < 0 || span_us <= 0)
			return -1;
		return ticks * 1000000000 / host_tick_rate() / span_us;
	}
	return -1;
}

static void
add_member(struct source *s, const struct member *m)
{
	struct sample *n = &s->now;
	struct member *to;

	if (n->member_count == PROCESSES_MAX)
		return;
	to = &n->members[n->member_count++];
	*to = *m;
	process_read(m->is.pid, &to->is);
	to->cpu_permille = cpu_of(s, &to->is);
}

static void
read_members(struct source *s)
{
	struct sample *n = &s->now;
	const struct table_copy *t = &n->tables[TABLE_PROCESS];
	bool is_there = n->alive.is_running || n->alive.is_hung;
	size_t i;

	n->member_count = 0;
	if (is_there)
		add_member(s, &(struct member){ .role = "parent",
						.state = PROCESS_RUNNING,
						.since_us = n->alive.started_us,
						.is.pid = n->alive.pid });
	for (i = 0; i < t->count; i++) {
		const int64_t *v = t->rows[i].n;

		add_member(s,
			   &(struct member){
				   .role = t->rows[i].key,
				   .state = is_there ? v[PROCESS_STATE]
						     : PROCESS_DOWN,
				   .restarts = v[PROCESS_RESTARTS],
				   .since_us = v[PROCESS_SINCE_US],
				   .is.pid = is_there ? v[PROCESS_PID] : 0 });
	}
	s->use_count = n->member_count;
	for (i = 0; i < n->member_count; i++)
		s->uses[i] = (struct use){ n->members[i].is.pid,
					   n->members[i].is.ticks };
}

static int64_t
byte_rate(const struct source *s, int64_t now, int64_t before)
{
	int64_t span_us = s->now.mono_us - s->before_us;

	if (s->before_us == 0 || span_us <= 0 || now < 0 || before < 0 ||
	    now < before)
		return -1;
	return (int64_t)((double)(now - before) * 1e6 / (double)span_us);
}

static void
read_host(struct source *s)
{
	struct sample *n = &s->now;
	int64_t all;

	host_read(s->conf->spool_dir, &n->host);
	all = n->host.cpu_all - s->before.cpu_all;
	n->cpu_permille = -1;
	if (s->before_us != 0 && all > 0 && n->host.cpu_all >= 0)
		n->cpu_permille =
			(n->host.cpu_busy - s->before.cpu_busy) * 1000 / all;
	if (n->cpu_permille > 1000)
		n->cpu_permille = 1000;
	n->received_rate = byte_rate(s, n->host.received, s->before.received);
	n->sent_rate = byte_rate(s, n->host.sent, s->before.sent);
}

const struct sample *
source_take(struct source *s)
{
	struct sample *n = &s->now;

	n->wall_us = clock_wall_us();
	n->mono_us = clock_mono_us();
	follow_file(s);
	read_stats(s);
	read_members(s);
	read_host(s);
	/* A dead mcd's numbers stand still; time goes on over them. */
	if (n->has_stats && n->alive.is_running)
		trend_add(n->trend, n->wall_us, n->values);
	else
		trend_end(n->trend, n->wall_us);
	s->before = n->host;
	s->before_us = n->mono_us;
	return n;
}

struct loading {
	struct trend *trend;
	enum stat_id st; /* STAT_COUNT: not known here */
	char name[64];
	int64_t at_s, value; /* of the row before */
};

static enum stat_id
find_stat(const char *name)
{
	int i = 0;

	while (i < STAT_COUNT && !str_eq(stats_name((enum stat_id)i), name))
		i++;
	return (enum stat_id)i;
}

static void
load_sample(void *arg, const char *name, int64_t at_s, int64_t value)
{
	struct loading *l = arg;

	if (!str_eq(l->name, name)) {
		str_copy(l->name, sizeof(l->name), name);
		l->st = find_stat(name);
		l->at_s = 0;
	}
	if (l->st == STAT_COUNT)
		return;
	if (l->at_s == 0 || at_s - l->at_s > GAP_MAX_S)
		trend_add_past(l->trend, l->st, at_s * SECOND, value,
			       at_s * SECOND + 1, value);
	else
		trend_add_past(l->trend, l->st, l->at_s * SECOND, l->value,
			       at_s * SECOND, value);
	l->at_s = at_s;
	l->value = value;
}

void
source_load_history(struct source *s)
{
	struct loading l = { .trend = s->now.trend, .st = STAT_COUNT };
	int64_t now_s = clock_wall_us() / SECOND;

	/* Without it the drawings begin now. */
	(void)db_samples_read(s->conf->lib_dir, now_s - 86400, now_s - 3700,
			      load_sample, &l, NULL);
}
