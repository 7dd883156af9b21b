/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Dialogues of the client's SMTP engine with a scripted server: what it
 * sends to what replies, and what becomes of each recipient.
 */
#include <stdbool.h>

#include "check.h"
#include "client.h"
#include "str.h"

#define EHLO "EHLO gw.example\r\n"
#define PLAIN "250 mx.example\r\n"
#define PIPE "250-mx.example\r\n250 PIPELINING\r\n"
#define FROM "MAIL FROM:<a@b.example>\r\n"
#define TO1 "RCPT TO:<r1@d.example>\r\n"
#define TO2 "RCPT TO:<r2@d.example>\r\n"
#define TO3 "RCPT TO:<r3@d.example>\r\n"
#define DATA "DATA\r\n"
#define RSET "RSET\r\n"
#define MESSAGE "Hi\r\n..dot\r\n.\r\n"
#define OK "250 2.0.0 Ok\r\n"
#define GO "354 Go\r\n"

/*
 * A turn of the script: after reply was given, the engine has sent these
 * bytes more; "" when nothing.
 */
struct turn {
	const char *reply;
	const char *sent;
};

#define TURNS 12
#define HANDSHAKE "\n" /* as a reply: it is done now */
#define TLS_OFFER "250-mx.example\r\n250 STARTTLS\r\n"

