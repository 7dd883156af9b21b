/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A trial is a scan of ours instead of queue's: the same frame, the same
 * workers.  There are few at a time, so that they keep no mail waiting.
 */
#include "trial.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "address.h"
#include "clock.h"
#include "direction.h"
#include "explanation.h"
#include "ip.h"
#include "list.h"
#include "log.h"
#include "record.h"
#include "role.h"
#include "snapshot.h"
#include "str.h"
#include "trace.h"
#include "xalloc.h"

#define TRIALS_MAX 2
#define RCPTS_MAX 64
#define POLICIES_BYTES 49152 /* as in proto.def */
#define MARGIN_MS 30000 /* beyond the pool's own time limits */

struct trial_rcpt {
	const char *address;
	size_t policy; /* its place in the scan */
};

struct trial {
	struct list node;
	struct arena arena;
	peer_id from;
	uint32_t token; /* of the asker's question */
	uint32_t asked; /* ours at the pool, 0: none */
	trial_done_fn *done;
	bool is_outbound;
	struct trial_rcpt rcpts[RCPTS_MAX];
	size_t rcpt_count;
	struct span policies[RCPTS_MAX];
	size_t policy_count;
	bool is_told[RCPTS_MAX]; /* a policy's words, with its first rcpt */
};

static struct list trials = LIST_INIT(trials);
static size_t trial_count;

static void
trial_free(struct trial *t)
{
	if (t->asked != 0)
		peer_forget(t->asked);
	list_del(&t->node);
	trial_count--;
	arena_release(&t->arena);
	free(t);
}

static void
trial_end(struct trial *t, uint32_t code, const char *text)
{
	t->asked = 0;
	t->done(t->from, code, text);
	trial_free(t);
}

void
trial_forget(peer_id from)
{
	struct list *n, *next;

	list_for_safe(n, next, &trials)
	{
		struct trial *t = list_entry(n, struct trial, node);

		if (t->from == from)
			trial_free(t);
	}
}

/* Takes the next line off in; "" at its end. */
static struct span
next_line(struct span *in)
{
	const char *end = in->len > 0 ? memchr(in->p, '\n', in->len) : NULL;
	struct span line = { in->p,
			     end != NULL ? (size_t)(end - in->p) : in->len };

	in->p += line.len + (end != NULL);
	in->len -= line.len + (end != NULL);
	return line;
}

/* As mail of this client would be: it goes one way, in when any recipient is
 * ours.  What nobody would take is judged as if it came in. */
static bool
is_outbound(const struct policy *p, const struct frame_trial_ask *ask,
	    const struct trial *t)
{
	const struct policy_domain *d;
	struct address a;
	struct ip ip;
	bool is_relay = ip_parse(ask->client_ip, &ip, NULL) == 0 &&
			policy_has_host(p, POLICY_RELAYS, &ip);
	size_t i;

	for (i = 0; i < t->rcpt_count; i++)
		if (direction_domain(p, t->rcpts[i].address, &a, &d) != 0 ||
		    direction_of(is_relay, d) != DIRECTION_OUT)
			return false;
	return true;
}

/* What if: level lines go before the policy, the values behind it. */
static int
add_what_if(struct span lines, bool is_level, struct buf *out)
{
	struct knob_value value;
	const struct knob *k;
	char text[1024], *eq;
	struct span line;

	while (lines.len > 0) {
		line = next_line(&lines);
		if (!str_fmt(text, sizeof(text), "%.*s", (int)line.len, line.p))
			return -1;
		eq = strchr(text, '=');
		if (eq == NULL)
			return -1;
		*eq = '\0';
		k = knob_find(text, NULL);
		if (k == NULL || knob_parse(k, eq + 1, &value, NULL) != 0)
			return -1;
		if (is_level)
			(void)buf_printf(out, "@level=%s what-if\n", text);
		else
			(void)buf_printf(out, "%s=%s\n", text, eq + 1);
	}
	return 0;
}

/* The place of the policy that an address has, made when it is new; -1. */
static int
policy_of(struct trial *t, const struct policy *p, const char *address,
	  struct span what_if)
{
	struct buf b = { .limit = POLICIES_BYTES };
	size_t i = 0;
	int rc = 0;

	if (add_what_if(what_if, true, &b) != 0 ||
	    policy_write(p, address, &b) != 0 ||
	    add_what_if(what_if, false, &b) != 0) {
		rc = -1;
	} else {
		while (i < t->policy_count &&
		       !span_eq(t->policies[i], buf_span(&b)))
			i++;
		if (i == t->policy_count)
			t->policies[t->policy_count++] = (struct span){
				arena_strndup(&t->arena, buf_str(&b), b.len),
				b.len
			};
		rc = (int)i;
	}
	buf_release(&b);
	return rc;
}

static int
take_rcpts(struct trial *t, const struct frame_trial_ask *ask)
{
	struct span rest = ask->rcpts;

	do {
		struct span line = next_line(&rest);

		if (t->rcpt_count == RCPTS_MAX)
			return -1;
		t->rcpts[t->rcpt_count++].address =
			line.len == 0
				? ""
				: arena_strndup(&t->arena, line.p, line.len);
	} while (rest.len > 0);
	return 0;
}

static int
take_policies(struct trial *t, const struct frame_trial_ask *ask,
	      const struct policy *p)
{
	size_t i;
	int at;

	for (i = 0; i < t->rcpt_count; i++) {
		at = policy_of(t, p,
			       t->is_outbound ? ask->sender
					      : t->rcpts[i].address,
			       ask->what_if);
		if (at < 0)
			return -1;
		t->rcpts[i].policy = (size_t)at;
	}
	return 0;
}

