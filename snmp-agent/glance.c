/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Takes copies of the stats mapping and opens it anew when mcd has made
 * another.  A value is known when the role that writes it runs; counters
 * are also while it is being restarted, because they do not change then.
 * Counters never go back: what a gateway has lost of them, having been
 * killed before it saved them, is put on top.
 */
#include "glance.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beat.h"
#include "clock.h"
#include "str.h"

static struct {
	char path[PATH_MAX];
	bool keeps_last;
	struct stats *map;
	dev_t dev;
	ino_t ino;
	int64_t taken_ms;
	bool is_taken;
	int64_t raw[STAT_COUNT]; /* counters when last seen */
	int64_t carry[STAT_COUNT]; /* what has been lost of them */
	struct glance glance;
} self;

static const char *const state_names[] = {
	[GLANCE_RUNNING] = "running",
	[GLANCE_STARTING] = "starting",
	[GLANCE_HUNG] = "hung",
	[GLANCE_DOWN] = "down",
	[GLANCE_ABSENT] = "absent",
	[GLANCE_OTHER_VERSION] = "otherVersion",
	[GLANCE_UNREADABLE] = "unreadable",
};

const char *
glance_state_name(enum glance_state s)
{
	return state_names[s];
}

void
glance_open(const char *run_dir, bool keeps_last)
{
	glance_close();
	memset(&self, 0, sizeof(self));
	self.keeps_last = keeps_last;
	str_fmt(self.path, sizeof(self.path), "%s/stats", run_dir);
}

void
glance_close(void)
{
	stats_unmap(self.map);
	self.map = NULL;
	self.is_taken = false;
}

static void
say(enum glance_state s, const char *text)
{
	self.glance.state = s;
	str_copy(self.glance.text, sizeof(self.glance.text), text);
}

/* The mapping that mcd uses now; false, and said why, when there is none. */
static bool
open_map(void)
{
	struct stat st;
	struct err e;

	if (stat(self.path, &st) != 0) {
		if (self.map != NULL && errno == ENOENT)
			return true;
		err_sys(&e, "%s", self.path);
		say(errno == ENOENT ? GLANCE_ABSENT : GLANCE_UNREADABLE,
		    e.text);
		return false;
	}
	/* One that was cut would be SIGBUS. */
	if (self.map != NULL && st.st_dev == self.dev &&
	    st.st_ino == self.ino && st.st_size == (off_t)stats_size())
		return true;
	stats_unmap(self.map);
	self.map = NULL;
	if (access(self.path, R_OK) != 0) {
		err_sys(&e, "%s", self.path);
		say(GLANCE_UNREADABLE, e.text);
		return false;
	}
	self.map = stats_open(self.path, &e);
	if (self.map == NULL) {
		say(GLANCE_OTHER_VERSION, e.text);
		return false;
	}
	self.dev = st.st_dev;
	self.ino = st.st_ino;
	return true;
}

static enum process_state
state_of(const char *role)
{
	const struct glance *v = &self.glance;

	for (size_t i = 0; i < v->counts[TABLE_PROCESS]; i++) {
		if (str_eq(v->rows[TABLE_PROCESS][i].key, role))
			return (enum process_state)v->rows[TABLE_PROCESS][i]
				.n[PROCESS_STATE];
	}
	return PROCESS_DOWN;
}

static void
take_state(bool runs[ROLE_COUNT])
{
	struct beat beat;
	bool all = true;

	beat_take(self.map, &beat);
	self.glance.beat_us = beat.beat_us;
	self.glance.started_us = beat.started_us;
	for (int r = 0; r < ROLE_COUNT; r++) {
		runs[r] =
			beat.is_running &&
			(r == ROLE_PARENT ||
			 state_of(role_name((enum role)r)) == PROCESS_RUNNING);
		if (r != ROLE_CTL && r != ROLE_WORKER)
			all = all && runs[r];
	}
	if (beat.is_hung)
		say(GLANCE_HUNG, "mcd is there, but does not answer");
	else if (!beat.is_running)
		say(GLANCE_DOWN, "mcd is down");
	else if (!all)
		say(GLANCE_STARTING, "mcd is starting, or a part of it is");
	else
		say(GLANCE_RUNNING, "mcd is running");
}

static void
take_values(const bool runs[ROLE_COUNT])
{
	struct glance *v = &self.glance;
	bool is_up = v->state == GLANCE_RUNNING || v->state == GLANCE_STARTING;

	stats_all(self.map, v->values);
	for (size_t i = 0; i < STAT_COUNT; i++) {
		enum stat_id id = (enum stat_id)i;

		v->is_known[i] =
			self.keeps_last ||
			(stats_is_counter(id) ? is_up : runs[stats_role(id)]);
		if (!stats_is_counter(id))
			continue;
		if (v->values[i] < self.raw[i])
			self.carry[i] += self.raw[i] - v->values[i];
		self.raw[i] = v->values[i];
		v->values[i] += self.carry[i];
	}
	for (size_t i = 0; i < TABLE_COUNT; i++)
		v->has_rows[i] = is_up || self.keeps_last;
}

static void
take(void)
{
	struct glance *v = &self.glance;
	bool runs[ROLE_COUNT];

	if (!self.keeps_last) {
		memset(v->is_known, 0, sizeof(v->is_known));
		memset(v->has_rows, 0, sizeof(v->has_rows));
		v->has_error = false;
	}
	v->beat_us = v->started_us = 0;
	v->taken_us = clock_wall_us();
	if (!open_map())
		return;
	for (size_t i = 0; i < TABLE_COUNT; i++)
		v->counts[i] = stats_rows(self.map, (enum stats_table)i,
					  v->rows[i], STATS_ROWS_LIMIT);
	take_state(runs);
	take_values(runs);
	v->has_error = stats_ring(self.map, RING_ERROR, &v->error, 1) > 0;
}

const struct glance *
glance_now(int64_t max_age_ms)
{
	int64_t now_ms = clock_mono_ms();

	if (!self.is_taken || now_ms - self.taken_ms >= max_age_ms) {
		take();
		self.taken_ms = now_ms;
		self.is_taken = true;
	}
	return &self.glance;
}
