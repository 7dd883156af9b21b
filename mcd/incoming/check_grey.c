/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Greylisting: control knows who was seen.  Without an answer nobody is put
 * off.
 */
#include "check_impl.h"
#include "role.h"
#include "spf.h"
#include "str.h"

#define CONTROL_WAIT_MS 30000

static void
on_grey(void *arg, struct frame *f)
{
	struct check_run *r = arg;
	const struct frame_grey_reply *b =
		f != NULL ? FRAME_BODY(f, grey_reply) : NULL;

	r->grey.token = 0;
	r->grey_is_told = b != NULL;
	if (b != NULL) {
		r->grey_says = b->result;
		r->grey_wait_ms = b->wait_ms;
	}
	fact_known(&r->grey);
}

static void
ask_grey(struct check_run *r)
{
	struct frame_grey_ask ask = {
		.client_ip = r->client->ip_text,
		.sender = r->mail->sender,
		.rcpt = r->rcpt->canonical,
		.is_dry = r->client->is_dry,
	};

	r->grey.state = FACT_ASKED;
	r->grey.token = peer_ask(peer_of(ROLE_CONTROL), FRAME_grey_ask, &ask,
				 -1, CONTROL_WAIT_MS, on_grey, r);
	if (r->grey.token == 0)
		on_grey(r, NULL);
}

/* Full seconds, one more than are left. */
static enum check_result
put_off(struct check_run *r)
{
	str_fmt(r->words, sizeof(r->words),
		"Greylisted, try again in %lld seconds",
		(long long)(r->grey_wait_ms / 1000 + 1));
	r->text = r->words;
	check_detail(r, "%s",
		     r->grey_says == GREY_NEW ? "not seen before"
					      : "has come again too early");
	return CHECK_REFUSE;
}

enum check_result
check_greylist(struct check_run *r)
{
	if (!r->knobs->greylist || r->rcpt->canonical[0] == '\0')
		return CHECK_OFF;
	if (r->knobs->greylist_spf) {
		if (!check_spf_is_known(r->mail))
			return fact_wait(&r->mail->spf.fact, r);
		if (r->mail->spf.result == SPF_PASS) {
			check_detail(r, "SPF allows this client");
			return CHECK_PASS;
		}
	}
	if (r->grey.state == FACT_NEW)
		ask_grey(r);
	if (r->grey.state != FACT_KNOWN)
		return fact_wait(&r->grey, r);
	if (!r->grey_is_told) {
		check_detail(r, "control does not answer");
		return CHECK_UNSURE;
	}
	if (r->grey_says == GREY_NEW || r->grey_says == GREY_EARLY)
		return put_off(r);
	check_detail(r, "%s",
		     r->grey_says == GREY_PASSED  ? "has come again"
		     : r->grey_says == GREY_KNOWN ? "is known"
						  : "the client is known");
	return CHECK_PASS;
}
