/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Checks that other roles make: SPF by a worker of the filter pool, and the
 * recipient by a callout, whose cache is control's.  A role that does not
 * answer has not refused.
 */
#include "check_impl.h"

#include "role.h"
#include "spf.h"
#include "str.h"

#define SPF_WAIT_MS 25000
#define CONTROL_SLACK_MS 5000 /* behind the callout's own limit */

static void
on_spf(void *arg, struct frame *f)
{
	struct check_mail *m = arg;
	const struct frame_spf_reply *b =
		f != NULL ? FRAME_BODY(f, spf_reply) : NULL;

	m->spf.fact.token = 0;
	m->spf.result = SPF_TEMPERROR;
	if (b != NULL) {
		m->spf.result = b->result;
		str_copy(m->spf.line, sizeof(m->spf.line), b->line);
		str_copy(m->spf.text, sizeof(m->spf.text), b->text);
	}
	fact_known(&m->spf.fact);
}

static void
ask_spf(struct check_mail *m)
{
	struct frame_spf_ask ask = {
		.client_ip = m->client->ip_text,
		.helo = m->client->helo,
		.sender = m->sender,
	};

	m->spf.fact.state = FACT_ASKED;
	m->spf.fact.token = peer_ask(peer_of(ROLE_FILTER), FRAME_spf_ask, &ask,
				     -1, SPF_WAIT_MS, on_spf, m);
	if (m->spf.fact.token == 0)
		on_spf(m, NULL);
}

const char *
check_mail_spf(const struct check_mail *m)
{
	return m->spf.line;
}

bool
check_spf_is_known(struct check_mail *m)
{
	if (m->spf.fact.state == FACT_NEW)
		ask_spf(m);
	return m->spf.fact.state == FACT_KNOWN;
}

enum check_result
check_spf(struct check_run *r)
{
	struct check_mail *m = r->mail;

	if (!r->knobs->spf_refuse)
		return CHECK_OFF;
	if (!check_spf_is_known(m))
		return fact_wait(&m->spf.fact, r);
	check_detail(r, "%s", m->spf.text);
	if (m->spf.result == SPF_FAIL)
		return CHECK_REFUSE;
	return m->spf.result == SPF_TEMPERROR ? CHECK_UNSURE : CHECK_PASS;
}

static void
on_verified(void *arg, struct frame *f)
{
	struct check_run *r = arg;
	const struct frame_verify_reply *b =
		f != NULL ? FRAME_BODY(f, verify_reply) : NULL;

	r->callout.token = 0;
	r->callout_says = CALLOUT_UNREACHABLE;
	str_copy(r->words, sizeof(r->words), "control does not answer");
	if (b != NULL && b->result <= CALLOUT_UNREACHABLE) {
		r->callout_says = b->result;
		str_copy(r->words, sizeof(r->words), b->text);
	}
	fact_known(&r->callout);
}

static void
ask_callout(struct check_run *r)
{
	struct frame_verify_ask ask = { .rcpt = r->rcpt->canonical };

	r->callout.state = FACT_ASKED;
	r->callout.token = peer_ask(
		peer_of(ROLE_CONTROL), FRAME_verify_ask, &ask, -1,
		r->knobs->callout_time + CONTROL_SLACK_MS, on_verified, r);
	if (r->callout.token == 0)
		on_verified(r, NULL);
}

enum check_result
check_callout(struct check_run *r)
{
	if (r->knobs->rcpt_check != RCPT_CHECK_CALLOUT ||
	    r->rcpt->canonical[0] == '\0')
		return CHECK_OFF;
	if (r->callout.state == FACT_NEW)
		ask_callout(r);
	if (r->callout.state != FACT_KNOWN)
		return fact_wait(&r->callout, r);
	check_detail(r, "%s", r->words);
	switch (r->callout_says) {
	case CALLOUT_YES:
		return CHECK_PASS;
	case CALLOUT_NO:
		return CHECK_REFUSE;
	default:
		break;
	}
	r->text = "Recipient cannot be asked for now, try again later";
	return r->knobs->rcpt_unreachable == UNREACHABLE_LATER ? CHECK_PUT_OFF
							       : CHECK_UNSURE;
}
