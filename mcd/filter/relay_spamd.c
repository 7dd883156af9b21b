/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A slot holds one ticket at a time, at most so many a message.
 */
#include "relay_spamd.h"

#include <stdlib.h>

#include "worker_spamd.h"
#include "xalloc.h"

struct question {
	struct slot *slot; /* lives as long as the pool */
	peer_id from;
	uint32_t token;
	unsigned serial; /* of the message it is for */
};

static void
fail(peer_id from, uint32_t token, const char *text)
{
	struct frame_spamd_reply reply = { .status = SPAMD_BUSY, .text = text };

	(void)peer_answer(from, token, FRAME_spamd_reply, &reply, -1);
}

static void
give_back(uint64_t ticket)
{
	struct frame_spamd_done done = { .ticket = ticket };

	if (ticket != 0)
		(void)peer_note(peer_of(ROLE_LOOKUP), FRAME_spamd_done, &done,
				-1);
}

static void
on_reply(void *arg, struct frame *f)
{
	struct question *q = arg;
	struct slot *s = q->slot;
	const struct frame_spamd_reply *b;
	int fd;

	if (f == NULL || f->type != FRAME_spamd_reply) {
		s->is_asking = s->is_asking && s->serial != q->serial;
		fail(q->from, q->token, "lookup does not answer");
		free(q);
		return;
	}
	b = FRAME_BODY(f, spamd_reply);
	if (s->peer != q->from || s->serial != q->serial) {
		/* Nobody waits for it any more. */
		if (b->status == SPAMD_READY)
			give_back(b->ticket);
	} else {
		s->is_asking = false;
		if (b->status == SPAMD_READY)
			s->ticket = b->ticket;
		fd = f->fd;
		f->fd = -1;
		(void)peer_answer(q->from, q->token, FRAME_spamd_reply, b, fd);
	}
	free(q);
}

void
relay_spamd(struct slot *s, const struct frame *f)
{
	struct frame_spamd_ask ask = *FRAME_BODY(f, spamd_ask);
	struct question *q;

	if (!s->is_busy || s->is_asking || s->ticket != 0 ||
	    s->spamds >= WORKER_SPAMD_MAX) {
		fail(s->peer, f->token, "no more connections for a message");
		return;
	}
	s->spamds++;
	s->is_asking = true;
	if (ask.timeout_ms > s->limit_ms)
		ask.timeout_ms = (uint32_t)s->limit_ms;
	q = xmalloc(sizeof(*q));
	*q = (struct question){ s, s->peer, f->token, s->serial };
	/* Without a time: lookup answers in its own or dies, and an answer
	 * that came too late here would be a ticket that nobody gives back. */
	if (peer_ask(peer_of(ROLE_LOOKUP), FRAME_spamd_ask, &ask, -1, 0,
		     on_reply, q) == 0) {
		s->is_asking = false;
		fail(q->from, q->token, "lookup is down");
		free(q);
	}
}

void
relay_spamd_done(struct slot *s, const struct frame *f)
{
	if (FRAME_BODY(f, spamd_done)->ticket == s->ticket)
		relay_spamd_end(s);
}

void
relay_spamd_end(struct slot *s)
{
	give_back(s->ticket);
	s->ticket = 0;
}
