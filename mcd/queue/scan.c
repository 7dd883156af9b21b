/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Asking control for policies and the pool for verdicts.
 */
#include "scan.h"

#include <stdlib.h>
#include <string.h>

#include "at_data.h"
#include "change.h"
#include "explanation.h"
#include "file.h"
#include "keep.h"
#include "log.h"
#include "peer.h"
#include "policies.h"
#include "role.h"
#include "stage.h"
#include "str.h"
#include "verdict.h"
#include "xalloc.h"

#define KNOBS_MAX 8192 /* bytes of a policy, as in proto.def */
#define ASKS_MAX 32 /* questions to control at a time for one message */
#define ROUND_POLICIES 64
#define ROUND_BYTES 49152
#define MARGIN_MS 60000 /* beyond the pool's own time limits */
#define LOST_WAIT_MS 1000

static struct {
	struct list waiting; /* for a slot, oldest first */
	size_t waiting_count;
	size_t running;
	uint32_t slots;
	struct defer pump;
} self;

/* A question about one recipient. */
struct about {
	struct scan *s;
	size_t index;
};

void
scan_free(struct scan *s)
{
	dict_release(&s->by_knobs, NULL);
	timer_release(&s->timer);
	free(s->fates);
	free(s->fate_of);
	arena_release(&s->arena);
	free(s);
}

/* It is tried again; -1 stands for the ordinary back-off. */
static void
scan_again(struct scan *s, int64_t wait_ms)
{
	struct message *m = s->m;

	scan_free(s);
	stage_done(m, wait_ms >= 0 ? wait_ms : message_backoff_ms(m));
}

static void
scan_park(struct scan *s, bool is_readable, const char *why)
{
	struct message *m = s->m;

	change_park(m, is_readable ? &s->env : NULL, why);
	scan_free(s);
	stage_done(m, -1);
}

/* Policies. */

uint32_t
scan_fate(struct scan *s, struct span knobs)
{
	static char text[KNOBS_MAX + 1];
	uintptr_t at = 0;
	const char *key;
	struct fate *f;

	if (knobs.len < sizeof(text)) {
		if (knobs.len > 0)
			memcpy(text, knobs.p, knobs.len);
		text[knobs.len] = '\0';
		at = (uintptr_t)dict_get(&s->by_knobs, text);
	}
	if (at != 0)
		return (uint32_t)(at - 1);
	/* Kept once, however many recipients have it. */
	key = arena_strndup(&s->arena, knobs.p, knobs.len);
	if (s->fate_count == s->fate_cap) {
		s->fate_cap = s->fate_cap ? s->fate_cap * 2 : 8;
		s->fates =
			xreallocarray(s->fates, s->fate_cap, sizeof(*s->fates));
	}
	f = &s->fates[s->fate_count++];
	memset(f, 0, sizeof(*f));
	f->knobs = (struct span){ key, knobs.len };
	f->reason = f->explanation = "";
	(void)dict_set(&s->by_knobs, key, (void *)(uintptr_t)s->fate_count);
	return (uint32_t)(s->fate_count - 1);
}

static void scan_ask(struct scan *s);

static void
take_policy(struct scan *s, size_t index, bool is_known, struct span knobs)
{
	s->answered++;
	if (is_known)
		s->fate_of[index] = scan_fate(s, knobs);
	else
		s->is_unknown = true;
}

static void
on_policy(void *arg, bool is_known, struct span knobs)
{
	struct about *a = arg;

	take_policy(a->s, a->index, is_known, knobs);
	scan_ask(a->s);
}

/* Of mail that goes out the policy is the sender's. */
static void
ask_one(struct scan *s, size_t index)
{
	struct about *a = arena_alloc(&s->arena, sizeof(*a));
	struct span knobs;

	a->s = s;
	a->index = index;
	if (policies_get(s->env.is_outbound,
			 s->env.is_outbound ? s->env.sender
					    : s->env.rcpts[index].address,
			 &knobs, on_policy, a) == 1)
		take_policy(s, index, true, knobs);
}

