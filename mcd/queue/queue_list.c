/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lists go through the table in the order of names, in slices of a few
 * milliseconds, and read only the envelopes that are shown or looked
 * into.
 */
#include "queue_list.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "deliver.h"
#include "keep.h"
#include "loop.h"
#include "message.h"
#include "queue_shape.h"
#include "queue_view.h"
#include "schedule.h"
#include "str.h"
#include "xalloc.h"

#define PAGE_ROWS 200
#define PAGE_ROWS_MAX 1000
#define PAGE_LOOKS 50000 /* messages looked at for one answer */
#define SLICE_MS 5

struct listing {
	struct asker to;
	struct queue_filter filter;
	struct queue_shape *shape; /* NULL: rows are wanted */
	char cursor[ENVELOPE_NAME_SIZE]; /* the last that was looked at */
	size_t rows, rows_max, looks;
	struct arena arena;
	struct timer timer;
};

/* What can be said of one that cannot be read is its name, and why. */
static void
read_or_empty(const struct message *m, struct arena *a, struct envelope *env)
{
	struct id_parts parts;
	struct err e;

	if (spool_read_envelope(keep_fd(), (enum state)m->state, m->name, a,
				env, &e) == ENVELOPE_OK)
		return;
	envelope_init(env);
	(void)str_copy(env->name, sizeof(env->name), m->name);
	env->reason = arena_strdup(a, e.text);
	env->size = m->size;
	env->received_us = m->received_us;
	if (env->received_us == 0 && id_parse(m->name, &parts) == 0)
		env->received_us = parts.wall_us;
}

static int64_t
wait_s(const struct message *m)
{
	return m->state == STATE_OUTGOING ? schedule_wait_ms(m) / 1000 : 0;
}

/* Reads the envelope only where what is remembered does not do. */
static bool
is_chosen(struct listing *l, const struct message *m, struct envelope *env)
{
	bool is_row = l->shape != NULL || l->filter.show == QUEUE_SHOW_ROWS;
	int64_t now_us = clock_wall_us();

	if (m->is_gone)
		return false;
	if (m->is_known &&
	    !queue_filter_admits(&l->filter, (enum state)m->state, m->size,
				 m->received_us, now_us))
		return false;
	if (m->is_known && !is_row && !queue_filter_needs_envelope(&l->filter))
		return true;
	arena_clear(&l->arena);
	read_or_empty(m, &l->arena, env);
	return queue_filter_matches(&l->filter, (enum state)m->state, env,
				    now_us);
}

static bool
list_one(struct listing *l, const struct message *m)
{
	struct record r = { .count = 0 };
	struct envelope env;

	if (!is_chosen(l, m, &env))
		return false;
	if (l->shape != NULL) {
		queue_shape_add(l->shape, &env, clock_wall_us());
		return true;
	}
	if (l->filter.show == QUEUE_SHOW_COUNT)
		return true;
	if (l->filter.show == QUEUE_SHOW_IDS)
		record_str(&r, "id", m->name);
	else
		queue_row(&r, &env, (enum state)m->state, wait_s(m),
			  clock_wall_us());
	queue_ctl_row(l->to, &r);
	record_release(&r);
	return true;
}

static void
row_of_shape(void *arg, const struct record *r)
{
	const struct listing *l = arg;

	queue_ctl_row(l->to, r);
}

static void
list_free(struct listing *l)
{
	timer_release(&l->timer);
	arena_release(&l->arena);
	queue_shape_free(l->shape);
	free(l);
}

static void
list_end(struct listing *l, bool is_more)
{
	struct record r = { .count = 0 };

	if (l->shape != NULL) {
		queue_shape_rows(l->shape, row_of_shape, l);
	} else if (l->filter.show == QUEUE_SHOW_COUNT) {
		record_int(&r, "matches", (int64_t)l->rows);
		record_int(&r, "messages", (int64_t)l->looks);
		queue_ctl_row(l->to, &r);
		record_release(&r);
	}
	queue_ctl_done(l->to, EX_OK, "", is_more ? l->cursor : "");
	list_free(l);
}

