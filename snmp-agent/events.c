/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A reader an event: it says value and limit, or that they are not known,
 * and then the event stays as it is.  What is not known because mcd is down
 * is no news: that has an event of its own.
 */
#include "events.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "str.h"

#define DAY_US INT64_C(86400000000)
#define WINDOW_MS 600000
#define SAMPLE_MS 10000
#define SAMPLES (WINDOW_MS / SAMPLE_MS)
#define FILES_MAX 10000 /* of a folder of signatures */
#define SIGNATURES_EVERY_MS 60000

/* How much a total has grown within the window; one that went back is that
 * of another run, and counted from there. */
struct growth {
	int64_t samples[SAMPLES]; /* growth of each slot of time */
	int64_t total, slot;
	bool is_started;
};

static struct {
	const struct conf *conf;
	int64_t now_ms;
	struct growth restarts, parked;
	int64_t newest_us, newest_ms; /* of the signatures, and when seen */
} self;

struct reading {
	int64_t value, limit; /* limit 0: off */
	bool is_low; /* little is bad */
};
typedef bool read_fn(const struct glance *g, struct reading *r);

static int64_t
growth_add(struct growth *w, int64_t total)
{
	int64_t slot = self.now_ms / SAMPLE_MS, sum = 0, i;

	if (!w->is_started || total < w->total)
		w->total = total;
	if (!w->is_started || slot - w->slot >= SAMPLES)
		memset(w->samples, 0, sizeof(w->samples));
	else
		for (i = w->slot + 1; i <= slot; i++)
			w->samples[i % SAMPLES] = 0;
	w->is_started = true;
	w->slot = slot;
	w->samples[slot % SAMPLES] += total - w->total;
	w->total = total;
	for (i = 0; i < SAMPLES; i++)
		sum += w->samples[i];
	return sum;
}

/* What snmp.keep_last keeps of an mcd that is down is known, but no news. */
static bool
is_alive(const struct glance *g)
{
	return g->state == GLANCE_RUNNING || g->state == GLANCE_STARTING;
}

static bool
read_gauge(const struct glance *g, enum stat_id id, int64_t limit,
	   struct reading *r)
{
	*r = (struct reading){ g->values[id], limit };
	return g->is_known[id] && is_alive(g);
}

/* A flag that ought to be 1. */
static bool
read_flag(const struct glance *g, enum stat_id id, struct reading *r)
{
	*r = (struct reading){ g->values[id] == 0, 1 };
	return g->is_known[id] && g->state == GLANCE_RUNNING;
}

static bool
read_down(const struct glance *g, struct reading *r)
{
	*r = (struct reading){ !is_alive(g), 1 };
	return true;
}

static bool
read_closed(const struct glance *g, struct reading *r)
{
	return read_flag(g, STAT_intake_open, r);
}

static bool
read_settings(const struct glance *g, struct reading *r)
{
	return read_flag(g, STAT_settings_read, r);
}

static bool
read_restarts(const struct glance *g, struct reading *r)
{
	int64_t total = 0;

	if (!g->has_rows[TABLE_PROCESS] || !is_alive(g))
		return false;
	for (size_t i = 0; i < g->counts[TABLE_PROCESS]; i++)
		total += g->rows[TABLE_PROCESS][i].n[PROCESS_RESTARTS];
	*r = (struct reading){ growth_add(&self.restarts, total),
			       self.conf->alert_restarts };
	return true;
}

static bool
read_parked(const struct glance *g, struct reading *r)
{
	if (!g->is_known[STAT_parked] || !is_alive(g))
		return false;
	*r = (struct reading){ growth_add(&self.parked, g->values[STAT_parked]),
			       1 };
	return true;
}

static bool
read_incoming(const struct glance *g, struct reading *r)
{
	return read_gauge(g, STAT_queue_incoming,
			  self.conf->alert_queue_incoming, r);
}

static bool
read_filtering(const struct glance *g, struct reading *r)
{
	return read_gauge(g, STAT_queue_filtering,
			  self.conf->alert_queue_filtering, r);
}

static bool
read_outgoing(const struct glance *g, struct reading *r)
{
	return read_gauge(g, STAT_queue_outgoing,
			  self.conf->alert_queue_outgoing, r);
}

static bool
read_age(const struct glance *g, struct reading *r)
{
	int64_t oldest_us = g->values[STAT_queue_oldest_us];

	r->limit = self.conf->alert_queue_age_s;
	r->value = oldest_us > 0 ? (g->taken_us - oldest_us) / 1000000 : 0;
	return g->is_known[STAT_queue_oldest_us] && is_alive(g);
}

static bool
read_lists(const struct glance *g, struct reading *r)
{
	return read_gauge(g, STAT_rbl_suspended, 1, r);
}

/* A filter whose server or engine fails is left out for a while, and tried
 * again: until that went well it is still down. */
static bool
read_filters(const struct glance *g, struct reading *r)
{
	*r = (struct reading){ 0, 1 };
	for (size_t i = 0; i < g->counts[TABLE_FILTER]; i++)
		r->value += g->rows[TABLE_FILTER][i].n[FILTER_ROW_BREAKER] != 0;
	return g->has_rows[TABLE_FILTER] && is_alive(g);
}

