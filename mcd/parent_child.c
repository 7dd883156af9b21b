/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of children.  A role that dies is restarted alone, but for
 * those of role.def whose death takes all others with them: the state is
 * on disk, and the ordinary start is the recovery.
 */
#include "parent_child.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "log.h"
#include "loop.h"
#include "parent_spawn.h"
#include "parent_stats.h"
#include "parent_tell.h"
#include "reap.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 10000
#define BACKOFF_GOOD_MS 60000 /* who lived this long starts afresh */
#define STOP_LEAST_MS 5000 /* for those whose turn comes late in a stop */
#define STOP_SLACK_MS 2000 /* beyond what a role was told */
#define REWIRE_MS 1000 /* in which a death would have shown */
#define TICK_LATE_MS 5000 /* the parent itself was stopped for a while */

struct child {
	const struct role_row *row;
	pid_t pid; /* 0: none */
	peer_id peer;
	enum process_state state;
	uint32_t generation; /* that it is ready for */
	int64_t started_ms, beat_ms, delay_ms, restarts;
	struct timer again;
};

/* The channel between two. */
struct wire {
	uint32_t serial; /* of the last one that was made, 0: none */
	int64_t lost_ms; /* when it was told broken, 0: it was not */
};

static struct {
	const struct start *start;
	const struct child_events *events;
	struct child child[ROLE_COUNT];
	size_t count;
	bool was_ready; /* once since mcd started */
	bool is_ready; /* all_ready() was told */
	bool is_collapsing; /* all go because one did; then all start */
	bool is_stopping, is_killing;
	int64_t data_ms, reply_ms, stop_end_ms;
	struct timer stop_late;
	int64_t watched_ms;
	uint32_t last_serial;
	struct wire wires[ROLE_COUNT][ROLE_COUNT]; /* see wire_of() */
} self;

static struct child *
child_of_peer(peer_id peer)
{
	size_t i;

	for (i = 0; i < self.count; i++) {
		if (peer != 0 && self.child[i].peer == peer)
			return &self.child[i];
	}
	return NULL;
}

static void
set_state(struct child *c, enum process_state state)
{
	c->state = state;
	parent_stats_process(role_name(c->row->role), c->pid, state,
			     c->restarts);
}

static size_t
count_alive(void)
{
	size_t i, n = 0;

	for (i = 0; i < self.count; i++)
		n += self.child[i].pid > 0;
	return n;
}

static void
kill_child(const struct child *c)
{
	if (c->pid > 0 && kill(c->pid, SIGKILL) != 0)
		log_warn("kill role=%s: %s", role_name(c->row->role),
			 strerror(errno));
}

static void
kill_all(void)
{
	size_t i;

	for (i = 0; i < self.count; i++) {
		timer_clear(&self.child[i].again);
		kill_child(&self.child[i]);
	}
}

/* The same in either order. */
static struct wire *
wire_of(const struct child *a, const struct child *b)
{
	ptrdiff_t i = a - self.child, j = b - self.child;

	return i < j ? &self.wires[i][j] : &self.wires[j][i];
}

static void
wire(const struct child *a, const struct child *b)
{
	struct wire *w = wire_of(a, b);

	w->serial = ++self.last_serial;
	w->lost_ms = 0;
	parent_wire(a->peer, a->row->role, b->peer, b->row->role, w->serial);
}

static void
wire_to_all(const struct child *c)
{
	struct child *other;
	size_t i;

	for (i = 0; i < self.count; i++) {
		other = &self.child[i];
		if (other != c && other->pid > 0 &&
		    (c->row->peers & 1u << other->row->role) != 0)
			wire(c, other);
	}
}

static void
try_again(struct child *c)
{
	timer_set(&c->again, c->delay_ms);
	c->delay_ms *= 2;
	if (c->delay_ms > BACKOFF_MAX_MS)
		c->delay_ms = BACKOFF_MAX_MS;
}

static void
start_child(struct child *c)
{
	struct err e;
	int fd[2];

	if (chan_pair(fd, &e) == 0) {
		c->pid =
			parent_spawn(c->row, &self.start->conf.conf, fd[1], &e);
		file_shut(&fd[1]);
		if (c->pid < 0)
			file_shut(&fd[0]);
	} else {
		c->pid = -1;
	}
	if (c->pid < 0) {
		c->pid = 0;
		parent_stats_error("role not started role=%s: %s",
				   role_name(c->row->role), e.text);
		try_again(c);
		return;
	}
	c->peer = peer_add(c->row->role, fd[0]);
	c->started_ms = c->beat_ms = clock_mono_ms();
	c->generation = 0;
	set_state(c, PROCESS_STARTING);
	log_debug("role starts role=%s pid=%ld", role_name(c->row->role),
		  (long)c->pid);
	parent_tell_conf(c->peer, self.start);
	parent_tell_stats(c->peer);
	parent_tell_tls(c->peer, c->row->role, self.start);
	parent_tell_listeners(c->peer, c->row->role, self.start);
	wire_to_all(c);
	parent_tell_done(c->peer, self.start);
}

