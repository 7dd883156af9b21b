/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From verdicts to envelopes: those who are to be discarded go first, by
 * way of the ledger; the rest changes state as one, or is split.
 */
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "clock.h"
#include "ledger_writer.h"
#include "log.h"
#include "points.h"
#include "quarantine.h"
#include "role.h"
#include "split.h"
#include "stage.h"
#include "str.h"
#include "xalloc.h"

static const char *const action_names[] = {
	[ACTION_DELIVER] = "deliver",
	[ACTION_HOLD] = "hold",
	[ACTION_QUARANTINE] = "quarantine",
	[ACTION_DISCARD] = "discard",
};

static const enum state action_states[] = {
	[ACTION_DELIVER] = STATE_OUTGOING,
	[ACTION_HOLD] = STATE_HOLD,
	[ACTION_QUARANTINE] = STATE_QUARANTINE,
	[ACTION_DISCARD] = STATE_CORRUPT, /* not used */
};

static struct fate *
fate_of(struct scan *s, size_t rcpt)
{
	/* Of mail that goes out there is one policy. */
	return &s->fates[s->env.is_outbound ? 0 : s->fate_of[rcpt]];
}

static void
verdict_again(struct scan *s, const char *why)
{
	struct message *m = s->m;

	if (why != NULL)
		log_error("%s verdict_refused reason=%s", m->name,
			  log_text(why));
	scan_free(s);
	stage_done(m, message_backoff_ms(m));
}

static const char *
verdict_word(const struct fate *f)
{
	if ((f->judged & JUDGED_VIRUS) != 0)
		return "virus";
	return (f->judged & JUDGED_SPAM) != 0 ? "spam" : "ham";
}

/* What mail turned out to be, for the shares that dashboards show. */
static void
count_kind(const struct fate *f, size_t rcpts)
{
	enum stat_id st = STAT_mail_clean;

	if (f->judged & JUDGED_VIRUS)
		st = STAT_mail_virus;
	else if (f->judged & JUDGED_SPAM)
		st = f->action == ACTION_DELIVER ? STAT_mail_tagged
						 : STAT_mail_spam;
	stats_add(role_stats(), st, (int64_t)rcpts);
}

static void
show_decision(const struct scan *s, const struct fate *f, size_t rcpts)
{
	char line[STATS_RING_TEXT], points[32], threshold[32];

	points_text(f->points, points, sizeof(points));
	points_text(f->threshold, threshold, sizeof(threshold));
	(void)str_fmt(line, sizeof(line),
		      "%s %s rcpts=%zu verdict=%s score=%s/%s reason=%s",
		      s->m->name, action_names[f->action], rcpts,
		      verdict_word(f), points, threshold, log_text(f->reason));
	count_kind(f, rcpts);
	stats_ring_add(role_stats(), RING_DECISION, clock_wall_us(), line);
	log_info("%s verdict action=%s rcpts=%zu reason=%s", s->m->name,
		 action_names[f->action], rcpts, log_text(f->reason));
}

static bool
is_same(const struct fate *a, const struct fate *b)
{
	return a->action == b->action && a->judged == b->judged &&
	       a->edits.len == b->edits.len &&
	       memcmp(a->edits.p, b->edits.p, a->edits.len) == 0;
}

/* Gives equal fates one number, from 1; how many there are, or -1. */
static int
number_fates(struct scan *s)
{
	struct fate *heads[ENVELOPE_CHILDREN_MAX];
	int count = 0, k;
	size_t i;

	for (i = 0; i < s->env.rcpt_count; i++) {
		struct fate *f = fate_of(s, i);

		if (f->child != 0)
			continue;
		for (k = 0; k < count && !is_same(heads[k], f); k++)
			;
		if (k == count) {
			if (count == ENVELOPE_CHILDREN_MAX)
				return -1;
			heads[count++] = f;
		}
		f->child = (uint32_t)(k + 1);
	}
	return count;
}

/* Mail that goes through the filters again is not marked twice. */
static size_t
drop_twins(struct edit *edits, size_t n)
{
	size_t i, k, kept = 0;

	for (i = 0; i < n; i++) {
		for (k = 0; k < kept; k++)
			if (edits[k].offset == edits[i].offset &&
			    edits[k].length == edits[i].length &&
			    span_eq(edits[k].text, edits[i].text))
				break;
		if (k == kept)
			edits[kept++] = edits[i];
	}
	return kept;
}

