/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A question more than allowed, or after the time, is answered here.  The
 * pool counts too, since a worker that was taken over does not.
 */
#include "worker_dns.h"

#include "clock.h"
#include "worker_late.h"

#define ASK_MS 5000 /* for one question */
#define GRACE_MS 1000 /* lookup ends it first */

void
worker_dns_start(struct worker_dns *w, struct chan *c, int64_t time_ms)
{
	w->c = c;
	w->left = WORKER_QUESTIONS_MAX;
	w->end_ms = clock_mono_ms() + time_ms;
}

static bool
send_question(struct worker_dns *w, const char *name, unsigned type,
	      int64_t wait_ms)
{
	struct frame_dns_ask ask = {
		.name = name,
		.type = type,
		.timeout_ms = (uint32_t)wait_ms,
	};

	if (++w->token == 0)
		w->token = 1;
	if (chan_send(w->c, FRAME_dns_ask, w->token, &ask, -1) == 0)
		return true;
	/* A name that no frame can carry leaves the channel as it is. */
	return false;
}

/* Answers of earlier questions may come late; nothing else is due. */
static bool
is_answer(struct worker_dns *w, struct frame *f)
{
	if (f->type == FRAME_dns_reply)
		return f->token == w->token;
	if (!worker_late(w->c, f))
		w->is_lost = true;
	return false;
}

static void
take_answer(struct worker_dns *w, const struct frame_dns_reply *b,
	    struct dns_answer *out)
{
	buf_clear(&w->records);
	(void)buf_add_span(&w->records, b->records);
	out->rcode = (int)b->rcode;
	out->is_secure = b->is_secure != 0;
	out->ttl = b->ttl;
	out->records = buf_span(&w->records);
}

static void
wait_answer(struct worker_dns *w, int64_t end_ms, struct dns_answer *out)
{
	struct frame f;
	struct err e;
	int64_t left;
	int rc;

	while (!w->is_lost && (left = end_ms - clock_mono_ms()) > 0) {
		rc = chan_wait(w->c, &f, (int)left, &e);
		if (rc < 0)
			w->is_lost = true;
		if (rc <= 0)
			return;
		if (is_answer(w, &f)) {
			take_answer(w, FRAME_BODY(&f, dns_reply), out);
			return;
		}
	}
}

static void
ask(void *arg, const char *name, unsigned type, struct dns_answer *out)
{
	struct worker_dns *w = arg;
	int64_t now_ms = clock_mono_ms();
	int64_t wait_ms = w->end_ms - now_ms;

	*out = (struct dns_answer){ .rcode = DNS_SERVFAIL };
	if (w->is_lost || w->left == 0 || wait_ms <= 0)
		return;
	w->left--;
	if (wait_ms > ASK_MS)
		wait_ms = ASK_MS;
	if (send_question(w, name, type, wait_ms))
		wait_answer(w, now_ms + wait_ms + GRACE_MS, out);
}

struct dns_asker
worker_dns_asker(struct worker_dns *w)
{
	return (struct dns_asker){ ask, w };
}
