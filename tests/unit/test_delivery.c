/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Deliveries from queue's frames to its answers, with peers and next hops
 * played by the test: which addresses are tried in which order, and what
 * becomes of each recipient.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "delivery.h"
#include "envelope.h"
#include "hop.h"
#include "loop.h"
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

static struct world {
	enum does route, dns;
	const char *dests;
	const enum does *hops; /* by try */
	unsigned tries;
	struct hop hop;
	bool has_hop;
	struct buf events;
	int body_fd;
	unsigned open; /* questions without an answer */
	struct {
		uint32_t token;
		peer_reply_fn *fn;
		void *arg;
		enum frame_type type;
		uint32_t dns_type;
	} asks[64];
	unsigned asked;
} w;

/* The peers. */

peer_id
peer_of(enum role r)
{
	if (r == ROLE_CONTROL)
		return w.route == IS_DOWN ? 0 : 2;
	return w.dns == IS_DOWN ? 0 : 3;
}

uint32_t
peer_ask(peer_id p, enum frame_type type, const void *body, int fd,
	 int64_t timeout_ms, peer_reply_fn *fn, void *arg)
{
	unsigned n = w.asked;

	(void)fd;
	if (p == 0)
		return 0;
	if (timeout_ms <= 0)
		abort();
	w.asks[n].token = n + 1;
	w.asks[n].fn = fn;
	w.asks[n].arg = arg;
	w.asks[n].type = type;
	if (type == FRAME_dns_ask)
		w.asks[n].dns_type = ((const struct frame_dns_ask *)body)->type;
	w.asked++;
	w.open++;
	return n + 1;
}

void
peer_forget(uint32_t token)
{
	if (token == 0 || token > w.asked || w.asks[token - 1].token == 0)
		abort();
	w.asks[token - 1].token = 0;
	w.open--;
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
		buf_printf(&w.events, "%u %s %u %s %s @%s; ", r->index,
			   names[r->outcome], r->code, r->enhanced, r->text,
			   r->relay);
	else
		buf_add_str(&w.events, "done");
	return 0;
}

struct stats *
role_stats(void)
{
	return NULL;
}

static void
answer_route(unsigned n)
{
	struct frame_route_reply b = { ANSWER_OK,
				       "",
				       { w.dests, strlen(w.dests) } };
	struct frame f = { .fd = -1, .body = &b };

	if (w.route == SAYS_NO || w.route == SAYS_LATER)
		b = (struct frame_route_reply){
			w.route == SAYS_NO ? ANSWER_NO : ANSWER_LATER,
			w.route == SAYS_NO ? "not ours any more" : "",
			{ "", 0 }
		};
	w.asks[n].fn(w.asks[n].arg, w.route == TIMES_OUT ? NULL : &f);
}

/* mx.example has one address of each kind. */
static void
answer_dns(unsigned n)
{
	static const char v4[] = "\4\0\300\0\2\1";
	static const char v6[] = "\20\0\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1";
	struct frame_dns_reply b = { .rcode = 0 };
	struct frame f = { .fd = -1, .body = &b };

	if (w.dns == SAYS_NO)
		b.rcode = 3;
	else if (w.dns == SAYS_LATER)
		b.rcode = 2;
	else if (w.asks[n].dns_type == 1)
		b.records = (struct span){ v4, sizeof(v4) - 1 };
	else
		b.records = (struct span){ v6, sizeof(v6) - 1 };
	w.asks[n].fn(w.asks[n].arg, w.dns == TIMES_OUT ? NULL : &f);
}