static const char *
class_word(uint32_t judged)
{
	if ((judged & JUDGED_VIRUS) != 0)
		return "virus";
	return (judged & JUDGED_SPAM) != 0 ? "spam" : "ham";
}

/* A row for each recipient of the policy. */
static void
on_verdict(struct trial *t, const struct frame_verdict *v)
{
	static const char *const actions[] = { "deliver", "hold", "quarantine",
					       "discard" };
	struct ledger_event ev = { .at_us = clock_wall_us(),
				   .verb = LEDGER_JUDGED,
				   .name = "",
				   .fate = v->policy + 1,
				   .reason = v->reason,
				   .verdict = class_word(v->judged),
				   .explanation = v->explanation };
	struct frame_ctl_row frame;
	size_t i;

	if (v->policy >= t->policy_count || v->action > ACTION_DISCARD ||
	    t->is_told[v->policy])
		return;
	t->is_told[v->policy] = true;
	ev.action = (v->judged & JUDGED_REFUSE) != 0 ? "refuse"
						     : actions[v->action];
	(void)explanation_sum(v->explanation, &ev.score, &ev.threshold);
	for (i = 0; i < t->rcpt_count; i++) {
		struct record r = { 0 };

		if (t->rcpts[i].policy != v->policy)
			continue;
		ev.rcpt = t->rcpts[i].address;
		trace_judged_record(&ev, &r);
		frame.record = buf_span(&r.b);
		(void)peer_answer(t->from, t->token, FRAME_ctl_row, &frame, -1);
		record_release(&r);
		ev.explanation = "";
	}
}

static void
on_reply(void *arg, struct frame *f)
{
	struct trial *t = arg;
	const struct frame_scan_done *done;
	char text[600];

	if (f == NULL) {
		trial_end(t, EX_TEMPFAIL, "the filters are not there now");
		return;
	}
	if (f->type == FRAME_verdict)
		on_verdict(t, FRAME_BODY(f, verdict));
	if (f->type != FRAME_scan_done)
		return;
	done = FRAME_BODY(f, scan_done);
	(void)str_fmt(text, sizeof(text), "%s: %s",
		      done->status == SCAN_DIED
			      ? "a worker has died of this message"
			      : "it cannot be judged now; mail would wait",
		      done->text);
	if (done->status == SCAN_DONE)
		trial_end(t, EX_OK, "");
	else
		trial_end(t,
			  done->status == SCAN_DIED ? EX_SOFTWARE : EX_TEMPFAIL,
			  text);
}

static void
add_policies(const struct trial *t, struct buf *out)
{
	unsigned char le[4];
	size_t i, k;

	for (i = 0; i < t->policy_count; i++) {
		for (k = 0; k < 4; k++)
			le[k] = (unsigned char)(t->policies[i].len >> (8 * k));
		(void)buf_add(out, le, 4);
		(void)buf_add_span(out, t->policies[i]);
	}
}

/* 0 when it is on its way, else the exit code; takes the descriptor. */
static uint32_t
scan(struct trial *t, const struct frame_trial_ask *ask, struct frame *f)
{
	struct buf policies = { .limit = POLICIES_BYTES };
	struct frame_scan b = {
		.name = "trial",
		.size = ask->size,
		.sender = ask->sender,
		.client_ip = ask->client_ip,
		.client_name = "",
		.helo = ask->helo,
		.is_outbound = t->is_outbound,
		.policy_count = (uint32_t)t->policy_count,
	};
	int fd = f->fd;

	add_policies(t, &policies);
	b.policies = buf_span(&policies);
	f->fd = -1;
	t->asked = peer_ask(peer_of(ROLE_FILTER), FRAME_scan, &b, fd,
			    2 * role_knobs()->filter_time + MARGIN_MS, on_reply,
			    t);
	buf_release(&policies);
	return t->asked != 0 ? 0 : EX_TEMPFAIL;
}

/* A pipe would keep a worker waiting. */
static bool
is_file(int fd, uint64_t size)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size >= size &&
	       size <= (uint64_t)role_knobs()->message_size_max;
}

void
trial_start(peer_id from, struct frame *f, trial_done_fn *done)
{
	const struct frame_trial_ask *ask = FRAME_BODY(f, trial_ask);
	const struct policy *p = snapshot();
	struct trial *t;

	if (p == NULL || trial_count >= TRIALS_MAX) {
		done(from, EX_TEMPFAIL,
		     p == NULL ? snapshot_trouble()
			       : "others are testing messages; try again");
		return;
	}
	if (!is_file(f->fd, ask->size)) {
		done(from, EX_DATAERR,
		     "not a file, or larger than message_size_max");
		return;
	}
	t = xcalloc(1, sizeof(*t));
	t->from = from;
	t->token = f->token;
	t->done = done;
	list_push(&trials, &t->node);
	trial_count++;
	if (take_rcpts(t, ask) == 0) {
		t->is_outbound = is_outbound(p, ask, t);
		if (take_policies(t, ask, p) == 0) {
			if (scan(t, ask, f) != 0)
				trial_end(t, EX_TEMPFAIL,
					  "the filters are not there now");
			return;
		}
	}
	trial_end(t, EX_DATAERR, "too many recipients or settings");
}