/* Our own edits, which the envelope has from the intake, go before those
 * of the filters at the same place. */
static int
join_edits(struct scan *s, const struct fate *f, struct edit **edits,
	   size_t *count, struct err *e)
{
	struct edit *more = NULL, *all;
	size_t n = 0, i, a = 0, b = 0;

	if (f->edits.len > 0 &&
	    edits_read(f->edits, &s->arena, &more, &n, e) != 0)
		return -1;
	all = arena_array(&s->arena, s->env.edit_count + n, sizeof(*all));
	for (i = 0; i < s->env.edit_count + n; i++) {
		if (b == n || (a < s->env.edit_count &&
			       s->env.edits[a].offset <= more[b].offset))
			all[i] = s->env.edits[a++];
		else
			all[i] = more[b++];
	}
	*edits = all;
	*count = drop_twins(all, s->env.edit_count + n);
	return edits_check(all, *count, s->env.size, e);
}

/* All recipients go one way. */

static void
on_moved(struct message *m, int result, void *arg)
{
	struct scan *s = arg;

	if (result != 0) {
		verdict_again(s, NULL);
		return;
	}
	m->tries = 0;
	split_enter(m, &s->env);
	scan_free(s);
	stage_done(m, -1);
}

static void
move_all(struct scan *s, const struct fate *f)
{
	struct err e;

	if (join_edits(s, f, &s->env.edits, &s->env.edit_count, &e) != 0) {
		verdict_again(s, e.text);
		return;
	}
	s->env.reason = f->action == ACTION_DELIVER ? "" : f->reason;
	s->env.is_spam = (f->judged & JUDGED_SPAM) != 0;
	s->env.is_virus = (f->judged & JUDGED_VIRUS) != 0;
	s->env.is_dangerous = (f->judged & JUDGED_DANGEROUS) != 0;
	s->env.parked_s = quarantine_clock_s();
	s->env.deaths = 0;
	change_write(s->m, &s->env, action_states[f->action], on_moved, s);
}

/* Recipients part ways. */

static void
split_all(struct scan *s, int count)
{
	struct envelope *env = &s->env;
	struct message *m = s->m;
	struct child *c;
	struct err e;
	size_t i;

	env->parked_s = quarantine_clock_s();
	env->children = arena_array(&s->arena, (size_t)count, sizeof(*c));
	env->child_count = (size_t)count;
	for (i = 0; i < env->rcpt_count; i++) {
		const struct fate *f = fate_of(s, i);

		env->rcpts[i].child = f->child;
		c = &env->children[f->child - 1];
		if (c->number != 0)
			continue;
		c->number = f->child;
		c->state = action_states[f->action];
		c->reason = f->action == ACTION_DELIVER ? "" : f->reason;
		c->is_spam = (f->judged & JUDGED_SPAM) != 0;
		c->is_virus = (f->judged & JUDGED_VIRUS) != 0;
		c->is_dangerous = (f->judged & JUDGED_DANGEROUS) != 0;
		if (join_edits(s, f, &c->edits, &c->edit_count, &e) != 0) {
			verdict_again(s, e.text);
			return;
		}
	}
	split_start(m, &s->arena, env);
	scan_free(s);
}

static void
hold_all(struct scan *s, const char *why)
{
	s->env.reason = why;
	change_write(s->m, &s->env, STATE_HOLD, on_moved, s);
}

/* Those who are left: nobody is to be discarded any more. */
static void
act_on_rest(struct scan *s)
{
	int count;

	if (s->env.rcpt_count == 0) {
		struct message *m = s->m;

		change_remove(m, NULL, NULL);
		scan_free(s);
		stage_done(m, -1);
		return;
	}
	count = number_fates(s);
	if (count == 1)
		move_all(s, fate_of(s, 0));
	else if (count > 1)
		split_all(s, count);
	else
		hold_all(s, "recipients part more ways than can be told");
}

/* Discards. */

