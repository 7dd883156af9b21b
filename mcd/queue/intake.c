/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The intake.  Nothing is answered OK before the committer has said that
 * body, envelope and their folders are durable.
 */
#include "intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "at_data.h"
#include "broom.h"
#include "change.h"
#include "clock.h"
#include "committer.h"
#include "dict.h"
#include "health.h"
#include "keep.h"
#include "ledger_writer.h"
#include "log.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define OPEN_MAX_BODIES 20000 /* open or being committed */

/* What commit, commit_rcpt and commit_end say. */
struct letter {
	struct arena arena;
	struct envelope env;
	size_t announced; /* recipients */
	size_t told; /* recipients so far, doubles counted */
	struct edit received;
	struct dict addresses; /* to find doubles */
};

/* A body that was handed out. */
struct opening {
	struct list node;
	char id[ENVELOPE_ID_LEN + 1];
	peer_id peer;
	uint32_t asked; /* token of the body_ask */
	uint32_t token; /* of the commit, 0: none yet */
	struct letter *letter; /* from commit on */
	struct commit_op *op; /* from commit_end on */
	bool wants_look; /* at_data */
	struct at_data_look *look; /* under way */
	bool is_committing; /* the committer has it */
};

static struct {
	struct list openings; /* those that are being told come first */
	struct dict by_id;
	size_t count;
	void (*accepted)(struct message *m);
} self;

void
intake_init(void (*accepted)(struct message *m))
{
	memset(&self, 0, sizeof(self));
	list_init(&self.openings);
	self.accepted = accepted;
}

size_t
intake_open_count(void)
{
	return self.count;
}

static void
letter_free(struct letter *l)
{
	if (l == NULL)
		return;
	dict_release(&l->addresses, NULL);
	arena_release(&l->arena);
	free(l);
}

static void
opening_free(struct opening *o)
{
	if (o->look != NULL) {
		at_data_forget(o->look);
		commit_op_free(o->op);
	}
	(void)dict_del(&self.by_id, o->id);
	list_del(&o->node);
	letter_free(o->letter);
	self.count--;
	free(o);
}

static void
opening_drop(struct opening *o)
{
	broom_body(o->id);
	opening_free(o);
}

/* The body of this peer, or NULL. */
static struct opening *
opening_find(const char *id, peer_id peer)
{
	struct opening *o = dict_get(&self.by_id, id);

	return o != NULL && o->peer == peer && !o->is_committing ? o : NULL;
}

/* The body that this peer has asked for under this token and not waited
 * for: most likely it is one of the last. */
static struct opening *
opening_asked(uint32_t token, peer_id peer)
{
	struct opening *o;
	struct list *n;

	for (n = self.openings.prev; n != &self.openings; n = n->prev) {
		o = list_entry(n, struct opening, node);
		if (o->token != 0)
			break;
		if (o->asked == token && o->peer == peer)
			return o;
	}
	return NULL;
}

/* The one that is being told under this token. */
static struct opening *
opening_told(uint32_t token, peer_id peer)
{
	struct opening *o;
	struct list *n;

	list_for(n, &self.openings)
	{
		o = list_entry(n, struct opening, node);
		if (o->token == 0)
			break;
		if (o->token == token && o->peer == peer && !o->is_committing)
			return o;
	}
	return NULL;
}

void
intake_peer_down(peer_id p)
{
	struct list *n, *tmp;
	struct opening *o;

	list_for_safe(n, tmp, &self.openings)
	{
		o = list_entry(n, struct opening, node);
		if (o->peer == p && !o->is_committing)
			opening_drop(o);
	}
}

/* A body is asked for. */