static int64_t
percent(uint64_t all, uint64_t left)
{
	return all > 0 && left <= all ? (int64_t)((all - left) * 100 / all) : 0;
}

static bool
read_disk(const struct glance *g, struct reading *r)
{
	struct statvfs fs;
	int64_t blocks, inodes;

	(void)g;
	if (statvfs(self.conf->spool_dir, &fs) != 0)
		return false;
	blocks = percent(fs.f_blocks, fs.f_bavail);
	inodes = percent(fs.f_files, fs.f_favail);
	r->value = blocks > inodes ? blocks : inodes;
	r->limit = self.conf->alert_disk_percent;
	return true;
}

/* Of the newest file of a folder, in microseconds; 0: none, or no right. */
static int64_t
newest(const char *path)
{
	DIR *dir = *path != '\0' ? opendir(path) : NULL;
	int64_t us, found = 0;
	struct dirent *d;
	struct stat st;
	int n = 0;

	if (dir == NULL)
		return 0;
	while (n++ < FILES_MAX && (d = readdir(dir)) != NULL) {
		if (fstatat(dirfd(dir), d->d_name, &st, 0) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		us = (int64_t)st.st_mtime * 1000000;
		if (us > found)
			found = us;
	}
	closedir(dir);
	return found;
}

static bool
read_signatures(const struct glance *g, struct reading *r)
{
	if (self.newest_ms < 0 ||
	    self.now_ms - self.newest_ms >= SIGNATURES_EVERY_MS) {
		self.newest_us = newest(self.conf->clamav_dir);
		self.newest_ms = self.now_ms;
	}
	r->value = (g->taken_us - self.newest_us) / 3600000000;
	r->limit = self.conf->alert_signature_hours;
	return self.newest_us > 0;
}

static bool
read_certificate(const struct glance *g, struct reading *r)
{
	int64_t left_us = g->values[STAT_certificate_ends_us] - g->taken_us;

	*r = (struct reading){ left_us > 0 ? left_us / DAY_US : 0,
			       self.conf->alert_certificate_days, true };
	return g->is_known[STAT_certificate_ends_us] && is_alive(g) &&
	       g->values[STAT_certificate_ends_us] > 0;
}

static read_fn *const readers[EVENT_COUNT] = {
#define EVENT(name, number, reader, help) read_##reader,
#include "events.def"
#undef EVENT
};

static struct event events[EVENT_COUNT] = {
#define EVENT(name, number, reader, help) { #name, help, number },
#include "events.def"
#undef EVENT
};

void
events_init(const struct conf *conf)
{
	memset(&self, 0, sizeof(self));
	self.conf = conf;
	self.newest_ms = -1;
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		events[i].is_raised = events[i].is_told = false;
		events[i].is_known = false;
		events[i].since_us = 0;
		events[i].turn_ms = events[i].told_ms = -1;
	}
}

static bool
ought_to_change(const struct event *e)
{
	if (e->limit <= 0)
		return e->is_raised;
	if (e->is_low && e->is_raised)
		return e->value > e->limit * 5 / 4;
	if (e->is_low)
		return e->value <= e->limit;
	if (e->is_raised)
		return e->value <= e->limit * 4 / 5;
	return e->value >= e->limit;
}

static void
change(struct event *e, const struct glance *g)
{
	e->is_raised = !e->is_raised;
	e->since_us = g->taken_us;
	e->turn_ms = -1;
}

/* That it is raised waits until it may be told again, and is told then if
 * it still is; that it is over is told to who has heard that it was raised. */
static void
tell_of(struct event *e, events_tell_fn *tell, void *arg)
{
	int64_t again_ms = self.conf->alert_again_s * 1000;

	if (e->is_raised == e->is_told)
		return;
	if (e->is_raised) {
		if (e->told_ms >= 0 && self.now_ms - e->told_ms < again_ms)
			return;
		e->told_ms = self.now_ms;
	}
	e->is_told = e->is_raised;
	tell(e, arg);
}

/* Whether it changes now. */
static bool
is_turned(struct event *e)
{
	if (!e->is_known || !ought_to_change(e)) {
		e->turn_ms = -1;
		return false;
	}
	if (e->turn_ms < 0)
		e->turn_ms = self.now_ms;
	return self.now_ms - e->turn_ms >= self.conf->alert_hold_s * 1000;
}

void
events_look(const struct glance *g, int64_t now_ms, events_tell_fn *tell,
	    void *arg)
{
	struct reading r;

	self.now_ms = now_ms;
	for (size_t i = 0; i < EVENT_COUNT; i++) {
		struct event *e = &events[i];

		e->is_known = readers[i](g, &r);
		if (e->is_known) {
			e->value = r.value;
			e->limit = r.limit;
			e->is_low = r.is_low;
		}
		if (is_turned(e))
			change(e, g);
		tell_of(e, tell, arg);
	}
}

const struct event *
events_get(enum event_id id)
{
	return &events[id];
}

void
events_text(const struct event *e, char *dst, size_t size)
{
	str_fmt(dst, size, "%s: %s: %lld, limit %lld",
		e->is_raised ? "raised" : "over", e->help, (long long)e->value,
		(long long)e->limit);
}
