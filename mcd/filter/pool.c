/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Jobs and who does them.  Every scan of queue is answered once: by its
 * worker, or here when that worker is gone.  The pool itself never looks
 * into a message.
 */
#include "pool.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "charset.h"
#include "clock.h"
#include "engine.h"
#include "figures.h"
#include "file.h"
#include "list.h"
#include "log.h"
#include "reap.h"
#include "relay_dns.h"
#include "relay_spamd.h"
#include "renew.h"
#include "slot.h"
#include "spf_desk.h"
#include "str.h"
#include "xalloc.h"

#define SLOTS_MAX 256 /* as conf.def allows */
#define WAITING_MAX (2 * SLOTS_MAX) /* queue is told how many to send */

struct job {
	struct list node; /* on self.waiting, or on no list */
	struct arena arena;
	struct frame_scan scan; /* texts in the arena */
	int fd;
	peer_id from;
	uint32_t token; /* of queue's question */
};

static struct {
	struct slot slot[SLOTS_MAX];
	unsigned made; /* slots that were ever used */
	unsigned wanted, spf_wanted;
	struct list waiting;
	unsigned busy;
	bool is_alone; /* what runs must have nothing beside it */
	bool is_stopping;
	uint32_t told_slots;
	bool is_rotating; /* there may be workers with old signatures */
	struct timer stop;
	int lists_fd; /* of control, -1: not yet */
	uint64_t lists_size;
	int learnt_fd; /* -1: nothing was learnt yet */
	uint64_t learnt_size;
} self = { .lists_fd = -1, .learnt_fd = -1 };

static void start_waiting(void);

static struct job *
job_new(peer_id from, struct frame *f)
{
	const struct frame_scan *b = FRAME_BODY(f, scan);
	struct job *j = xcalloc(1, sizeof(*j));
	char *policies;

	list_init(&j->node);
	j->scan = *b;
	j->scan.name = arena_strdup(&j->arena, b->name);
	j->scan.sender = arena_strdup(&j->arena, b->sender);
	j->scan.client_ip = arena_strdup(&j->arena, b->client_ip);
	j->scan.client_name = arena_strdup(&j->arena, b->client_name);
	j->scan.helo = arena_strdup(&j->arena, b->helo);
	j->scan.auth_spf = arena_strdup(&j->arena, b->auth_spf);
	policies = arena_alloc(&j->arena, b->policies.len + 1);
	if (b->policies.len > 0)
		memcpy(policies, b->policies.p, b->policies.len);
	j->scan.policies.p = policies;
	j->fd = f->fd;
	f->fd = -1;
	j->from = from;
	j->token = f->token;
	return j;
}

static void
job_free(struct job *j)
{
	list_del(&j->node);
	file_shut(&j->fd);
	arena_release(&j->arena);
	free(j);
}

/* Without a worker's own answer. */
static void
job_end(struct job *j, enum scan_status status, const char *text)
{
	struct frame_scan_done done = { .status = status, .text = text };

	(void)peer_answer(j->from, j->token, FRAME_scan_done, &done, -1);
	job_free(j);
}

static struct slot *
slot_of_pid(pid_t pid)
{
	unsigned i;

	for (i = 0; i < self.made; i++) {
		if (self.slot[i].pid == pid)
			return &self.slot[i];
	}
	return NULL;
}

static struct slot *
slot_of_peer(peer_id p)
{
	unsigned i;

	for (i = 0; i < self.made; i++) {
		if (p != 0 && self.slot[i].peer == p)
			return &self.slot[i];
	}
	return NULL;
}

/* Without the lists mail would be judged by half of what was set. */
static bool
is_there(const struct slot *s)
{
	return s->is_ready && s->peer != 0 && self.lists_fd >= 0;
}

static void
tell_file(const struct slot *s, enum frame_type type, const void *body, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0 || peer_note(s->peer, type, body, copy) != 0)
		log_error("worker %u: lists not sent", s->index + 1);
}

/* Not in the middle of a message, which has one set of lists and waits for
 * nothing on its channel but DNS. */
