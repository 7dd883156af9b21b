/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A look is a scan without a message: policies of the recipients, a turn,
 * one round of the pool.
 */
#include "at_data.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "log.h"
#include "peer.h"
#include "policies.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define LOOKS_MAX 500 /* under way; others are taken without */
#define KEPT_MAX 1000
#define KEPT_MS 60000 /* from the look to the message's turn */
#define ASKS_MAX 32 /* questions to control at a time for one look */
#define MARGIN_MS 60000 /* beyond the pool's own time limits */

struct at_data_look {
	struct list node; /* of all */
	struct list turn; /* waits for its turn */
	struct scan s; /* m is NULL */
	char id[ENVELOPE_ID_LEN + 1];
	int fd;
	at_data_fn *fn; /* NULL: nobody waits for it any more */
	void *arg;
	bool is_kept;
	struct timer timer; /* its deadline, then that of what is kept */
};

/* A question about one recipient. */
struct question {
	struct at_data_look *l;
	size_t index;
};

static struct {
	struct list all, waiting;
	struct dict kept; /* by ID */
	size_t count, kept_count;
	size_t running;
	uint32_t slots;
	struct defer pump;
} self;

static void
look_free(struct at_data_look *l)
{
	if (l->is_kept) {
		(void)dict_del(&self.kept, l->id);
		self.kept_count--;
	} else {
		self.count--;
	}
	list_del(&l->node);
	list_del(&l->turn);
	timer_release(&l->timer);
	file_shut(&l->fd);
	dict_release(&l->s.by_knobs, NULL);
	free(l->s.fates);
	arena_release(&l->s.arena);
	free(l);
}

/* Frees it when nobody will come back to it. */
static void
look_leave(struct at_data_look *l)
{
	if (l->fn == NULL && !l->is_kept && l->s.token == 0 &&
	    l->s.answered == l->s.asked)
		look_free(l);
}

/* Tells who waits; why is "" when the message is to be taken. */
static void
look_answer(struct at_data_look *l, const char *why)
{
	at_data_fn *fn = l->fn;

	if (fn == NULL)
		return;
	l->fn = NULL;
	timer_clear(&l->timer);
	list_del(&l->turn);
	fn(l->arg, why);
}

static void
look_keep(struct at_data_look *l)
{
	if (self.kept_count >= KEPT_MAX)
		return;
	l->is_kept = true;
	self.count--;
	self.kept_count++;
	(void)dict_set(&self.kept, l->id, l);
	timer_set(&l->timer, KEPT_MS);
}

static void
on_timer(void *arg)
{
	struct at_data_look *l = arg;

	if (l->is_kept) {
		look_free(l);
		return;
	}
	log_info("%s at_data: no verdict in time, it is taken", l->id);
	look_answer(l, "");
	look_leave(l);
}

/* The first reason there is, when all refuse; else NULL. */
static const char *
refusal_of(const struct at_data_look *l)
{
	size_t i;

	for (i = 0; i < l->s.fate_count; i++)
		if ((l->s.fates[i].judged & JUDGED_REFUSE) == 0)
			return NULL;
	return l->s.fates[0].reason;
}

static bool
is_told(const struct at_data_look *l)
{
	size_t i;

	for (i = 0; i < l->s.fate_count; i++)
		if (!l->s.fates[i].is_told)
			return false;
	return l->s.fate_count > 0;
}

static void
on_reply(void *arg, struct frame *f)
{
	struct at_data_look *l = arg;
	bool is_done = false;
	const char *why;

	if (f != NULL && f->type == FRAME_verdict) {
		scan_take(&l->s, l->id, FRAME_BODY(f, verdict));
		return;
	}
	if (f != NULL && f->type != FRAME_scan_done)
		return;
	l->s.token = 0;
	self.running--;
	defer_add(&self.pump);
	if (f != NULL)
		is_done = FRAME_BODY(f, scan_done)->status == SCAN_DONE &&
			  is_told(l);
	why = is_done ? refusal_of(l) : NULL;
	if (l->fn != NULL && is_done && why == NULL)
		look_keep(l);
	look_answer(l, why != NULL ? why : "");
	look_leave(l);
}

static void
look_send(struct at_data_look *l)
{
	struct buf policies = { .limit = 0 };
	struct frame_scan b;
	int fd = l->fd;

	l->fd = -1;
	scan_frame(&l->s, l->id, &policies, &b);
	l->s.token =
		l->s.to < l->s.fate_count
			? 0 /* more policies than fit */
			: peer_ask(peer_of(ROLE_FILTER), FRAME_scan, &b, fd,
				   2 * role_knobs()->filter_time + MARGIN_MS,
				   on_reply, l);
	if (l->s.to < l->s.fate_count)
		file_shut(&fd);
	buf_release(&policies);
	if (l->s.token != 0) {
		self.running++;
		return;
	}
	look_answer(l, "");
	look_leave(l);
}

static size_t
share(void)
{
	return self.slots > 1 ? self.slots / 2 : self.slots;
}

