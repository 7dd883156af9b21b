/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libunbound's event interface.  It calls back at once for what it has in
 * its cache, tells failure in two places, and hands out bogus data with a
 * good code: all of that is dealt with here.
 */
#include <arpa/nameser.h>
#include <event2/event.h>
#include <resolv.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unbound-event.h>

#include "dns.h"
#include "ip.h"
#include "list.h"
#include "log.h"
#include "loop.h"
#include "str.h"
#include "xalloc.h"

#define TTL_MAX 86400 /* seconds; told when there is no record */
#define SEC_BOGUS 1
#define SEC_SECURE 2

struct question {
	struct list node;
	dns_fn *fn;
	void *arg;
	struct timer timer;
	unsigned type;
	int async_id;
	bool is_asking; /* inside ub_resolve_event() */
	bool is_done;
};

static struct {
	struct ub_ctx *ctx;
	struct list questions; /* that wait */
	size_t pending;
	struct buf records; /* of the answer being given */
} dns;

static int
add_forwarder(struct dns_conf *c, struct span addr, const char *port,
	      struct err *e)
{
	char text[IP_TEXT_SIZE];
	struct ip ip;

	str_fmt(text, sizeof(text), "%.*s", (int)addr.len, addr.p);
	if (addr.len >= sizeof(text) || ip_parse(text, &ip, NULL) < 0)
		return err_set(e, "\"%s\": an address was expected", text);
	if (c->forwarder_count < DNS_FORWARDERS_MAX)
		str_fmt(c->forwarders[c->forwarder_count++],
			sizeof(c->forwarders[0]), "%s@%s", text, port);
	return 0;
}

int
dns_conf_setting(struct dns_conf *c, const char *text, struct err *e)
{
	const char *at = strchr(text, '@');
	uint64_t port;

	if (at == NULL)
		return add_forwarder(c, span_of(text), "53", e);
	if (str_to_u64(at + 1, &port, NULL) < 0 || port == 0 || port > 65535)
		return err_set(e, "\"%s\": a port was expected", at + 1);
	return add_forwarder(c, (struct span){ text, (size_t)(at - text) },
			     at + 1, e);
}

void
dns_conf_resolv(struct dns_conf *c, struct span text)
{
	static const char word[] = "nameserver";
	size_t at = 0;

	while (at < text.len) {
		const char *p = text.p + at;
		const char *lf = memchr(p, '\n', text.len - at);
		size_t len = lf != NULL ? (size_t)(lf - p) : text.len - at;
		struct span addr;

		at += len + 1;
		if (len <= sizeof(word) - 1 ||
		    memcmp(p, word, sizeof(word) - 1) != 0)
			continue;
		addr = (struct span){ p + sizeof(word) - 1,
				      len - (sizeof(word) - 1) };
		while (addr.len > 0 && ascii_isspace((unsigned char)*addr.p)) {
			addr.p++;
			addr.len--;
		}
		while (addr.len > 0 &&
		       ascii_isspace((unsigned char)addr.p[addr.len - 1]))
			addr.len--;
		(void)add_forwarder(c, addr, "53", NULL);
	}
}

/* Where names stand in rdata: fixed bytes, then names, then the rest. */
static const struct rdata {
	unsigned type;
	unsigned fixed, names;
} rdatas[] = {
	{ ns_t_ns, 0, 1 },  { ns_t_cname, 0, 1 }, { ns_t_soa, 0, 2 },
	{ ns_t_ptr, 0, 1 }, { ns_t_mx, 2, 1 },	  { ns_t_srv, 6, 1 },
};

#define RDATAS (sizeof(rdatas) / sizeof(rdatas[0]))

/*
 * Appends rdata with its compressed names written out as wire names; -1
 * when it is damaged.
 */
