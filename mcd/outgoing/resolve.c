/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Both address types are asked for at once; the answer is given when both
 * are there, or one has failed and the other not.
 */
#include <string.h>

#include "resolve.h"
#include "str.h"

#define ASK_MS 15000 /* lookup's own limit, then ours behind it */
#define TYPE_A 1
#define TYPE_AAAA 28

/* Adds the addresses of a dns_reply to dst. */
static size_t
read_records(struct span in, int family, struct ip *dst, size_t count)
{
	size_t want = family == AF_INET ? 4 : 16;
	size_t at = 0;

	while (in.len - at >= 2 && count < RESOLVE_MAX) {
		size_t len = (unsigned char)in.p[at] |
			     (size_t)(unsigned char)in.p[at + 1] << 8;

		at += 2;
		if (len > in.len - at)
			break;
		if (len == want) {
			dst[count].family = family;
			memcpy(dst[count].b, in.p + at, want);
			count++;
		}
		at += len;
	}
	return count;
}

static void
finish(struct resolve *r)
{
	size_t i;

	if (r->token_v4 != 0 || r->token_v6 != 0)
		return;
	for (i = 0; i < r->v4_count && r->count < RESOLVE_MAX; i++)
		r->ips[r->count++] = r->v4[i];
	if (r->count == 0)
		r->failure = r->has_failed ? "host lookup failed"
					   : "host has no address";
	r->fn(r->arg, r);
}

static void
on_v6(void *arg, struct frame *f)
{
	struct resolve *r = arg;
	const struct frame_dns_reply *b =
		f != NULL ? FRAME_BODY(f, dns_reply) : NULL;

	r->token_v6 = 0;
	if (b == NULL || (b->rcode != 0 && b->rcode != 3))
		r->has_failed = true;
	else
		r->count = read_records(b->records, AF_INET6, r->ips, 0);
	finish(r);
}

static void
on_v4(void *arg, struct frame *f)
{
	struct resolve *r = arg;
	const struct frame_dns_reply *b =
		f != NULL ? FRAME_BODY(f, dns_reply) : NULL;

	r->token_v4 = 0;
	if (b == NULL || (b->rcode != 0 && b->rcode != 3))
		r->has_failed = true;
	else
		r->v4_count = read_records(b->records, AF_INET, r->v4, 0);
	finish(r);
}

static uint32_t
ask(const char *host, uint32_t type, peer_reply_fn *fn, struct resolve *r)
{
	struct frame_dns_ask q = { .name = host,
				   .type = type,
				   .timeout_ms = ASK_MS };

	return peer_ask(peer_of(ROLE_LOOKUP), FRAME_dns_ask, &q, -1,
			ASK_MS + 5000, fn, r);
}

void
resolve_start(struct resolve *r, const char *host, resolve_fn *fn, void *arg)
{
	*r = (struct resolve){ .fn = fn, .arg = arg, .failure = "" };
	if (ip_parse(host, &r->ips[0], NULL) == 0) {
		r->count = 1;
		fn(arg, r);
		return;
	}
	r->token_v6 = ask(host, TYPE_AAAA, on_v6, r);
	r->token_v4 = ask(host, TYPE_A, on_v4, r);
	r->has_failed = r->token_v4 == 0 || r->token_v6 == 0;
	if (r->token_v4 == 0 && r->token_v6 == 0) {
		r->failure = "host lookup is down";
		fn(arg, r);
	}
}

void
resolve_cancel(struct resolve *r)
{
	if (r->token_v6 != 0)
		peer_forget(r->token_v6);
	if (r->token_v4 != 0)
		peer_forget(r->token_v4);
	r->token_v6 = r->token_v4 = 0;
}
