/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Retry, hold, unhold and delete.  A request is one question of an
 * administrator; it has an act for each message, and is answered when the
 * last of them is over or its time is.
 */
#include "queue_act.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "change.h"
#include "clock.h"
#include "deliver.h"
#include "keep.h"
#include "ledger_writer.h"
#include "list.h"
#include "log.h"
#include "loop.h"
#include "split.h"
#include "stage.h"
#include "str.h"
#include "xalloc.h"

#define REQUEST_MS 20000 /* then it is answered, whatever is left */
#define WALK_STEPS 500 /* messages looked at in one turn of the loop */
#define WALK_ACTS 256 /* acts under way of a walk */
#define BEFORE_FILTERS ", before the filters"

struct request;
struct act;

struct verb {
	const char *name;
	enum wish wish; /* for one that is at work; none: it needs no rest */
	/* 1 begun, 0 nothing to do, -1 cannot be done with this one. */
	int (*begin)(struct act *a, struct err *e);
};

struct request {
	struct asker to;
	const struct verb *verb;
	char who[64];
	char cursor[ENVELOPE_NAME_SIZE]; /* of a walk over all */
	bool is_walk;
	bool is_walking;
	bool is_answered;
	size_t acts; /* under way */
	size_t changed;
	uint32_t exit_code;
	struct err e; /* the first failure */
	struct timer timer; /* the end of its time */
	struct timer step; /* of a walk */
};

/* One message of a request. */
struct act {
	struct list node; /* waits for its message */
	struct request *r;
	struct message *m; /* not while it waits */
	char name[ENVELOPE_NAME_SIZE];
	struct arena arena;
	struct envelope env;
	enum state from;
};

static struct {
	struct list waiting; /* acts whose message is at work */
} self;

/* Requests. */

static void
request_answer(struct request *r)
{
	struct record row = { .count = 0 };

	if (r->is_answered)
		return;
	r->is_answered = true;
	if (r->is_walk) {
		record_int(&row, "changed", (int64_t)r->changed);
		queue_ctl_row(r->to, &row);
		record_release(&row);
	}
	queue_ctl_done(r->to, r->exit_code, r->e.text, "");
}

/* Answers and ends when all is over. */
static void
request_look(struct request *r)
{
	if (r->acts > 0 || r->is_walking)
		return;
	request_answer(r);
	timer_release(&r->timer);
	timer_release(&r->step);
	free(r);
}

static void
request_failed(struct request *r, uint32_t code, const struct err *e)
{
	if (r->exit_code == EX_OK) {
		r->exit_code = code;
		r->e = *e;
	}
}

static void
act_free(struct act *a)
{
	struct request *r = a->r;

	list_del(&a->node);
	arena_release(&a->arena);
	free(a);
	r->acts--;
	request_look(r);
}

/* The message is what the administrator wanted; idle or gone. */
static void
act_done(struct act *a)
{
	log_info("%s %s who=%s", a->name, a->r->verb->name,
		 log_text(a->r->who));
	a->r->changed++;
	act_free(a);
}

static void
act_failed(struct act *a, uint32_t code, const struct err *e)
{
	request_failed(a->r, code, e);
	act_free(a);
}

/* Its time is over: what still waits goes on without an answer. */
static void
on_late(void *arg)
{
	struct request *r = arg;
	struct list *n, *tmp;
	struct act *a;
	struct err e;

	err_set(&e,
		"not all is done yet: look again, and repeat it if need be");
	request_failed(r, EX_TEMPFAIL, &e);
	request_answer(r);
	/* Messages that were delivered meanwhile do not come any more. */
	list_for_safe(n, tmp, &self.waiting)
	{
		a = list_entry(n, struct act, node);
		if (a->r != r || message_find(a->name) != NULL)
			continue;
		list_del(&a->node);
		arena_release(&a->arena);
		free(a);
		r->acts--;
	}
	if (r->acts == 0 && !r->is_walking)
		request_look(r);
	else
		timer_set(&r->timer, REQUEST_MS);
}

/* Acts. */

/* Out of its stage, and not to be touched by others; env is read. */
static int
take_message(struct act *a, struct err *e)
{
	struct message *m = a->m;
	enum envelope_result got;

	a->from = (enum state)m->state;
	got = spool_read_envelope(keep_fd(), a->from, m->name, &a->arena,
				  &a->env, e);
	if (got != ENVELOPE_OK)
		return got == ENVELOPE_LATER ? -1 : 1;
	m->is_busy = true;
	if (a->from == STATE_OUTGOING)
		deliver_leave(m);
	else if (a->from <= STATE_FILTERING)
		stage_leave(m);
	if (!m->is_known)
		message_learn(m, &a->env);
	return 0;
}

/* Back to where it was, or on from where it is now. */
static void
enter_message(struct act *a)
{
	struct message *m = a->m;

	m->is_busy = false;
	if (m->state == STATE_OUTGOING)
		deliver_enter(m, &a->env, 0, true);
	else if (m->state <= STATE_FILTERING)
		stage_enter(m);
}

