/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A worker reads hostile mail: what it asks is counted here, where it
 * cannot reach.
 */
#include "relay_dns.h"

#include <stdlib.h>

#include "records.h"
#include "worker_dns.h"
#include "worker_rbl.h"
#include "xalloc.h"

#define WAIT_MAX_MS 30000
#define GRACE_MS 500 /* lookup ends it first */

struct question {
	peer_id from;
	uint32_t token;
};

static void
fail(peer_id from, uint32_t token)
{
	static const struct frame_dns_reply reply = { .rcode = DNS_SERVFAIL };

	(void)peer_answer(from, token, FRAME_dns_reply, &reply, -1);
}

/* To a worker that is gone it goes nowhere. */
static void
on_reply(void *arg, struct frame *f)
{
	struct question *q = arg;

	if (f == NULL || f->type != FRAME_dns_reply)
		fail(q->from, q->token);
	else
		(void)peer_answer(q->from, q->token, FRAME_dns_reply, f->body,
				  -1);
	free(q);
}

void
relay_dns(struct slot *s, const struct frame *f)
{
	struct frame_dns_ask ask = *FRAME_BODY(f, dns_ask);
	struct question *q;

	if (!s->is_busy || s->questions >= WORKER_QUESTIONS_MAX) {
		fail(s->peer, f->token);
		return;
	}
	s->questions++;
	if (ask.timeout_ms == 0 || ask.timeout_ms > WAIT_MAX_MS)
		ask.timeout_ms = WAIT_MAX_MS;
	q = xmalloc(sizeof(*q));
	*q = (struct question){ s->peer, f->token };
	if (peer_ask(peer_of(ROLE_LOOKUP), FRAME_dns_ask, &ask, -1,
		     ask.timeout_ms + GRACE_MS, on_reply, q) == 0) {
		fail(q->from, q->token);
		free(q);
	}
}

static void
fail_rbl(peer_id from, uint32_t token)
{
	static const struct frame_rbl_done done = { .status = ANSWER_LATER };

	(void)peer_answer(from, token, FRAME_rbl_done, &done, -1);
}

static void
on_rbl(void *arg, struct frame *f)
{
	struct question *q = arg;

	if (f != NULL &&
	    (f->type == FRAME_rbl_hit || f->type == FRAME_rbl_tally)) {
		(void)peer_answer(q->from, q->token, f->type, f->body, -1);
		return;
	}
	if (f == NULL || f->type != FRAME_rbl_done)
		fail_rbl(q->from, q->token);
	else
		(void)peer_answer(q->from, q->token, FRAME_rbl_done, f->body,
				  -1);
	free(q);
}

void
relay_rbl(struct slot *s, const struct frame *f)
{
	struct frame_rbl_ask ask = *FRAME_BODY(f, rbl_ask);
	struct question *q;

	if (!s->is_busy || s->rbl_asks >= WORKER_RBL_ASKS_MAX) {
		fail_rbl(s->peer, f->token);
		return;
	}
	s->rbl_asks++;
	if (ask.timeout_ms == 0 || ask.timeout_ms > WAIT_MAX_MS)
		ask.timeout_ms = WAIT_MAX_MS;
	q = xmalloc(sizeof(*q));
	*q = (struct question){ s->peer, f->token };
	if (peer_ask(peer_of(ROLE_LOOKUP), FRAME_rbl_ask, &ask, -1,
		     ask.timeout_ms + WORKER_RBL_GRACE_MS, on_rbl, q) == 0) {
		fail_rbl(q->from, q->token);
		free(q);
	}
}
