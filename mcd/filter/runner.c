/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The message is read once; then each policy is walked alone, so that one
 * recipient's verdict never depends on the others'.
 */
#include "runner.h"

#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "body.h"
#include "clock.h"
#include "envelope.h"
#include "explain.h"
#include "explanation.h"
#include "header.h"
#include "judge.h"
#include "mark.h"
#include "test_hook.h"
#include "view.h"
#include "worker_rbl.h"
#include "xalloc.h"

/* One message under way. */
struct run {
	struct filter_mail mail;
	struct arena arena;
	char *text; /* of size bytes */
	struct chan *pool;
	uint32_t token;
	const struct knobs *knobs; /* of the policy that is walked */
	struct filter_result *results; /* by filter */
	bool *is_kept;
	struct auth auth;
	struct worker_rbl rbl;
};

static struct worker_dns dns; /* keeps its numbers from scan to scan */

/* Takes the next policy off the blob; 1, 0 at its end, -1 malformed. */
static int
next_policy(struct span *in, struct span *policy)
{
	const unsigned char *p = (const unsigned char *)in->p;
	size_t len;

	if (in->len == 0)
		return 0;
	if (in->len < 4)
		return -1;
	len = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 |
	      (size_t)p[3] << 24;
	if (len > in->len - 4)
		return -1;
	policy->p = in->p + 4;
	policy->len = len;
	in->p += 4 + len;
	in->len -= 4 + len;
	return 1;
}

static enum call_outcome
outcome_of(const struct filter_result *r)
{
	static const enum call_outcome outcomes[] = {
		[FILTER_NOTHING] = CALL_NOTHING,
		[FILTER_HAM] = CALL_HAM,
		[FILTER_SPAM] = CALL_SPAM,
		[FILTER_VIRUS] = CALL_SPAM,
	};

	if (r->is_known)
		return outcomes[r->class];
	return r->is_fault ? CALL_FAULT : CALL_UNKNOWN;
}

/* For the pool's figures; without a channel the scan ends soon enough. */
static void
tell_call(struct run *run, size_t index, enum call_outcome outcome)
{
	const struct filter_result *r = &run->results[index];
	struct frame_filter_call call = {
		.filter = (uint32_t)index,
		.outcome = outcome,
		.time_us = (uint64_t)r->time_us,
		.why = r->why,
	};

	(void)chan_send(run->pool, FRAME_filter_call, run->token, &call, -1);
}

/*
 * Time and size of a filter are global knobs: the same in each policy, so
 * that the result may be kept whoever asks first.
 */
static const struct filter_result *
ask_filter(void *arg, size_t index)
{
	struct run *run = arg;
	struct filter_result *out = &run->results[index];
	struct filter_knobs k = filter_knobs(run->knobs, index);
	struct span part = run->mail.text;
	int64_t begin = clock_mono_us();

	if (run->is_kept[index])
		return out;
	run->is_kept[index] = true;
	if (part.len > (size_t)k.size)
		part.len = (size_t)k.size;
	if (run->mail.data->left_out >> index & 1) {
		filter_unknown(out, "left out: it has failed too often");
		tell_call(run, index, CALL_LEFT_OUT);
		return out;
	}
	run->mail.deadline_ms = begin / 1000 + k.time_ms;
	filter_table[index]->check(&run->mail, part, out);
	out->time_us = clock_mono_us() - begin;
	tell_call(run, index, outcome_of(out));
	return out;
}

static uint32_t
judged_of(const struct judge_verdict *v)
{
	uint32_t judged = v->class == MAIL_SPAM	   ? JUDGED_SPAM
			  : v->class == MAIL_VIRUS ? JUDGED_VIRUS
						   : 0;

	return judged | (v->is_dangerous ? JUDGED_DANGEROUS : 0) |
	       (v->is_refused ? JUDGED_REFUSE : 0);
}

static int
send_verdict(struct chan *c, uint32_t token, struct run *run, uint32_t index,
	     const struct judge_policy *p, const struct judge_verdict *j,
	     struct err *e)
{
	struct frame_verdict v = { .policy = index,
				   .action = j->action,
				   .reason = j->reason,
				   .judged = judged_of(j) };
	struct buf edits = { .limit = PROTO_FRAME_MAX };
	struct buf lines = { .limit = PROTO_FRAME_MAX };
	int rc = mark_edits(&run->mail, p, j, &edits, e);

	if (rc == 0) {
		explain_lines(&run->mail, p, j, EXPLANATION_MAX, &lines);
		v.edits = buf_span(&edits);
		v.explanation = buf_str(&lines);
		rc = chan_send(c, FRAME_verdict, token, &v, -1);
		if (rc != 0)
			err_set(e, "verdict: %s", chan_error(c));
	}
	buf_release(&edits);
	buf_release(&lines);
	return rc;
}

static int
judge_one(struct chan *c, uint32_t token, struct run *run, uint32_t index,
	  struct span policy, struct err *e)
{
	struct judge_verdict verdict;
	struct judge_policy p;

	if (judge_policy_read(policy, &p, e) != 0)
		return -1;
	run->knobs = &p.knobs;
	judge(&run->mail, &p, ask_filter, run, &verdict);
	if (verdict.is_later)
		return err_set(
			e, "%s could not tell",
			filter_table[verdict.steps[verdict.step_count - 1]
					     .filter]
				->name);
	return send_verdict(c, token, run, index, &p, &verdict, e);
}