static void
tell_lists(struct slot *s)
{
	struct frame_lists lists = { .size = self.lists_size };
	struct frame_learnt learnt = { .size = self.learnt_size };

	s->is_list_due = s->is_busy;
	if (s->is_list_due || s->peer == 0 || !s->is_ready)
		return;
	if (self.lists_fd >= 0)
		tell_file(s, FRAME_lists, &lists, self.lists_fd);
	if (self.learnt_fd >= 0)
		tell_file(s, FRAME_learnt, &learnt, self.learnt_fd);
}

static struct slot *
free_slot(void)
{
	unsigned i;

	for (i = 0; i < self.wanted; i++) {
		if (is_there(&self.slot[i]) && self.slot[i].job == NULL)
			return &self.slot[i];
	}
	return NULL;
}

static void
tell_slots(bool is_forced)
{
	struct frame_filter_slots f = { .slots = 0 };
	unsigned i;

	for (i = 0; !self.is_stopping && i < self.wanted; i++)
		f.slots += is_there(&self.slot[i]);
	if (f.slots == self.told_slots && !is_forced)
		return;
	self.told_slots = f.slots;
	(void)peer_note(peer_of(ROLE_QUEUE), FRAME_filter_slots, &f, -1);
}

static void
count_busy(int change)
{
	self.busy += (unsigned)change;
	if (self.busy == 0)
		self.is_alone = false;
	stats_set(role_stats(), STAT_filter_busy, self.busy);
}

/* An idle worker: whether it stays.  While none can be started it does. */
static void
review(struct slot *s)
{
	if (s->index >= self.wanted ||
	    (s->messages >= role_knobs()->filter_worker_messages &&
	     !renew_is_loading()))
		slot_retire(s);
}

/* One that has old signatures goes when all others are there, so that there
 * is no pause. */
static void
rotate(void)
{
	struct slot *idle = NULL;
	bool has_old = false;
	unsigned i;

	if (!self.is_rotating || renew_is_loading() || self.is_stopping)
		return;
	for (i = 0; i < self.wanted; i++) {
		struct slot *s = &self.slot[i];

		if (!is_there(s))
			return;
		has_old |= slot_is_old(s);
		if (slot_is_old(s) && s->job == NULL)
			idle = s;
	}
	if (idle != NULL)
		slot_retire(idle);
	if (!has_old) {
		self.is_rotating = false;
		log_info("- workers=%u have the new signatures", self.wanted);
	}
	tell_slots(false);
}

static void
stop_when_idle(void)
{
	if (self.is_stopping && self.busy == 0)
		role_exit();
}

static void
on_answer(void *arg, struct frame *f)
{
	struct slot *s = arg;
	struct job *j = s->job;

	if (f == NULL || j == NULL)
		return; /* its process is gone: on_child() answers */
	if (f->type == FRAME_filter_call) {
		figures_call(FRAME_BODY(f, filter_call), &s->trials);
		return;
	}
	if (f->type != FRAME_verdict && f->type != FRAME_scan_done) {
		slot_kill(s, SLOT_BROKEN);
		return;
	}
	(void)peer_answer(j->from, j->token, f->type, f->body, -1);
	if (f->type != FRAME_scan_done)
		return;
	slot_finish(s);
	relay_spamd_end(s);
	figures_end(s->trials, false);
	if (s->is_list_due)
		tell_lists(s);
	s->job = NULL;
	job_free(j);
	stats_add(role_stats(), STAT_filter_scans, 1);
	count_busy(-1);
	review(s);
	rotate();
	tell_slots(false);
	stop_when_idle();
	start_waiting();
}

/* Which filters its message leaves out; it stays so until told again. */
static void
tell_breakers(struct slot *s)
{
	struct frame_breakers f = { figures_left_out(&s->trials) };

	if (f.left_out != s->told &&
	    peer_note(s->peer, FRAME_breakers, &f, -1) == 0)
		s->told = f.left_out;
}

static void
start_job(struct slot *s, struct job *j)
{
	uint32_t token;
	int fd = j->fd;

	list_del(&j->node);
	j->fd = -1;
	s->job = j;
	tell_breakers(s);
	token = peer_ask(s->peer, FRAME_scan, &j->scan, fd, 0, on_answer, s);
	self.is_alone = j->scan.is_alone != 0;
	count_busy(1);
	slot_begin(s, role_knobs()->filter_time);
	if (token == 0) /* it is going, and has not seen the message */
		slot_kill(s, SLOT_STOPPED);
}

