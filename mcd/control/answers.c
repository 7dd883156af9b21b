/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Recipients and policies.  Without a snapshot every answer is LATER: mail
 * is neither refused nor passed on a guess.  So it is with one that knows
 * no domain: the database may have been lost.
 */
#include "answers.h"

#include <string.h>

#include "address.h"
#include "direction.h"
#include "ip.h"
#include "role.h"
#include "snapshot.h"
#include "str.h"

#define LATER_TEXT "settings cannot be read now"

static void
counted(void)
{
	stats_add(role_stats(), STAT_control_questions, 1);
}

static void
rcpt_says(struct frame_rcpt_reply *r, enum rcpt_status status, const char *text)
{
	r->status = status;
	r->text = text;
}

/* The recipient in its own domain, an alias's target put in. */
static int
canonical_of(const struct address *a, const struct policy_domain *d, char *dst,
	     size_t size)
{
	return str_fmt(dst, size, "%.*s@%s", (int)a->local_len, a->text,
		       d->name)
		       ? 0
		       : -1;
}

/* What is known of the client and the sender. */
static uint32_t
flags_of(const struct policy *p, const struct frame_rcpt_ask *ask)
{
	const char *at = strrchr(ask->sender, '@');
	char key[ADDRESS_DOMAIN_MAX + 1];
	uint32_t flags = 0;
	struct ip ip;

	if (ip_parse(ask->client_ip, &ip, NULL) == 0) {
		if (policy_has_host(p, POLICY_RELAYS, &ip))
			flags |= RCPT_FROM_RELAY;
		if (policy_has_host(p, POLICY_PEERS, &ip))
			flags |= RCPT_FROM_PEER;
	}
	if (at != NULL && address_domain_key(at + 1, key, NULL) == 0 &&
	    policy_domain(p, key) != NULL)
		flags |= RCPT_FROM_OWN;
	return flags;
}

/* Of a recipient that is not ours. */
static void
judge_others(const struct policy *p, struct frame_rcpt_reply *r)
{
	bool is_relay = (r->flags & RCPT_FROM_RELAY) != 0;

	if (direction_of(is_relay, NULL) == DIRECTION_OUT)
		r->is_outbound = 1;
	else if (policy_first_domain(p) == NULL)
		rcpt_says(r, RCPT_LATER, "no domain is set up here yet");
	else
		rcpt_says(r, RCPT_NOT_OURS, "");
}

/* canonical holds ADDRESS_TEXT_SIZE. */
static void
judge_rcpt(const struct policy *p, const struct frame_rcpt_ask *ask,
	   char *canonical, struct frame_rcpt_reply *r, struct knobs *knobs)
{
	const struct policy_domain *d = NULL;
	struct address a;

	r->flags = flags_of(p, ask);
	if (direction_domain(p, ask->rcpt, &a, &d) < 0) {
		rcpt_says(r, RCPT_BAD, "bad recipient address");
		return;
	}
	if (d == NULL) {
		judge_others(p, r);
		policy_knobs(p, ask->sender, knobs);
		return;
	}
	if (canonical_of(&a, d, canonical, ADDRESS_TEXT_SIZE) < 0) {
		canonical[0] = '\0';
		rcpt_says(r, RCPT_BAD, "recipient address too long");
		return;
	}
	policy_knobs(p, canonical, knobs);
	if (knobs->rcpt_check == RCPT_CHECK_LIST &&
	    !policy_has_rcpt(p, canonical))
		rcpt_says(r, RCPT_UNKNOWN, "");
}

void
answer_rcpt(peer_id from, struct frame *f)
{
	const struct frame_rcpt_ask *ask = FRAME_BODY(f, rcpt_ask);
	const struct policy *p = snapshot();
	char canonical[ADDRESS_TEXT_SIZE] = "";
	struct frame_rcpt_reply r = { .canonical = canonical };
	struct buf text = { 0 };
	struct knobs knobs;

	counted();
	rcpt_says(&r, RCPT_LATER, LATER_TEXT);
	if (p != NULL) {
		rcpt_says(&r, RCPT_OK, "");
		knobs = *policy_global(p);
		judge_rcpt(p, ask, canonical, &r, &knobs);
		if (memcmp(&knobs, policy_global(p), sizeof(knobs)) != 0 &&
		    knobs_write(&knobs, &text) == 0)
			r.knobs = buf_span(&text);
	}
	peer_answer(from, f->token, FRAME_rcpt_reply, &r, -1);
	buf_release(&text);
}

void
answer_policy(peer_id from, struct frame *f)
{
	const struct frame_policy_ask *ask = FRAME_BODY(f, policy_ask);
	const struct policy *p = snapshot();
	struct frame_policy_reply r = { .status = ANSWER_LATER };
	struct buf text = { 0 };

	counted();
	if (p != NULL && policy_write(p, ask->address, &text) == 0) {
		r.status = ANSWER_OK;
		r.knobs = buf_span(&text);
	}
	peer_answer(from, f->token, FRAME_policy_reply, &r, -1);
	buf_release(&text);
}

/* The domain of ours that a sender is in, else the one of postmaster. */
static const struct policy_domain *
domain_told(const struct policy *p, const char *sender)
{
	const struct policy_domain *d = NULL;
	struct address a;

	if (sender[0] == '\0' || direction_domain(p, sender, &a, &d) < 0 ||
	    d == NULL)
		d = direction_postmaster(p);
	return d;
}

void
answer_report(peer_id from, struct frame *f)
{
	const struct frame_report_ask *ask = FRAME_BODY(f, report_ask);
	const struct policy *p = snapshot();
	struct frame_report_reply r = { .to = "" };
	const struct policy_domain *d;
	char to[ADDRESS_TEXT_SIZE];
	struct knobs k;

	counted();
	if (p != NULL) {
		policy_knobs(p, ask->sender, &k);
		d = domain_told(p, ask->sender);
		if (strchr(k.out_report_to, '@') != NULL)
			r.to = k.out_report_to;
		else if (k.out_report_to[0] != '\0' && d != NULL &&
			 str_fmt(to, sizeof(to), "%s@%s", k.out_report_to,
				 d->name))
			r.to = to;
	}
	peer_answer(from, f->token, FRAME_report_reply, &r, -1);
}
