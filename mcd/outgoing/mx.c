/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * MX records.  What a name server says is anybody's: a name that is no host
 * name, or has a byte in it that a log should not hold, counts for nothing.
 */
#include "mx.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "chance.h"
#include "ip.h"
#include "str.h"

#define ASK_MS 15000 /* lookup's own limit, then ours behind it */
#define TYPE_MX 15

/*
 * A name on the wire, written out (RFC 1035 section 3.1): 1 and its text,
 * 0 for the root, -1 when it is damaged or no host name.
 */
static int
read_name(struct span in, char dst[256])
{
	size_t at = 0, n = 0;

	while (at < in.len && in.p[at] != 0) {
		size_t len = (unsigned char)in.p[at++];

		if (len > 63 || len > in.len - at || n + len + 1 > 254)
			return -1;
		if (memchr(in.p + at, '.', len) != NULL)
			return -1;
		if (n > 0)
			dst[n++] = '.';
		memcpy(dst + n, in.p + at, len);
		n += len;
		at += len;
	}
	if (at >= in.len || memchr(dst, '\0', n) != NULL)
		return -1;
	dst[n] = '\0';
	str_lower(dst);
	if (n == 0)
		return 0;
	return address_is_domain(dst) ? 1 : -1;
}

static int
compare(const void *a, const void *b)
{
	const struct mx_host *x = a;
	const struct mx_host *y = b;

	return (x->preference > y->preference) -
	       (x->preference < y->preference);
}

/* RFC 5321 section 5.1: those of one preference share the load. */
static void
shuffle_equal(struct mx *m)
{
	size_t from = 0, to;

	for (; from < m->count; from = to) {
		for (to = from + 1; to < m->count; to++)
			if (m->hosts[to].preference !=
			    m->hosts[from].preference)
				break;
		chance_shuffle(&m->hosts[from], to - from, sizeof(*m->hosts));
	}
}

/* Keeps the best when there are too many. */
static void
add_host(struct mx *m, const struct mx_host *host)
{
	size_t i, worst = 0;

	if (m->count < MX_MAX) {
		m->hosts[m->count++] = *host;
		return;
	}
	for (i = 1; i < m->count; i++)
		if (m->hosts[i].preference > m->hosts[worst].preference)
			worst = i;
	if (host->preference < m->hosts[worst].preference)
		m->hosts[worst] = *host;
}

void
mx_read_records(struct mx *m, struct span in)
{
	size_t at = 0, records = 0;
	bool is_null = false;

	m->count = 0;
	while (in.len - at >= 2) {
		const unsigned char *p = (const unsigned char *)in.p + at;
		size_t len = p[0] | (size_t)p[1] << 8;
		struct mx_host host;
		int got;

		at += 2;
		if (len > in.len - at)
			break;
		records++;
		if (len > 2) {
			got = read_name((struct span){ in.p + at + 2, len - 2 },
					host.name);
			host.preference = (unsigned)p[2] << 8 | p[3];
			if (got > 0)
				add_host(m, &host);
			is_null = is_null || got == 0;
		}
		at += len;
	}
	qsort(m->hosts, m->count, sizeof(*m->hosts), compare);
	shuffle_equal(m);
	m->status = MX_OK;
	if (records == 0)
		m->status = MX_NONE;
	else if (m->count == 0)
		m->status = is_null && records == 1 ? MX_NULL : MX_BAD;
}

static void
on_reply(void *arg, struct frame *f)
{
	const struct frame_dns_reply *b =
		f != NULL ? FRAME_BODY(f, dns_reply) : NULL;
	struct mx *m = arg;

	m->token = 0;
	if (b == NULL || (b->rcode != 0 && b->rcode != 3))
		m->status = MX_FAILED;
	else if (b->rcode == 3)
		m->status = MX_NO_NAME;
	else
		mx_read_records(m, b->records);
	m->fn(m->arg, m);
}

void
mx_start(struct mx *m, const char *domain, mx_fn *fn, void *arg)
{
	struct frame_dns_ask q = { .name = domain,
				   .type = TYPE_MX,
				   .timeout_ms = ASK_MS };

	m->count = 0;
	m->fn = fn;
	m->arg = arg;
	m->token = peer_ask(peer_of(ROLE_LOOKUP), FRAME_dns_ask, &q, -1,
			    ASK_MS + 5000, on_reply, m);
	if (m->token == 0) {
		m->status = MX_FAILED;
		fn(arg, m);
	}
}

void
mx_cancel(struct mx *m)
{
	if (m->token != 0)
		peer_forget(m->token);
	m->token = 0;
}
