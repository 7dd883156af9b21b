/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Counting, listing and showing envelopes without mcd.
 */
#include "offline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "file.h"
#include "present.h"
#include "queue_shape.h"
#include "queue_view.h"
#include "rights.h"
#include "show.h"
#include "spool.h"
#include "str.h"
#include "unnamed.h"

struct walk {
	struct ctx *c;
	int fd;
	int64_t now_us;
	int64_t counts[STATE_COUNT];
	int64_t oldest_us;
	int64_t bytes;
	struct queue_filter filter;
	struct queue_shape *shape; /* borrowed; NULL: rows are printed */
	int64_t looks, matches;
	struct arena arena;
	struct dict ids; /* those that have an envelope */
};

int
offline_spool(struct ctx *c, int *fd)
{
	struct err e;

	*fd = -1;
	if (rights_become(&c->conf, c->conf.user_queue, &e) < 0)
		return complain(c, EX_NOPERM, "%s", e.text);
	*fd = file_open(AT_FDCWD, c->conf.spool_dir, O_RDONLY | O_DIRECTORY, 0);
	if (*fd >= 0)
		return EX_OK;
	return complain(c, errno == EACCES ? EX_NOPERM : EX_NOINPUT,
			"the spool %s cannot be read: %s%s", c->conf.spool_dir,
			strerror(errno),
			errno == EACCES ? ": expected root, or its owner" : "");
}

static int
walk_begin(struct ctx *c, struct walk *w)
{
	memset(w, 0, sizeof(*w));
	w->c = c;
	w->now_us = clock_wall_us();
	return offline_spool(c, &w->fd);
}

static void
walk_end(struct walk *w)
{
	file_shut(&w->fd);
	arena_release(&w->arena);
	dict_release(&w->ids, NULL);
}

static void
note_id(struct walk *w, const char *name)
{
	char id[ENVELOPE_ID_LEN + 1];

	str_copy(id, sizeof(id), name);
	(void)dict_set(&w->ids, id, w);
}

static int
failed(struct walk *w, const struct err *e)
{
	return complain(w->c, errno == EACCES ? EX_NOPERM : EX_IOERR, "%s",
			e->text);
}

/* All states, and what the next start makes mail of; or complains. */
static int
each_state(struct walk *w, spool_scan_fn *fn, unnamed_fn *unnamed)
{
	struct err e;

	for (int s = 0; s < STATE_COUNT && !ferror(stdout); s++)
		if (spool_scan(w->fd, (enum state)s, fn, w, &e) < 0)
			return failed(w, &e);
	if (!ferror(stdout) && unnamed_each(w->fd, &w->ids, unnamed, w, &e) < 0)
		return failed(w, &e);
	return EX_OK;
}

/* What can be said of one that cannot be read is its name, and why. */
static enum envelope_result
read_or_empty(struct walk *w, enum state s, const char *name,
	      struct envelope *env)
{
	struct id_parts parts;
	struct err e = { "" };
	enum envelope_result got;

	arena_clear(&w->arena);
	got = spool_read_envelope(w->fd, s, name, &w->arena, env, &e);
	if (got == ENVELOPE_OK)
		return got;
	envelope_init(env);
	(void)str_copy(env->name, sizeof(env->name), name);
	env->reason = arena_strdup(&w->arena, e.text);
	if (id_parse(name, &parts) == 0)
		env->received_us = parts.wall_us;
	return got == ENVELOPE_BAD && e.text[0] != '\0' ? ENVELOPE_LATER : got;
}

static int64_t
wait_s(const struct walk *w, const struct envelope *env)
{
	int64_t wait_ms = env->next_attempt_ms - w->now_us / 1000;

	return wait_ms > 0 ? wait_ms / 1000 : 0;
}

static void
count_envelope(struct walk *w, enum state s, const struct envelope *env)
{
	w->counts[s]++;
	if (s > STATE_OUTGOING)
		return;
	w->bytes += (int64_t)env->size;
	if (w->oldest_us == 0 || env->received_us < w->oldest_us)
		w->oldest_us = env->received_us;
}

static int
count_one(void *arg, enum state s, const char *name, int is_stray)
{
	struct walk *w = arg;
	struct envelope env = { .size = 0 };

	if (is_stray)
		return 0;
	note_id(w, name);
	if (s <= STATE_OUTGOING)
		(void)read_or_empty(w, s, name, &env);
	count_envelope(w, s, &env);
	return 0;
}

static int
count_unnamed(void *arg, const struct envelope *env)
{
	count_envelope(arg, STATE_INCOMING, env);
	return 0;
}

int
offline_count(struct ctx *c)
{
	struct record r = { 0 };
	struct walk w;
	int code = walk_begin(c, &w);

	if (code != EX_OK)
		return code;
	code = each_state(&w, count_one, count_unnamed);
	for (int s = 0; s < STATE_COUNT; s++)
		record_int(&r, state_name((enum state)s), w.counts[s]);
	record_int(&r, "bytes", w.bytes);
	record_int(&r, "oldest_s",
		   w.oldest_us == 0 ? 0 : (w.now_us - w.oldest_us) / 1000000);
	if (code == EX_OK)
		out_object(&c->out, &r);
	record_release(&r);
	walk_end(&w);
	return code;
}