static void
start_waiting(void)
{
	struct slot *s;
	struct job *j;

	while (!list_is_empty(&self.waiting) && !self.is_alone) {
		j = list_entry(self.waiting.next, struct job, node);
		if (j->scan.is_alone && self.busy > 0)
			return;
		s = free_slot();
		if (s == NULL)
			return;
		start_job(s, j);
	}
}

static void
worker_gone(struct slot *s, int status)
{
	char text[200];
	struct job *j = s->job;
	enum scan_status result = slot_gone(s, status, text, sizeof(text));

	relay_spamd_end(s);
	if (j != NULL) {
		s->job = NULL;
		if (result == SCAN_DIED)
			stats_add(role_stats(), STAT_filter_deaths, 1);
		figures_end(s->trials, true);
		log_warn("%s scan %s: %s", j->scan.name,
			 result == SCAN_DIED ? "died" : "lost", text);
		job_end(j, result, text);
		count_busy(-1);
	}
	if (s->index < self.wanted && !self.is_stopping)
		slot_replace(s);
	else
		s->is_ready = false;
	tell_slots(false);
	stop_when_idle();
	start_waiting();
}

static void
reaped(pid_t pid, int status)
{
	struct slot *s = slot_of_pid(pid);

	if (s != NULL)
		worker_gone(s, status);
	else
		spf_desk_child(pid, status);
}

static void
on_child(int signo)
{
	(void)signo;
	reap_all(reaped);
}

static void
on_ready(peer_id from, struct frame *f)
{
	struct slot *s = slot_of_peer(from);

	(void)f;
	if (s == NULL) {
		spf_desk_ready(from);
		return;
	}
	s->is_ready = true;
	tell_lists(s);
	rotate();
	tell_slots(false);
	start_waiting();
}

static void
on_lists(peer_id from, struct frame *f)
{
	unsigned i;

	(void)from;
	file_shut(&self.lists_fd);
	self.lists_fd = f->fd;
	f->fd = -1;
	self.lists_size = FRAME_BODY(f, lists)->size;
	for (i = 0; i < self.made; i++)
		tell_lists(&self.slot[i]);
	tell_slots(false);
	start_waiting();
}

static void
on_learnt(peer_id from, struct frame *f)
{
	unsigned i;

	(void)from;
	file_shut(&self.learnt_fd);
	self.learnt_fd = f->fd;
	f->fd = -1;
	self.learnt_size = FRAME_BODY(f, learnt)->size;
	for (i = 0; i < self.made; i++)
		tell_lists(&self.slot[i]);
}

static void
set_wanted(unsigned wanted)
{
	struct slot *s;
	unsigned i;

	self.wanted = wanted < SLOTS_MAX ? wanted : SLOTS_MAX;
	for (i = 0; i < self.wanted; i++) {
		s = &self.slot[i];
		if (i >= self.made)
			slot_init(s, &slot_scanner, self.made++);
		if (s->pid == 0 && !timer_is_set(&s->again))
			slot_start(s);
	}
	for (i = self.wanted; i < self.made; i++) {
		s = &self.slot[i];
		timer_clear(&s->again);
		if (s->pid > 0 && s->job == NULL && s->end == SLOT_ITSELF)
			slot_retire(s);
	}
	tell_slots(false);
}

static void
on_scan(peer_id from, struct frame *f)
{
	struct job *j = job_new(from, f);
	struct list *n;
	unsigned waiting = 0;

	list_for(n, &self.waiting) waiting++;
	if (self.is_stopping || waiting >= WAITING_MAX) {
		job_end(j, SCAN_LATER, "filters are stopping or full");
		return;
	}
	list_push(&self.waiting, &j->node);
	start_waiting();
}

static void
on_dns_ask(peer_id from, struct frame *f)
{
	struct slot *s = slot_of_peer(from);

	if (s == NULL)
		s = spf_desk_slot(from);
	if (s != NULL)
		relay_dns(s, f);
}

static void
on_rbl_ask(peer_id from, struct frame *f)
{
	struct slot *s = slot_of_peer(from);

	if (s != NULL)
		relay_rbl(s, f);
}

static void
on_spamd_ask(peer_id from, struct frame *f)
{
	struct slot *s = slot_of_peer(from);

	if (s != NULL)
		relay_spamd(s, f);
}

