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
#include "schedule.h"
#include "str.h"
#include "xalloc.h"

#define PAGE_ROWS 200
#define PAGE_ROWS_MAX 1000
#define PAGE_LOOKS 50000 /* messages looked at for one answer */
#define SLICE_MS 5
#define LIST_RCPTS 20 /* addresses shown of one message */

struct listing {
	struct asker to;
	char state[32]; /* "" any */
	char from[330], rcpt[330]; /* lower case, "" any */
	int64_t older_ms;
	char cursor[ENVELOPE_NAME_SIZE]; /* the last that was looked at */
	size_t rows, rows_max, looks;
	struct arena arena;
	struct timer timer;
};

static bool
is_within(const char *text, const char *part)
{
	char lower[1024];

	(void)str_copy(lower, sizeof(lower), text);
	str_lower(lower);
	return strstr(lower, part) != NULL;
}

static void
fill_row(struct record *r, const struct message *m, const struct envelope *env)
{
	int64_t age = (clock_wall_us() - env->received_us) / 1000000;
	struct buf rcpts = { .limit = 0 };
	uint32_t attempts = 0;
	const char *status = "";
	size_t i;

	for (i = 0; i < env->rcpt_count; i++) {
		if (i < LIST_RCPTS)
			(void)buf_printf(&rcpts, "%s%s", i > 0 ? "\n" : "",
					 env->rcpts[i].address);
		if (env->rcpts[i].attempts > attempts)
			attempts = env->rcpts[i].attempts;
		if (status[0] == '\0')
			status = env->rcpts[i].status;
	}
	record_str(r, "id", m->name);
	record_str(r, "state", state_name((enum state)m->state));
	record_int(r, "size", (int64_t)env->size);
	record_int(r, "age_s", age > 0 ? age : 0);
	record_str(r, "sender", env->sender);
	record_list(r, "rcpt", buf_str(&rcpts));
	record_int(r, "rcpts", (int64_t)env->rcpt_count);
	record_int(r, "attempts", attempts);
	record_int(r, "next_s",
		   m->state == STATE_OUTGOING ? schedule_wait_ms(m) / 1000 : 0);
	record_str(r, "status", status);
	record_str(r, "reason", env->reason);
	buf_release(&rcpts);
}

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
	env->reason = arena_strdup(a, e.text);
	env->size = m->size;
	env->received_us = m->received_us;
	if (env->received_us == 0 && id_parse(m->name, &parts) == 0)
		env->received_us = parts.wall_us;
}

static bool
has_rcpt(const struct envelope *env, const char *part)
{
	size_t i;

	for (i = 0; i < env->rcpt_count; i++) {
		if (is_within(env->rcpts[i].address, part))
			return true;
	}
	return false;
}

static bool
list_one(struct listing *l, const struct message *m)
{
	struct record r = { .count = 0 };
	struct envelope env;

	if (m->is_gone)
		return false;
	if (l->state[0] != '\0' &&
	    !str_eq(l->state, state_name((enum state)m->state)))
		return false;
	if (l->older_ms > 0 && m->is_known &&
	    clock_wall_us() - m->received_us < l->older_ms * 1000)
		return false;
	arena_clear(&l->arena);
	read_or_empty(m, &l->arena, &env);
	if ((l->from[0] != '\0' && !is_within(env.sender, l->from)) ||
	    (l->rcpt[0] != '\0' && !has_rcpt(&env, l->rcpt)) ||
	    clock_wall_us() - env.received_us < l->older_ms * 1000)
		return false;
	fill_row(&r, m, &env);
	queue_ctl_row(l->to, &r);
	record_release(&r);
	return true;
}

static void
list_end(struct listing *l, bool is_more)
{
	queue_ctl_done(l->to, EX_OK, "", is_more ? l->cursor : "");
	timer_release(&l->timer);
	arena_release(&l->arena);
	free(l);
}