static int
may_open(uint64_t size_hint, struct err *e)
{
	int64_t left;

	if (!health_is_open())
		return err_set(e, "%s", health_reason());
	if (self.count >= OPEN_MAX_BODIES)
		return err_set(e, "%d messages are being received",
			       OPEN_MAX_BODIES);
	if (size_hint > (uint64_t)role_knobs()->message_size_max)
		size_hint = (uint64_t)role_knobs()->message_size_max;
	left = keep_free_bytes(e);
	if (left < 0)
		return -1;
	if (left - (int64_t)size_hint < role_knobs()->spool_reserve)
		return err_set(e, "the spool's disk has %lld bytes left",
			       (long long)left);
	return 0;
}

static void
refuse_body(peer_id from, uint32_t token, const struct err *e)
{
	struct frame_body_reply reply = {
		.status = ANSWER_LATER,
		.text = "no room in the spool now",
	};

	log_warn("body_refused reason=%s", log_text(e->text));
	(void)peer_answer(from, token, FRAME_body_reply, &reply, -1);
}

void
intake_on_body_ask(peer_id from, struct frame *f)
{
	struct frame_body_reply reply = { .status = ANSWER_OK };
	char id[ENVELOPE_ID_LEN + 1];
	struct opening *o;
	struct err e;
	int fd;

	if (may_open(FRAME_BODY(f, body_ask)->size_hint, &e) != 0) {
		refuse_body(from, f->token, &e);
		return;
	}
	fd = keep_body_create(id, &e);
	if (fd < 0) {
		refuse_body(from, f->token, &e);
		return;
	}
	o = xcalloc(1, sizeof(*o));
	(void)str_copy(o->id, sizeof(o->id), id);
	o->peer = from;
	o->asked = f->token;
	list_push(&self.openings, &o->node);
	(void)dict_set(&self.by_id, o->id, o);
	self.count++;
	reply.id = o->id;
	if (peer_answer(from, f->token, FRAME_body_reply, &reply, fd) != 0)
		opening_drop(o);
}

void
intake_on_body_drop(peer_id from, struct frame *f)
{
	struct opening *o = opening_find(FRAME_BODY(f, body_drop)->id, from);

	if (o != NULL)
		opening_drop(o);
}

void
intake_on_body_forget(peer_id from, struct frame *f)
{
	struct opening *o =
		opening_asked(FRAME_BODY(f, body_forget)->token, from);

	if (o != NULL)
		opening_drop(o);
}

/* Its envelope is told. */

static void
reply_commit(peer_id to, uint32_t token, enum answer status, const char *text)
{
	struct frame_commit_reply reply = { .status = status, .text = text };

	(void)peer_answer(to, token, FRAME_commit_reply, &reply, -1);
}

/* Answers and lets the body go. */
static void
refuse_commit(struct opening *o, const char *why)
{
	log_warn("%s commit_refused reason=%s", o->id, log_text(why));
	reply_commit(o->peer, o->token, ANSWER_LATER,
		     "the message could not be stored");
	opening_drop(o);
}

static void
take_letter(struct letter *l, const char *id, const struct frame_commit *b)
{
	struct envelope *env = &l->env;
	struct arena *a = &l->arena;

	envelope_init(env);
	(void)str_copy(env->name, sizeof(env->name), id);
	env->generation = 1;
	env->body = arena_strdup(a, id);
	env->size = b->size;
	env->received_us = b->received_us;
	env->source = SOURCE_SMTP;
	env->is_outbound = b->is_outbound != 0;
	env->is_8bit = b->is_8bit != 0;
	env->is_utf8 = b->is_utf8 != 0;
	env->is_peer = b->is_peer != 0;
	env->sender = arena_strdup(a, b->sender);
	env->client_ip = arena_strdup(a, b->client_ip);
	env->client_name = arena_strdup(a, b->client_name);
	env->helo = arena_strdup(a, b->helo);
	env->message_id = arena_strdup(a, b->message_id);
	env->envid = arena_strdup(a, b->envid);
	env->auth_spf = arena_strdup(a, b->auth_spf);
	env->ret = arena_strdup(a, b->ret);
	env->subject = arena_strdup(a, b->subject);
	l->announced = b->rcpt_count;
	l->received.text.p = arena_strndup(a, b->received.p, b->received.len);
	l->received.text.len = b->received.len;
	env->edits = &l->received;
	env->edit_count = b->received.len > 0;
	if (l->announced <= ENVELOPE_RCPTS_MAX)
		env->rcpts = arena_array(a, l->announced, sizeof(*env->rcpts));
}