void
children_start(void)
{
	size_t i;

	for (i = 0; i < self.count; i++)
		start_child(&self.child[i]);
}

static void
start_again(void *arg)
{
	struct child *c = arg;

	if (self.is_collapsing) {
		self.is_collapsing = false;
		children_start();
	} else {
		start_child(c);
	}
}

void
children_init(const struct start *start, const struct child_events *events)
{
	const struct role_row *row;
	struct child *c;

	self.start = start;
	self.events = events;
	for (row = role_rows; row < role_rows + role_row_count; row++) {
		c = &self.child[self.count++];
		c->row = row;
		c->delay_ms = BACKOFF_FIRST_MS;
		timer_init(&c->again, start_again, c);
		set_state(c, PROCESS_DOWN);
	}
}

void
children_reload(void)
{
	struct child *c;

	self.is_ready = false;
	for (c = self.child; c < self.child + self.count; c++) {
		if (c->pid == 0)
			continue;
		parent_tell_conf(c->peer, self.start);
		parent_tell_tls(c->peer, c->row->role, self.start);
		parent_tell_listeners(c->peer, c->row->role, self.start);
		parent_tell_done(c->peer, self.start);
	}
}

void
children_ready(peer_id from, uint32_t generation)
{
	struct child *c = child_of_peer(from);
	size_t i;

	if (c == NULL)
		return;
	c->generation = generation;
	if (c->state == PROCESS_STARTING)
		set_state(c, PROCESS_RUNNING);
	for (i = 0; i < self.count; i++) {
		if (self.child[i].state != PROCESS_RUNNING ||
		    self.child[i].generation != self.start->generation)
			return;
	}
	if (self.is_ready)
		return;
	self.is_ready = self.was_ready = true;
	self.events->all_ready();
}

/* The lowest number of those that are left, 0 when none is. */
static int
stop_order_now(void)
{
	int order = 0;
	size_t i;

	for (i = 0; i < self.count; i++) {
		if (self.child[i].pid > 0 &&
		    (order == 0 || self.child[i].row->stop_order < order))
			order = self.child[i].row->stop_order;
	}
	return order;
}

static void
stop_next(void)
{
	int64_t left = self.stop_end_ms - clock_mono_ms();
	int order = stop_order_now();
	struct frame_stop f;
	struct child *c;
	bool is_new = false;

	if (left < STOP_LEAST_MS)
		left = STOP_LEAST_MS;
	f.data_ms = (uint32_t)(self.data_ms < left ? self.data_ms : left);
	f.reply_ms = (uint32_t)(self.reply_ms < left ? self.reply_ms : left);
	for (c = self.child; c < self.child + self.count; c++) {
		if (c->pid == 0 || c->row->stop_order != order ||
		    c->state == PROCESS_STOPPING)
			continue;
		set_state(c, PROCESS_STOPPING);
		(void)peer_note(c->peer, FRAME_stop, &f, -1);
		is_new = true;
	}
	if (is_new)
		timer_set(&self.stop_late, left + STOP_SLACK_MS);
}

static void
stop_is_late(void *arg)
{
	struct child *c;

	(void)arg;
	for (c = self.child; c < self.child + self.count; c++) {
		if (c->pid == 0 || c->state != PROCESS_STOPPING)
			continue;
		parent_stats_error("role does not stop: killed role=%s pid=%ld",
				   role_name(c->row->role), (long)c->pid);
		kill_child(c);
	}
}

void
children_stop(int64_t data_ms, int64_t reply_ms)
{
	size_t i;

	self.is_stopping = true;
	self.data_ms = data_ms;
	self.reply_ms = reply_ms;
	self.stop_end_ms = clock_mono_ms() + data_ms + reply_ms;
	timer_init(&self.stop_late, stop_is_late, NULL);
	for (i = 0; i < self.count; i++)
		timer_clear(&self.child[i].again);
	if (count_alive() == 0)
		self.events->all_gone();
	else
		stop_next();
}