static void
on_held(struct message *m, int result, void *arg)
{
	struct ledger_event ev = { .verb = LEDGER_HELD };
	struct act *a = arg;
	struct err e;

	m->is_busy = false;
	if (result != 0) {
		enter_message(a);
		err_set(&e, "%s: the spool cannot be written now", a->name);
		act_failed(a, EX_TEMPFAIL, &e);
		queue_act_idle(m);
		return;
	}
	ev.reason = a->env.reason;
	ev.who = a->r->who;
	change_ledger(m, &a->env, &ev);
	act_done(a);
	queue_act_idle(m);
}

static int
begin_hold(struct act *a, struct err *e)
{
	if (a->m->state > STATE_OUTGOING)
		return 0;
	if (a->m->is_splitting)
		return err_set(e, "%s: is being split; try again", a->name);
	if (take_message(a, e) != 0)
		return -1;
	a->env.reason =
		arena_printf(&a->arena, "held by %s%s", a->r->who,
			     a->from == STATE_OUTGOING ? "" : BEFORE_FILTERS);
	a->env.active_ms = a->m->active_ms;
	change_write(a->m, &a->env, STATE_HOLD, on_held, a);
	return 1;
}

static bool
ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);

	return n >= k && str_eq(text + n - k, end);
}

/* Where a message goes that is released: nothing passes unfiltered. */
static enum state
released_to(const struct act *a)
{
	bool is_child = strlen(a->name) > ENVELOPE_ID_LEN;

	if (a->from == STATE_CORRUPT)
		return is_child ? STATE_HOLD : STATE_INCOMING;
	if (!is_child && (str_eq(a->env.reason, "poison") ||
			  ends_in(a->env.reason, BEFORE_FILTERS)))
		return STATE_INCOMING;
	return STATE_OUTGOING;
}

static void
on_released(struct message *m, int result, void *arg)
{
	struct ledger_event ev = { .verb = LEDGER_RELEASED };
	struct act *a = arg;
	struct err e;

	m->is_busy = false;
	if (result != 0) {
		err_set(&e, "%s: the spool cannot be written now", a->name);
		act_failed(a, EX_TEMPFAIL, &e);
		queue_act_idle(m);
		return;
	}
	ev.who = a->r->who;
	change_ledger(m, &a->env, &ev);
	m->deaths = 0;
	enter_message(a);
	act_done(a);
	queue_act_idle(m);
}

static int
begin_unhold(struct act *a, struct err *e)
{
	struct message *m = a->m;
	enum state to;
	int got;

	if (m->state < STATE_HOLD)
		return 0;
	got = take_message(a, e);
	if (got != 0)
		return -1;
	if (keep_body_check(a->env.body, a->env.size, e) != BODY_OK) {
		m->is_busy = false;
		return -1;
	}
	to = released_to(a);
	a->env.reason = to == STATE_HOLD ? "was damaged" : "";
	a->env.deaths = 0;
	a->env.next_attempt_ms = 0;
	change_write(m, &a->env, to, on_released, a);
	return 1;
}

/* m is no more: what waits for it is told. */
static void
fail_waiting(const struct message *m)
{
	struct list *n, *tmp;
	struct act *a;
	struct err e;

	err_set(&e, "%s: not in the queue", m->name);
	list_for_safe(n, tmp, &self.waiting)
	{
		a = list_entry(n, struct act, node);
		if (str_eq(a->name, m->name))
			act_failed(a, EX_DATAERR, &e);
	}
}

static void
on_removed(struct message *m, int result, void *arg)
{
	(void)result;
	act_done(arg);
	fail_waiting(m);
}

static void
on_delete_synced(void *arg)
{
	struct act *a = arg;

	change_remove(a->m, on_removed, a);
}

/* One that is damaged can be deleted too: its recipients are unknown. */
static int
begin_delete(struct act *a, struct err *e)
{
	struct ledger_event ev = { .verb = LEDGER_DELETED,
				   .name = a->name,
				   .who = a->r->who };
	int got;

	if (a->m->is_splitting)
		return err_set(e, "%s: is being split; try again", a->name);
	got = take_message(a, e);
	if (got < 0)
		return -1;
	if (got == 0) {
		change_ledger(a->m, &a->env, &ev);
	} else if (a->from == STATE_CORRUPT) {
		a->m->is_busy = true;
		ledger_append(&ev);
	} else {
		return -1;
	}
	ledger_sync(on_delete_synced, a);
	return 1;
}

static int
begin_retry(struct act *a, struct err *e)
{
	struct message *m = a->m;

	if (m->state > STATE_OUTGOING && !a->r->is_walk)
		return err_set(e, "%s: is in %s; unhold lets it go on", a->name,
			       state_name((enum state)m->state));
	if (m->state == STATE_OUTGOING)
		schedule_now(m);
	else if (m->state == STATE_FILTERING)
		stage_now(m);
	m->tries = 0;
	return 0;
}

static const struct verb verb_retry = { "retry", WISH_NONE, begin_retry };
static const struct verb verb_hold = { "hold", WISH_HOLD, begin_hold };
static const struct verb verb_unhold = { "unhold", WISH_UNHOLD, begin_unhold };
static const struct verb verb_delete = { "delete", WISH_DELETE, begin_delete };