/* While the filters are down nobody is kept waiting for them. */
static void
pump(void *arg)
{
	struct list *n;

	(void)arg;
	while ((self.slots == 0 || self.running < share()) &&
	       (n = list_pop(&self.waiting)) != NULL) {
		struct at_data_look *l =
			list_entry(n, struct at_data_look, turn);

		if (self.slots > 0) {
			look_send(l);
			continue;
		}
		look_answer(l, "");
		look_leave(l);
	}
}

static void look_ask(struct at_data_look *l);

static void
take_policy(struct at_data_look *l, bool is_known, struct span knobs)
{
	l->s.answered++;
	if (is_known)
		(void)scan_fate(&l->s, knobs);
	else
		l->s.is_unknown = true;
}

static void
on_policy(void *arg, bool is_known, struct span knobs)
{
	struct question *q = arg;

	take_policy(q->l, is_known, knobs);
	look_ask(q->l);
}

/* Of mail that goes out the policy is the sender's. */
static void
ask_one(struct at_data_look *l, size_t index)
{
	struct question *q = arena_alloc(&l->s.arena, sizeof(*q));
	struct span knobs;

	q->l = l;
	q->index = index;
	if (policies_get(l->s.env.is_outbound,
			 l->s.env.is_outbound ? l->s.env.sender
					      : l->s.env.rcpts[index].address,
			 &knobs, on_policy, q) == 1)
		take_policy(l, true, knobs);
}

/* env is there while somebody waits. */
static void
look_ask(struct at_data_look *l)
{
	size_t total = l->s.env.is_outbound ? 1 : l->s.env.rcpt_count;

	while (l->fn != NULL && l->s.asked < total && !l->s.is_unknown &&
	       l->s.asked - l->s.answered < ASKS_MAX)
		ask_one(l, l->s.asked++);
	if (l->s.answered < l->s.asked)
		return;
	if (l->fn == NULL) {
		look_leave(l);
	} else if (l->s.is_unknown) {
		timer_set(&l->timer, 0);
	} else if (list_is_empty(&l->turn)) {
		list_push(&self.waiting, &l->turn);
		defer_add(&self.pump);
	}
}

struct at_data_look *
at_data_start(const struct envelope *env, int fd, at_data_fn *fn, void *arg)
{
	struct at_data_look *l;

	if (self.slots == 0 || self.count >= LOOKS_MAX) {
		file_shut(&fd);
		return NULL;
	}
	l = xcalloc(1, sizeof(*l));
	l->s.env = *env;
	(void)str_copy(l->id, sizeof(l->id), env->name);
	l->fd = fd;
	l->fn = fn;
	l->arg = arg;
	list_init(&l->turn);
	list_push(&self.all, &l->node);
	self.count++;
	timer_init(&l->timer, on_timer, l);
	timer_set(&l->timer, role_knobs()->at_data_time);
	look_ask(l);
	return l;
}

void
at_data_forget(struct at_data_look *l)
{
	l->fn = NULL;
	timer_clear(&l->timer);
	list_del(&l->turn);
	look_leave(l);
}

void
at_data_slots(uint32_t slots)
{
	self.slots = slots;
	defer_add(&self.pump);
}

static const struct fate *
kept_fate(const struct at_data_look *l, struct span knobs)
{
	size_t i;

	for (i = 0; i < l->s.fate_count; i++)
		if (span_eq(l->s.fates[i].knobs, knobs))
			return &l->s.fates[i];
	return NULL;
}

static const char *
edits_dup(struct scan *s, struct span edits)
{
	char *p = arena_alloc(&s->arena, edits.len + 1);

	if (edits.len > 0)
		memcpy(p, edits.p, edits.len);
	return p;
}

bool
at_data_recall(struct scan *s)
{
	struct at_data_look *l = dict_get(&self.kept, s->m->name);
	size_t i;

	if (l == NULL)
		return false;
	for (i = 0; i < s->fate_count; i++) {
		struct fate *f = &s->fates[i];
		const struct fate *old = kept_fate(l, f->knobs);
		struct span knobs = f->knobs;

		if (old == NULL)
			break;
		*f = *old;
		f->knobs = knobs;
		f->reason = arena_strdup(&s->arena, old->reason);
		f->explanation = arena_strdup(&s->arena, old->explanation);
		f->edits.p = edits_dup(s, old->edits);
	}
	look_free(l);
	if (i == s->fate_count)
		return true;
	for (i = 0; i < s->fate_count; i++)
		s->fates[i].is_told = false;
	return false;
}

void
at_data_init(void)
{
	memset(&self, 0, sizeof(self));
	list_init(&self.all);
	list_init(&self.waiting);
	defer_init(&self.pump, pump, NULL);
}

void
at_data_release(void)
{
	struct list *n, *next;

	list_for_safe(n, next, &self.all)
		look_free(list_entry(n, struct at_data_look, node));
	dict_release(&self.kept, NULL);
	defer_release(&self.pump);
}
