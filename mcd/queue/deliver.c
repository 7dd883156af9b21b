/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The way to outgoing: a group that is due becomes a job.  When outgoing
 * is down, or dies, nothing is counted as an attempt.
 */
#include "deliver.h"

#include <stdlib.h>
#include <string.h>

#include "addressees.h"
#include "change.h"
#include "dict.h"
#include "file.h"
#include "job.h"
#include "keep.h"
#include "ledger_writer.h"
#include "log.h"
#include "loop.h"
#include "peer.h"
#include "policies.h"
#include "setting.h"
#include "str.h"
#include "xalloc.h"

/* For one message to 100 recipients over the slowest of connections. */
#define JOB_TIME_MS (6 * 3600 * 1000)
#define UNREAD_WAIT_MS 5000 /* the envelope could not be read now */

static struct {
	size_t pending;
} self;

void
deliver_init(void (*idle)(struct message *m))
{
	memset(&self, 0, sizeof(self));
	settle_init(idle);
}

size_t
deliver_pending(void)
{
	return self.pending + settle_pending();
}

void
deliver_peer(bool is_up)
{
	schedule_open(is_up);
}

void
deliver_release(void)
{
	addressees_release();
}

/* Domains. */

void
deliver_enter(struct message *m, const struct envelope *env, int64_t wait_ms,
	      bool is_retry)
{
	struct dict seen = { 0 };
	const char **domains = xcalloc(env->rcpt_count + 1, sizeof(*domains));
	char key[ADDRESS_DOMAIN_MAX + 1];
	size_t i, n = 0;

	for (i = 0; i < env->rcpt_count; i++) {
		addressees_key(env->rcpts[i].address, key);
		if (dict_get(&seen, key) != NULL)
			continue;
		domains[n] = xstrdup(key);
		(void)dict_set(&seen, key, m);
		n++;
	}
	m->since_ms = loop_now_ms();
	m->tries = 0;
	schedule_add(m, domains, n, wait_ms, is_retry);
	for (i = 0; i < n; i++)
		free((void *)(uintptr_t)domains[i]);
	free(domains);
	dict_release(&seen, NULL);
}

int64_t
deliver_active_ms(const struct message *m)
{
	if (m->state != STATE_OUTGOING)
		return m->active_ms;
	return m->active_ms + loop_now_ms() - m->since_ms;
}

void
deliver_leave(struct message *m)
{
	m->active_ms = deliver_active_ms(m);
	schedule_drop(m);
}

/* What dest_concurrency is for a domain. */

static void
on_limit(void *arg, bool is_known, struct span text)
{
	struct knobs k;
	char *domain = arg;

	knobs_default(&k);
	if (!is_known || knobs_read(text, &k, NULL) != 0)
		k.dest_concurrency = 0;
	schedule_limit_of(domain, k.dest_concurrency);
	free(domain);
}

void
deliver_ask_limit(const char *domain)
{
	char address[ADDRESS_DOMAIN_MAX + 2];
	char *copy = xstrdup(domain);
	struct span text;

	(void)str_fmt(address, sizeof(address), "@%s", domain);
	if (policies_get(false, address, &text, on_limit, copy) == 1)
		on_limit(copy, true, text);
}

/* A job is made. */

/*
 * The recipients of the group's domain that have had the fewest attempts,
 * as many as go into a job.
 */
static void
pick_targets(struct job *j, const struct addressees *all,
	     const struct rcpt **picked)
{
	const struct rcpt *r;
	size_t i, n = 0;

	j->level = UINT32_MAX;
	for (i = addressees_first(all, schedule_domain(j->g));
	     i != ADDRESSEES_END; i = all->next[i]) {
		r = &all->env.rcpts[i];
		if (r->attempts < j->level) {
			j->level = r->attempts;
			n = 0;
		}
		if (r->attempts == j->level && n < JOB_RCPTS_MAX)
			picked[n++] = r;
	}
	j->count = n;
	j->targets = arena_array(&j->arena, n, sizeof(*j->targets));
	for (i = 0; i < n; i++) {
		j->targets[i].address =
			arena_strdup(&j->arena, picked[i]->address);
		j->targets[i].enhanced = j->targets[i].status = "";
		j->targets[i].relay = "";
	}
}

