/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The way to outgoing: a group that is due becomes a job.  When outgoing
 * is down, or dies, nothing is counted as an attempt.
 */
#include "deliver.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
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

/* Domains. */

/* The key of an address's domain; what is none goes by its own letters. */
static void
domain_key(const char *address, char dst[ADDRESS_DOMAIN_MAX + 1])
{
	const char *at = strrchr(address, '@');

	if (at == NULL)
		at = "";
	else
		at++;
	if (address_domain_key(at, dst, NULL) == 0)
		return;
	(void)str_copy(dst, ADDRESS_DOMAIN_MAX + 1, at);
	str_lower(dst);
}

void
deliver_enter(struct message *m, const struct envelope *env, int64_t wait_ms,
	      bool is_retry)
{
	struct dict seen = { 0 };
	const char **domains = xcalloc(env->rcpt_count + 1, sizeof(*domains));
	char key[ADDRESS_DOMAIN_MAX + 1];
	size_t i, n = 0;

	for (i = 0; i < env->rcpt_count; i++) {
		domain_key(env->rcpts[i].address, key);
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

bool
deliver_is_of(const struct rcpt *r, const struct group *g)
{
	char key[ADDRESS_DOMAIN_MAX + 1];

	domain_key(r->address, key);
	return str_eq(key, schedule_domain(g));
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
pick_targets(struct job *j, const struct envelope *env, struct rcpt **picked)
{
	size_t i, n = 0;

	j->level = UINT32_MAX;
	for (i = 0; i < env->rcpt_count; i++) {
		if (!deliver_is_of(&env->rcpts[i], j->g))
			continue;
		if (env->rcpts[i].attempts < j->level) {
			j->level = env->rcpts[i].attempts;
			n = 0;
		}
		if (env->rcpts[i].attempts == j->level && n < JOB_RCPTS_MAX)
			picked[n++] = &env->rcpts[i];
	}
	j->count = n;
	j->targets = arena_array(&j->arena, n, sizeof(*j->targets));
	for (i = 0; i < n; i++) {
		j->targets[i].address =
			arena_strdup(&j->arena, picked[i]->address);
		j->targets[i].enhanced = j->targets[i].status = "";
		j->targets[i].text = j->targets[i].relay = "";
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

static const char *
status_text(struct job *j, const struct frame_deliver_result *b)
{
	if (b->code == 0)
		return arena_strdup(&j->arena, b->text);
	if (b->enhanced[0] == '\0')
		return arena_printf(&j->arena, "%lu %s", (unsigned long)b->code,
				    b->text);
	return arena_printf(&j->arena, "%lu %s %s", (unsigned long)b->code,
			    b->enhanced, b->text);
}

static void
take_result(struct job *j, const struct frame_deliver_result *b)
{
	struct target *t;

	if (b->index >= j->count || b->outcome > OUTCOME_FAILED ||
	    j->targets[b->index].is_told) {
		log_error("%s result_refused index=%lu outcome=%lu", j->m->name,
			  (unsigned long)b->index, (unsigned long)b->outcome);
		return;
	}
	t = &j->targets[b->index];
	t->is_told = true;
	t->outcome = (enum outcome)b->outcome;
	t->enhanced = arena_strdup(&j->arena, b->enhanced);
	t->text = arena_strdup(&j->arena, b->text);
	t->relay = arena_strdup(&j->arena, b->relay);
	t->status = status_text(j, b);
}

static void
on_reply(void *arg, struct frame *f)
{
	struct job *j = arg;

	if (f != NULL && f->type == FRAME_deliver_result) {
		take_result(j, FRAME_BODY(f, deliver_result));
		return;
	}
	if (f != NULL && f->type != FRAME_deliver_done)
		return;
	j->is_lost = f == NULL;
	self.pending--;
	settle_job(j);
}

static int
ask_outgoing(struct job *j, const struct envelope *env, struct rcpt **picked,
	     int fd)
{
	struct buf edits = { .limit = 0 };
	struct frame_deliver_end end = { .name = env->name };
	struct frame_deliver_rcpt r;
	struct frame_deliver b = {
		.name = env->name,
		.size = env->size,
		.domain = schedule_domain(j->g),
		.sender = env->sender,
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

/* Reads envelope and body; what is wrong is dealt with: -1. */
static int
job_load(struct job *j, struct arena *a, struct envelope *env, int *fd)
{
	enum envelope_result got;
	enum body_result body;
	struct err e;

	got = spool_read_envelope(keep_fd(), STATE_OUTGOING, j->m->name, a, env,
				  &e);
	if (got == ENVELOPE_BAD || got == ENVELOPE_NEWER) {
		job_park(j, NULL,
			 e.text[0] != '\0' ? e.text : "its envelope is gone");
		return -1;
	}
	body = BODY_LATER;
	if (got == ENVELOPE_OK)
		body = keep_body_open(env->body, env->size, fd, &e);
	if (body == BODY_BAD) {
		job_park(j, env, e.text);
		return -1;
	}
	if (body == BODY_LATER) {
		log_warn("%s unread reason=%s", j->m->name, log_text(e.text));
		job_put_back(j, UNREAD_WAIT_MS);
		return -1;
	}
	return 0;
}

void
deliver_start(struct group *g)
{
	struct rcpt *picked[JOB_RCPTS_MAX];
	struct job *j = xcalloc(1, sizeof(*j));
	struct arena arena = { 0 };
	struct envelope env;
	int fd = -1;

	list_init(&j->node);
	j->m = g->m;
	j->g = g;
	j->m->jobs++;
	if (ledger_is_failing() || j->m->wish != WISH_NONE) {
		/* A result could not be kept; or an administrator waits for
		 * the message to come to rest. */
		job_put_back(j, UNREAD_WAIT_MS);
		return;
	}
	if (job_load(j, &arena, &env, &fd) == 0) {
		pick_targets(j, &env, picked);
		if (j->count == 0) {
			file_shut(&fd);
			job_put_back(j, -1);
		} else if (ask_outgoing(j, &env, picked, fd) != 0) {
			job_put_back(j, UNREAD_WAIT_MS);
		} else {
			self.pending++;
		}
	}
	arena_release(&arena);
}
