/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What stands around deliveries in their tests: control, lookup and next
 * hops that do what a row says, queue that asks, and all that was done and
 * told as one text.  All of it stands in this header, for one test alone:
 * as a part of the tests' library it would take the place of the real ones
 * elsewhere.
 */
#ifndef OUTWORLD_H
#define OUTWORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "delivery.h"
#include "hop.h"
#include "peer.h"
#include "role.h"
#include "str.h"

#define BODY "Subject: x\r\n\r\nhi\r\n"
#define TOKEN 7
#define NAME "0123456789abcdef"

/* What a next hop does with a mail, or a peer with a question. */
enum does {
	TAKES, /* also: the answer is good */
	REFUSES_CONNECTION, /* hop_send() itself fails */
	FAILS, /* the connection breaks */
	IS_STALE, /* so does a kept one */
	BREAKS_AT_END,
	TAKES_HALF, /* the first recipient fails, then it breaks */
	PUTS_OFF,
	TAKES_ONE, /* and puts off the others */
	IS_US, /* greets with our own name */
	FAILS_IN_TLS,
	BREAKS_IN_BODY, /* the body gets short while it is sent */
	IS_SILENT,
	SAYS_NO,
	SAYS_LATER,
	TIMES_OUT,
	IS_DOWN,
};

struct hop {
	const struct client_mail *mail;
	const struct hop_ops *ops;
	void *arg;
};

struct world {
	enum does route, dns;
	const char *dests;
	const char *mx; /* records "PREFERENCE NAME ", "": there are none */
	bool is_outbound, is_ours;
	enum route_mode mode;
	enum dest_tls tls;
	const enum does *hops; /* by try */
	unsigned tries;
	struct hop hop;
	bool has_hop, in_body;
	struct buf events;
	int body_fd;
	unsigned open; /* questions without an answer */
	struct {
		uint32_t token;
		peer_reply_fn *fn;
		void *arg;
		enum frame_type type;
		uint32_t dns_type;
		char name[64];
	} asks[64];
	unsigned asked;
};

static struct world world;

/* The peers. */

peer_id
peer_of(enum role r)
{
	if (r == ROLE_CONTROL)
		return world.route == IS_DOWN ? 0 : 2;
	return world.dns == IS_DOWN ? 0 : 3;
}

uint32_t
peer_ask(peer_id p, enum frame_type type, const void *body, int fd,
	 int64_t timeout_ms, peer_reply_fn *fn, void *arg)
{
	unsigned n = world.asked;

	(void)fd;
	if (p == 0)
		return 0;
	if (timeout_ms <= 0)
		abort();
	world.asks[n].token = n + 1;
	world.asks[n].fn = fn;
	world.asks[n].arg = arg;
	world.asks[n].type = type;
	if (type == FRAME_dns_ask) {
		const struct frame_dns_ask *q = body;

		world.asks[n].dns_type = q->type;
		str_copy(world.asks[n].name, sizeof(world.asks[n].name),
			 q->name);
	} else if (((const struct frame_route_ask *)body)->is_outbound !=
		   world.is_outbound) {
		abort();
	}
	world.asked++;
	world.open++;
	return n + 1;
}

void
peer_forget(uint32_t token)
{
	if (token == 0 || token > world.asked ||
	    world.asks[token - 1].token == 0)
		abort();
	world.asks[token - 1].token = 0;
	world.open--;
}

int
peer_answer(peer_id p, uint32_t token, enum frame_type type, const void *body,
	    int fd)
{
	static const char *const names[] = { "delivered", "deferred",
					     "failed" };
	const struct frame_deliver_result *r = body;

	(void)fd;
	if (p != 1 || token != TOKEN)
		abort();
	if (type == FRAME_deliver_result)
		buf_printf(&world.events, "%u %s %u %s %s @%s; ", r->index,
			   names[r->outcome], r->code, r->enhanced, r->text,
			   r->relay);
	else
		buf_add_str(&world.events, "done");
	return 0;
}

struct stats *
role_stats(void)
{
	return NULL;
}

const char *
role_hostname(void)
{
	return "gw.example";
}

static inline void
answer_route(unsigned n)
{
	struct frame_route_reply b = {
		.status = ANSWER_OK,
		.text = "",
		.is_ours = world.is_ours,
		.mode = world.mode,
		.tls = world.tls,
		.dests = { world.dests, strlen(world.dests) },
	};
	struct frame f = { .fd = -1, .body = &b };

	if (world.route == SAYS_NO || world.route == SAYS_LATER)
		b = (struct frame_route_reply){
			.status = world.route == SAYS_NO ? ANSWER_NO
							 : ANSWER_LATER,
			.text = world.route == SAYS_NO ? "not ours any more"
						       : "",
			.dests = { "", 0 }
		};
	world.asks[n].fn(world.asks[n].arg,
			 world.route == TIMES_OUT ? NULL : &f);
}

