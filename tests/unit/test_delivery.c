/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Deliveries from queue's frames to its answers, with peers and next hops
 * played by the test: which addresses are tried in which order, and what
 * becomes of each recipient.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "delivery.h"
#include "envelope.h"
#include "loop.h"
#include "ourselves.h"
#include "outworld.h"
#include "str.h"

#define TRIES(...)                  \
	.hops = (const enum does[]) \
	{                           \
		__VA_ARGS__         \
	}
#define FAILED(words) "10 failed " words "11 failed " words "done"
#define OURS_BY_MX \
	.is_ours = true, .mode = ROUTE_MX, .dests = "0 mx.example 25\n"
#define TO_OTHERS \
	.is_outbound = true, .mode = ROUTE_MX, .dests = "0 o.example 25\n"
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
	const char *mx;
	bool is_outbound, is_ours;
	enum route_mode mode;
	enum dest_tls tls;
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
	{ .name = "who is put off is offered to the next", .dests = TWO,
	  TRIES(PUTS_OFF, TAKES),
	  .events = "try " NINE " for 2; try " EIGHT " for 2; " BODY
		    DELIVERED(EIGHT) },
	{ .name = "put off by all: the last word counts", .dests = TWO,
	  TRIES(PUTS_OFF, PUTS_OFF),
	  .events = "try " NINE " for 2; try " EIGHT " for 2; "
		    DEFERRED("450 4.2.0 busy at 2 @" EIGHT "; ") },
	{ .name = "put off, and no other answers", .dests = TWO,
	  TRIES(PUTS_OFF, FAILS),
	  .events = "try " NINE " for 2; try " EIGHT " for 2; "
		    DEFERRED("450 4.2.0 busy at 1 @" NINE "; ") },
	{ .name = "not by more than three servers",
	  .dests = "0 192.0.2.9 25\n1 192.0.2.8 25\n2 192.0.2.5 25\n"
		   "3 192.0.2.6 25\n",
	  TRIES(PUTS_OFF, PUTS_OFF, PUTS_OFF, TAKES),
	  .events = "try " NINE " for 2; try " EIGHT " for 2; "
		    "try 192.0.2.5[192.0.2.5] for 2; "
		    DEFERRED("450 4.2.0 busy at 3 @192.0.2.5[192.0.2.5]; ") },
	{ .name = "once somebody has it the others wait", .dests = TWO,
	  TRIES(TAKES_ONE, TAKES),
	  .events = "try " NINE " for 2; " BODY
		    "10 delivered 250 2.0.0 ok @" NINE "; "
		    "11 deferred 450 4.2.0 busy at 1 @" NINE "; done" },
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
	  .dns = SAYS_NO, .is_ours = true, .events = DEFERRED(
	  "0 4.4.3 host is not known: mx.example @; ") },
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
	{ .name = "TLS that fails: once more in the clear",
	  .tls = DEST_TLS_MAY, TRIES(FAILS_IN_TLS, TAKES),
	  .events = "try " NINE " for 2 by tls; try " NINE " for 2; " BODY
		    DELIVERED(NINE) },
	{ .name = "not where TLS is required", .tls = DEST_TLS_REQUIRE,
	  .dests = TWO, TRIES(FAILS_IN_TLS, TAKES),
	  .events = "try " NINE " for 2; try " EIGHT " for 2; " BODY
		    DELIVERED(EIGHT) },
	{ .name = "one of ours by MX records, best first", OURS_BY_MX,
	  .mx = "20 mx2.example 5 mx3.example 30 mx4.example",
	  TRIES(FAILS, FAILS, TAKES),
	  .events = "try mx3.example[2001:db8::3] for 2; "
		    "try mx3.example[192.0.2.3] for 2; "
		    "try mx2.example[2001:db8::2] for 2; " BODY
		    DELIVERED("mx2.example[2001:db8::2]") },
	{ .name = "no MX: the host itself", OURS_BY_MX, .mx = "",
	  TRIES(TAKES), .events = "try mx.example[2001:db8::1] for 2; " BODY
				  DELIVERED("mx.example[2001:db8::1]") },
	{ .name = "one of ours that is not there waits", OURS_BY_MX,
	  .dns = SAYS_NO,
	  .events = DEFERRED("0 4.4.3 domain mx.example is not known @; ") },
	{ .name = "and so does one that takes no mail", OURS_BY_MX,
	  .mx = "0 .", .events = DEFERRED(
	  "0 4.4.3 domain mx.example takes no mail (null MX) @; ") },
	{ .name = "outbound by MX", TO_OTHERS, .mx = "10 oldmx2.example",
	  TRIES(TAKES), .events = "try oldmx2.example[192.0.2.2] for 2; " BODY
				  DELIVERED("oldmx2.example[192.0.2.2]") },
	{ .name = "a domain that does not exist", TO_OTHERS, .dns = SAYS_NO,
	  .events = FAILED("0 5.1.2 domain o.example is not known @; ") },
	{ .name = "a null MX", TO_OTHERS, .mx = "0 .", .events = FAILED(
	  "0 5.1.10 domain o.example takes no mail (null MX) @; ") },
	{ .name = "a null MX among others is none", TO_OTHERS,
	  .mx = "0 . 10 oldmx2.example", TRIES(TAKES),
	  .events = "try oldmx2.example[192.0.2.2] for 2; " BODY
		    DELIVERED("oldmx2.example[192.0.2.2]") },
	{ .name = "a domain that cannot be looked up now", TO_OTHERS,
	  .dns = SAYS_LATER, .events = DEFERRED("0 4.4.3 domain o.example has "
	  "mail exchangers that cannot be looked up now @; ") },
	{ .name = "mail exchangers that are not there", TO_OTHERS,
	  .mx = "1 none2.example 2 none3.example", .events = FAILED(
	  "0 5.4.4 host is not known: none3.example @; ") },
	{ .name = "one of them cannot be looked up now", TO_OTHERS,
	  .mx = "1 sick.example 2 none3.example", .events = DEFERRED(
	  "0 4.4.3 host lookup failed: sick.example @; ") },
	{ .name = "no host name at all", TO_OTHERS, .mx = "1 a_b..c!",
	  .events = FAILED("0 5.4.4 domain o.example has mail exchangers that "
			   "are no hosts @; ") },
	{ .name = "as good as we are, or worse: not tried", TO_OTHERS,
	  .mx = "5 oldmx2.example 10 GW.example 10 mx3.example 20 mx4.example",
	  TRIES(FAILS), .events = "try oldmx2.example[192.0.2.2] for 2; "
	  DEFERRED("0 4.4.2 lost @oldmx2.example[192.0.2.2]; ") },
	{ .name = "nobody is better than we are", TO_OTHERS,
	  .mx = "10 gw.example 10 mx3.example 20 mx4.example",
	  .events = FAILED("0 5.4.6 mail for d#.example loops back to this "
			   "host: it is its best mail exchanger @; ") },
	{ .name = "nobody is better than our address", TO_OTHERS,
	  .mx = "10 oldmx7.example 20 mx4.example",
	  .events = FAILED("0 5.4.6 mail for d#.example loops back to this "
			   "host: oldmx7.example is 192.0.2.7:25 @; ") },
	{ .name = "a mail exchanger with our name", TO_OTHERS,
	  .mx = "10 oldmx2.example", TRIES(IS_US),
	  .events = "try oldmx2.example[192.0.2.2] for 2; " FAILED(
	  "0 5.4.6 mail loops back to this host, or the next hop has its name "
	  "@oldmx2.example[192.0.2.2]; ") },
	{ .name = "a server of ours with our name, at another port",
	  .is_ours = true, .dests = "0 192.0.2.9 10025\n", TRIES(IS_US),
	  .events = "try " NINE " for 2; " DEFERRED(
	  "0 4.4.6 mail loops back to this host, or the next hop has its name "
	  "@" NINE "; ") },
	{ .name = "a destination that is one of our listeners",
	  .is_ours = true, .dests = "0 192.0.2.7 25\n1 127.0.0.1 2500\n",
	  .events = FAILED("0 5.4.6 mail for d#.example loops back to this "
			   "host: 127.0.0.1 is 127.0.0.1:2500 @; ") },
	{ .name = "our own name at a port of ours", .is_ours = true,
	  .dests = "0 gw.example 25\n",
	  .events = FAILED("0 5.4.6 mail for d#.example loops back to this "
			   "host: gw.example:25 is its own name @; ") },
	{ .name = "at another port it is another server", .is_ours = true,
	  .dests = "0 gw.example 10025\n", TRIES(TAKES),
	  .events = "try gw.example[2001:db8::1] for 2; " BODY
		    DELIVERED("gw.example[2001:db8::1]") },
	{ .name = "an address tried is not tried again",
	  .dests = "0 192.0.2.9 25\n1 oldmx9.example 25\n",
	  TRIES(FAILS, TAKES),
	  .events = "try " NINE " for 2; "
		    DEFERRED("0 4.4.2 lost @" NINE "; ") },
};
/* clang-format on */

