/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A request is one question of an administrator; it has an act for each
 * message, and is answered when the last of them is over or its time is.
 * What the acts do stands in queue_verb.c.
 */
#include "queue_act.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "keep.h"
#include "list.h"
#include "log.h"
#include "loop.h"
#include "queue_verb.h"
#include "str.h"
#include "xalloc.h"

#define REQUEST_MS 20000 /* then it is answered, whatever is left */
#define WALK_STEPS 500 /* messages looked at in one turn of the loop */
#define WALK_ACTS 256 /* acts under way of a walk */

struct request {
	struct asker to;
	const struct verb *verb;
	char who[64];
	char cursor[ENVELOPE_NAME_SIZE]; /* of a walk over all */
	bool is_walk;
	bool is_walking;
	bool is_many;
	size_t gone; /* of many */
	bool is_answered;
	size_t acts; /* under way */
	size_t changed;
	uint32_t exit_code;
	struct err e; /* the first failure */
	struct timer timer; /* the end of its time */
	struct timer step; /* of a walk */
	char rcpts[1100]; /* as in struct act */
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
	if (r->is_walk || r->is_many) {
		record_int(&row, "changed", (int64_t)r->changed);
		if (r->is_many)
			record_int(&row, "gone", (int64_t)r->gone);
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

void
act_done(struct act *a)
{
	log_info("%s %s who=%s", a->name, a->r->verb->name,
		 log_text(a->r->who));
	a->r->changed++;
	act_free(a);
}

void
act_row(struct act *a, const struct record *row)
{
	if (!a->r->is_answered)
		queue_ctl_row(a->r->to, row);
}

/* Whether a list of words between blanks has this one, of either case. */
static bool
has_word(const char *words, const char *text)
{
	char word[ADDRESS_TEXT_SIZE + 2];

	if (!str_fmt(word, sizeof(word), " %s ", text))
		return false;
	str_lower(word);
	return strstr(words, word) != NULL;
}

bool
act_means(const struct act *a, const char *rcpt)
{
	return a->rcpts[0] == '\0' || has_word(a->rcpts, rcpt);
}

void
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

void
act_fail_waiting(const struct message *m)
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
	/* Not held, nor about to be: there is nothing to wait for. */
	return verb->wish == WISH_UNHOLD && m->state < STATE_HOLD &&
	       m->heading < STATE_HOLD && m->wish == WISH_NONE;
}

static void
act_new(struct request *r, struct message *m)
{
	struct act *a = xcalloc(1, sizeof(*a));

	list_init(&a->node);
	a->r = r;
	a->who = r->who;
	a->rcpts = r->rcpts;
	a->is_one_of_all = r->is_walk;
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

/* An act for each envelope of a name. */
static void
begin_name(struct request *r, const char *name)
{
	struct message *m, *next;
	struct err e;
	size_t n = 0;

	if (!envelope_name_valid(name, true)) {
		err_set(&e, "\"%.60s\" is not a queue id", name);
		request_failed(r, EX_DATAERR, &e);
		return;
	}
	for (m = message_first_of(name); m != NULL; m = next) {
		next = message_next_of(name, m);
		if (m->is_gone)
			continue;
		act_new(r, m);
		n++;
	}
	err_set(&e, "%s: not in the queue", name);
	if (n == 0 && r->is_many)
		r->gone++;
	else if (n == 0)
		request_failed(r, EX_DATAERR, &e);
}

static void
begin(struct asker from, const struct frame_ctl_ask *ask,
      const struct verb *verb)
{
	struct request *r = request_new(from, ask, verb);
	char names[1025], *name, *rest = names;

	if (str_eq(ask->arg, "all") && verb != &verb_delete) {
		r->is_walk = true;
		walk(r);
		return;
	}
	(void)str_copy(names, sizeof(names), ask->arg);
	r->is_many = strchr(names, ' ') != NULL;
	while ((name = strsep(&rest, " ")) != NULL)
		if (name[0] != '\0' || !r->is_many)
			begin_name(r, name);
	r->is_walking = false;
	request_look(r);
}

/* Quarantine. */

static bool
is_quarantined(const struct message *m)
{
	return m->state == STATE_QUARANTINE && !m->is_gone;
}

/* Recipients of m that the words name. */
static size_t
count_named(const struct message *m, const char *words)
{
	struct arena arena = { 0 };
	struct envelope env;
	struct err e;
	size_t i, n = 0;

	if (spool_read_envelope(keep_fd(), STATE_QUARANTINE, m->name, &arena,
				&env, &e) == ENVELOPE_OK)
		for (i = 0; i < env.rcpt_count; i++)
			n += has_word(words, env.rcpts[i].address);
	arena_release(&arena);
	return n;
}

/* Of ID or ID.N in quarantine: how many there are; words "" names all, else
 * each of its words has to be a recipient. */
static int
check_quarantined(const char *name, const char *words, struct err *e)
{
	struct message *m;
	size_t n = 0, named = 0, wanted = 0;
	const char *p;

	for (m = message_first_of(name); m != NULL;
	     m = message_next_of(name, m)) {
		if (!is_quarantined(m))
			continue;
		n++;
		if (words[0] != '\0')
			named += count_named(m, words);
	}
	if (n == 0)
		return err_set(e, "%s: not in quarantine", name);
	for (p = words; *p != '\0' && p[1] != '\0'; p++)
		wanted += *p == ' ';
	if (named < wanted)
		return err_set(e,
			       "%s: %zu of %zu recipients are not of it; "
			       "nothing was done",
			       name, wanted - named, wanted);
	return 0;
}

/* ask->arg: ID or ID.N, and the recipients that are meant. */
static void
begin_quarantined(struct asker from, const struct frame_ctl_ask *ask,
		  const struct verb *verb)
{
	struct request *r = request_new(from, ask, verb);
	char name[ENVELOPE_NAME_SIZE];
	size_t len = strcspn(ask->arg, " ");
	struct message *m, *next;
	struct err e;

	if (!str_fmt(name, sizeof(name), "%.*s", (int)len, ask->arg) ||
	    !envelope_name_valid(name, true)) {
		err_set(&e, "\"%.60s\" is not a queue id", ask->arg);
		request_failed(r, EX_DATAERR, &e);
	} else {
		if (ask->arg[len] != '\0')
			(void)str_fmt(r->rcpts, sizeof(r->rcpts), "%s ",
				      ask->arg + len);
		str_lower(r->rcpts);
		if (check_quarantined(name, r->rcpts, &e) != 0)
			request_failed(r, EX_DATAERR, &e);
	}
	m = r->exit_code == EX_OK ? message_first_of(name) : NULL;
	for (; m != NULL; m = next) {
		next = message_next_of(name, m);
		if (is_quarantined(m))
			act_new(r, m);
	}
	r->is_walking = false;
	request_look(r);
}

void
queue_quar_release(struct asker from, const struct frame_ctl_ask *ask)
{
	begin_quarantined(from, ask, &verb_quar_release);
}

void
queue_quar_delete(struct asker from, const struct frame_ctl_ask *ask)
{
	begin_quarantined(from, ask, &verb_quar_delete);
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