static int
add_rdata(struct buf *out, const ns_msg *msg, const ns_rr *rr)
{
	const u_char *p = ns_rr_rdata(*rr);
	const u_char *end = p + ns_rr_rdlen(*rr);
	u_char name[NS_MAXCDNAME];
	unsigned names = 0, fixed = 0;
	size_t i;

	for (i = 0; i < RDATAS; i++) {
		if (rdatas[i].type != ns_rr_type(*rr))
			continue;
		fixed = rdatas[i].fixed;
		names = rdatas[i].names;
	}
	if ((size_t)(end - p) < fixed || buf_add(out, p, fixed) < 0)
		return -1;
	p += fixed;
	for (; names > 0; names--) {
		int n = ns_name_unpack(ns_msg_base(*msg), ns_msg_end(*msg), p,
				       name, sizeof(name));
		size_t len = 0;

		if (n < 0 || n > end - p)
			return -1;
		while (name[len] != 0)
			len += (size_t)name[len] + 1;
		if (buf_add(out, name, len + 1) < 0)
			return -1;
		p += n;
	}
	return buf_add(out, p, (size_t)(end - p));
}

static int
add_record(struct buf *out, const ns_msg *msg, const ns_rr *rr)
{
	struct buf rdata = { .limit = 65535 };
	unsigned char len[2];
	int rc = add_rdata(&rdata, msg, rr);

	len[0] = (unsigned char)(rdata.len & 0xff);
	len[1] = (unsigned char)(rdata.len >> 8);
	if (rc == 0 && out->len + 2 + rdata.len > DNS_RECORDS_MAX)
		rc = -1;
	if (rc == 0 && (buf_add(out, len, sizeof(len)) < 0 ||
			buf_add_span(out, buf_span(&rdata)) < 0))
		rc = -1;
	buf_release(&rdata);
	return rc;
}

int
dns_read_packet(struct span packet, unsigned type, struct buf *records,
		uint32_t *ttl, int *rcode)
{
	uint32_t least = UINT32_MAX;
	ns_msg msg;
	ns_rr rr;
	int i;

	if (packet.len > INT32_MAX ||
	    ns_initparse((const u_char *)packet.p, (int)packet.len, &msg) < 0)
		return -1;
	*rcode = ns_msg_getflag(msg, ns_f_rcode);
	for (i = 0; i < ns_msg_count(msg, ns_s_an); i++) {
		if (ns_parserr(&msg, ns_s_an, i, &rr) < 0)
			return -1;
		if (ns_rr_ttl(rr) < least)
			least = ns_rr_ttl(rr);
		/* Aliases and signatures stand beside what was asked for. */
		if (ns_rr_type(rr) != type || ns_rr_class(rr) != ns_c_in)
			continue;
		if (add_record(records, &msg, &rr) < 0)
			return -1;
	}
	*ttl = least < TTL_MAX ? least : TTL_MAX;
	return 0;
}

static void
question_free(struct question *q)
{
	list_del(&q->node);
	timer_release(&q->timer);
	free(q);
	dns.pending--;
}

/* Frees q, but for a call that comes from within ub_resolve_event(). */
static void
answer(struct question *q, const struct dns_answer *a)
{
	q->is_done = true;
	q->fn(q->arg, a);
	if (!q->is_asking)
		question_free(q);
}

static void
answer_failure(struct question *q)
{
	struct dns_answer a = { .rcode = DNS_SERVFAIL };

	answer(q, &a);
}

static void
on_result(void *arg, int rcode, void *packet, int len, int sec, char *why,
	  int was_ratelimited)
{
	struct question *q = arg;
	struct dns_answer a = { .is_secure = sec == SEC_SECURE };
	struct span in = { packet, len > 0 ? (size_t)len : 0 };
	int inner = 0;

	(void)was_ratelimited;
	if (sec == SEC_BOGUS)
		log_info("- dns bogus type=%u why=%s", q->type, log_text(why));
	/* With a code of its own there is nothing to look at in the packet,
	 * except for NXDOMAIN, whose code stands in both. */
	if (sec == SEC_BOGUS || in.len == 0 ||
	    (rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN)) {
		answer_failure(q);
		return;
	}
	buf_clear(&dns.records);
	if (dns_read_packet(in, q->type, &dns.records, &a.ttl, &inner) < 0) {
		answer_failure(q);
		return;
	}
	a.rcode = rcode != DNS_NOERROR ? rcode : inner;
	if (a.rcode != DNS_NOERROR && a.rcode != DNS_NXDOMAIN) {
		answer_failure(q);
		return;
	}
	if (a.rcode == DNS_NOERROR)
		a.records = buf_span(&dns.records);
	answer(q, &a);
}

