/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Changes of envelopes on top of the committer.
 */
#include "change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broom.h"
#include "health.h"
#include "keep.h"
#include "ledger_writer.h"
#include "log.h"
#include "loop.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define PARK_NAMES 10

/* A change under way. */
struct change {
	struct message *m;
	enum state to;
	bool is_alone; /* to be removed: older ones have durably gone */
	bool stays; /* only the older ones go */
	change_fn *fn;
	void *arg;
	struct timer timer;
};

static struct change *
change_new(struct message *m, enum state to, change_fn *fn, void *arg)
{
	struct change *c = xcalloc(1, sizeof(*c));

	c->m = m;
	c->to = to;
	c->fn = fn;
	c->arg = arg;
	return c;
}

static void
change_end(struct change *c, int result)
{
	change_fn *fn = c->fn;
	struct message *m = c->m;
	void *arg = c->arg;

	timer_release(&c->timer);
	free(c);
	m->heading = m->state;
	fn(m, result, arg);
}

int
change_file(struct commit_file *f, const struct envelope *env, enum state s,
	    struct err *e)
{
	spool_envelope_tmp(s, env->name, f->tmp);
	spool_envelope_path(s, env->name, f->path);
	return envelope_write(env, &f->text, e);
}

static void
on_written(struct commit_op *op, int result, const struct err *e)
{
	struct change *c = op->arg;
	struct message *m = c->m;

	if (result != 0) {
		log_error("%s change_failed to=%s reason=%s", m->name,
			  state_name(c->to), log_text(e->text));
		/* What was taken back there may come again with a crash. */
		if (m->state != c->to)
			m->ghosts |= (uint8_t)(1u << c->to);
		health_commit_failed(e);
	} else {
		if (e->text[0] != '\0')
			log_warn("%s old_envelope_left reason=%s", m->name,
				 log_text(e->text));
		if (m->state != c->to) {
			m->ghosts |= (uint8_t)(1u << m->state);
			message_set_state(m, c->to);
		}
	}
	commit_op_free(op);
	change_end(c, result);
}

static void
not_written(void *arg)
{
	change_end(arg, -1);
}

void
change_write(struct message *m, struct envelope *env, enum state to,
	     change_fn *fn, void *arg)
{
	struct commit_op *op = commit_op_new(1, m->state != to);
	struct change *c = change_new(m, to, fn, arg);
	struct err e;

	if (!m->is_busy)
		bug("%s: changed, but not busy", m->name);
	m->heading = (uint8_t)to;
	/* A number that was tried is not used again: its file may be there
	 * after a crash. */
	env->generation = ++m->generation;
	if (change_file(&op->files[0], env, to, &e) != 0) {
		log_error("%s change_failed to=%s reason=%s", m->name,
			  state_name(to), log_text(e.text));
		commit_op_free(op);
		timer_init(&c->timer, not_written, c);
		timer_set(&c->timer, 0);
		return;
	}
	op->files[0].is_replacing = m->state == to;
	if (m->state != to)
		spool_envelope_path((enum state)m->state, m->name,
				    op->unlinks[0]);
	op->done = on_written;
	op->arg = c;
	committer_submit(op);
}

/* What is left goes later, at the latest with the next start. */
static void
on_body_removed(struct commit_op *op, int result, const struct err *e)
{
	if (result != 0 || e->text[0] != '\0')
		for (size_t i = 0; i < op->unlink_count; i++)
			broom_path(op->unlinks[i]);
	commit_op_free(op);
}

/* By a thread, as it may have to wait for the disk; nobody waits for it. */
static void
remove_body(const struct message *m)
{
	char body[ENVELOPE_ID_LEN + 3];
	struct commit_op *op;

	if (message_has_kin(m))
		return;
	op = commit_op_new(0, 2);
	keep_id_of(m->name, body);
	spool_body_path(body, op->unlinks[0]);
	(void)str_fmt(body, sizeof(body), "%.*s.c", ENVELOPE_ID_LEN, m->name);
	spool_body_path(body, op->unlinks[1]);
	if (!m->is_cleaned && m->is_known)
		op->unlink_count = 1;
	op->done = on_body_removed;
	committer_submit(op);
}

static void remove_try(void *arg);

static void
on_removed(struct commit_op *op, int result, const struct err *e)
{
	struct change *c = op->arg;

	if (result != 0) {
		log_error("%s remove_failed reason=%s", c->m->name,
			  log_text(e->text));
		commit_op_free(op);
		timer_set(&c->timer, message_backoff_ms(c->m));
		return;
	}
	commit_op_free(op);
	if (c->stays) {
		c->m->ghosts = 0;
		change_end(c, 0);
		return;
	}
	if (!c->is_alone) {
		c->is_alone = true;
		remove_try(c);
		return;
	}
	remove_body(c->m);
	if (c->fn != NULL)
		c->fn(c->m, 0, c->arg);
	message_free(c->m);
	timer_release(&c->timer);
	free(c);
}

