/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where mail of a domain goes, for outgoing.  Without a snapshot the answer
 * is LATER.
 */
#include "answers.h"

#include "role.h"
#include "snapshot.h"

void
answer_route(peer_id from, struct frame *f)
{
	const struct frame_route_ask *ask = FRAME_BODY(f, route_ask);
	const struct policy *p = snapshot();
	struct frame_route_reply r = { .status = ANSWER_LATER,
				       .text = "settings cannot be read now" };
	const struct policy_domain *d;
	struct buf text = { .limit = 16000 };

	stats_add(role_stats(), STAT_control_questions, 1);
	if (p != NULL) {
		d = policy_domain(p, ask->domain);
		r.status = d != NULL ? ANSWER_OK : ANSWER_NO;
		r.text = d != NULL ? "" : "no route: not one of our domains";
		for (size_t i = 0; d != NULL && i < d->dest_count; i++)
			if (buf_printf(&text, "%lld %s %u\n",
				       (long long)d->dests[i].priority,
				       d->dests[i].host, d->dests[i].port) < 0)
				break;
		r.dests = buf_span(&text);
	}
	peer_answer(from, f->token, FRAME_route_reply, &r, -1);
	buf_release(&text);
}
