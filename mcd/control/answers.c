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
#include "role.h"
#include "snapshot.h"
#include "str.h"

#define LATER_TEXT "settings cannot be read now"

static void
counted(void)
{
	stats_add(role_stats(), STAT_control_questions, 1);
}

static struct frame_rcpt_reply
rcpt_says(uint32_t code, const char *enhanced, const char *text)
{
	return (struct frame_rcpt_reply){ .code = code,
					  .enhanced = enhanced,
					  .text = text };
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

/*
 * <Postmaster> without a domain (RFC 5321 section 4.5.1) is the one of our
 * own name's domain, or the nearest above it that is ours.
 */
static const struct policy_domain *
postmaster_domain(const struct policy *p)
{
	const char *name = role_hostname();

	while (name != NULL && *name != '\0') {
		const struct policy_domain *d = policy_domain(p, name);

		if (d != NULL)
			return d;
		name = strchr(name, '.');
		if (name != NULL)
			name++;
	}
	return policy_first_domain(p);
}

static struct frame_rcpt_reply
judge_rcpt(const struct policy *p, const char *rcpt, char *canonical,
	   size_t size)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	const struct policy_domain *d;
	struct frame_rcpt_reply r;
	struct address a;
	struct err e;

	if (str_ieq(rcpt, "postmaster")) {
		d = postmaster_domain(p);
		memset(&a, 0, sizeof(a));
		str_copy(a.text, sizeof(a.text), "postmaster");
		a.local_len = strlen(a.text);
	} else {
		if (address_parse(span_of(rcpt), ADDRESS_ALLOW_UTF8, &a, &e) <
			    0 ||
		    address_domain_key(address_domain(&a), key, &e) < 0)
			return rcpt_says(501, "5.1.3", "bad recipient address");
		d = policy_domain(p, key);
	}
	if (d == NULL && policy_first_domain(p) == NULL)
		return rcpt_says(451, "4.3.5", "no domain is set up here yet");
	if (d == NULL)
		return rcpt_says(550, "5.7.1", "relaying denied");
	if (canonical_of(&a, d, canonical, size) < 0)
		return rcpt_says(501, "5.1.3", "recipient address too long");
	r = rcpt_says(250, "2.1.5", "recipient ok");
	r.canonical = canonical;
	return r;
}

void
answer_rcpt(peer_id from, struct frame *f)
{
	const struct frame_rcpt_ask *ask = FRAME_BODY(f, rcpt_ask);
	const struct policy *p = snapshot();
	char canonical[ADDRESS_TEXT_SIZE] = "";
	struct frame_rcpt_reply r = rcpt_says(451, "4.3.0", LATER_TEXT);

	counted();
	if (p != NULL)
		r = judge_rcpt(p, ask->rcpt, canonical, sizeof(canonical));
	peer_answer(from, f->token, FRAME_rcpt_reply, &r, -1);
}

void
answer_policy(peer_id from, struct frame *f)
{
	const struct frame_policy_ask *ask = FRAME_BODY(f, policy_ask);
	const struct policy *p = snapshot();
	struct frame_policy_reply r = { .status = ANSWER_LATER };
	struct buf text = { 0 };
	struct knobs knobs;

	counted();
	if (p != NULL) {
		policy_knobs(p, ask->address, &knobs);
		if (knobs_write(&knobs, &text) == 0) {
			r.status = ANSWER_OK;
			r.knobs = buf_span(&text);
		}
	}
	peer_answer(from, f->token, FRAME_policy_reply, &r, -1);
	buf_release(&text);
}