/* A page is full by its rows, or by what was looked at for it. */
static bool
is_full(const struct listing *l)
{
	if (l->shape != NULL)
		return false;
	return l->looks >= PAGE_LOOKS ||
	       (l->filter.show != QUEUE_SHOW_COUNT && l->rows >= l->rows_max);
}

static void
list_slice(void *arg)
{
	struct listing *l = arg;
	int64_t end = clock_mono_ms() + SLICE_MS;
	struct message *m;

	while (!is_full(l)) {
		m = message_after(l->cursor);
		if (m == NULL) {
			list_end(l, false);
			return;
		}
		(void)str_copy(l->cursor, sizeof(l->cursor), m->name);
		l->rows += list_one(l, m);
		if (++l->looks % 16 == 0 && clock_mono_ms() >= end) {
			timer_set(&l->timer, 0);
			return;
		}
	}
	list_end(l, message_after(l->cursor) != NULL);
}

static struct listing *
list_new(struct asker from, const struct frame_ctl_ask *ask)
{
	struct listing *l = xcalloc(1, sizeof(*l));
	struct err e;

	l->to = from;
	timer_init(&l->timer, list_slice, l);
	if (queue_filter_parse(ask->arg, &l->filter, &e) == 0)
		return l;
	queue_ctl_done(from, EX_USAGE, e.text, "");
	list_free(l);
	return NULL;
}

void
queue_list(struct asker from, const struct frame_ctl_ask *ask)
{
	struct listing *l = list_new(from, ask);

	if (l == NULL)
		return;
	l->rows_max = ask->limit == 0		   ? PAGE_ROWS
		      : ask->limit > PAGE_ROWS_MAX ? PAGE_ROWS_MAX
						   : ask->limit;
	if (l->filter.show == QUEUE_SHOW_IDS)
		l->rows_max = PAGE_ROWS_MAX;
	(void)str_copy(l->cursor, sizeof(l->cursor), ask->cursor);
	list_slice(l);
}

void
queue_shape(struct asker from, const struct frame_ctl_ask *ask)
{
	struct listing *l = list_new(from, ask);

	if (l == NULL)
		return;
	if (l->filter.states == 0)
		l->filter.states = QUEUE_STATES;
	l->shape = queue_shape_new(l->filter.show == QUEUE_SHOW_SENDERS);
	list_slice(l);
}

/* One message, with all there is. */

static void
show_one(struct asker to, const struct message *m)
{
	struct record r = { .count = 0 };
	struct arena arena = { 0 };
	struct envelope env;
	size_t i;

	read_or_empty(m, &arena, &env);
	env.active_ms = deliver_active_ms(m);
	queue_row_full(&r, &env, (enum state)m->state, wait_s(m),
		       clock_wall_us());
	queue_ctl_row(to, &r);
	for (i = 0; i < env.rcpt_count; i++) {
		record_clear(&r);
		queue_rcpt_row(&r, &env.rcpts[i]);
		queue_ctl_row(to, &r);
	}
	record_release(&r);
	arena_release(&arena);
}

void
queue_show(struct asker from, const struct frame_ctl_ask *ask)
{
	struct message *m;
	char text[128];
	size_t n = 0;

	if (!envelope_name_valid(ask->arg, true)) {
		(void)str_fmt(text, sizeof(text), "\"%.60s\" is not a queue id",
			      ask->arg);
		queue_ctl_done(from, EX_DATAERR, text, "");
		return;
	}
	for (m = message_first_of(ask->arg); m != NULL;
	     m = message_next_of(ask->arg, m)) {
		if (m->is_gone)
			continue;
		show_one(from, m);
		n++;
	}
	(void)str_fmt(text, sizeof(text), "%s: not in the queue", ask->arg);
	queue_ctl_done(from, n > 0 ? EX_OK : EX_DATAERR, n > 0 ? "" : text, "");
}