/* The discards are durable in the ledger: the recipients may go. */
static void
on_discarded(void *arg)
{
	struct scan *s = arg;
	size_t i, kept = 0;

	for (i = 0; i < s->env.rcpt_count; i++) {
		if (fate_of(s, i)->action == ACTION_DISCARD)
			continue;
		s->fate_of[kept] = s->fate_of[i];
		s->env.rcpts[kept++] = s->env.rcpts[i];
	}
	s->env.rcpt_count = kept;
	act_on_rest(s);
}

/*
 * Nobody waits for these lines: they stand before all that follow from the
 * decision, so they are durable when those are.  The words of a decision
 * are kept once, with its first recipient.
 */
static void
tell_judged(struct scan *s)
{
	bool *is_told = xcalloc(s->fate_count, sizeof(*is_told));
	struct ledger_event ev = { .at_us = clock_wall_us(),
				   .verb = LEDGER_JUDGED,
				   .name = s->m->name };
	size_t i, at;

	for (i = 0; i < s->env.rcpt_count; i++) {
		const struct fate *f = fate_of(s, i);

		at = (size_t)(f - s->fates);
		ev.rcpt = s->env.rcpts[i].address;
		ev.reason = f->reason;
		ev.verdict = verdict_word(f);
		ev.action = action_names[f->action];
		ev.score = f->points;
		ev.threshold = f->threshold;
		ev.fate = at + 1;
		ev.explanation = is_told[at] ? "" : f->explanation;
		is_told[at] = true;
		ledger_append(&ev);
	}
	free(is_told);
}

static size_t
tell_discards(struct scan *s)
{
	struct ledger_event ev = { .verb = LEDGER_DISCARDED,
				   .name = s->m->name,
				   .size = s->env.size };
	size_t i, n = 0;

	for (i = 0; i < s->env.rcpt_count; i++) {
		const struct fate *f = fate_of(s, i);

		if (f->action != ACTION_DISCARD)
			continue;
		ev.rcpt = s->env.rcpts[i].address;
		ev.reason = f->reason;
		ledger_append(&ev);
		n++;
	}
	return n;
}

static void
show_decisions(struct scan *s)
{
	uint32_t *counts = xcalloc(s->fate_count, sizeof(*counts));
	size_t i;

	for (i = 0; i < s->env.rcpt_count; i++)
		counts[fate_of(s, i) - s->fates]++;
	for (i = 0; i < s->fate_count; i++)
		show_decision(s, &s->fates[i], counts[i]);
	free(counts);
}

void
verdict_act(struct scan *s)
{
	struct edit *edits;
	struct err e;
	size_t i, n;

	for (i = 0; i < s->fate_count; i++) {
		if (join_edits(s, &s->fates[i], &edits, &n, &e) != 0) {
			verdict_again(s, e.text);
			return;
		}
	}
	stage_judged(s->m);
	show_decisions(s);
	tell_judged(s);
	if (tell_discards(s) > 0)
		ledger_sync(on_discarded, s);
	else
		act_on_rest(s);
}

/* Poison. */

static void death_write(void *arg);

static void
on_death_durable(struct message *m, int result, void *arg)
{
	struct ledger_event ev = { .verb = LEDGER_PARKED, .reason = "poison" };
	struct scan *s = arg;

	if (result != 0) {
		/* No further attempt before this death counts. */
		timer_set(&s->timer, message_backoff_ms(m));
		return;
	}
	m->tries = 0;
	m->deaths = (uint8_t)s->env.deaths;
	if (m->state == STATE_HOLD) {
		log_error("%s parked reason=poison deaths=%lu", m->name,
			  (unsigned long)s->env.deaths);
		stats_add(role_stats(), STAT_parked, 1);
		change_ledger(m, &s->env, &ev);
	}
	scan_free(s);
	stage_done(m, m->state == STATE_HOLD ? -1 : 0);
}

static void
death_write(void *arg)
{
	struct scan *s = arg;
	bool is_poison =
		(int64_t)s->env.deaths >= role_knobs()->filter_poison_deaths;

	if (is_poison)
		s->env.reason = "poison";
	change_write(s->m, &s->env,
		     is_poison ? STATE_HOLD : (enum state)s->m->state,
		     on_death_durable, s);
}

void
verdict_death(struct scan *s)
{
	s->env.deaths++;
	log_error("%s killed a worker deaths=%lu", s->m->name,
		  (unsigned long)s->env.deaths);
	timer_init(&s->timer, death_write, s);
	death_write(s);
}
