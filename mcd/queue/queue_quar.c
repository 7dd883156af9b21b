/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What administrators do with mail in quarantine: let it go, or remove it,
 * for all of its recipients or for some.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "change.h"
#include "deliver.h"
#include "keep.h"
#include "ledger_writer.h"
#include "queue_act.h"
#include "queue_verb.h"
#include "split.h"
#include "str.h"

/* Reads the envelope and takes the message; how many of its recipients are
 * meant, or -1. */
static long
take(struct act *a, struct err *e)
{
	size_t i;
	long n = 0;

	a->from = (enum state)a->m->state;
	if (a->from != STATE_QUARANTINE || a->m->is_splitting)
		return err_set(e, "%s: is not in quarantine any more", a->name);
	if (spool_read_envelope(keep_fd(), a->from, a->name, &a->arena, &a->env,
				e) != ENVELOPE_OK)
		return -1;
	for (i = 0; i < a->env.rcpt_count; i++)
		n += act_means(a, a->env.rcpts[i].address);
	if (n == 0)
		return 0;
	a->m->is_busy = true;
	if (!a->m->is_known)
		message_learn(a->m, &a->env);
	return n;
}

static void
say_failed(struct act *a)
{
	struct err e;

	err_set(&e, "%s: the spool cannot be written now", a->name);
	act_failed(a, EX_TEMPFAIL, &e);
}

static void
give_back(struct act *a, struct message *m)
{
	m->is_busy = false;
	say_failed(a);
	queue_act_idle(m);
}

/* A line in the ledger for each recipient that is meant. */
static void
tell_meant(const struct act *a, struct ledger_event *ev)
{
	size_t i;

	ev->name = a->name;
	ev->who = a->who;
	for (i = 0; i < a->env.rcpt_count; i++) {
		ev->rcpt = a->env.rcpts[i].address;
		if (act_means(a, ev->rcpt))
			ledger_append(ev);
	}
}

/* Release. */

/* Says under which name it goes, and to whom. */
static void
tell_name(struct act *a, const char *name)
{
	struct record r = { .count = 0 };
	struct buf list = { .limit = 0 };
	size_t i;

	for (i = 0; i < a->env.rcpt_count; i++)
		if (act_means(a, a->env.rcpts[i].address))
			(void)buf_printf(&list, "%s%s",
					 list.len > 0 ? "\n" : "",
					 a->env.rcpts[i].address);
	record_str(&r, "id", name);
	record_list(&r, "rcpt", buf_str(&list));
	act_row(a, &r);
	record_release(&r);
	buf_release(&list);
}

static void
on_released(struct message *m, int result, void *arg)
{
	struct ledger_event ev = { .verb = LEDGER_RELEASED };
	struct act *a = arg;

	if (result != 0) {
		give_back(a, m);
		return;
	}
	m->is_busy = false;
	tell_meant(a, &ev);
	tell_name(a, a->name);
	m->deaths = 0;
	deliver_enter(m, &a->env, 0, true);
	act_done(a);
	queue_act_idle(m);
}

/* What stays keeps its words; what goes is as any mail from here on. */
static void
on_parted(struct message *m, int result, void *arg)
{
	struct ledger_event ev = { .verb = LEDGER_RELEASED };
	char name[ENVELOPE_NAME_SIZE], id[ENVELOPE_ID_LEN + 1];
	struct act *a = arg;

	(void)m; /* stage_done() puts it to rest */
	if (result != 0) {
		say_failed(a);
		return;
	}
	keep_id_of(a->name, id);
	(void)str_fmt(name, sizeof(name), "%s.%lu", id,
		      (unsigned long)a->env.children[1].number);
	tell_meant(a, &ev);
	tell_name(a, name);
	act_done(a);
}

/* The number behind those that envelopes of this ID have. */
static uint32_t
next_number(const char *name)
{
	char id[ENVELOPE_ID_LEN + 1];
	unsigned long n, max = 0;
	struct message *m;

	keep_id_of(name, id);
	for (m = message_first_of(id); m != NULL; m = message_next_of(id, m)) {
		n = m->name[ENVELOPE_ID_LEN] == '.'
			    ? strtoul(m->name + ENVELOPE_ID_LEN + 1, NULL, 10)
			    : 0;
		max = n > max ? n : max;
	}
	return (uint32_t)max + 1;
}

static void
part(struct act *a)
{
	struct child *c = arena_array(&a->arena, 2, sizeof(*c));
	uint32_t number = next_number(a->name);
	struct envelope *env = &a->env;
	struct arena arena;
	size_t i;

	c[0] = (struct child){ .number = number,
			       .state = STATE_QUARANTINE,
			       .reason = env->reason };
	c[1] = (struct child){ .number = number + 1,
			       .state = STATE_OUTGOING,
			       .reason = "" };
	for (i = 0; i < 2; i++) {
		c[i].is_spam = env->is_spam;
		c[i].is_virus = env->is_virus;
		c[i].is_dangerous = env->is_dangerous;
		c[i].edits = env->edits;
		c[i].edit_count = env->edit_count;
	}
	for (i = 0; i < env->rcpt_count; i++)
		env->rcpts[i].child =
			number + act_means(a, env->rcpts[i].address);
	env->children = c;
	env->child_count = 2;
	env->next_attempt_ms = 0;
	/* The split owns what the envelope is made of, and outlives the
	 * last word about it. */
	arena = a->arena;
	memset(&a->arena, 0, sizeof(a->arena));
	split_parked(a->m, &arena, env, on_parted, a);
}

static int
begin_release(struct act *a, struct err *e)
{
	long meant = take(a, e);

	if (meant <= 0)
		return (int)meant;
	if (keep_body_check(&a->env, e) != BODY_OK) {
		a->m->is_busy = false;
		return -1;
	}
	if ((size_t)meant < a->env.rcpt_count) {
		part(a);
		return 1;
	}
	a->env.reason = "";
	a->env.deaths = 0;
	a->env.next_attempt_ms = 0;
	change_write(a->m, &a->env, STATE_OUTGOING, on_released, a);
	return 1;
}

/* Delete. */

static void
on_removed(struct message *m, int result, void *arg)
{
	(void)result;
	act_done(arg);
	act_fail_waiting(m);
}

static void
on_rewritten(struct message *m, int result, void *arg)
{
	struct act *a = arg;

	if (result != 0) {
		give_back(a, m);
		return;
	}
	m->is_busy = false;
	act_done(a);
	queue_act_idle(m);
}

/* The ledger has it: the recipients may go. */
static void
on_synced(void *arg)
{
	struct act *a = arg;
	size_t i, kept = 0;

	for (i = 0; i < a->env.rcpt_count; i++)
		if (!act_means(a, a->env.rcpts[i].address))
			a->env.rcpts[kept++] = a->env.rcpts[i];
	a->env.rcpt_count = kept;
	if (kept == 0)
		change_remove(a->m, on_removed, a);
	else
		change_write(a->m, &a->env, STATE_QUARANTINE, on_rewritten, a);
}

static int
begin_delete(struct act *a, struct err *e)
{
	struct ledger_event ev = { .verb = LEDGER_DELETED };
	long meant = take(a, e);

	if (meant <= 0)
		return (int)meant;
	tell_meant(a, &ev);
	ledger_sync(on_synced, a);
	return 1;
}

const struct verb verb_quar_release = { "release", WISH_UNHOLD, begin_release };
const struct verb verb_quar_delete = { "quarantine delete", WISH_DELETE,
				       begin_delete };
