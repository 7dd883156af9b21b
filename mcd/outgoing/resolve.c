/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Both address types are asked for at once; the answer is given when both
 * are there, or one has failed and the other not.
 */
#include "resolve.h"

#include <string.h>

#include "chance.h"
#include "str.h"

#define ASK_MS 15000 /* lookup's own limit, then ours behind it */
#define TYPE_A 1
#define TYPE_AAAA 28

/* Adds the addresses of a dns_reply. */
static void
read_records(struct resolve_half *h, struct span in, int family)
{
	size_t want = family == AF_INET ? 4 : 16;
	size_t at = 0;

	while (in.len - at >= 2 && h->count < RESOLVE_MAX) {
		size_t len = (unsigned char)in.p[at] |
			     (size_t)(unsigned char)in.p[at + 1] << 8;

		at += 2;
		if (len > in.len - at)
			break;
		if (len == want) {
			h->ips[h->count].family = family;
			memcpy(h->ips[h->count].b, in.p + at, want);
			h->count++;
		}
		at += len;
	}
	chance_shuffle(h->ips, h->count, sizeof(h->ips[0]));
}

/* By turns, so that a family without a way costs one try before the other
 * has its own. */
static void
merge(struct resolve *r)
{
	size_t i;

	for (i = 0; i < RESOLVE_MAX; i++) {
		if (i < r->v6.count && r->count < RESOLVE_MAX)
			r->ips[r->count++] = r->v6.ips[i];
		if (i < r->v4.count && r->count < RESOLVE_MAX)
			r->ips[r->count++] = r->v4.ips[i];
	}
}

static void
finish(struct resolve *r)
{
	static const char *const failures[] = {
		[RESOLVE_OK] = "",
		[RESOLVE_NO_ADDRESS] = "host has no address",
		[RESOLVE_NO_NAME] = "host is not known",
		[RESOLVE_FAILED] = "host lookup failed",
	};

	if (r->v4.token != 0 || r->v6.token != 0)
		return;
	merge(r);
	if (r->count > 0)
		r->status = RESOLVE_OK;
	else if (r->v4.has_failed || r->v6.has_failed)
		r->status = RESOLVE_FAILED;
	else if (r->v4.has_no_name || r->v6.has_no_name)
		r->status = RESOLVE_NO_NAME;
	else
		r->status = RESOLVE_NO_ADDRESS;
	r->failure = failures[r->status];
	r->fn(r->arg, r);
}

static void
on_reply(void *arg, struct frame *f)
{
	struct resolve_half *h = arg;
	const struct frame_dns_reply *b =
		f != NULL ? FRAME_BODY(f, dns_reply) : NULL;

	h->token = 0;
	if (b == NULL || (b->rcode != 0 && b->rcode != 3))
		h->has_failed = true;
	else if (b->rcode == 3)
		h->has_no_name = true;
	else
		read_records(h, b->records,
			     h == &h->all->v4 ? AF_INET : AF_INET6);
	finish(h->all);
}

static void
ask(struct resolve_half *h, const char *host, uint32_t type)
{
	struct frame_dns_ask q = { .name = host,
				   .type = type,
				   .timeout_ms = ASK_MS };

	h->token = peer_ask(peer_of(ROLE_LOOKUP), FRAME_dns_ask, &q, -1,
			    ASK_MS + 5000, on_reply, h);
	h->has_failed = h->token == 0;
}

void
resolve_start(struct resolve *r, const char *host, resolve_fn *fn, void *arg)
{
	*r = (struct resolve){ .fn = fn, .arg = arg, .failure = "" };
	r->v4.all = r->v6.all = r;
	if (ip_parse(host, &r->ips[0], NULL) == 0) {
		r->count = 1;
		fn(arg, r);
		return;
	}
	ask(&r->v6, host, TYPE_AAAA);
	ask(&r->v4, host, TYPE_A);
	if (r->v4.token == 0 && r->v6.token == 0) {
		r->status = RESOLVE_FAILED;
		r->failure = "host lookup is down";
		fn(arg, r);
	}
}

void
resolve_cancel(struct resolve *r)
{
	if (r->v6.token != 0)
		peer_forget(r->v6.token);
	if (r->v4.token != 0)
		peer_forget(r->v4.token);
	r->v6.token = r->v4.token = 0;
}