/*
 * Whether older envelopes must have gone before the last one goes.  One
 * that comes back without it is seen as the message: of mail that flows it
 * makes a duplicate, but what was held would be sent, and what was released
 * would be held again.
 */
static bool
has_order(const struct message *m)
{
	unsigned now = 1u << m->state;

	return (m->ghosts & ~now) != 0 && (m->ghosts | now) >> STATE_HOLD != 0;
}

/* All folders that may hold it after a crash are gone through: an old
 * envelope that came back would find no body. */
static void
remove_try(void *arg)
{
	struct change *c = arg;
	unsigned now = 1u << c->m->state;
	unsigned states = c->m->ghosts | now;
	struct commit_op *op = commit_op_new(0, STATE_COUNT);
	int s;

	if (!c->is_alone)
		states &= ~now;
	op->unlink_count = 0;
	for (s = 0; s < STATE_COUNT; s++) {
		if ((states & 1u << s) != 0)
			spool_envelope_path((enum state)s, c->m->name,
					    op->unlinks[op->unlink_count++]);
	}
	op->must_unlink = true;
	op->done = on_removed;
	op->arg = c;
	committer_submit(op);
}

void
change_remove(struct message *m, change_fn *fn, void *arg)
{
	struct change *c = change_new(m, STATE_COUNT, fn, arg);

	message_set_gone(m);
	m->is_busy = true;
	m->tries = 0;
	c->is_alone = !has_order(m);
	timer_init(&c->timer, remove_try, c);
	remove_try(c);
}

bool
change_settle(struct message *m, change_fn *fn, void *arg)
{
	struct change *c;

	if (!has_order(m))
		return false;
	c = change_new(m, (enum state)m->state, fn, arg);
	c->stays = true;
	timer_init(&c->timer, remove_try, c);
	remove_try(c);
	return true;
}

int
change_move(struct message *m, enum state to)
{
	char old[SPOOL_PATH_SIZE], new[SPOOL_PATH_SIZE];

	spool_envelope_path((enum state)m->state, m->name, old);
	spool_envelope_path(to, m->name, new);
	if (renameat(keep_fd(), old, keep_fd(), new) != 0) {
		log_error("%s move_failed to=%s reason=%s", m->name,
			  state_name(to), log_text(strerror(errno)));
		return -1;
	}
	message_set_state(m, to);
	return 0;
}

void
change_ledger(const struct message *m, const struct envelope *env,
	      const struct ledger_event *ev)
{
	struct ledger_event line = *ev;
	size_t i;

	line.name = m->name;
	line.size = env->size;
	for (i = 0; i < env->rcpt_count; i++) {
		line.rcpt = env->rcpts[i].address;
		ledger_append(&line);
	}
}

/* 0 moved, 1 the name is taken, -1 failed. */
static int
park_as(const char *old, const char *new)
{
	if (faccessat(keep_fd(), new, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return renameat(keep_fd(), old, keep_fd(), new);
}

int
change_park_file(enum state from, const char *name, const char *why)
{
	char old[SPOOL_PATH_SIZE], new[SPOOL_PATH_SIZE];
	char other[SPOOL_PATH_SIZE + 8];
	int i, result;

	log_error("%s parked from=%s reason=%s", name, state_name(from),
		  log_text(why));
	stats_add(role_stats(), STAT_parked, 1);
	spool_envelope_path(from, name, old);
	spool_envelope_path(STATE_CORRUPT, name, new);
	result = park_as(old, new);
	for (i = 1; result == 1 && i < PARK_NAMES; i++) {
		(void)str_fmt(other, sizeof(other), "%s~%d", new, i);
		result = park_as(old, other);
	}
	if (result == 0)
		return 0;
	log_error(
		"%s park_failed reason=%s", name,
		log_text(result < 0 ? strerror(errno) : "all names are taken"));
	return -1;
}

void
change_park(struct message *m, const struct envelope *env, const char *why)
{
	struct ledger_event ev = { .verb = LEDGER_PARKED, .reason = why };

	(void)change_park_file((enum state)m->state, m->name, why);
	/* The move is not synced, and may have failed. */
	m->ghosts |= (uint8_t)(1u << m->state);
	if (env != NULL)
		change_ledger(m, env, &ev);
	/* Where it could not be moved it is out of the way all the same:
	 * the next start finds it again. */
	message_set_state(m, STATE_CORRUPT);
	m->is_busy = false;
}