static void
on_deadline(void *arg)
{
	struct question *q = arg;

	ub_cancel(dns.ctx, q->async_id);
	answer_failure(q);
}

/* libunbound takes names as they stand in zone files. */
static void
escape(const char *name, char *dst, size_t size)
{
	size_t used = 0;

	for (; *name != '\0' && used + 5 < size; name++) {
		unsigned char c = (unsigned char)*name;

		if (c > ' ' && c < 0x7f && strchr("\\\"();@$", c) == NULL) {
			dst[used++] = *name;
			continue;
		}
		(void)str_fmt(dst + used, size - used, "\\%03u", c);
		used += 4;
	}
	dst[used] = '\0';
}

void
dns_ask(const char *name, unsigned type, int64_t timeout_ms, dns_fn *fn,
	void *arg)
{
	struct dns_answer failed = { .rcode = DNS_SERVFAIL };
	char escaped[4 * DNS_NAME_SIZE];
	struct question *q;
	int rc;

	if (dns.pending >= DNS_PENDING_MAX) {
		fn(arg, &failed);
		return;
	}
	q = xcalloc(1, sizeof(*q));
	q->fn = fn;
	q->arg = arg;
	q->type = type;
	list_init(&q->node);
	dns.pending++;
	timer_init(&q->timer, on_deadline, q);
	q->is_asking = true;
	escape(name, escaped, sizeof(escaped));
	rc = ub_resolve_event(dns.ctx, escaped, (int)type, ns_c_in, q,
			      on_result, &q->async_id);
	if (rc != 0 && !q->is_done)
		answer_failure(q);
	q->is_asking = false;
	if (q->is_done) {
		question_free(q);
		return;
	}
	list_push(&dns.questions, &q->node);
	timer_set(&q->timer, timeout_ms);
}

size_t
dns_pending(void)
{
	return dns.pending;
}

static int
set_option(struct ub_ctx *ctx, const char *name, const char *value,
	   struct err *e)
{
	int rc = ub_ctx_set_option(ctx, name, value);

	if (rc != 0)
		return err_set(e, "resolver option %s %s: %s", name, value,
			       ub_strerror(rc));
	return 0;
}

static int
set_options(struct ub_ctx *ctx, const struct dns_conf *c, struct err *e)
{
	/* The caches grow with use up to this, and lookup is one process
	 * for the whole host. */
	static const char *const options[][2] = {
		{ "module-config:", "iterator" },
		{ "do-not-query-localhost:", "no" },
		{ "unblock-lan-zones:", "yes" },
		{ "edns-buffer-size:", "1232" },
		{ "msg-cache-size:", "16m" },
		{ "rrset-cache-size:", "32m" },
		{ "infra-cache-max-rtt:", "1000" },
		{ "infra-keep-probing:", "yes" },
		{ "infra-host-ttl:", "10" },
		{ "outgoing-range:", "512" },
		{ "num-queries-per-thread:", "1024" },
	};
	size_t i;
	int rc;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (set_option(ctx, options[i][0], options[i][1], e) < 0)
			return -1;
	for (i = 0; i < c->forwarder_count; i++) {
		rc = ub_ctx_set_fwd(ctx, c->forwarders[i]);
		if (rc != 0)
			return err_set(e, "resolver %s: %s", c->forwarders[i],
				       ub_strerror(rc));
	}
	return 0;
}

int
dns_init(const struct dns_conf *c, struct err *e)
{
	struct ub_ctx *ctx = ub_ctx_create_event(loop_base());
	struct list *n;

	if (ctx == NULL)
		return err_set(e, "resolver cannot be made");
	if (set_options(ctx, c, e) < 0) {
		ub_ctx_delete(ctx);
		return -1;
	}
	if (dns.ctx == NULL)
		list_init(&dns.questions);
	while ((n = list_pop(&dns.questions)) != NULL) {
		struct question *q = list_entry(n, struct question, node);

		ub_cancel(dns.ctx, q->async_id);
		answer_failure(q);
	}
	ub_ctx_delete(dns.ctx);
	dns.ctx = ctx;
	return 0;
}