static void
job_free(struct job *j)
{
	arena_release(&j->arena);
	free(j);
}

/* Nothing was asked: the group comes again. */
static void
job_put_back(struct job *j, int64_t wait_ms)
{
	j->m->jobs--;
	schedule_done(j->g, wait_ms);
	job_free(j);
}

/* Texts are kept by the recipient, and mostly say the same as the last. */
static const char *
keep_text(struct job *j, const char *last, const char *text)
{
	return str_eq(last, text) ? last : arena_strdup(&j->arena, text);
}

static void
status_text(const struct frame_deliver_result *b, char dst[JOB_STATUS_SIZE])
{
	char number[16] = "";

	if (b->code != 0)
		(void)str_fmt(number, sizeof(number), "%lu ",
			      (unsigned long)b->code);
	(void)str_fmt(dst, JOB_STATUS_SIZE, "%s%s%s%s", number,
		      b->code != 0 ? b->enhanced : "",
		      b->code != 0 && b->enhanced[0] != '\0' ? " " : "",
		      b->text);
}

static void
take_result(struct job *j, const struct frame_deliver_result *b)
{
	const struct target *last;
	char status[JOB_STATUS_SIZE];
	struct target *t;

	if (b->index >= j->count || b->outcome > OUTCOME_FAILED ||
	    j->targets[b->index].is_told) {
		log_error("%s result_refused index=%lu outcome=%lu", j->m->name,
			  (unsigned long)b->index, (unsigned long)b->outcome);
		return;
	}
	t = &j->targets[b->index];
	last = b->index > 0 ? t - 1 : t;
	t->is_told = true;
	t->outcome = (enum outcome)b->outcome;
	t->has_dsn = b->has_dsn != 0;
	status_text(b, status);
	t->enhanced = keep_text(j, last->enhanced, b->enhanced);
	t->relay = keep_text(j, last->relay, b->relay);
	t->status = keep_text(j, last->status, status);
	j->has_answer = j->has_answer || b->code != 0;
	j->has_success = j->has_success || t->outcome == OUTCOME_DELIVERED;
	j->why = t->status;
}

/* What is to be learnt of the destination. */
static enum dest_result
dest_result_of(const struct job *j, bool is_unreachable)
{
	if (j->has_success)
		return DEST_TOOK;
	if (is_unreachable)
		return DEST_UNREACHABLE;
	return j->has_answer ? DEST_ANSWERED : DEST_UNKNOWN;
}

static void
on_reply(void *arg, struct frame *f)
{
	struct job *j = arg;
	bool is_unreachable = false;

	if (f != NULL && f->type == FRAME_deliver_result) {
		take_result(j, FRAME_BODY(f, deliver_result));
		return;
	}
	if (f != NULL && f->type != FRAME_deliver_done)
		return;
	j->is_lost = f == NULL;
	if (f != NULL)
		is_unreachable =
			FRAME_BODY(f, deliver_done)->is_unreachable != 0;
	self.pending--;
	schedule_result(j->g, dest_result_of(j, is_unreachable), j->why);
	settle_job(j);
}

/* The destination is dead: they are deferred as they are. */
static void
defer_untried(struct job *j)
{
	char why[JOB_STATUS_SIZE];
	size_t i;

	schedule_why(j->g, why, sizeof(why));
	for (i = 0; i < j->count; i++) {
		j->targets[i].is_told = true;
		j->targets[i].outcome = OUTCOME_DEFERRED;
		j->targets[i].enhanced = "4.4.1";
		j->targets[i].status = i > 0 ? j->targets[0].status
					     : arena_strdup(&j->arena, why);
	}
	settle_job(j);
}