/* What filters that some policy has on want to know of DNS lists. */
static void
ask_lists(struct run *run, const struct frame_scan *scan)
{
	struct span rest = scan->policies, policy;
	struct judge_policy p;
	bool is_asked[64] = { false };
	size_t i;

	while (next_policy(&rest, &policy) > 0) {
		if (judge_policy_read(policy, &p, NULL) != 0)
			return; /* said where it is judged by */
		for (i = 0; i < filter_count && i < 64; i++) {
			if (is_asked[i] || filter_table[i]->ask == NULL ||
			    !filter_knobs(&p.knobs, i).is_on)
				continue;
			is_asked[i] = true;
			filter_table[i]->ask(&run->mail);
		}
	}
	worker_rbl_ask(&run->rbl);
}

static int
judge_all(struct chan *c, uint32_t token, const struct frame_scan *scan,
	  struct run *run, struct err *e)
{
	struct span rest = scan->policies, policy;
	uint32_t index = 0;
	int got;

	while ((got = next_policy(&rest, &policy)) > 0) {
		if (judge_one(c, token, run, index, policy, e) != 0)
			return err_prefix(e, "policy %lu",
					  (unsigned long)index);
		index++;
	}
	if (got < 0 || index != scan->policy_count)
		return err_set(e, "policies are malformed");
	return 0;
}

static int
take_block(void *arg, uint64_t offset, struct span block, struct err *e)
{
	struct run *run = arg;

	(void)e;
	memcpy(run->text + offset, block.p, block.len);
	test_hook_feed(block);
	return 0;
}

/* The frame's texts last until the next frame: filters may ask others. */
static struct frame_scan
keep_scan(struct arena *a, const struct frame_scan *scan)
{
	struct frame_scan kept = *scan;
	char *policies = arena_alloc(a, scan->policies.len + 1);

	kept.name = arena_strdup(a, scan->name);
	kept.sender = arena_strdup(a, scan->sender);
	kept.client_ip = arena_strdup(a, scan->client_ip);
	kept.client_name = arena_strdup(a, scan->client_name);
	kept.helo = arena_strdup(a, scan->helo);
	kept.auth_spf = arena_strdup(a, scan->auth_spf);
	if (scan->policies.len > 0)
		memcpy(policies, scan->policies.p, scan->policies.len);
	kept.policies.p = policies;
	return kept;
}

static int
read_mail(struct run *run, const struct frame_scan *scan, int fd,
	  const struct worker_data *data, struct err *e)
{
	struct filter_mail *m = &run->mail;
	struct header_field f;
	size_t at = 0;

	if (scan->size > SIZE_MAX - 1)
		return err_set(e, "message is too large for this machine");
	run->text = xmalloc((size_t)scan->size + 1);
	if (body_walk(fd, scan->size, take_block, run, e) != 0)
		return -1;
	m->arena = &run->arena;
	m->name = scan->name;
	m->sender = scan->sender;
	m->client_ip = scan->client_ip;
	m->client_name = scan->client_name;
	m->helo = scan->helo;
	m->auth_spf = scan->auth_spf;
	m->is_outbound = scan->is_outbound;
	m->is_peer = scan->is_peer;
	m->text = (struct span){ run->text, (size_t)scan->size };
	while (header_next(m->text, &at, &f))
		;
	m->header = (struct span){ run->text, at };
	m->view = view_new(m->text, NULL, NULL);
	m->mime = m->view->mime;
	m->data = data;
	m->lists = data->lists;
	run->results =
		arena_array(&run->arena, filter_count, sizeof(*run->results));
	run->is_kept =
		arena_array(&run->arena, filter_count, sizeof(*run->is_kept));
	return 0;
}

int
runner_scan(struct chan *c, uint32_t token, const struct frame_scan *scan,
	    int fd, const struct worker_data *data)
{
	struct frame_scan_done done = { .status = SCAN_DONE };
	struct run run = { .pool = c,
			   .token = token,
			   .auth = { .dns = &dns, .c = c } };
	struct frame_scan kept = keep_scan(&run.arena, scan);
	struct worker_spamd spamd = { .c = c };
	struct err e = { "" };

	test_hook_start();
	run.mail.auth = &run.auth;
	run.mail.spamd = worker_spamd_asker(&spamd);
	worker_rbl_start(&run.rbl, c, &run.arena);
	run.mail.rbl = &run.rbl;
	if (read_mail(&run, &kept, fd, data, &e) != 0)
		done.status = SCAN_LATER;
	else
		ask_lists(&run, &kept);
	if (done.status == SCAN_DONE &&
	    judge_all(c, token, &kept, &run, &e) != 0)
		done.status = SCAN_LATER;
	worker_rbl_start(NULL, NULL, NULL);
	view_free(run.mail.view);
	free(run.text);
	arena_release(&run.arena);
	e.text[400] = '\0';
	done.text = e.text;
	if (spamd.is_lost || dns.is_lost || run.rbl.is_lost)
		return -1;
	return chan_send(c, FRAME_scan_done, token, &done, -1);
}
