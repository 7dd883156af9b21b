/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One question of a worker is under way at a time; its token says whether
 * an answer is for the message that is being looked at.
 */
#include "worker_rbl.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "str.h"
#include "worker_late.h"

/* Apart from the tokens of questions to DNS, which count from 1. */
#define TOKEN_FIRST 0x80000000u

static struct worker_rbl *current;
static uint32_t last_token = TOKEN_FIRST;

void
worker_rbl_start(struct worker_rbl *w, struct chan *c, struct arena *arena)
{
	current = w;
	if (w == NULL)
		return;
	w->c = c;
	w->arena = arena;
}

void
worker_rbl_want(struct worker_rbl *w, enum rbl_use use, char kind,
		const char *text)
{
	size_t i;

	if (w->is_asked || strpbrk(text, " \n") != NULL)
		return;
	for (i = 0; i < w->count; i++)
		if (w->items[i].kind == kind && str_eq(w->items[i].text, text))
			break;
	if (i == WORKER_RBL_ITEMS_MAX) {
		w->is_full = true;
		return;
	}
	if (i == w->count) {
		w->items[i].kind = kind;
		w->items[i].text = arena_strdup(w->arena, text);
		w->count++;
	}
	w->items[i].uses |= use;
}

void
worker_rbl_ask(struct worker_rbl *w)
{
	struct frame_rbl_ask ask = { .timeout_ms = WORKER_RBL_TIME_MS };
	struct buf items = { .limit = 32768 };
	size_t i;

	if (w->is_asked || w->count == 0)
		return;
	w->is_asked = true;
	for (i = 0; i < w->count; i++)
		(void)buf_printf(&items, "%u %c %s\n", w->items[i].uses,
				 w->items[i].kind, w->items[i].text);
	ask.items = buf_span(&items);
	if (++last_token == 0)
		last_token = TOKEN_FIRST;
	w->token = last_token;
	/* A broken channel is found when the answer is waited for. */
	if (chan_send(w->c, FRAME_rbl_ask, w->token, &ask, -1) != 0)
		w->is_done = true;
	buf_release(&items);
}

static void
take_hit(struct worker_rbl *w, const struct frame_rbl_hit *b)
{
	struct rbl_found *f;

	if (w->found_count == WORKER_RBL_FOUND_MAX || b->item >= w->count)
		return;
	f = &w->found[w->found_count++];
	f->uses = b->use;
	f->item = &w->items[b->item];
	f->points = b->points;
	f->list = arena_strdup(w->arena, b->list);
	f->symptom = arena_strdup(w->arena, b->symptom);
	f->reply = arena_strdup(w->arena, b->reply);
}

static struct rbl_tally *
tally_of(struct worker_rbl *w, unsigned use)
{
	unsigned i;

	for (i = 0; i < WORKER_RBL_USES; i++)
		if (use == 1u << i)
			return &w->tally[i];
	return NULL;
}

static void
take_tally(struct worker_rbl *w, const struct frame_rbl_tally *b)
{
	struct rbl_tally *t = tally_of(w, b->use);

	if (t == NULL)
		return;
	t->asked = b->asked;
	t->failed = b->failed;
	t->trouble = arena_strdup(w->arena, b->trouble);
}

bool
worker_rbl_take(const struct frame *f)
{
	struct worker_rbl *w = current;

	if (f->type != FRAME_rbl_hit && f->type != FRAME_rbl_tally &&
	    f->type != FRAME_rbl_done)
		return false;
	if (w == NULL || !w->is_asked || f->token != w->token)
		return true;
	if (f->type == FRAME_rbl_hit) {
		take_hit(w, FRAME_BODY(f, rbl_hit));
	} else if (f->type == FRAME_rbl_tally) {
		take_tally(w, FRAME_BODY(f, rbl_tally));
	} else {
		w->is_done = true;
		w->is_known = FRAME_BODY(f, rbl_done)->status == ANSWER_OK;
	}
	return true;
}

bool
worker_rbl_wait(struct worker_rbl *w, int64_t deadline_ms)
{
	struct frame f;
	struct err e;
	int64_t left;
	int rc;

	if (!w->is_asked)
		return false;
	while (!w->is_done && !w->is_lost &&
	       (left = deadline_ms - clock_mono_ms()) > 0) {
		rc = chan_wait(w->c, &f, (int)left, &e);
		if (rc < 0)
			w->is_lost = true;
		if (rc <= 0)
			break;
		/* Its own are among those that are taken there. */
		if (!worker_late(w->c, &f))
			w->is_lost = true;
	}
	return w->is_done && w->is_known;
}

const struct rbl_tally *
worker_rbl_tally(const struct worker_rbl *w, enum rbl_use use)
{
	static const struct rbl_tally none = { .trouble = "" };
	unsigned i;

	for (i = 0; i < WORKER_RBL_USES; i++)
		if (use == 1u << i && w->tally[i].trouble != NULL)
			return &w->tally[i];
	return &none;
}