/* clang-format off */
static const struct row {
	const char *name;
	unsigned rcpts;
	bool is_8bit, is_utf8, needs_utf8, has_dsn;
	struct turn turns[TURNS]; /* ends with reply NULL; HANDSHAKE */
	/* "1:delivered 250 2.0.0; ... done" and so on */
	const char *events;
	enum dest_tls tls;
	bool is_probe, bounces_8bit;
} rows[] = {
	{ "one recipient, no extensions", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PLAIN, FROM },
		{ OK, TO1 },
		{ OK, DATA },
		{ GO, MESSAGE },
		{ "250 2.0.0 Queued\r\n", "" },
	  }, .events = "ready; body; 0 delivered 250 2.0.0 Queued; done; " },
	{ "recipients go ahead where that is offered", 3, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM TO1 TO2 TO3 },
		{ OK OK OK OK, DATA },
		{ GO, MESSAGE },
		{ "250 Ok\r\n", "" },
	  }, .events = "ready; body; 0 delivered 250 2.0.0 Ok; "
		       "1 delivered 250 2.0.0 Ok; 2 delivered 250 2.0.0 Ok; "
		       "done; " },
	{ "one at a time where it is not", 3, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PLAIN, FROM },
		{ OK, TO1 },
		{ OK, TO2 },
		{ "550 5.1.1 No\r\n", TO3 },
		{ "450 4.2.0 Wait\r\n", DATA },
		{ GO, MESSAGE },
		{ "250 Ok\r\n", "" },
	  }, .events = "ready; 1 failed 550 5.1.1 No; "
		       "2 deferred 450 4.2.0 Wait; body; "
		       "0 delivered 250 2.0.0 Ok; done; " },
	{ "no recipient taken: no DATA", 2, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM TO1 TO2 },
		{ OK "550 No\r\n" "451 Later\r\n", RSET },
		{ OK, "" },
	  }, .events = "ready; 0 failed 550 5.0.0 No; "
		       "1 deferred 451 4.0.0 Later; done; " },
	{ "sender refused, recipients were sent ahead", 2, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM TO1 TO2 },
		{ "550 5.7.1 No\r\n", "" },
		{ "503 5.5.1 Bad\r\n", "" },
		{ "503 5.5.1 Bad\r\n", RSET },
		{ OK, "" },
	  }, .events = "ready; 0 failed 550 5.7.1 No; 1 failed 550 5.7.1 No; "
		       "done; " },
	{ "sender put off", 2, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PLAIN, FROM },
		{ "451 4.7.1 Greylisted\r\n", RSET },
		{ OK, "" },
	  }, .events = "ready; 0 deferred 451 4.7.1 Greylisted; "
		       "1 deferred 451 4.7.1 Greylisted; done; " },
	{ "HELO where EHLO is not known", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ "500 What\r\n", "HELO gw.example\r\n" },
		{ PLAIN, FROM },
		{ OK, TO1 },
	  }, .events = "ready; " },
	{ "neither is known", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ "500 What\r\n", "HELO gw.example\r\n" },
		{ "502 What\r\n", "" },
	  }, .events = "failed 502 5.0.0 What; " },
	{ "the parameters that are offered", 1, true, true, true, true,
	  .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ "250-mx\r\n250-SIZE 100\r\n250-8bitmime\r\n"
		  "250-SMTPUTF8\r\n250 DSN\r\n",
		  "MAIL FROM:<a@b.example> SIZE=8 BODY=8BITMIME SMTPUTF8 "
		  "RET=HDRS ENVID=q\r\n" },
		{ OK, "RCPT TO:<r1@d.example> NOTIFY=NEVER "
		      "ORCPT=rfc822;x@y\r\n" },
	  }, .events = "ready; " },
	{ "none that is not", 1, true, true, false, true, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PLAIN, FROM },
		{ OK, TO1 },
	  }, .events = "ready; " },
	{ "words in the greeting of EHLO are no offers", 1, true,
	  .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ "250-8BITMIME hello\r\n250 X\r\n", FROM },
	  }, .events = "ready; " },
	{ "SMTPUTF8 needed and not offered", 2, false, true, true, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PLAIN, "" },
	  }, .events =
		"ready; 0 failed 0 5.6.7 next hop does not offer SMTPUTF8, "
		"which this mail needs; 1 failed 0 5.6.7 next hop does not "
		"offer SMTPUTF8, which this mail needs; done; " },
	{ "larger than the next hop takes", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ "250-mx\r\n250 SIZE 7\r\n", "" },
	  }, .events = "ready; 0 failed 0 5.3.4 message is larger than the "
		       "next hop takes; done; " },
	{ "SIZE 0 is no limit", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ "250-mx\r\n250 SIZE 0\r\n",
		  "MAIL FROM:<a@b.example> SIZE=8\r\n" },
	  }, .events = "ready; " },
	{ "a greeting of 554", 1, .turns = {
		{ "554 5.3.2 Go away\r\n", "" },
	  }, .events = "failed 554 5.3.2 Go away; " },
	{ "a greeting of 421", 1, .turns = {
		{ "421 Full\r\n", "" },
	  }, .events = "failed 421 4.0.0 Full; " },
	{ "a greeting that is not SMTP", 1, .turns = {
		{ "HTTP/1.1 400 Bad Request\r\n", "" },
	  }, .events = "failed 0 4.5.0 protocol error before the greeting: "
		       "not a line of a reply: \"HTTP/1.1 400 Bad Request\"; "
	},
	{ "421 to RCPT ends the session", 2, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM TO1 TO2 },
		{ OK OK "421 4.3.2 Bye\r\n", "" },
	  }, .events = "ready; failed 421 4.3.2 Bye; " },
	{ "DATA refused", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM TO1 },
		{ OK OK, DATA },
		{ "451 4.3.0 Not now\r\n", RSET },
		{ OK, "" },
	  }, .events = "ready; 0 deferred 451 4.3.0 Not now; done; " },
	{ "DATA answered by 250", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM TO1 },
		{ OK OK, DATA },
		{ "250 Ok\r\n", "" },
	  }, .events = "ready; failed 0 4.5.0 protocol error after DATA: "
		       "unexpected reply 250 Ok; " },
	{ "the end refused", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM TO1 },
		{ OK OK, DATA },
		{ GO, MESSAGE },
		{ "554 5.7.1 Spam\r\n", "" },
	  }, .events = "ready; body; 0 failed 554 5.7.1 Spam; done; " },
	{ "421 to the end: once more, on another connection", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM TO1 },
		{ OK OK, DATA },
		{ GO, MESSAGE },
		{ "421 4.3.2 Bye\r\n", "" },
	  }, .events = "ready; body; 0 deferred 421 4.3.2 Bye; closed; " },
	{ "354 to the end is no answer", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM TO1 },
		{ OK OK, DATA },
		{ GO, MESSAGE },
		{ "354 What\r\n", "" },
	  }, .events = "ready; body; failed past the end 0 4.5.0 protocol "
		       "error after the end of the message: unexpected reply "
		       "354 What; " },
	{ "a reply nobody asked for", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PLAIN, FROM },
		{ OK, TO1 },
		{ OK OK, DATA },
	  }, .events = "ready; failed 0 4.5.0 protocol error after DATA: "
		       "unexpected reply 250 Ok; " },
	{ "a code that changes", 1, .turns = {
		{ "220-mx.example\r\n250 x\r\n", "" },
	  }, .events = "failed 0 4.5.0 protocol error before the greeting: "
		       "reply code changes from 220 to 250; " },
	{ "TLS where it is offered", 1, .tls = DEST_TLS_MAY, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ "250-mx.example\r\n250-SIZE 7\r\n250 STARTTLS\r\n",
		  "STARTTLS\r\n" },
		{ "220 Go\r\n", "" },
		{ HANDSHAKE, EHLO },
		/* What was said in the clear counts for nothing. */
		{ TLS_OFFER, FROM },
	  }, .events = "starttls; ready; " },
	{ "not where it is not wanted", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ TLS_OFFER, FROM },
	  }, .events = "ready; " },
	{ "TLS refused: in the clear", 1, .tls = DEST_TLS_MAY, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ TLS_OFFER, "STARTTLS\r\n" },
		{ "454 4.7.0 Not now\r\n", FROM },
	  }, .events = "ready; " },
	{ "TLS refused and required", 1, .tls = DEST_TLS_REQUIRE, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ TLS_OFFER, "STARTTLS\r\n" },
		{ "454 4.7.0 Not now\r\n", "" },
	  }, .events = "failed 0 4.7.4 TLS is required, and the next hop "
		       "refuses: 454 Not now; " },
	{ "TLS required and not offered", 1, .tls = DEST_TLS_VERIFY,
	  .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PLAIN, "" },
	  }, .events = "failed 0 4.7.4 TLS is required, and the next hop does "
		       "not offer it; " },
	{ "TLS required and EHLO not known", 1, .tls = DEST_TLS_REQUIRE,
	  .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ "500 What\r\n", "HELO gw.example\r\n" },
		{ PLAIN, "" },
	  }, .events = "failed 0 4.7.4 TLS is required, and the next hop does "
		       "not offer it; " },
	{ "text behind the answer to STARTTLS", 1, .tls = DEST_TLS_MAY,
	  .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ TLS_OFFER, "STARTTLS\r\n" },
		{ "220 Go\r\n250 mx.example\r\n", "" },
	  }, .events = "starttls; failed 0 4.5.0 protocol error in the TLS "
		       "handshake: unexpected reply 250 mx.example; " },
	{ "a greeting with our own name", 1, .turns = {
		{ "220 GW.example ESMTP\r\n", "" },
	  }, .events = "failed 0 4.4.6 next hop greets with the name of this "
		       "host; " },
	{ "our own name in the reply to EHLO", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ "250-gw.example\r\n250 SIZE\r\n", "" },
	  }, .events = "failed 0 4.4.6 next hop greets with the name of this "
		       "host; " },
	{ "our own name as an offer is none", 1, .turns = {
		{ "220 mx.example gw.example\r\n", EHLO },
		{ "250-mx.example\r\n250 gw.example\r\n", FROM },
	  }, .events = "ready; " },
	{ "8-bit mail that may not go as it is", 1, true,
	  .bounces_8bit = true, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PLAIN, "" },
	  }, .events = "ready; 0 failed 0 5.6.3 next hop does not offer "
		       "8BITMIME, and this mail is 8-bit; done; " },
	{ "a probe ends after RCPT", 2, .is_probe = true, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM TO1 TO2 },
		{ OK OK "550 5.1.1 No\r\n", RSET },
		{ OK, "" },
	  }, .events = "ready; 0 delivered 250 2.0.0 Ok; 1 failed 550 5.1.1 "
		       "No; done; " },
	{ "or after MAIL", 0, .is_probe = true, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM },
		{ OK, RSET },
		{ OK, "" },
	  }, .events = "ready; done; " },
	{ "552 5.5.3 to RCPT is for now", 1, .turns = {
		{ "220 mx.example\r\n", EHLO },
		{ PIPE, FROM TO1 },
		{ OK "552 5.5.3 Many\r\n", RSET },
	  }, .events = "ready; 0 deferred 552 5.5.3 Many; " },
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct play {
	struct client c;
	struct buf out, events;
	struct client_mail mail;
	struct client_rcpt rcpts[3];
	unsigned dones;
} p;