static void
all_answered(struct scan *s)
{
	if (s->is_unknown) {
		log_debug("%s no policy now", s->m->name);
		scan_again(s, -1);
		return;
	}
	s->from = 0;
	if (at_data_recall(s)) {
		verdict_act(s);
		return;
	}
	list_push(&self.waiting, &s->node);
	self.waiting_count++;
	defer_add(&self.pump);
}

static void
scan_ask(struct scan *s)
{
	size_t total = s->env.is_outbound ? 1 : s->env.rcpt_count;

	while (s->asked < total && !s->is_unknown &&
	       s->asked - s->answered < ASKS_MAX)
		ask_one(s, s->asked++);
	if (s->answered == s->asked && (s->asked == total || s->is_unknown))
		all_answered(s);
}

/* A list whose sync failed may stand in the file: it counts for nothing. */
static void
forget_children(struct envelope *env)
{
	size_t i;

	env->children = NULL;
	env->child_count = 0;
	for (i = 0; i < env->rcpt_count; i++)
		env->rcpts[i].child = 0;
}

void
scan_start(struct message *m)
{
	struct scan *s = xcalloc(1, sizeof(*s));
	enum envelope_result got;
	struct err e;

	list_init(&s->node);
	s->m = m;
	got = spool_read_envelope(keep_fd(), (enum state)m->state, m->name,
				  &s->arena, &s->env, &e);
	if (got == ENVELOPE_LATER) {
		log_warn("%s unread reason=%s", m->name, log_text(e.text));
		scan_again(s, -1);
		return;
	}
	if (got != ENVELOPE_OK || s->env.rcpt_count == 0) {
		scan_park(s, false,
			  got == ENVELOPE_OK  ? "it has no recipients"
			  : e.text[0] != '\0' ? e.text
					      : "its envelope is gone");
		return;
	}
	forget_children(&s->env);
	s->fate_of = xcalloc(s->env.rcpt_count, sizeof(*s->fate_of));
	scan_ask(s);
}

/* Rounds. */

void
scan_take(struct scan *s, const char *name, const struct frame_verdict *b)
{
	struct fate *f;
	char *edits;

	if (b->policy >= s->to - s->from || b->action > ACTION_DISCARD ||
	    s->fates[s->from + b->policy].is_told) {
		log_error("%s verdict_refused policy=%lu action=%lu", name,
			  (unsigned long)b->policy, (unsigned long)b->action);
		return;
	}
	f = &s->fates[s->from + b->policy];
	f->is_told = true;
	f->action = (enum action)b->action;
	f->judged = b->judged & (JUDGED_SPAM | JUDGED_VIRUS | JUDGED_DANGEROUS |
				 JUDGED_REFUSE);
	f->reason = arena_strdup(&s->arena, b->reason);
	f->explanation =
		arena_strndup(&s->arena, b->explanation, EXPLANATION_MAX);
	(void)explanation_sum(f->explanation, &f->points, &f->threshold);
	edits = arena_alloc(&s->arena, b->edits.len + 1);
	if (b->edits.len > 0)
		memcpy(edits, b->edits.p, b->edits.len);
	f->edits = (struct span){ edits, b->edits.len };
}

static bool
is_round_told(const struct scan *s)
{
	size_t i;

	for (i = s->from; i < s->to; i++) {
		if (!s->fates[i].is_told)
			return false;
	}
	return true;
}

static void
round_done(struct scan *s, enum scan_status status)
{
	if (status == SCAN_DIED) {
		verdict_death(s);
	} else if (status == SCAN_LOST) {
		scan_again(s, LOST_WAIT_MS);
	} else if (status != SCAN_DONE) {
		scan_again(s, -1);
	} else if (!is_round_told(s)) {
		log_error("%s scan without all verdicts", s->m->name);
		scan_again(s, -1);
	} else if (s->to < s->fate_count) {
		s->from = s->to;
		list_push_front(&self.waiting, &s->node);
		self.waiting_count++;
	} else {
		verdict_act(s);
	}
}