/* m is idle, or the verb does not mind. */
static void
act_begin(struct act *a, struct message *m)
{
	struct err e = { "" };
	int begun;

	a->m = m;
	begun = a->r->verb->begin(a, &e);
	if (begun < 0)
		act_failed(a, EX_TEMPFAIL, &e);
	else if (begun == 0)
		act_done(a);
}

/* Whether nobody is in the way: m is at rest, or the verb changes nothing. */
static bool
may_begin(const struct verb *verb, const struct message *m)
{
	if (verb->wish == WISH_NONE || (!m->is_busy && m->jobs == 0))
		return true;
	return verb->wish == WISH_UNHOLD && m->state < STATE_HOLD &&
	       m->wish == WISH_NONE;
}

static void
act_new(struct request *r, struct message *m)
{
	struct act *a = xcalloc(1, sizeof(*a));

	list_init(&a->node);
	a->r = r;
	r->acts++;
	(void)str_copy(a->name, sizeof(a->name), m->name);
	if (may_begin(r->verb, m)) {
		act_begin(a, m);
		return;
	}
	m->wish = (uint8_t)r->verb->wish;
	list_push(&self.waiting, &a->node);
}

/* Takes the first that waits for m, or NULL; m->wish is the next one's. */
static struct act *
take_waiting(struct message *m)
{
	struct act *a, *first = NULL;
	struct list *n;

	m->wish = WISH_NONE;
	list_for(n, &self.waiting)
	{
		a = list_entry(n, struct act, node);
		if (!str_eq(a->name, m->name))
			continue;
		if (first != NULL) {
			m->wish = (uint8_t)a->r->verb->wish;
			break;
		}
		first = a;
	}
	if (first != NULL)
		list_del(&first->node);
	return first;
}

void
queue_act_idle(struct message *m)
{
	struct act *a;

	while (m->wish != WISH_NONE && !m->is_busy && m->jobs == 0 &&
	       !m->is_gone) {
		a = take_waiting(m);
		if (a != NULL)
			act_begin(a, m);
	}
}

/* Requests begin. */

static void
walk(void *arg)
{
	struct request *r = arg;
	struct message *m;
	int i;

	r->is_walking = true;
	for (i = 0; i < WALK_STEPS && r->acts < WALK_ACTS; i++) {
		m = message_after(r->cursor);
		if (m == NULL) {
			r->is_walking = false;
			request_look(r);
			return;
		}
		(void)str_copy(r->cursor, sizeof(r->cursor), m->name);
		if (m->is_gone || !m->is_known || m->state > STATE_HOLD)
			continue;
		if ((m->state == STATE_HOLD) != (r->verb == &verb_unhold))
			continue;
		act_new(r, m);
	}
	/* While acts are under way there is a tick for them to end. */
	timer_set(&r->step, r->acts < WALK_ACTS ? 0 : 1);
}

static struct request *
request_new(struct asker from, const struct frame_ctl_ask *ask,
	    const struct verb *verb)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->to = from;
	r->verb = verb;
	(void)str_copy(r->who, sizeof(r->who),
		       ask->who[0] != '\0' ? ask->who : "unknown");
	timer_init(&r->timer, on_late, r);
	timer_init(&r->step, walk, r);
	timer_set(&r->timer, REQUEST_MS);
	/* Held until all acts are there. */
	r->is_walking = true;
	return r;
}

static void
begin(struct asker from, const struct frame_ctl_ask *ask,
      const struct verb *verb)
{
	struct request *r = request_new(from, ask, verb);
	struct message *m, *next;
	struct err e;
	size_t n = 0;

	if (str_eq(ask->arg, "all") && verb != &verb_delete) {
		r->is_walk = true;
		walk(r);
		return;
	}
	if (!envelope_name_valid(ask->arg, true)) {
		err_set(&e, "\"%.60s\" is not a queue id", ask->arg);
		request_failed(r, EX_DATAERR, &e);
	} else {
		for (m = message_first_of(ask->arg); m != NULL; m = next) {
			next = message_next_of(ask->arg, m);
			if (m->is_gone)
				continue;
			act_new(r, m);
			n++;
		}
		err_set(&e, "%s: not in the queue", ask->arg);
		if (n == 0)
			request_failed(r, EX_DATAERR, &e);
	}
	r->is_walking = false;
	request_look(r);
}

void
queue_retry(struct asker from, const struct frame_ctl_ask *ask)
{
	begin(from, ask, &verb_retry);
}

void
queue_hold(struct asker from, const struct frame_ctl_ask *ask)
{
	begin(from, ask, &verb_hold);
}

void
queue_unhold(struct asker from, const struct frame_ctl_ask *ask)
{
	begin(from, ask, &verb_unhold);
}

void
queue_delete(struct asker from, const struct frame_ctl_ask *ask)
{
	begin(from, ask, &verb_delete);
}

void
queue_act_init(void)
{
	memset(&self, 0, sizeof(self));
	list_init(&self.waiting);
}
