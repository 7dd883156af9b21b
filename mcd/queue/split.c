/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Splits.  From the moment the parent's list is durable there is only one
 * way: forward, as often as it takes.
 */
#include "split.h"

#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "deliver.h"
#include "health.h"
#include "keep.h"
#include "ledger_writer.h"
#include "log.h"
#include "loop.h"
#include "report.h"
#include "stage.h"
#include "str.h"
#include "xalloc.h"

struct split {
	struct message *m;
	struct arena arena;
	struct envelope env; /* of the parent */
	struct envelope *children;
	struct timer timer;
	split_fn *done; /* may be NULL */
	void *arg;
};

void
split_enter(struct message *m, const struct envelope *env)
{
	struct ledger_event ev = { .verb = LEDGER_HELD, .reason = env->reason };

	report_parked(env, (enum state)m->state);
	switch ((enum state)m->state) {
	case STATE_OUTGOING:
		deliver_enter(m, env, 0, false);
		break;
	case STATE_QUARANTINE:
		ev.verb = LEDGER_QUARANTINED;
		change_ledger(m, env, &ev);
		break;
	case STATE_HOLD:
		change_ledger(m, env, &ev);
		break;
	default:
		break;
	}
}

static void
split_free(struct split *s)
{
	timer_release(&s->timer);
	arena_release(&s->arena);
	free(s);
}

static void
make_child(struct split *s, const struct child *c, struct envelope *out)
{
	const struct envelope *env = &s->env;
	char id[ENVELOPE_ID_LEN + 1];
	size_t i, n = 0;

	keep_id_of(env->name, id);
	for (i = 0; i < env->rcpt_count; i++)
		n += env->rcpts[i].child == c->number;
	*out = *env;
	(void)str_fmt(out->name, sizeof(out->name), "%s.%lu", id,
		      (unsigned long)c->number);
	out->generation = env->generation + 1;
	out->reason = c->reason;
	out->is_spam = c->is_spam;
	out->is_virus = c->is_virus;
	out->is_dangerous = c->is_dangerous;
	out->deaths = 0;
	out->edits = c->edits;
	out->edit_count = c->edit_count;
	out->children = NULL;
	out->child_count = 0;
	out->rcpts = arena_array(&s->arena, n, sizeof(*out->rcpts));
	out->rcpt_count = 0;
	for (i = 0; i < env->rcpt_count; i++) {
		if (env->rcpts[i].child != c->number)
			continue;
		out->rcpts[out->rcpt_count] = env->rcpts[i];
		out->rcpts[out->rcpt_count++].child = 0;
	}
}

static void split_again(struct split *s, const char *why);

/* The parent is durably gone: the children begin. */
static void
on_durable(struct commit_op *op, int result, const struct err *e)
{
	struct split *s = op->arg;
	struct message *m = s->m, *c;
	size_t i;

	if (result != 0) {
		health_commit_failed(e);
		split_again(s, e->text);
		commit_op_free(op);
		return;
	}
	commit_op_free(op);
	message_set_gone(m);
	for (i = 0; i < s->env.child_count; i++) {
		c = message_new(s->children[i].name, s->env.children[i].state);
		message_learn(c, &s->children[i]);
		split_enter(c, &s->children[i]);
		log_info("%s split_from=%s state=%s rcpts=%zu", c->name,
			 m->name, state_name((enum state)c->state),
			 s->children[i].rcpt_count);
	}
	if (s->done != NULL)
		s->done(m, 0, s->arg);
	split_free(s);
	stage_done(m, -1);
	message_free(m);
}

/* The children may be there from an earlier try: they are the same. */
static void
write_children(void *arg)
{
	struct split *s = arg;
	size_t n = s->env.child_count, i;
	struct commit_op *op = commit_op_new(n, STATE_COUNT);
	unsigned states = s->m->ghosts | 1u << s->m->state;
	struct err e;
	int st;

	s->children = arena_array(&s->arena, n, sizeof(*s->children));
	for (i = 0; i < n; i++) {
		make_child(s, &s->env.children[i], &s->children[i]);
		op->files[i].is_replacing = true;
		if (change_file(&op->files[i], &s->children[i],
				s->env.children[i].state, &e) != 0) {
			split_again(s, e.text);
			commit_op_free(op);
			return;
		}
	}
	op->unlink_count = 0;
	for (st = 0; st < STATE_COUNT; st++) {
		if ((states & 1u << st) != 0)
			spool_envelope_path((enum state)st, s->m->name,
					    op->unlinks[op->unlink_count++]);
	}
	op->must_unlink = true;
	op->done = on_durable;
	op->arg = s;
	committer_submit(op);
}

static void
split_again(struct split *s, const char *why)
{
	log_error("%s split_failed reason=%s", s->m->name, log_text(why));
	timer_set(&s->timer, message_backoff_ms(s->m));
}

static struct split *
split_new(struct message *m)
{
	struct split *s = xcalloc(1, sizeof(*s));

	s->m = m;
	timer_init(&s->timer, write_children, s);
	return s;
}

static void
on_settled(struct message *m, int result, void *arg)
{
	(void)m;
	(void)result;
	write_children(arg);
}

/* A parent that was parked before would be again beside its children, were
 * an older envelope to come back. */
static void
on_listed(struct message *m, int result, void *arg)
{
	struct split *s = arg;

	if (result == 0) {
		m->is_splitting = true;
		if (!change_settle(m, on_settled, s))
			write_children(s);
		return;
	}
	if (s->done != NULL)
		s->done(m, -1, s->arg);
	stage_done(m, s->done != NULL ? -1 : message_backoff_ms(m));
	split_free(s);
}

void
split_start(struct message *m, struct arena *a, const struct envelope *env)
{
	struct split *s = split_new(m);

	s->arena = *a;
	memset(a, 0, sizeof(*a));
	s->env = *env;
	change_write(m, &s->env, (enum state)m->state, on_listed, s);
}

void
split_parked(struct message *m, struct arena *a, const struct envelope *env,
	     split_fn *done, void *arg)
{
	struct split *s = split_new(m);

	s->arena = *a;
	memset(a, 0, sizeof(*a));
	s->env = *env;
	s->done = done;
	s->arg = arg;
	stage_borrow(m);
	change_write(m, &s->env, STATE_FILTERING, on_listed, s);
}

static void
resume_try(void *arg)
{
	struct split *s = arg;
	struct message *m = s->m;
	enum envelope_result got;
	struct err e;

	got = spool_read_envelope(keep_fd(), (enum state)m->state, m->name,
				  &s->arena, &s->env, &e);
	if (got == ENVELOPE_LATER) {
		split_again(s, e.text);
		return;
	}
	if (got == ENVELOPE_OK && s->env.child_count > 0) {
		timer_release(&s->timer);
		timer_init(&s->timer, write_children, s);
		write_children(s);
		return;
	}
	split_free(s);
	m->is_splitting = false;
	change_park(m, NULL,
		    got == ENVELOPE_OK ? "its list of children is gone"
				       : e.text);
	stage_done(m, -1);
}

void
split_resume(struct message *m)
{
	struct split *s = split_new(m);

	timer_release(&s->timer);
	timer_init(&s->timer, resume_try, s);
	resume_try(s);
}