/* Addressed to the domain itself instead of dN.example. */
static const struct {
	const char *domain, *dests;
	const enum does *hops;
	const char *events;
} literals[] = {
	{ "[192.0.2.9]", "0 [192.0.2.9] 25\n", .hops = takes_one,
	  .events = "try " NINE " for 2; " BODY DELIVERED(NINE) },
	{ "[IPv6:2001:db8::9]", "0 [IPv6:2001:db8::9] 25\n", .hops = takes_one,
	  .events = "try 2001:db8::9[2001:db8::9] for 2; " BODY DELIVERED(
		  "2001:db8::9[2001:db8::9]") },
	{ "[mx.example]", "0 [mx.example] 25\n",
	  .events = FAILED("0 5.1.3 [mx.example] is not an address that mail "
			   "can go to @; ") },
	{ "[]", "0 [] 25\n",
	  .events = FAILED("0 5.1.3 [] is not an address that mail can go to "
			   "@; ") },
	{ "[192.0.2.7]", "0 [192.0.2.7] 25\n",
	  .events = FAILED("0 5.4.6 mail for [192.0.2.7] loops back to this "
			   "host: 192.0.2.7 is 192.0.2.7:25 @; ") },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* "d17.example" becomes "d#.example", in place. */
static void
without_number(const char *text, const char *domain)
{
	char *at = strstr((char *)(uintptr_t)text, domain);

	for (; at != NULL; at = strstr(at, domain)) {
		size_t digits = strcspn(domain, ".") - 1;

		at[1] = '#';
		memmove(at + 2, at + 1 + digits, strlen(at + 1 + digits) + 1);
	}
}

static void
test_rows(void)
{
	char domain[64];
	size_t i;

	for (i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		open_world();
		world.route = r->route;
		world.dns = r->dns;
		if (r->dests != NULL)
			world.dests = r->dests;
		if (r->hops != NULL)
			world.hops = r->hops;
		world.mx = r->mx != NULL ? r->mx : "";
		world.is_outbound = r->is_outbound;
		world.is_ours = r->is_ours;
		world.mode = r->mode;
		world.tls = r->tls;
		/* A name of its own: routes are kept for a while. */
		str_fmt(domain, sizeof(domain), "d%zu.example", i);
		give(domain, strlen(BODY), 2, 2, SPAN_LIT(""));
		go_on();
		without_number(buf_str(&world.events), domain);
		CHECK_STR(buf_str(&world.events), r->events, "%s", r->name);
		close_world(r->name);
	}
}

static void
test_literals(void)
{
	size_t i;

	for (i = 0; i < sizeof(literals) / sizeof(literals[0]); i++) {
		open_world();
		world.is_outbound = true;
		world.mode = ROUTE_MX;
		world.dests = literals[i].dests;
		give(literals[i].domain, strlen(BODY), 2, 2, SPAN_LIT(""));
		go_on();
		CHECK_STR(buf_str(&world.events), literals[i].events, "%s",
			  literals[i].domain);
		close_world(literals[i].domain);
	}
}

/* Destinations that are all alike get alike much. */
static void
test_balance(void)
{
	static const struct {
		enum route_mode mode;
		const char *dests;
		bool is_fair;
		const char *words;
	} tries[] = {
		{ ROUTE_BALANCE, TWO, true, "balanced whatever the priority" },
		{ ROUTE_ORDER, "0 192.0.2.9 25\n0 192.0.2.8 25\n", true,
		  "equal priority" },
		{ ROUTE_ORDER, TWO, false, "in order" },
	};
	char domain[64];
	size_t i;
	int n, nine;

	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		for (n = nine = 0; n < 1000; n++) {
			open_world();
			world.mode = tries[i].mode;
			world.dests = tries[i].dests;
			str_fmt(domain, sizeof(domain), "b%zu.example", i);
			give(domain, strlen(BODY), 1, 1, SPAN_LIT(""));
			go_on();
			nine += strstr(buf_str(&world.events), NINE) != NULL;
			buf_release(&world.events);
			close(world.body_fd);
		}
		if (tries[i].is_fair)
			CHECK(nine > 400 && nine < 600, "%s: %d of 1000",
			      tries[i].words, nine);
		else
			CHECK_INT(nine, 1000, "%s: all", tries[i].words);
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
	CHECK_STR(buf_str(&world.events),
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
	CHECK_STR(buf_str(&world.events),
		  "10 deferred 0 4.3.0 message cannot be read from the spool "
		  "@; done",
		  "a body of another size");
	close_world("size");

	open_world();
	give("n.example", strlen(BODY), 3, 2, SPAN_LIT(""));
	CHECK_STR(buf_str(&world.events),
		  DEFERRED("0 4.3.0 delivery cannot be made @; "),
		  "fewer recipients than announced");
	close_world("fewer");

	open_world();
	give("n.example", strlen(BODY), 1, 3, SPAN_LIT(""));
	go_on();
	CHECK_STR(buf_str(&world.events),
		  "try " NINE " for 1; " BODY "10 delivered 250 2.0.0 ok @" NINE
		  "; done",
		  "of more only those announced are taken");
	close_world("more");

	open_world();
	give("n.example", strlen(BODY), 0, 0, SPAN_LIT(""));
	CHECK_STR(buf_str(&world.events), "done", "no recipient");
	close_world("none");

	open_world();
	give("n.example", strlen(BODY), UINT32_MAX, 1, SPAN_LIT(""));
	CHECK_STR(buf_str(&world.events), "done", "more than can be");
	close_world("too many");

	open_world();
	give("n.example", strlen(BODY), 1, 1, SPAN_LIT("bad edits"));
	CHECK_STR(buf_str(&world.events),
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
	world.route = IS_SILENT;
	give("a.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	delivery_abandon_all();
	CHECK_STR(buf_str(&world.events), "", "given up while it has no route");
	world.route = TAKES;
	go_on();
	close_world("no route");

	open_world();
	world.dests = "0 mx.example 25\n";
	world.dns = IS_SILENT;
	give("b.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	go_on();
	delivery_abandon_all();
	CHECK_STR(buf_str(&world.events), "",
		  "given up while it has no address");
	close_world("no address");

	open_world();
	world.hops = silent;
	give("c.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	go_on();
	delivery_abandon_all();
	CHECK_STR(buf_str(&world.events), "try " NINE " for 1; dropped; ",
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
	world.dests = buf_str(&dests);
	world.hops = fails;
	give("f.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	go_on();
	CHECK(world.tries > 1 && world.tries < 20, "%u addresses are tried",
	      world.tries);
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
	world.hops = silent;
	give("g.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	go_on();
	delivery_stop(1000, 1000, stopped);
	CHECK_STR(buf_str(&world.events), "try " NINE " for 1; dropped; ",
		  "a stop gives up what is not in its message");
	CHECK(is_stopped, "and is done");
	give("g.example", strlen(BODY), 1, 1, SPAN_LIT(""));
	close_world("stop");
}

int
main(void)
{
	struct conf conf = { .listener_count = 2 };

	ip_port_parse("192.0.2.7:25", &conf.listeners[0].address, NULL);
	ip_port_parse("0.0.0.0:2500", &conf.listeners[1].address, NULL);
	ourselves_conf(&conf);
	loop_init();
	test_rows();
	test_literals();
	test_balance();
	test_edits();
	test_nonsense();
	test_abandon();
	test_bound();
	test_stop();
	return check_done();
}
