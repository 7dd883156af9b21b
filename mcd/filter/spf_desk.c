/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Questions wait in a line for a free worker, for a bounded time and in a
 * bounded number: a flood of senders whose DNS is slow costs their own
 * checks, and nobody's session.
 */
#include "spf_desk.h"

#include <stdlib.h>

#include "arena.h"
#include "clock.h"
#include "list.h"
#include "log.h"
#include "spf.h"
#include "spf_worker.h"
#include "str.h"
#include "xalloc.h"

#define DESKS_MAX 64 /* as conf.def allows */
#define WAITING_MAX 1024
#define WAIT_MS 10000 /* in the line */
#define DEADLINE_MS (SPF_TIME_MS + 5000)
#define CHECKS_MAX 10000 /* of one process */

struct inquiry {
	struct list node;
	struct arena arena;
	struct frame_spf_ask ask; /* texts in the arena */
	peer_id from;
	uint32_t token;
	int64_t since_ms;
};

static const struct slot_kind kind = {
	.title = "mcd-spf",
	.run = spf_worker_run,
	.memory = 64 * 1024 * 1024,
};

static struct {
	struct slot slot[DESKS_MAX];
	struct inquiry *at[DESKS_MAX]; /* under way in the slot */
	unsigned made; /* slots that were ever used */
	unsigned wanted;
	struct list waiting;
	unsigned waiting_count;
	bool is_stopping;
} self;

static void start_waiting(void);

static void
inquiry_free(struct inquiry *q)
{
	list_del(&q->node);
	arena_release(&q->arena);
	free(q);
}

/* Without a worker's own answer. */
static void
fail(peer_id from, uint32_t token, const char *text)
{
	struct frame_spf_reply reply = {
		.result = SPF_TEMPERROR,
		.text = text,
	};

	(void)peer_answer(from, token, FRAME_spf_reply, &reply, -1);
}

static void
inquiry_fail(struct inquiry *q, const char *text)
{
	fail(q->from, q->token, text);
	inquiry_free(q);
}

struct slot *
spf_desk_slot(peer_id p)
{
	unsigned i;

	for (i = 0; i < self.made; i++) {
		if (p != 0 && self.slot[i].peer == p)
			return &self.slot[i];
	}
	return NULL;
}

/* Idle: whether it stays. */
static void
review(struct slot *s)
{
	if (s->index >= self.wanted || s->messages >= CHECKS_MAX)
		slot_retire(s);
}

static void
on_answer(void *arg, struct frame *f)
{
	struct slot *s = arg;
	struct inquiry *q = self.at[s->index];

	if (f == NULL || q == NULL)
		return; /* its process is gone: spf_desk_child() answers */
	if (f->type != FRAME_spf_reply) {
		slot_kill(s, SLOT_BROKEN);
		return;
	}
	(void)peer_answer(q->from, q->token, FRAME_spf_reply, f->body, -1);
	self.at[s->index] = NULL;
	inquiry_free(q);
	slot_finish(s);
	review(s);
	start_waiting();
}

static void
start(struct slot *s, struct inquiry *q)
{
	self.at[s->index] = q;
	slot_begin(s, DEADLINE_MS);
	if (peer_ask(s->peer, FRAME_spf_ask, &q->ask, -1, 0, on_answer, s) == 0)
		slot_kill(s, SLOT_STOPPED);
}

static struct slot *
free_slot(void)
{
	unsigned i;

	for (i = 0; i < self.wanted; i++) {
		if (self.slot[i].is_ready && self.slot[i].peer != 0 &&
		    self.at[i] == NULL)
			return &self.slot[i];
	}
	return NULL;
}

/* The next whose client may still be there; NULL when none waits. */
static struct inquiry *
next_waiting(void)
{
	int64_t now_ms = clock_mono_ms();
	struct inquiry *q;
	struct list *n;

	while ((n = list_pop(&self.waiting)) != NULL) {
		self.waiting_count--;
		q = list_entry(n, struct inquiry, node);
		if (now_ms - q->since_ms < WAIT_MS)
			return q;
		inquiry_fail(q, "SPF: no worker was free in time");
	}
	return NULL;
}

static void
start_waiting(void)
{
	struct inquiry *q;
	struct slot *s;

	while ((s = free_slot()) != NULL && (q = next_waiting()) != NULL)
		start(s, q);
}

void
spf_desk_ask(peer_id from, struct frame *f)
{
	const struct frame_spf_ask *b = FRAME_BODY(f, spf_ask);
	struct inquiry *q;

	if (peer_role(from) != ROLE_INCOMING)
		return;
	if (self.wanted == 0 || self.is_stopping ||
	    self.waiting_count >= WAITING_MAX) {
		fail(from, f->token, "SPF: not checked here now");
		return;
	}
	q = xcalloc(1, sizeof(*q));
	list_init(&q->node);
	q->from = from;
	q->token = f->token;
	q->since_ms = clock_mono_ms();
	q->ask.client_ip = arena_strdup(&q->arena, b->client_ip);
	q->ask.helo = arena_strdup(&q->arena, b->helo);
	q->ask.sender = arena_strdup(&q->arena, b->sender);
	list_push(&self.waiting, &q->node);
	self.waiting_count++;
	start_waiting();
}

void
spf_desk_ready(peer_id from)
{
	struct slot *s = spf_desk_slot(from);

	if (s == NULL)
		return;
	s->is_ready = true;
	start_waiting();
}

void
spf_desk_child(pid_t pid, int status)
{
	struct inquiry *q;
	struct slot *s = NULL;
	char text[200];
	unsigned i;

	for (i = 0; i < self.made; i++) {
		if (self.slot[i].pid == pid)
			s = &self.slot[i];
	}
	if (s == NULL)
		return;
	q = self.at[s->index];
	self.at[s->index] = NULL;
	(void)slot_gone(s, status, text, sizeof(text));
	if (q != NULL) {
		log_warn("- spf lost client=%s sender=%s: %s",
			 log_text(q->ask.client_ip), log_text(q->ask.sender),
			 text);
		inquiry_fail(q, "SPF: the check was not finished");
	}
	if (s->index < self.wanted && !self.is_stopping)
		slot_replace(s);
	else
		s->is_ready = false;
	start_waiting();
}

void
spf_desk_forget(void)
{
	struct list *n;

	while ((n = list_pop(&self.waiting)) != NULL)
		inquiry_free(list_entry(n, struct inquiry, node));
	self.waiting_count = 0;
}

void
spf_desk_set(unsigned wanted)
{
	struct slot *s;
	unsigned i;

	self.wanted = wanted < DESKS_MAX ? wanted : DESKS_MAX;
	for (i = 0; i < self.wanted; i++) {
		s = &self.slot[i];
		if (i >= self.made)
			slot_init(s, &kind, self.made++);
		if (s->pid == 0 && !timer_is_set(&s->again))
			slot_start(s);
	}
	for (i = self.wanted; i < self.made; i++) {
		s = &self.slot[i];
		timer_clear(&s->again);
		if (s->pid > 0 && self.at[i] == NULL && s->end == SLOT_ITSELF)
			slot_retire(s);
	}
}

void
spf_desk_stop(void)
{
	struct list *n;

	self.is_stopping = true;
	while ((n = list_pop(&self.waiting)) != NULL)
		inquiry_fail(list_entry(n, struct inquiry, node),
			     "SPF: filters are stopping");
	self.waiting_count = 0;
}

void
spf_desk_init(void)
{
	list_init(&self.waiting);
}