static void
on_reply(void *arg, struct frame *f)
{
	struct scan *s = arg;

	if (f != NULL && f->type == FRAME_verdict) {
		scan_take(s, s->m->name, FRAME_BODY(f, verdict));
		return;
	}
	if (f != NULL && f->type != FRAME_scan_done)
		return;
	self.running--;
	defer_add(&self.pump);
	if (f == NULL) {
		/* The pool has gone: nothing is counted. */
		scan_again(s, LOST_WAIT_MS);
		return;
	}
	if (FRAME_BODY(f, scan_done)->status != SCAN_DONE)
		log_warn("%s not_scanned status=%lu reason=%s", s->m->name,
			 (unsigned long)FRAME_BODY(f, scan_done)->status,
			 log_text(FRAME_BODY(f, scan_done)->text));
	round_done(s, (enum scan_status)FRAME_BODY(f, scan_done)->status);
}

/* The policies of this round, each with its length before it. */
static void
fill_round(struct scan *s, struct buf *out)
{
	unsigned char le[4];
	size_t i, k, len;

	for (i = s->from; i < s->fate_count && i - s->from < ROUND_POLICIES;
	     i++) {
		len = s->fates[i].knobs.len;
		if (i > s->from && out->len + 4 + len > ROUND_BYTES)
			break;
		for (k = 0; k < 4; k++)
			le[k] = (unsigned char)(len >> (8 * k));
		(void)buf_add(out, le, 4);
		(void)buf_add_span(out, s->fates[i].knobs);
	}
	s->to = i;
}

void
scan_frame(struct scan *s, const char *name, struct buf *policies,
	   struct frame_scan *out)
{
	fill_round(s, policies);
	*out = (struct frame_scan){
		.name = name,
		.size = s->env.size,
		.sender = s->env.sender,
		.client_ip = s->env.client_ip,
		.client_name = s->env.client_name,
		.helo = s->env.helo,
		.auth_spf = s->env.auth_spf,
		.is_outbound = s->env.is_outbound,
		.is_peer = s->env.is_peer,
		.is_alone = s->env.deaths > 0,
		.policy_count = (uint32_t)(s->to - s->from),
		.policies = buf_span(policies),
	};
}

static void
scan_send(struct scan *s)
{
	struct buf policies = { .limit = 0 };
	struct frame_scan b;
	enum body_result body;
	struct err e;
	int fd;

	body = keep_body_open(&s->env, &fd, &e);
	if (body == BODY_BAD) {
		scan_park(s, true, e.text);
		return;
	}
	if (body == BODY_LATER) {
		log_warn("%s unread reason=%s", s->m->name, log_text(e.text));
		scan_again(s, -1);
		return;
	}
	scan_frame(s, s->m->name, &policies, &b);
	s->token = peer_ask(peer_of(ROLE_FILTER), FRAME_scan, &b, fd,
			    2 * role_knobs()->filter_time + MARGIN_MS, on_reply,
			    s);
	buf_release(&policies);
	if (s->token == 0)
		scan_again(s, LOST_WAIT_MS);
	else
		self.running++;
}

static void
pump(void *arg)
{
	struct list *n;

	(void)arg;
	while (self.running < self.slots &&
	       (n = list_pop(&self.waiting)) != NULL) {
		self.waiting_count--;
		scan_send(list_entry(n, struct scan, node));
	}
}

void
scan_init(void)
{
	memset(&self, 0, sizeof(self));
	list_init(&self.waiting);
	defer_init(&self.pump, pump, NULL);
}

void
scan_slots(uint32_t slots)
{
	self.slots = slots;
	defer_add(&self.pump);
}

size_t
scan_running(void)
{
	return self.running;
}

size_t
scan_waiting(void)
{
	return self.waiting_count;
}

void
scan_release(void)
{
	defer_release(&self.pump);
}