static int
ask_outgoing(struct job *j, const struct envelope *env,
	     const struct rcpt **picked, int fd)
{
	struct buf edits = { .limit = 0 };
	struct frame_deliver_end end = { .name = env->name };
	struct frame_deliver_rcpt r;
	struct frame_deliver b = {
		.name = env->name,
		.size = env->size,
		.domain = schedule_domain(j->g),
		/* Our own are about mail of others. */
		.is_outbound = env->is_outbound || env->source == SOURCE_OWN,
		.sender = env->sender,
		.message_id = env->message_id,
		.received_us = env->received_us,
		.waited_ms = deliver_active_ms(j->m),
		.is_8bit = env->is_8bit,
		.is_utf8 = env->is_utf8,
		.envid = env->envid,
		.ret = env->ret,
		.rcpt_count = (uint32_t)j->count,
	};
	uint32_t token = 0;
	struct err e;
	size_t i;

	if (edits_write(env->edits, env->edit_count, &edits, &e) == 0) {
		b.edits = buf_span(&edits);
		token = peer_ask(peer_of(ROLE_OUTGOING), FRAME_deliver, &b, fd,
				 JOB_TIME_MS, on_reply, j);
	} else {
		file_shut(&fd);
		log_error("%s edits_refused reason=%s", env->name,
			  log_text(e.text));
	}
	buf_release(&edits);
	if (token == 0)
		return -1;
	/* Should the peer break now the answer is NULL, and comes later. */
	for (i = 0; i < j->count; i++) {
		r.index = (uint32_t)i;
		r.address = picked[i]->address;
		r.orcpt = picked[i]->orcpt;
		r.notify = picked[i]->notify;
		(void)peer_ask_more(token, FRAME_deliver_rcpt, &r);
	}
	(void)peer_ask_more(token, FRAME_deliver_end, &end);
	return 0;
}

/* The envelope or its body is damaged. */
static void
job_park(struct job *j, const struct envelope *env, const char *why)
{
	struct message *m = j->m;

	if (m->jobs > 1 || m->is_busy) {
		job_put_back(j, UNREAD_WAIT_MS);
		return;
	}
	job_put_back(j, -1);
	deliver_leave(m);
	change_park(m, env, why);
}

/* Reads envelope and body; what is wrong is dealt with: -1.  No body is
 * needed for what is not sent. */
static int
job_load(struct job *j, const struct addressees **all, int *fd)
{
	enum envelope_result got;
	enum body_result body;
	struct err e = { "" };

	got = addressees_get(j->m, all, &e);
	if (got == ENVELOPE_BAD || got == ENVELOPE_NEWER) {
		job_park(j, NULL,
			 e.text[0] != '\0' ? e.text : "its envelope is gone");
		return -1;
	}
	if (got == ENVELOPE_OK && j->g->is_untried)
		return 0;
	body = BODY_LATER;
	if (got == ENVELOPE_OK)
		body = keep_body_open(&(*all)->env, fd, &e);
	if (body == BODY_BAD) {
		job_park(j, &(*all)->env, e.text);
		return -1;
	}
	if (body == BODY_LATER) {
		log_warn("%s unread reason=%s", j->m->name, log_text(e.text));
		job_put_back(j, UNREAD_WAIT_MS);
		return -1;
	}
	return 0;
}

static void
job_begin(struct job *j, const struct addressees *all, int fd)
{
	const struct rcpt *picked[JOB_RCPTS_MAX];

	pick_targets(j, all, picked);
	if (j->count == 0) {
		file_shut(&fd);
		job_put_back(j, -1);
	} else if (j->g->is_untried) {
		defer_untried(j);
	} else if (ask_outgoing(j, &all->env, picked, fd) != 0) {
		job_put_back(j, UNREAD_WAIT_MS);
	} else {
		self.pending++;
	}
}

void
deliver_start(struct group *g)
{
	struct job *j = xcalloc(1, sizeof(*j));
	const struct addressees *all;
	int fd = -1;

	list_init(&j->node);
	j->m = g->m;
	j->g = g;
	j->why = "";
	j->m->jobs++;
	if (ledger_is_failing() || j->m->wish != WISH_NONE) {
		/* A result could not be kept; or an administrator waits for
		 * the message to come to rest. */
		job_put_back(j, UNREAD_WAIT_MS);
		return;
	}
	if (job_load(j, &all, &fd) == 0)
		job_begin(j, all, fd);
}