static void
on_ready(void *arg)
{
	(void)arg;
	buf_add_str(&p.events, "ready; ");
	client_send(&p.c, &p.mail);
}

static void
add_result(const struct client_result *r)
{
	buf_printf(&p.events, "%d %s %s; ", r->code, r->enhanced, r->text);
}

static void
on_rcpt(void *arg, size_t index, const struct client_result *r)
{
	static const char *const names[] = { "delivered", "deferred",
					     "failed" };

	(void)arg;
	buf_printf(&p.events, "%zu %s ", index, names[r->outcome]);
	add_result(r);
}

static void
on_body(void *arg)
{
	(void)arg;
	buf_add_str(&p.events, "body; ");
	client_body(&p.c, SPAN_LIT("Hi\r\n.do"));
	client_body(&p.c, SPAN_LIT("t\r\n"));
	client_body_end(&p.c);
}

static void
on_done(void *arg, bool is_usable)
{
	(void)arg;
	p.dones++;
	buf_add_str(&p.events, is_usable ? "done; " : "closed; ");
}

static void
on_failed(void *arg, const struct client_result *why)
{
	(void)arg;
	buf_add_str(&p.events, "failed ");
	if (client_is_past_end(&p.c))
		buf_add_str(&p.events, "past the end ");
	add_result(why);
}

