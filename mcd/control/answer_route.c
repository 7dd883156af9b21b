/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where mail of a domain goes, for outgoing.  Without a snapshot the answer
 * is LATER.
 */
#include "answers.h"

#include "role.h"
#include "snapshot.h"
#include "str.h"

#define LATER_TEXT "settings cannot be read now"

static void
add_dests(struct buf *out, const struct policy_dest *dests, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (buf_printf(out, "%lld %s %u\n",
			       (long long)dests[i].priority, dests[i].host,
			       dests[i].port) < 0)
			break;
}

/* The one of ours that it is, with what is set for it. */
static void
to_ours(const struct policy *p, const struct policy_domain *d,
	struct frame_route_reply *r, struct buf *dests)
{
	char address[POLICY_HOST_SIZE + 1];
	struct knobs k;

	str_fmt(address, sizeof(address), "@%s", d->name);
	policy_knobs(p, address, &k);
	r->status = ANSWER_OK;
	r->is_ours = 1;
	r->mode = (uint32_t)k.dest_mode;
	r->tls = (uint32_t)k.dest_tls;
	r->eightbit = (uint32_t)k.dest_8bit;
	add_dests(dests, d->dests, d->dest_count);
}

/* By a smarthost, or by the MX records of the domain. */
static void
to_others(const struct policy *p, const char *domain,
	  struct frame_route_reply *r, struct buf *dests)
{
	const struct knobs *k = policy_global(p);
	const struct policy_dest *hosts;
	size_t count;

	hosts = policy_smarthosts(p, &count);
	r->status = ANSWER_OK;
	r->is_ours = count > 0;
	r->mode = count > 0 ? ROUTE_ORDER : ROUTE_MX;
	r->tls = (uint32_t)k->dest_tls;
	r->eightbit = (uint32_t)k->dest_8bit;
	add_dests(dests, hosts, count);
	if (count == 0)
		(void)buf_printf(dests, "0 %s %u\n", domain,
				 (unsigned)k->smtp_out_port);
}

void
answer_route(peer_id from, struct frame *f)
{
	const struct frame_route_ask *ask = FRAME_BODY(f, route_ask);
	const struct policy *p = snapshot();
	struct frame_route_reply r = { .status = ANSWER_LATER,
				       .text = LATER_TEXT };
	const struct policy_domain *d;
	struct buf dests = { .limit = 16000 };

	stats_add(role_stats(), STAT_control_questions, 1);
	if (p != NULL) {
		d = policy_domain(p, ask->domain);
		r.text = "";
		if (d != NULL) {
			to_ours(p, d, &r, &dests);
		} else if (ask->is_outbound != 0) {
			to_others(p, ask->domain, &r, &dests);
		} else {
			r.status = ANSWER_NO;
			r.text = "no route: not one of our domains";
		}
	}
	r.dests = buf_span(&dests);
	peer_answer(from, f->token, FRAME_route_reply, &r, -1);
	buf_release(&dests);
}