void
children_kill(void)
{
	self.is_stopping = self.is_killing = true;
	kill_all();
	if (count_alive() == 0)
		self.events->all_gone();
}

static void
gone_in_stop(struct child *c)
{
	if (count_alive() == 0) {
		timer_release(&self.stop_late);
		self.events->all_gone();
		return;
	}
	/* Without it the others cannot finish what they are at. */
	if (c->row->death == ROLE_ALL && stop_order_now() < c->row->stop_order)
		children_kill();
	else if (!self.is_killing)
		stop_next();
}

/* sysexits(3): usage, no permission, configuration. */
static bool
is_hopeless(int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

	return !self.was_ready && (code == 64 || code == 77 || code == 78);
}

static void
gone_unasked(struct child *c, int status, int64_t lived_ms)
{
	self.is_ready = false;
	c->restarts++;
	if (lived_ms >= BACKOFF_GOOD_MS)
		c->delay_ms = BACKOFF_FIRST_MS;
	if (is_hopeless(status)) {
		self.events->hopeless(WEXITSTATUS(status));
		return;
	}
	if (c->row->death == ROLE_ALL && !self.is_collapsing) {
		log_warn("all roles start again");
		self.is_collapsing = true;
		kill_all();
	}
	if (!self.is_collapsing)
		try_again(c);
	else if (count_alive() == 0)
		try_again(&self.child[0]);
}

static void
child_gone(struct child *c, int status)
{
	char text[64];
	pid_t pid = c->pid;
	bool is_asked = c->state == PROCESS_STOPPING || self.is_killing ||
			self.is_collapsing;

	reap_text(status, text, sizeof(text));
	c->pid = 0;
	peer_drop(c->peer);
	c->peer = 0;
	set_state(c, PROCESS_DOWN);
	if (is_asked)
		log_info("role gone role=%s pid=%ld %s",
			 role_name(c->row->role), (long)pid, text);
	else
		parent_stats_error("role died role=%s pid=%ld %s",
				   role_name(c->row->role), (long)pid, text);
	if (self.is_stopping)
		gone_in_stop(c);
	else
		gone_unasked(c, status, clock_mono_ms() - c->started_ms);
}

static void
reaped(pid_t pid, int status)
{
	size_t i;

	for (i = 0; i < self.count; i++) {
		if (self.child[i].pid == pid) {
			child_gone(&self.child[i], status);
			return;
		}
	}
}

void
children_reap(void)
{
	reap_all(reaped);
}

void
children_beat(peer_id from)
{
	struct child *c = child_of_peer(from);

	if (c != NULL)
		c->beat_ms = clock_mono_ms();
}

void
children_lost(peer_id from, uint32_t role, uint32_t serial)
{
	struct child *c = child_of_peer(from), *other;
	struct wire *w;

	for (other = self.child; other < self.child + self.count; other++) {
		if (c == NULL || other == c || other->row->role != role)
			continue;
		w = wire_of(c, other);
		if (w->serial == serial && w->lost_ms == 0)
			w->lost_ms = clock_mono_ms();
	}
}

/* Of two that lost each other, when neither turned out to be dead. */
static void
rewire(const struct child *a, const struct child *b, int64_t now)
{
	struct wire *w = wire_of(a, b);

	if (w->lost_ms == 0 || now - w->lost_ms < REWIRE_MS)
		return;
	w->lost_ms = 0;
	if (a->pid == 0 || b->pid == 0 || self.is_stopping)
		return;
	parent_stats_error("channel broke, made anew: %s to %s",
			   role_name(a->row->role), role_name(b->row->role));
	wire(a, b);
}

void
children_watch(void)
{
	int64_t now = clock_mono_ms();
	int64_t limit_ms = self.start->conf.conf.watchdog_s * 1000;
	bool was_away = now - self.watched_ms > TICK_LATE_MS;
	struct child *c;
	size_t i, j;

	self.watched_ms = now;
	for (c = self.child; c < self.child + self.count; c++) {
		if (was_away)
			c->beat_ms = now;
		if (c->pid == 0 || now - c->beat_ms < limit_ms)
			continue;
		parent_stats_error("role is silent: killed role=%s pid=%ld",
				   role_name(c->row->role), (long)c->pid);
		c->beat_ms = now;
		kill_child(c);
	}
	for (i = 0; i < self.count; i++) {
		for (j = i + 1; j < self.count; j++)
			rewire(&self.child[i], &self.child[j], now);
	}
}