/* The handshake is done at once, where it is to be done. */
static void
on_starttls(void *arg)
{
	(void)arg;
	buf_add_str(&p.events, "starttls; ");
}

static const struct client_ops ops = {
	.starttls = on_starttls,
	.ready = on_ready,
	.rcpt = on_rcpt,
	.body = on_body,
	.done = on_done,
	.failed = on_failed,
};

static void
open_play(const struct row *r)
{
	static const char *const names[] = { "r1@d.example", "r2@d.example",
					     "r3@d.example" };
	unsigned i;

	memset(&p, 0, sizeof(p));
	for (i = 0; i < r->rcpts; i++)
		p.rcpts[i] =
			(struct client_rcpt){ names[i],
					      r->has_dsn ? "rfc822;x@y" : "",
					      r->has_dsn ? "NEVER" : "" };
	p.mail = (struct client_mail){
		.sender = "a@b.example",
		.envid = r->has_dsn ? "q" : "",
		.ret = r->has_dsn ? "HDRS" : "",
		.size = 8,
		.is_8bit = r->is_8bit,
		.is_utf8 = r->is_utf8,
		.needs_utf8 = r->needs_utf8,
		.is_probe = r->is_probe,
		.bounces_8bit = r->bounces_8bit,
		.rcpts = p.rcpts,
		.rcpt_count = r->rcpts,
	};
	client_init(&p.c, &ops, NULL, "gw.example", &p.out);
	client_want_tls(&p.c, r->tls);
}

static void
close_play(void)
{
	client_release(&p.c);
	buf_release(&p.out);
	buf_release(&p.events);
}

/* Gives a reply in pieces as a socket would. */
static void
give(const char *reply, size_t chunk)
{
	size_t len = strlen(reply), shown = 0, at = 0;

	if (str_eq(reply, HANDSHAKE)) {
		client_secured(&p.c);
		return;
	}
	while (shown < len) {
		shown = shown + chunk < len ? shown + chunk : len;
		at += client_input(&p.c,
				   (struct span){ reply + at, shown - at });
		client_pump(&p.c);
	}
}

