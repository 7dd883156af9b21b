/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The name of a client: what the PTR of its address says, confirmed by the
 * address of that name, for anybody can write anything into a PTR.  The
 * lookup begins with the connection and has one deadline for all of it.
 */
#include "check_impl.h"

#include <string.h>

#include "address.h"
#include "buf.h"
#include "loop.h"
#include "role.h"
#include "str.h"

static void ask_name(struct check_client *c);

static void
known(struct check_client *c, enum rdns_value value)
{
	c->rdns.value = value;
	fact_known(&c->rdns.fact);
}

static bool
ask(struct check_client *c, const char *name, unsigned type, peer_reply_fn *fn)
{
	int64_t left_ms = c->rdns.until_ms - loop_now_ms();

	return left_ms > 0 &&
	       fact_ask_dns(&c->rdns.fact, name, type, left_ms, fn, c);
}

static void
on_address(void *arg, struct frame *f)
{
	struct check_client *c = arg;
	size_t size = c->ip.family == AF_INET ? 4 : 16;
	struct span records, rdata;
	size_t at = 0;

	c->rdns.fact.token = 0;
	if (dns_says(f, &records) < 0)
		c->rdns.has_failed = true;
	while (dns_next(records, &at, &rdata))
		if (rdata.len == size && memcmp(rdata.p, c->ip.b, size) == 0) {
			known(c, RDNS_CONFIRMED);
			return;
		}
	c->rdns.next++;
	ask_name(c);
}

/* The next name, or the end of them. */
static void
ask_name(struct check_client *c)
{
	struct rdns_fact *f = &c->rdns;

	if (f->next >= f->count)
		known(c, f->has_failed	 ? RDNS_UNSURE
			 : f->count == 0 ? RDNS_NONE
					 : RDNS_PTR);
	else if (!ask(c, f->names[f->next],
		      c->ip.family == AF_INET ? TYPE_A : TYPE_AAAA, on_address))
		known(c, RDNS_UNSURE);
}

static void
on_ptr(void *arg, struct frame *f)
{
	struct check_client *c = arg;
	struct rdns_fact *r = &c->rdns;
	struct span records, rdata;
	size_t at = 0;

	r->fact.token = 0;
	if (dns_says(f, &records) < 0) {
		known(c, RDNS_UNSURE);
		return;
	}
	while (r->count < NAMES_MAX && dns_next(records, &at, &rdata))
		if (dns_name(rdata, r->names[r->count], sizeof(r->names[0])) ==
			    0 &&
		    address_is_domain(r->names[r->count]))
			r->count++;
	ask_name(c);
}

/* "1.2.0.192.in-addr.arpa" (RFC 1035 section 3.5, RFC 3596). */
static void
reverse_name(const struct ip *ip, struct buf *out)
{
	int i;

	if (ip->family == AF_INET) {
		(void)buf_printf(out, "%u.%u.%u.%u.in-addr.arpa", ip->b[3],
				 ip->b[2], ip->b[1], ip->b[0]);
		return;
	}
	for (i = 15; i >= 0; i--)
		(void)buf_printf(out, "%x.%x.", ip->b[i] & 15u,
				 (unsigned)ip->b[i] >> 4);
	(void)buf_add_str(out, "ip6.arpa");
}

static void
begin(struct check_client *c, const struct knobs *k)
{
	struct buf name = { 0 };

	c->rdns.until_ms = loop_now_ms() + k->client_name_time;
	reverse_name(&c->ip, &name);
	if (!ask(c, buf_str(&name), TYPE_PTR, on_ptr))
		known(c, RDNS_UNSURE);
	buf_release(&name);
}

void
check_client_look(struct check_client *c, const struct knobs *k)
{
	if (k->client_names && c->rdns.fact.state == FACT_NEW)
		begin(c, k);
}

const char *
check_client_name(const struct check_client *c)
{
	if (c->rdns.fact.state != FACT_KNOWN || c->rdns.value != RDNS_CONFIRMED)
		return "";
	return c->rdns.names[c->rdns.next];
}

void
rdns_release(struct rdns_fact *f)
{
	fact_release(&f->fact);
}

enum check_result
check_rdns(struct check_run *r)
{
	struct rdns_fact *f = &r->client->rdns;

	if (r->knobs->rdns_check == RDNS_CHECK_NONE)
		return CHECK_OFF;
	if (f->fact.state == FACT_NEW)
		begin(r->client, r->knobs);
	if (f->fact.state != FACT_KNOWN)
		return fact_wait(&f->fact, r);
	switch (f->value) {
	case RDNS_CONFIRMED:
		check_detail(r, "%s", f->names[f->next]);
		return CHECK_PASS;
	case RDNS_PTR:
		check_detail(r, "%s has not this address", f->names[0]);
		r->text = "Client's name in DNS does not have its address";
		return r->knobs->rdns_check == RDNS_CHECK_FCRDNS ? CHECK_REFUSE
								 : CHECK_PASS;
	case RDNS_NONE:
		check_detail(r, "no PTR");
		return CHECK_REFUSE;
	case RDNS_UNSURE:
		break;
	}
	check_detail(r, "DNS cannot tell");
	return CHECK_UNSURE;
}

/* The Received field wants it: waited for, never refused. */
enum check_result
check_client_name_due(struct check_run *r)
{
	struct rdns_fact *f = &r->client->rdns;

	if (!r->knobs->client_names || f->fact.state == FACT_NEW)
		return CHECK_OFF;
	if (f->fact.state != FACT_KNOWN)
		return fact_wait(&f->fact, r);
	return CHECK_PASS;
}