static void
print_row(struct walk *w, enum state s, const struct envelope *env)
{
	struct record r = { 0 };

	if (w->filter.show == QUEUE_SHOW_IDS && !w->c->out.json) {
		out_line(&w->c->out, env->name);
		return;
	}
	if (w->filter.show == QUEUE_SHOW_IDS) {
		record_str(&r, "id", env->name);
		out_row(&w->c->out, &r);
	} else {
		queue_row(&r, env, s, wait_s(w, env), w->now_us);
		present_message(&w->c->out, &r);
	}
	record_release(&r);
}

static int
list_envelope(struct walk *w, enum state s, const struct envelope *env)
{
	w->looks++;
	if (!queue_filter_matches(&w->filter, s, env, w->now_us))
		return 0;
	w->matches++;
	if (w->shape != NULL)
		queue_shape_add(w->shape, env, w->now_us);
	else if (w->filter.show != QUEUE_SHOW_COUNT)
		print_row(w, s, env);
	return ferror(stdout);
}

static int
list_one(void *arg, enum state s, const char *name, int is_stray)
{
	struct walk *w = arg;
	struct envelope env;

	if (is_stray)
		return 0;
	note_id(w, name);
	if (read_or_empty(w, s, name, &env) == ENVELOPE_BAD)
		return 0;
	return list_envelope(w, s, &env);
}

static int
list_unnamed(void *arg, const struct envelope *env)
{
	return list_envelope(arg, STATE_INCOMING, env);
}

/* Opens the spool for what words choose; all states, or complains. */
static int
walk_chosen(struct ctx *c, struct walk *w, const char *words,
	    struct queue_shape *shape)
{
	struct err e;
	int code = walk_begin(c, w);

	if (code != EX_OK)
		return code;
	w->shape = shape;
	if (queue_filter_parse(words, &w->filter, &e) < 0)
		return complain(c, EX_USAGE, "%s", e.text);
	if (shape != NULL && w->filter.states == 0)
		w->filter.states = QUEUE_STATES;
	return each_state(w, list_one, list_unnamed);
}

int
offline_list(struct ctx *c, const char *words)
{
	struct walk w;
	int code = walk_chosen(c, &w, words, NULL);

	if (code == EX_OK && w.filter.show == QUEUE_SHOW_COUNT)
		present_matches(&c->out, w.matches, w.looks);
	walk_end(&w);
	return code;
}

static void
print_shape(void *arg, const struct record *r)
{
	struct out *o = arg;

	present_shape(o, r);
}

int
offline_shape(struct ctx *c, const char *words)
{
	struct queue_shape *shape =
		queue_shape_new(option_is_given(c, "sender"));
	struct walk w;
	int code = walk_chosen(c, &w, words, shape);

	if (code == EX_OK)
		queue_shape_rows(shape, print_shape, &c->out);
	queue_shape_free(shape);
	walk_end(&w);
	return code;
}

struct showing {
	struct walk w; /* first: it is what the scans are given */
	struct show show;
	const char *name;
	size_t count;
};

static void
show_envelope(struct showing *s, enum state state, const struct envelope *env)
{
	struct record r = { 0 };

	queue_row_full(&r, env, state, wait_s(&s->w, env), s->w.now_us);
	show_message(&s->show, &r);
	for (size_t i = 0; i < env->rcpt_count; i++) {
		record_clear(&r);
		queue_rcpt_row(&r, &env->rcpts[i]);
		show_rcpt(&s->show, &r);
	}
	record_release(&r);
	s->count++;
}

/* An ID means its children too. */
static bool
is_meant(const struct showing *s, const char *name)
{
	size_t len = strlen(s->name);

	return strncmp(name, s->name, len) == 0 &&
	       (name[len] == '\0' || name[len] == '.');
}

static int
show_one(void *arg, enum state state, const char *name, int is_stray)
{
	struct showing *s = arg;
	struct envelope env;

	if (is_stray)
		return 0;
	note_id(&s->w, name);
	if (is_meant(s, name) &&
	    read_or_empty(&s->w, state, name, &env) != ENVELOPE_BAD)
		show_envelope(s, state, &env);
	return 0;
}

static int
show_unnamed(void *arg, const struct envelope *env)
{
	struct showing *s = arg;

	if (is_meant(s, env->name))
		show_envelope(s, STATE_INCOMING, env);
	return 0;
}

int
offline_show(struct ctx *c, const char *name)
{
	struct showing s = { .name = name, .show = { .out = &c->out } };
	int code;

	if (!envelope_name_valid(name, true))
		return complain(c, EX_DATAERR, "\"%.60s\" is not a queue id",
				name);
	code = walk_begin(c, &s.w);
	if (code != EX_OK)
		return code;
	code = each_state(&s.w, show_one, show_unnamed);
	show_end(&s.show);
	walk_end(&s.w);
	if (code == EX_OK && s.count == 0)
		code = complain(c, EX_DATAERR, "%s: not in the queue", name);
	return code;
}