static bool
answer_open(void)
{
	bool any = false;
	unsigned n;

	for (n = 0; n < w.asked; n++) {
		bool is_dns = w.asks[n].type == FRAME_dns_ask;

		if (w.asks[n].token == 0 ||
		    (is_dns ? w.dns : w.route) == IS_SILENT)
			continue;
		w.asks[n].token = 0;
		w.open--;
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
hop_send(const char *name, const struct ip_port *to,
	 const struct client_mail *mail, const struct hop_ops *ops, void *arg,
	 struct hop **out, struct err *e)
{
	char relay[HOP_RELAY_SIZE];
	enum does does = w.hops[w.tries++];

	hop_relay(name, to, relay);
	buf_printf(&w.events, "try %s for %zu; ", relay, mail->rcpt_count);
	if (does == REFUSES_CONNECTION)
		return err_set(e, "no way to %s", name);
	if (w.has_hop)
		abort();
	w.has_hop = true;
	w.hop = (struct hop){ mail, ops, arg };
	*out = &w.hop;
	return 0;
}

void
hop_drop(struct hop *h)
{
	if (!w.has_hop || h != &w.hop)
		abort();
	w.has_hop = false;
	buf_add_str(&w.events, "dropped; ");
}

bool
hop_is_busy_with_body(const struct hop *h)
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

static void
hop_takes(const struct hop *h)
{
	struct client_result ok = { OUTCOME_DELIVERED, 250, "2.0.0", "ok",
				    false };
	struct span piece;
	size_t i;
	int n;

	while ((n = h->ops->piece(h->arg, &piece)) > 0)
		buf_add_span(&w.events, piece);
	if (n < 0)
		return;
	for (i = 0; i < h->mail->rcpt_count; i++)
		h->ops->rcpt(h->arg, i, &ok);
	h->ops->done(h->arg);
}

/* Acts as a hop that was given a mail; false: none was. */
static bool
act(void)
{
	struct client_result lost = { OUTCOME_DEFERRED, 0, "4.4.2", "lost",
				      false };
	struct client_result no = { OUTCOME_FAILED, 550, "5.1.1", "no", false };
	struct client_result busy = { OUTCOME_DEFERRED, 450, "4.2.0", "busy",
				      false };
	enum does does = w.tries > 0 ? w.hops[w.tries - 1] : IS_SILENT;
	struct hop h = w.hop;
	size_t i;

	if (!w.has_hop || does == IS_SILENT)
		return false;
	w.has_hop = false;
	if (does == BREAKS_IN_BODY && ftruncate(w.body_fd, 3) < 0)
		abort();
	if (does == TAKES || does == BREAKS_IN_BODY) {
		hop_takes(&h);
	} else if (does == PUTS_OFF) {
		for (i = 0; i < h.mail->rcpt_count; i++)
			h.ops->rcpt(h.arg, i, &busy);
		h.ops->done(h.arg);
	} else {
		if (does == TAKES_HALF)
			h.ops->rcpt(h.arg, 0, &no);
		h.ops->failed(h.arg, &lost, does == IS_STALE,
			      does == BREAKS_AT_END);
	}
	return true;
}

/* Queue. */

static void
give(const char *domain, uint64_t size, uint32_t announced, uint32_t rcpts,
     struct span edits)
{
	struct frame_deliver d = { .name = NAME,
				   .size = size,
				   .domain = domain,
				   .sender = "a@b.example",
				   .envid = "",
				   .ret = "",
				   .edits = edits,
				   .rcpt_count = announced };
	struct frame_deliver_end end = { NAME };
	struct frame f = { .token = TOKEN, .fd = dup(w.body_fd), .body = &d };
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

static void
open_world(void)
{
	static const enum does takes[] = { TAKES };

	memset(&w, 0, sizeof(w));
	w.dests = "0 192.0.2.9 25\n";
	w.hops = takes;
	w.body_fd = memfd_create("body", MFD_CLOEXEC);
	if (write(w.body_fd, BODY, strlen(BODY)) != (ssize_t)strlen(BODY))
		abort();
}

static void
go_on(void)
{
	while (answer_open() || act())
		;
}

static void
close_world(const char *words)
{
	CHECK_INT(delivery_count(), 0, "%s: no delivery is left", words);
	CHECK_INT(w.open, 0, "%s: no question is left open", words);
	CHECK(!w.has_hop, "%s: no connection is left", words);
	buf_release(&w.events);
	close(w.body_fd);
}

#define TRIES(...)                  \
	.hops = (const enum does[]) \
	{                           \
		__VA_ARGS__         \
	}
#define DEFERRED(words) "10 deferred " words "11 deferred " words "done"
#define DELIVERED(relay)                                                   \
	"10 delivered 250 2.0.0 ok @" relay "; 11 delivered 250 2.0.0 ok " \
	"@" relay "; done"
#define NINE "192.0.2.9[192.0.2.9]"
#define TWO "0 192.0.2.9 25\n10 192.0.2.8 25\n"
#define EIGHT "192.0.2.8[192.0.2.8]"

/* clang-format off */
static const struct row {
	const char *name;
	enum does route, dns;
	const char *dests;
	const enum does *hops;
	const char *events;
} rows[] = {
	{ .name = "one address", TRIES(TAKES),
	  .events = "try " NINE " for 2; " BODY DELIVERED(NINE) },
	{ .name = "no destination", .dests = "",
	  .events = DEFERRED("0 4.4.4 no destination known @; ") },
	{ .name = "destinations that make no sense",
	  .dests = "x\n1 host\n1 host 0\n1 host 70000\n\n  \n",
	  .events = DEFERRED("0 4.4.4 no destination known @; ") },
	{ .name = "a domain that is not ours any more", .route = SAYS_NO,
	  .events = DEFERRED("0 4.4.4 not ours any more @; ") },
	{ .name = "control says later", .route = SAYS_LATER,
	  .events = DEFERRED("0 4.3.0 route not known now @; ") },
	{ .name = "control is silent", .route = TIMES_OUT,
	  .events = DEFERRED("0 4.3.0 route not known now @; ") },
	{ .name = "control is down", .route = IS_DOWN, .events =
	  DEFERRED("0 4.3.0 route not known now: control is down @; ") },
	{ .name = "the second when the first breaks", .dests = TWO,
	  TRIES(FAILS, TAKES),
	  .events = "try " NINE " for 2; try " EIGHT " for 2; " BODY
		    DELIVERED(EIGHT) },
	{ .name = "or cannot be reached", .dests = TWO,
	  TRIES(REFUSES_CONNECTION, TAKES),
	  .events = "try " NINE " for 2; try " EIGHT " for 2; " BODY
		    DELIVERED(EIGHT) },
	{ .name = "none works", .dests = TWO,
	  TRIES(REFUSES_CONNECTION, FAILS),
	  .events = "try " NINE " for 2; try " EIGHT " for 2; "
		    DEFERRED("0 4.4.2 lost @" EIGHT "; ") },
	{ .name = "a server that puts off is believed", .dests = TWO,
	  TRIES(PUTS_OFF),
	  .events = "try " NINE " for 2; "
		    DEFERRED("450 4.2.0 busy @" NINE "; ") },
	{ .name = "a kept connection that broke is made again",
	  .dests = TWO, TRIES(IS_STALE, IS_STALE, TAKES),
	  .events = "try " NINE " for 2; try " NINE " for 2; "
		    "try " NINE " for 2; " BODY DELIVERED(NINE) },
	{ .name = "after the end mark nobody else is asked", .dests = TWO,
	  TRIES(BREAKS_AT_END),
	  .events = "try " NINE " for 2; "
		    DEFERRED("0 4.4.2 lost @" NINE "; ") },
	{ .name = "who has an outcome is not tried again", .dests = TWO,
	  TRIES(TAKES_HALF, TAKES),
	  .events = "try " NINE " for 2; 10 failed 550 5.1.1 no @" NINE "; "
		    "try " EIGHT " for 1; " BODY
		    "11 delivered 250 2.0.0 ok @" EIGHT "; done" },
	{ .name = "a body that gets short", .dests = TWO,
	  TRIES(BREAKS_IN_BODY),
	  .events = "try " NINE " for 2; Sub" DEFERRED(
		    "0 4.3.0 message cannot be read from the spool @; ") },
	{ .name = "a name: IPv6 first", .dests = "0 mx.example 25\n",
	  TRIES(FAILS, TAKES),
	  .events = "try mx.example[2001:db8::1] for 2; "
		    "try mx.example[192.0.2.1] for 2; " BODY
		    DELIVERED("mx.example[192.0.2.1]") },
	{ .name = "an address in brackets", .dests = "0 [2001:db8::2] 25\n",
	  TRIES(TAKES), .events = "try 2001:db8::2[2001:db8::2] for 2; " BODY
				  DELIVERED("2001:db8::2[2001:db8::2]") },
	{ .name = "a name without address", .dests = "0 mx.example 25\n",
	  .dns = SAYS_NO, .events = DEFERRED(
	  "0 4.4.3 host has no address: mx.example @; ") },
	{ .name = "a name that cannot be looked up",
	  .dests = "0 mx.example 25\n", .dns = SAYS_LATER, .events = DEFERRED(
	  "0 4.4.3 host lookup failed: mx.example @; ") },
	{ .name = "lookup is silent", .dests = "0 mx.example 25\n",
	  .dns = TIMES_OUT, .events = DEFERRED(
	  "0 4.4.3 host lookup failed: mx.example @; ") },
	{ .name = "lookup is down", .dests = "0 mx.example 25\n",
	  .dns = IS_DOWN, .events = DEFERRED(
	  "0 4.4.3 host lookup is down: mx.example @; ") },
	{ .name = "lookup is down, an address needs none",
	  .dests = "0 mx.example 25\n1 192.0.2.9 25\n", .dns = IS_DOWN,
	  TRIES(TAKES), .events = "try " NINE " for 2; " BODY
				  DELIVERED(NINE) },
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_rows(void)
{
	char domain[64];
	size_t i;

	for (i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		open_world();
		w.route = r->route;
		w.dns = r->dns;
		if (r->dests != NULL)
			w.dests = r->dests;
		if (r->hops != NULL)
			w.hops = r->hops;
		/* A name of its own: routes are kept for a while. */
		str_fmt(domain, sizeof(domain), "d%zu.example", i);
		give(domain, strlen(BODY), 2, 2, SPAN_LIT(""));
		go_on();
		CHECK_STR(buf_str(&w.events), r->events, "%s", r->name);
		close_world(r->name);
	}
}

static void
test_edits(void)
{
	struct edit edit = { 0, 0, SPAN_LIT("X-A: b\r\n") };
	struct buf edits = { 0 };
	struct err e;

	if (edits_write(&edit, 1, &edits, &e) < 0)
		abort();
	open_world();
	give("e.example", strlen(BODY), 1, 1, buf_span(&edits));
	go_on();
	CHECK_STR(buf_str(&w.events),
		  "try " NINE " for 1; X-A: b\r\n" BODY
		  "10 delivered 250 2.0.0 ok @" NINE "; done",
		  "edits are applied");
	close_world("edits");
	buf_release(&edits);
}

/* What queue should not say is put off, and hurts nobody. */
static void
test_nonsense(void)
{
	open_world();
	give("n.example", strlen(BODY) + 1, 1, 1, SPAN_LIT(""));
	go_on();
	CHECK_STR(buf_str(&w.events),
		  "10 deferred 0 4.3.0 message cannot be read from the spool "
		  "@; done",
		  "a body of another size");
	close_world("size");

	open_world();
	give("n.example", strlen(BODY), 3, 2, SPAN_LIT(""));
	CHECK_STR(buf_str(&w.events),
		  DEFERRED("0 4.3.0 delivery cannot be made @; "),
		  "fewer recipients than announced");
	close_world("fewer");

	open_world();
	give("n.example", strlen(BODY), 1, 3, SPAN_LIT(""));
	go_on();
	CHECK_STR(buf_str(&w.events),
		  "try " NINE " for 1; " BODY "10 delivered 250 2.0.0 ok @" NINE
		  "; done",
		  "of more only those announced are taken");
	close_world("more");

	open_world();
	give("n.example", strlen(BODY), 0, 0, SPAN_LIT(""));
	CHECK_STR(buf_str(&w.events), "done", "no recipient");
	close_world("none");

	open_world();
	give("n.example", strlen(BODY), UINT32_MAX, 1, SPAN_LIT(""));
	CHECK_STR(buf_str(&w.events), "done", "more than can be");
	close_world("too many");

	open_world();
	give("n.example", strlen(BODY), 1, 1, SPAN_LIT("bad edits"));
	CHECK_STR(buf_str(&w.events),
		  "10 deferred 0 4.3.0 delivery cannot be made @; done",
		  "damaged edits");
	close_world("edits");
}

/* Given up at each place: nothing is said and nothing is left. */
static void
test_abandon(void)
{
	static const enum does silent[] = { IS_SILENT };

	open_world();
	w.route = IS_SILENT;
	give("a.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	delivery_abandon_all();
	CHECK_STR(buf_str(&w.events), "", "given up while it has no route");
	w.route = TAKES;
	go_on();
	close_world("no route");

	open_world();
	w.dests = "0 mx.example 25\n";
	w.dns = IS_SILENT;
	give("b.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	go_on();
	delivery_abandon_all();
	CHECK_STR(buf_str(&w.events), "", "given up while it has no address");
	close_world("no address");

	open_world();
	w.hops = silent;
	give("c.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	go_on();
	delivery_abandon_all();
	CHECK_STR(buf_str(&w.events), "try " NINE " for 1; dropped; ",
		  "given up while it is sent");
	close_world("sending");
}

/* A long list of addresses is not tried to its end. */
static void
test_bound(void)
{
	enum does fails[64];
	struct buf dests = { 0 };
	int i;

	for (i = 0; i < 64; i++) {
		fails[i] = i % 2 ? FAILS : REFUSES_CONNECTION;
		buf_printf(&dests, "0 192.0.2.%d 25\n", i + 1);
	}
	open_world();
	w.dests = buf_str(&dests);
	w.hops = fails;
	give("f.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	go_on();
	CHECK(w.tries > 1 && w.tries < 20, "%u addresses are tried", w.tries);
	close_world("bound");
	buf_release(&dests);
}

static bool is_stopped;

static void
stopped(void)
{
	is_stopped = true;
}

static void
test_stop(void)
{
	static const enum does silent[] = { IS_SILENT };

	open_world();
	w.hops = silent;
	give("g.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	go_on();
	delivery_stop(1000, 1000, stopped);
	CHECK_STR(buf_str(&w.events), "try " NINE " for 1; dropped; ",
		  "a stop gives up what is not in its message");
	CHECK(is_stopped, "and is done");
	give("g.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	close_world("stop");
}

int
main(void)
{
	loop_init();
	test_rows();
	test_edits();
	test_nonsense();
	test_abandon();
	test_bound();
	test_stop();
	return check_done();
}