static void
list_slice(void *arg)
{
	struct listing *l = arg;
	int64_t end = clock_mono_ms() + SLICE_MS;
	struct message *m;

	while (l->rows < l->rows_max && l->looks < PAGE_LOOKS) {
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

static int
take_word(struct listing *l, char *word, struct err *e)
{
	enum state s;
	char *value = strchr(word, ':');

	if (value == NULL) {
		value = word;
		if (state_parse(word, &s) != 0)
			return err_set(e,
				       "\"%s\" is no state, and not from:, "
				       "rcpt:, state: or older:",
				       word);
		(void)str_copy(l->state, sizeof(l->state), value);
		return 0;
	}
	*value++ = '\0';
	if (str_eq(word, "older"))
		return str_to_duration_ms(value, &l->older_ms, e);
	str_lower(value);
	if (str_eq(word, "from"))
		(void)str_copy(l->from, sizeof(l->from), value);
	else if (str_eq(word, "rcpt"))
		(void)str_copy(l->rcpt, sizeof(l->rcpt), value);
	else if (!str_eq(word, "state"))
		return err_set(e,
			       "\"%s:\" is not known; there are from:, "
			       "rcpt:, state: and older:",
			       word);
	else if (state_parse(value, &s) != 0)
		return err_set(e, "\"%s\" is no state", value);
	else
		(void)str_copy(l->state, sizeof(l->state), value);
	return 0;
}

static int
take_words(struct listing *l, const char *arg, struct err *e)
{
	char words[1025], *word, *rest = words;

	(void)str_copy(words, sizeof(words), arg);
	while ((word = strsep(&rest, " ")) != NULL) {
		if (word[0] != '\0' && take_word(l, word, e) != 0)
			return -1;
	}
	return 0;
}

void
queue_list(struct asker from, const struct frame_ctl_ask *ask)
{
	struct listing *l = xcalloc(1, sizeof(*l));
	struct err e;

	l->to = from;
	l->rows_max = ask->limit == 0		   ? PAGE_ROWS
		      : ask->limit > PAGE_ROWS_MAX ? PAGE_ROWS_MAX
						   : ask->limit;
	(void)str_copy(l->cursor, sizeof(l->cursor), ask->cursor);
	timer_init(&l->timer, list_slice, l);
	if (take_words(l, ask->arg, &e) == 0) {
		list_slice(l);
		return;
	}
	queue_ctl_done(from, EX_USAGE, e.text, "");
	timer_release(&l->timer);
	free(l);
}

/* One message, with all there is. */

static void
show_rcpt(struct asker to, const struct rcpt *r)
{
	struct record row = { .count = 0 };

	record_str(&row, "rcpt", r->address);
	record_int(&row, "attempts", r->attempts);
	record_str(&row, "status", r->status);
	record_str(&row, "orcpt", r->orcpt);
	record_str(&row, "notify", r->notify);
	queue_ctl_row(to, &row);
	record_release(&row);
}

static void
show_one(struct asker to, const struct message *m)
{
	struct record r = { .count = 0 };
	struct arena arena = { 0 };
	struct envelope env;
	char when[40];
	size_t i;

	read_or_empty(m, &arena, &env);
	clock_iso8601(when, sizeof(when), env.received_us);
	fill_row(&r, m, &env);
	record_str(&r, "received", when);
	record_str(&r, "source", env.source == SOURCE_OWN ? "own" : "smtp");
	record_str(&r, "direction", env.is_outbound ? "out" : "in");
	record_str(&r, "client_ip", env.client_ip);
	record_str(&r, "client_name", env.client_name);
	record_str(&r, "helo", env.helo);
	record_str(&r, "message_id", env.message_id);
	record_str(&r, "envid", env.envid);
	record_str(&r, "ret", env.ret);
	record_str(&r, "body", env.body);
	record_int(&r, "generation", (int64_t)env.generation);
	record_int(&r, "deaths", env.deaths);
	record_int(&r, "edits", (int64_t)env.edit_count);
	record_int(&r, "active_s", deliver_active_ms(m) / 1000);
	queue_ctl_row(to, &r);
	record_release(&r);
	for (i = 0; i < env.rcpt_count; i++)
		show_rcpt(to, &env.rcpts[i]);
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