static inline void
add_record(struct buf *out, const void *p, size_t len)
{
	buf_add_char(out, (char)len);
	buf_add_char(out, 0);
	buf_add(out, p, len);
}

/* "10 mx1.example " for each; "." is the root. */
static inline void
add_mx(struct buf *out)
{
	const char *at = world.mx;
	unsigned preference;
	char name[64];
	int n;

	while (sscanf(at, "%u %63s %n", &preference, name, &n) == 2) {
		struct buf rdata = { 0 };
		char *label, *rest = name;

		buf_add_char(&rdata, (char)(preference >> 8));
		buf_add_char(&rdata, (char)preference);
		while ((label = strsep(&rest, ".")) != NULL) {
			if (*label == '\0')
				continue;
			buf_add_char(&rdata, (char)strlen(label));
			buf_add_str(&rdata, label);
		}
		buf_add_char(&rdata, 0);
		add_record(out, rdata.data, rdata.len);
		buf_release(&rdata);
		at += n;
	}
}

/*
 * A name has one address of each kind, which end in the digit of the name,
 * 1 without one.  One with "none" in it is not there, with "sick" it cannot
 * be looked up, with "old" it has an IPv4 address alone.
 */
static inline void
answer_dns(unsigned n)
{
	unsigned char v4[] = { 192, 0, 2, 1 };
	unsigned char v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	const char *name = world.asks[n].name;
	const char *digit = strpbrk(name, "123456789");
	struct frame_dns_reply b = { .rcode = 0 };
	struct frame f = { .fd = -1, .body = &b };
	struct buf records = { 0 };

	if (digit != NULL)
		v4[3] = v6[15] = (unsigned char)(*digit - '0');
	if (world.dns == SAYS_NO || strstr(name, "none") != NULL)
		b.rcode = 3;
	else if (world.dns == SAYS_LATER || strstr(name, "sick") != NULL)
		b.rcode = 2;
	else if (world.asks[n].dns_type == 15)
		add_mx(&records);
	else if (world.asks[n].dns_type == 1)
		add_record(&records, v4, sizeof(v4));
	else if (strstr(name, "old") == NULL)
		add_record(&records, v6, sizeof(v6));
	b.records = buf_span(&records);
	world.asks[n].fn(world.asks[n].arg, world.dns == TIMES_OUT ? NULL : &f);
	buf_release(&records);
}

static inline bool
answer_open(void)
{
	bool any = false;
	unsigned n;

	for (n = 0; n < world.asked; n++) {
		bool is_dns = world.asks[n].type == FRAME_dns_ask;

		if (world.asks[n].token == 0 ||
		    (is_dns ? world.dns : world.route) == IS_SILENT)
			continue;
		world.asks[n].token = 0;
		world.open--;
		any = true;
		if (is_dns)
			answer_dns(n);
		else
			answer_route(n);
	}
	return any;
}

/* The next hops. */

int
hop_send(const struct hop_target *t, const struct client_mail *mail,
	 const struct hop_ops *ops, void *arg, struct hop **out, struct err *e)
{
	char relay[HOP_RELAY_SIZE];
	enum does does = world.hops[world.tries++];

	hop_relay(t->name, &t->to, relay);
	buf_printf(&world.events, "try %s for %zu%s; ", relay, mail->rcpt_count,
		   t->tls == DEST_TLS_MAY ? " by tls" : "");
	if (does == REFUSES_CONNECTION)
		return err_set(e, "no way to %s", t->name);
	if (world.has_hop)
		abort();
	world.has_hop = true;
	world.hop = (struct hop){ mail, ops, arg };
	*out = &world.hop;
	return 0;
}

void
hop_drop(struct hop *h)
{
	if (!world.has_hop || h != &world.hop)
		abort();
	world.has_hop = false;
	buf_add_str(&world.events, "dropped; ");
}

bool
hop_is_busy_with_body(const struct hop *h)
{
	(void)h;
	return world.in_body;
}

bool
hop_failed_in_tls(const struct hop *h)
{
	(void)h;
	return world.hops[world.tries - 1] == FAILS_IN_TLS;
}

void
hop_tls_text(const struct hop *h, char *dst)
{
	(void)h;
	str_copy(dst, 64, "none");
}

bool
hop_is_8bit_unasked(const struct hop *h)
{
	(void)h;
	return false;
}

bool
hop_is_past_end(const struct hop *h)
{
	(void)h;
	return false;
}

void
hop_relay(const char *name, const struct ip_port *to, char *dst)
{
	char ip[IP_TEXT_SIZE];

	str_fmt(dst, HOP_RELAY_SIZE, "%s[%s]", name, ip_text(&to->ip, ip));
}

