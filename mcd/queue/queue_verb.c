/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Retry, hold, unhold and delete.  Whoever takes a message out of its
 * stage puts it back when the change cannot be made.
 */
#include "queue_verb.h"

#include <string.h>
#include <sysexits.h>

#include "change.h"
#include "deliver.h"
#include "keep.h"
#include "ledger_writer.h"
#include "queue_act.h"
#include "stage.h"
#include "str.h"

#define BEFORE_FILTERS ", before the filters"

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
	ev.who = a->who;
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
		arena_printf(&a->arena, "held by %s%s", a->who,
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
	ev.who = a->who;
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

	if (m->is_splitting)
		return err_set(e, "%s: is being split; try again", a->name);
	if (m->state < STATE_HOLD)
		return 0;
	got = take_message(a, e);
	if (got != 0)
		return -1;
	if (keep_body_check(&a->env, e) != BODY_OK) {
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

static void
on_removed(struct message *m, int result, void *arg)
{
	(void)result;
	act_done(arg);
	act_fail_waiting(m);
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
				   .who = a->who };
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

	if (m->state > STATE_OUTGOING && !a->is_one_of_all)
		return err_set(e, "%s: is in %s; unhold lets it go on", a->name,
			       state_name((enum state)m->state));
	if (m->state == STATE_OUTGOING)
		schedule_now(m);
	else if (m->state == STATE_FILTERING)
		stage_now(m);
	m->tries = 0;
	return 0;
}

const struct verb verb_retry = { "retry", WISH_NONE, begin_retry };
const struct verb verb_hold = { "hold", WISH_HOLD, begin_hold };
const struct verb verb_unhold = { "unhold", WISH_UNHOLD, begin_unhold };
const struct verb verb_delete = { "delete", WISH_DELETE, begin_delete };
