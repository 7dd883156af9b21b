/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DNS lists of the client's address: asked once a session, of all lists
 * that are used for refuse.  A list that is broken or does not answer has
 * not said anything.
 */
#include "check_impl.h"

#include "rbl.h"
#include "role.h"
#include "str.h"

#define SLACK_MS 3000 /* its own limit comes first; a list may be tested */

static void
take_hit(struct dnsbl_fact *d, const struct frame_rbl_hit *b)
{
	/* Points of 0 are a reply that means nothing here. */
	if (d->is_listed || b->points <= 0)
		return;
	d->is_listed = true;
	(void)str_copy(d->list, sizeof(d->list), b->list);
	(void)str_copy(d->reply, sizeof(d->reply), b->reply);
	(void)str_copy(d->text, sizeof(d->text), b->text);
}

static void
on_reply(void *arg, struct frame *f)
{
	struct dnsbl_fact *d = arg;

	if (f != NULL && f->type == FRAME_rbl_hit) {
		take_hit(d, FRAME_BODY(f, rbl_hit));
		return;
	}
	if (f != NULL && f->type == FRAME_rbl_tally) {
		(void)str_copy(d->trouble, sizeof(d->trouble),
			       FRAME_BODY(f, rbl_tally)->trouble);
		return;
	}
	if (f == NULL || f->type != FRAME_rbl_done ||
	    FRAME_BODY(f, rbl_done)->status != ANSWER_OK)
		(void)str_copy(d->trouble, sizeof(d->trouble),
			       "lookup does not answer");
	d->fact.token = 0;
	fact_known(&d->fact);
}

static void
ask(struct check_client *c)
{
	struct dnsbl_fact *d = &c->dnsbl;
	int64_t wait_ms = role_knobs()->dnsbl_time;
	struct frame_rbl_ask body = { .timeout_ms = (uint32_t)wait_ms };
	char line[IP_TEXT_SIZE + 8];

	(void)str_fmt(line, sizeof(line), "%u a %s\n", (unsigned)RBL_REFUSE,
		      c->ip_text);
	body.items = span_of(line);
	d->fact.state = FACT_ASKED;
	d->fact.token = peer_ask(peer_of(ROLE_LOOKUP), FRAME_rbl_ask, &body, -1,
				 wait_ms + SLACK_MS, on_reply, d);
	if (d->fact.token == 0)
		on_reply(d, NULL);
}

enum check_result
check_dnsbl(struct check_run *r)
{
	struct dnsbl_fact *d = &r->client->dnsbl;

	if (!r->knobs->dnsbl_refuse || rbl_is_private(&r->client->ip))
		return CHECK_OFF;
	if (d->fact.state == FACT_NEW)
		ask(r->client);
	if (d->fact.state != FACT_KNOWN)
		return fact_wait(&d->fact, r);
	if (!d->is_listed) {
		check_detail(r, "%s", d->trouble);
		return d->trouble[0] != '\0' ? CHECK_UNSURE : CHECK_PASS;
	}
	check_detail(r, "%s says %s", d->list, d->reply);
	(void)str_fmt(r->words, sizeof(r->words),
		      "Client %s is listed by %s%s%s", r->client->ip_text,
		      d->list, d->text[0] != '\0' ? ": " : "", d->text);
	r->text = r->words;
	return CHECK_REFUSE;
}