void
intake_on_commit(peer_id from, struct frame *f)
{
	const struct frame_commit *b = FRAME_BODY(f, commit);
	struct opening *o = opening_find(b->id, from);

	if (o == NULL || o->token != 0) {
		log_error("%s commit_refused reason=\"not a body of this "
			  "peer\"",
			  log_text(b->id));
		reply_commit(from, f->token, ANSWER_LATER, "unknown body");
		return;
	}
	o->token = f->token;
	o->letter = xcalloc(1, sizeof(*o->letter));
	take_letter(o->letter, o->id, b);
	o->wants_look = b->at_data != 0;
	list_del(&o->node);
	list_push_front(&self.openings, &o->node);
	if (b->rcpt_count == 0 || b->rcpt_count > ENVELOPE_RCPTS_MAX)
		refuse_commit(o, "number of recipients is out of bounds");
}

void
intake_on_commit_rcpt(peer_id from, struct frame *f)
{
	const struct frame_commit_rcpt *b = FRAME_BODY(f, commit_rcpt);
	struct opening *o = opening_told(f->token, from);
	struct letter *l = o != NULL ? o->letter : NULL;
	struct rcpt *r;

	if (l == NULL)
		return; /* refused already */
	if (l->told++ >= l->announced) {
		refuse_commit(o, "more recipients than announced");
		return;
	}
	/* The unit of everything that follows is the address. */
	if (dict_get(&l->addresses, b->address) != NULL)
		return;
	r = &l->env.rcpts[l->env.rcpt_count++];
	r->address = arena_strdup(&l->arena, b->address);
	r->orcpt = arena_strdup(&l->arena, b->orcpt);
	r->notify = arena_strdup(&l->arena, b->notify);
	r->status = "";
	(void)dict_set(&l->addresses, r->address, r);
}

/* It becomes durable. */

void
intake_ledger(const struct envelope *env, bool is_recovered)
{
	struct ledger_event ev = {
		.verb = LEDGER_ACCEPTED,
		.name = env->name,
		.sender = env->sender,
		.source = env->source == SOURCE_OWN ? "own" : "smtp",
		.client = env->client_ip,
		.message_id = env->message_id,
		.subject = env->subject,
		.size = env->size,
		.is_recovered = is_recovered,
	};
	size_t i;

	for (i = 0; i < env->rcpt_count; i++) {
		ev.rcpt = env->rcpts[i].address;
		ledger_append(&ev);
	}
}

static void
on_committed(struct commit_op *op, int result, const struct err *e)
{
	struct opening *o = op->arg;
	const struct envelope *env = &o->letter->env;
	struct message *m;

	if (result != 0)
		broom_op(op);
	commit_op_free(op);
	if (result != 0) {
		log_error("%s commit_failed reason=%s", o->id,
			  log_text(e->text));
		stats_add(role_stats(), STAT_commit_failures, 1);
		health_commit_failed(e);
		reply_commit(o->peer, o->token, ANSWER_LATER,
			     "the message could not be stored");
		opening_free(o);
		return;
	}
	m = message_new(o->id, STATE_INCOMING);
	message_learn(m, env);
	intake_ledger(env, false);
	stats_add(role_stats(), STAT_commits, 1);
	log_info("%s accepted from=%s rcpts=%zu size=%llu client=%s", o->id,
		 log_text(env->sender), env->rcpt_count,
		 (unsigned long long)env->size, log_text(env->client_ip));
	reply_commit(o->peer, o->token, ANSWER_OK, "");
	opening_free(o);
	self.accepted(m);
}