static void
test_rows(void)
{
	size_t i, chunk, t;

	for (i = 0; i < ROWS; i++) {
		for (chunk = 1; chunk < 10000; chunk *= 7) {
			const struct row *r = &rows[i];

			open_play(r);
			for (t = 0; t < TURNS && r->turns[t].reply; t++) {
				buf_clear(&p.out);
				give(r->turns[t].reply, chunk);
				CHECK_STR(buf_str(&p.out), r->turns[t].sent,
					  "%s: turn %zu", r->name, t + 1);
			}
			CHECK_STR(buf_str(&p.events), r->events, "%s", r->name);
			close_play();
		}
	}
}

static void
to_ready(const struct row *r)
{
	open_play(r);
	give("220 mx.example\r\n" PIPE, 1000);
}

static void
test_lost(void)
{
	static const struct row one = { .rcpts = 1 };

	to_ready(&one);
	client_lost(&p.c, "4.4.2", "connection lost");
	CHECK_STR(buf_str(&p.events),
		  "ready; failed 0 4.4.2 connection lost after MAIL; ",
		  "a connection lost is told with its place");
	client_lost(&p.c, "4.4.2", "connection lost");
	CHECK_STR(buf_str(&p.events),
		  "ready; failed 0 4.4.2 connection lost after MAIL; ",
		  "and only once");
	close_play();

	to_ready(&one);
	give(OK OK GO, 1000);
	client_lost(&p.c, "4.4.2", "timeout");
	CHECK_STR(buf_str(&p.events),
		  "ready; body; failed past the end 0 4.4.2 timeout after the "
		  "end of the message; ",
		  "after the end mark that is told apart");
	close_play();
}

static void
test_again(void)
{
	static const struct row one = { .rcpts = 1 };

	to_ready(&one);
	give(OK OK GO OK, 1000);
	CHECK_INT(client_state(&p.c), CLIENT_READY, "ready for the next mail");
	buf_clear(&p.out);
	client_send(&p.c, &p.mail);
	CHECK_STR(buf_str(&p.out), FROM TO1, "which is sent at once");
	give(OK OK GO OK, 1000);
	CHECK_INT(p.dones, 2, "and delivered");
	buf_clear(&p.out);
	client_quit(&p.c);
	CHECK_STR(buf_str(&p.out), "QUIT\r\n", "then it says QUIT");
	CHECK_INT(client_input(&p.c, SPAN_LIT("221 Bye\r\n")), 9,
		  "and listens no more");
	close_play();
}

/* Many recipients: bounded ahead of their replies, all in the end. */
static void
test_many(void)
{
	enum { MANY = 1000 };
	static struct client_rcpt rcpts[MANY];
	static const struct row one = { .rcpts = 1 };
	size_t i, most = 0;

	for (i = 0; i < MANY; i++)
		rcpts[i] = (struct client_rcpt){ "r1@d.example", "", "" };
	open_play(&one);
	p.mail.rcpts = rcpts;
	p.mail.rcpt_count = MANY;
	give("220 mx.example\r\n" PIPE OK, 1000);
	for (i = 0; i < MANY && client_state(&p.c) == CLIENT_MAIL; i++) {
		if (p.c.sent - p.c.answered > most)
			most = p.c.sent - p.c.answered;
		give(OK, 1000);
		buf_clear(&p.out);
	}
	CHECK_INT(most, CLIENT_PIPE_MAX, "as many as may be go ahead");
	CHECK_INT(client_state(&p.c), CLIENT_DATA, "and all are sent");
	close_play();
}

static void
test_long_line(void)
{
	static const struct row one = { .rcpts = 1 };
	static char line[SMTP_REPLY_LINE_MAX + 10];

	memset(line, '2', sizeof(line));
	open_play(&one);
	CHECK_INT(client_input(&p.c, (struct span){ line, sizeof(line) }),
		  sizeof(line), "an endless line");
	CHECK_STR(buf_str(&p.events),
		  "failed 0 4.5.0 protocol error before the greeting: reply "
		  "line too long; ",
		  "ends the session");
	close_play();
}

int
main(void)
{
	test_rows();
	test_lost();
	test_again();
	test_many();
	test_long_line();
	return check_done();
}