static void
on_spamd_done(peer_id from, struct frame *f)
{
	struct slot *s = slot_of_peer(from);

	if (s != NULL)
		relay_spamd_done(s, f);
}

static void
pool_up(peer_id p, enum role r)
{
	(void)p;
	if (r == ROLE_QUEUE)
		tell_slots(true);
}

/* Queue's: all are dropped by the parent when queue goes.  A worker's:
 * answered when its process has been collected. */
static void
pool_down(peer_id p, enum role r)
{
	struct slot *s = slot_of_peer(p);
	struct list *n, *next;

	if (s == NULL)
		s = spf_desk_slot(p);
	if (r == ROLE_WORKER && s != NULL)
		slot_lost(s);
	if (r == ROLE_INCOMING)
		spf_desk_forget();
	if (r != ROLE_QUEUE)
		return;
	list_for_safe(n, next, &self.waiting)
		job_free(list_entry(n, struct job, node));
}

/* The shared engines are new: workers take them up one after the other. */
static void
adopted(void)
{
	slots_renew();
	figures_reset();
	self.is_rotating = true;
	rotate();
}

static void
unload(void)
{
	/* Nothing of what a thread works on can be taken away from it. */
	if (renew_is_loading())
		_exit(EXIT_SUCCESS);
	filters_unload();
}

static void
pool_before_jail(const struct conf *conf)
{
	slots_prepare(conf->jail);
	filters_prepare(conf);
	charset_prepare();
}

static void
pool_conf(const struct conf *conf)
{
	set_wanted((unsigned)conf->workers);
	spf_desk_set((unsigned)conf->spf_workers);
	/* An administrator who reloads does not want to wait. */
	figures_reset();
	renew_now();
}

static void
pool_init(const struct conf *conf)
{
	list_init(&self.waiting);
	loop_on_signal(SIGCHLD, on_child);
	self.wanted = (unsigned)conf->workers;
	self.spf_wanted = (unsigned)conf->spf_workers;
	spf_desk_init();
	figures_start();
	engine_sweep(engine_tmp());
	filters_load();
	/* Workers never come this way: they leave by _exit(2). */
	if (atexit(unload) != 0)
		log_warn("- engines are not given back at the end");
	renew_start(adopted);
}

/* All of the start is here: the parent can be told of workers. */
static void
pool_started(void)
{
	set_wanted(self.wanted);
	spf_desk_set(self.spf_wanted);
}

static void
stop_now(void *arg)
{
	unsigned i;

	(void)arg;
	for (i = 0; i < self.made; i++) {
		slot_kill(&self.slot[i], SLOT_STOPPED);
		if (self.slot[i].job != NULL)
			job_end(self.slot[i].job, SCAN_LOST, "stopped");
		self.slot[i].job = NULL;
	}
	role_exit();
}

static void
pool_stop(int64_t data_ms, int64_t reply_ms)
{
	struct list *n;

	(void)data_ms;
	if (self.is_stopping)
		stop_now(NULL);
	self.is_stopping = true;
	renew_stop();
	spf_desk_stop();
	tell_slots(false);
	while ((n = list_pop(&self.waiting)) != NULL)
		job_end(list_entry(n, struct job, node), SCAN_LATER,
			"filters are stopping");
	timer_init(&self.stop, stop_now, NULL);
	timer_set(&self.stop, reply_ms);
	stop_when_idle();
}

static const struct peer_handler handlers[] = {
	{ FRAME_scan, on_scan },	   { FRAME_ready, on_ready },
	{ FRAME_lists, on_lists },	   { FRAME_learnt, on_learnt },
	{ FRAME_dns_ask, on_dns_ask },	   { FRAME_rbl_ask, on_rbl_ask },
	{ FRAME_spamd_ask, on_spamd_ask }, { FRAME_spamd_done, on_spamd_done },
	{ FRAME_spf_ask, spf_desk_ask },   { 0, NULL },
};

const struct role_ops filter_ops = {
	.role = ROLE_FILTER,
	.before_jail = pool_before_jail,
	.init = pool_init,
	.conf = pool_conf,
	.listeners_done = pool_started,
	.stop = pool_stop,
	.peers = { .handlers = handlers, .up = pool_up, .down = pool_down },
};