static inline void
hop_body(const struct hop *h, size_t taken)
{
	struct client_result ok = { .outcome = OUTCOME_DELIVERED,
				    .code = 250,
				    .enhanced = "2.0.0",
				    .text = "ok" };
	struct span piece;
	size_t i;
	int n;

	world.in_body = true;
	while ((n = h->ops->piece(h->arg, &piece)) > 0)
		buf_add_span(&world.events, piece);
	for (i = 0; n == 0 && i < taken; i++)
		h->ops->rcpt(h->arg, i, &ok);
	world.in_body = false;
	if (n == 0)
		h->ops->done(h->arg);
}

/* A session that comes to the mail. */
static inline void
act_in_mail(struct hop *h, enum does does)
{
	struct client_result busy = { .outcome = OUTCOME_DEFERRED,
				      .code = 450,
				      .enhanced = "4.2.0",
				      .text = "busy" };
	size_t first = does == PUTS_OFF ? 0 : does == TAKES_ONE ? 1 : 9, i;
	char text[] = "busy at 0";

	text[8] = (char)('0' + world.tries);
	busy.text = text;
	h->ops->begun(h->arg);
	for (i = first; i < h->mail->rcpt_count; i++)
		h->ops->rcpt(h->arg, i, &busy);
	if (does == PUTS_OFF)
		h->ops->done(h->arg);
	else
		hop_body(h, does == TAKES_ONE ? 1 : h->mail->rcpt_count);
}

/* Acts as a hop that was given a mail; false: none was. */
static inline bool
act(void)
{
	enum does does =
		world.tries > 0 ? world.hops[world.tries - 1] : IS_SILENT;
	struct client_result lost = { .outcome = OUTCOME_DEFERRED,
				      .enhanced = "4.4.2",
				      .text = "lost",
				      .is_loop = does == IS_US };
	struct client_result no = { .outcome = OUTCOME_FAILED,
				    .code = 550,
				    .enhanced = "5.1.1",
				    .text = "no" };
	struct hop h = world.hop;

	if (!world.has_hop || does == IS_SILENT)
		return false;
	world.has_hop = false;
	if (does == BREAKS_IN_BODY && ftruncate(world.body_fd, 3) < 0)
		abort();
	if (does == TAKES || does == BREAKS_IN_BODY || does == PUTS_OFF ||
	    does == TAKES_ONE) {
		act_in_mail(&h, does);
		return true;
	}
	if (does == TAKES_HALF || does == IS_STALE)
		h.ops->begun(h.arg);
	if (does == TAKES_HALF)
		h.ops->rcpt(h.arg, 0, &no);
	h.ops->failed(h.arg, &lost, does == IS_STALE, does == BREAKS_AT_END);
	return true;
}

/* Queue. */

static inline void
give(const char *domain, uint64_t size, uint32_t announced, uint32_t rcpts,
     struct span edits)
{
	struct frame_deliver d = { .name = NAME,
				   .size = size,
				   .domain = domain,
				   .is_outbound = world.is_outbound,
				   .sender = "a@b.example",
				   .message_id = "<1@b.example>",
				   .envid = "",
				   .ret = "",
				   .edits = edits,
				   .rcpt_count = announced };
	struct frame_deliver_end end = { NAME };
	struct frame f = { .token = TOKEN,
			   .fd = dup(world.body_fd),
			   .body = &d };
	uint32_t i;

	delivery_ask(1, &f);
	if (f.fd >= 0)
		close(f.fd);
	for (i = 0; i < rcpts; i++) {
		struct frame_deliver_rcpt r = { 10 + i, "r@d.example", "", "" };

		f = (struct frame){ .token = TOKEN, .fd = -1, .body = &r };
		delivery_ask_rcpt(1, &f);
	}
	f = (struct frame){ .token = TOKEN, .fd = -1, .body = &end };
	delivery_ask_end(1, &f);
}

static const enum does takes_one[] = { TAKES };

static inline void
open_world(void)
{
	memset(&world, 0, sizeof(world));
	world.dests = "0 192.0.2.9 25\n";
	world.mx = "";
	world.hops = takes_one;
	world.body_fd = memfd_create("body", MFD_CLOEXEC);
	if (write(world.body_fd, BODY, strlen(BODY)) != (ssize_t)strlen(BODY))
		abort();
}

static inline void
go_on(void)
{
	while (answer_open() || act())
		;
}

static inline void
close_world(const char *words)
{
	CHECK_INT(delivery_count(), 0, "%s: no delivery is left", words);
	CHECK_INT(world.open, 0, "%s: no question is left open", words);
	CHECK(!world.has_hop, "%s: no connection is left", words);
	buf_release(&world.events);
	close(world.body_fd);
}

#endif