/*
 * A write lease is given only when nobody else has the body open: what is
 * synced now cannot change any more.
 */
static int
check_alone(int fd, struct err *e)
{
	if (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
		if (errno == EAGAIN)
			return err_set(e, "its writer still has it open");
		return err_sys(e, "lease");
	}
	if (fcntl(fd, F_SETLEASE, F_UNLCK) != 0)
		return err_sys(e, "lease, given back");
	return 0;
}

/* Many that were begun with room enough may be too much together, and what
 * is taken can only go out while the ledger can be written. */
static int
check_room(struct err *e)
{
	int64_t left = keep_free_bytes(e);

	if (left < 0)
		return -1;
	if (left < role_knobs()->spool_reserve / 2)
		return err_set(e, "the spool's disk has %lld bytes left",
			       (long long)left);
	return 0;
}

static int
check_told(const struct opening *o, const char *id, struct err *e)
{
	if (!health_is_open())
		return err_set(e, "%s", health_reason());
	if (!str_eq(o->id, id))
		return err_set(e, "the end names another body");
	if (o->letter->told != o->letter->announced)
		return err_set(e, "%zu of %zu recipients were told",
			       o->letter->told, o->letter->announced);
	return check_room(e);
}

static void
submit(struct opening *o)
{
	o->is_committing = true;
	committer_submit(o->op);
}

static void
refuse_judged(struct opening *o, const char *why)
{
	const struct envelope *env = &o->letter->env;
	char text[200];

	log_info("%s refused at_data from=%s rcpts=%zu size=%llu client=%s "
		 "reason=%s",
		 o->id, log_text(env->sender), env->rcpt_count,
		 (unsigned long long)env->size, log_text(env->client_ip),
		 log_text(why));
	stats_add(role_stats(), STAT_at_data_refused, 1);
	(void)str_fmt(text, sizeof(text),
		      "message %s refused: it is taken for %s; if that is "
		      "wrong tell postmaster this number",
		      o->id, str_has_prefix(why, "virus") ? "a virus" : "spam");
	reply_commit(o->peer, o->token, ANSWER_NO, text);
	opening_drop(o);
}

/* The filters have looked, or there was no time. */
static void
on_looked(void *arg, const char *why)
{
	struct opening *o = arg;

	o->look = NULL;
	if (why[0] == '\0') {
		submit(o);
		return;
	}
	commit_op_free(o->op);
	refuse_judged(o, why);
}

/* Begins a look where it is wanted and can be had. */
static bool
look(struct opening *o)
{
	struct err e;
	int fd;

	if (!o->wants_look)
		return false;
	if (keep_body_open(&o->letter->env, &fd, &e) != BODY_OK) {
		log_warn("%s at_data: %s", o->id, log_text(e.text));
		return false;
	}
	o->look = at_data_start(&o->letter->env, fd, on_looked, o);
	return o->look != NULL;
}

void
intake_on_commit_end(peer_id from, struct frame *f)
{
	struct opening *o = opening_told(f->token, from);
	struct commit_file *file;
	struct commit_op *op;
	struct err e;

	if (o == NULL || o->op != NULL)
		return; /* refused already, or told twice */
	op = commit_op_new(1, 0);
	file = &op->files[0];
	if (check_told(o, FRAME_BODY(f, commit_end)->id, &e) != 0 ||
	    keep_body_unsealed(o->id, o->letter->env.size, &file->fd, &e) !=
		    BODY_OK ||
	    check_alone(file->fd, &e) != 0 ||
	    envelope_write(&o->letter->env, &file->text, &e) != 0) {
		commit_op_free(op);
		refuse_commit(o, e.text);
		return;
	}
	spool_body_path(o->id, file->path);
	spool_envelope_path(STATE_INCOMING, o->id, file->link);
	file->size = o->letter->env.size;
	file->is_body = true;
	op->done = on_committed;
	op->arg = o;
	o->op = op;
	if (!look(o))
		submit(o);
}
