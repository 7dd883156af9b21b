/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * TLS on connections of the loop: a server's and a client's io talk to each
 * other over a socket pair.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "io.h"
#include "str.h"
#include "tls.h"
#include "tlscert.h"
#include "xalloc.h"

#define LIMIT_MS 20000

/* One end; it collects what comes and does as the test says. */
struct end {
	struct io io;
	struct buf got;
	bool is_secured, is_gone, is_finished, is_blocked;
	bool echoes;
	struct span to_send; /* through output() */
	int timeouts;
	char why[200];
};

static struct end server, client;
static struct timer poll_timer;
static bool (*until)(void);
static int64_t limit_ms;
static bool timed_out;

static void
poll_until(void *arg)
{
	(void)arg;
	timed_out = clock_mono_ms() > limit_ms;
	if (until() || timed_out)
		loop_stop();
	else
		timer_set(&poll_timer, 1);
}

static bool
run_until(bool (*fn)(void))
{
	until = fn;
	limit_ms = clock_mono_ms() + LIMIT_MS;
	timer_set(&poll_timer, 0);
	loop_run();
	return !timed_out;
}

static size_t
on_input(void *arg, struct span in)
{
	struct end *e = arg;

	if (e->is_blocked)
		return 0;
	buf_add_span(&e->got, in);
	if (e->echoes) {
		buf_add_span(io_out(&e->io), in);
		io_flush(&e->io);
	}
	return in.len;
}

static void
on_output(void *arg)
{
	struct end *e = arg;
	size_t n = e->to_send.len < 20000 ? e->to_send.len : 20000;

	buf_add(io_out(&e->io), e->to_send.p, n);
	e->to_send.p += n;
	e->to_send.len -= n;
	io_want_output(&e->io, e->to_send.len > 0);
	io_flush(&e->io);
}

static void
on_secured(void *arg)
{
	((struct end *)arg)->is_secured = true;
}

static void
on_end(void *arg, const char *why)
{
	struct end *e = arg;

	e->is_gone = true;
	(void)str_copy(e->why, sizeof(e->why), why);
}

static void
on_timeout(void *arg)
{
	struct end *e = arg;

	e->timeouts++;
	io_finish(&e->io);
}

static void
on_finished(void *arg)
{
	struct end *e = arg;

	e->is_finished = true;
	io_release(&e->io);
}

static const struct io_ops ops = {
	.input = on_input,
	.output = on_output,
	.secured = on_secured,
	.end = on_end,
	.timeout = on_timeout,
	.finished = on_finished,
};

static void
open_end(struct end *e, int fd)
{
	memset(e, 0, sizeof(*e));
	io_init(&e->io, &ops, e);
	io_open(&e->io, fd);
}

static void
open_pair(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
	open_end(&server, fds[0]);
	open_end(&client, fds[1]);
}

static void
close_pair(void)
{
	io_release(&server.io);
	io_release(&client.io);
	buf_release(&server.got);
	buf_release(&client.got);
}

static void
say(struct end *e, const char *text)
{
	buf_add_str(io_out(&e->io), text);
	io_flush(&e->io);
}

static bool
both_secured(void)
{
	return server.is_secured && client.is_secured;
}

static bool
client_has_text(void)
{
	return client.got.len > 0;
}

static bool
server_has_text(void)
{
	return server.got.len > 0;
}

static bool
server_is_gone(void)
{
	return server.is_gone;
}

static bool
client_is_gone(void)
{
	return client.is_gone;
}

static bool
server_is_finished(void)
{
	return server.is_finished;
}

/* What most tests need: a certificate each for two names. */
static struct buf a_cert, a_key, b_cert, b_key;

static struct tls_ctx *
server_ctx(enum tls_min min)
{
	struct err e = { "" };
	struct tls_ctx *ctx = tls_server_new(min, "", &e);

	CHECK(ctx != NULL &&
		      tls_server_add(ctx, buf_span(&a_cert), buf_span(&a_key),
				     &e) == 0 &&
		      tls_server_add(ctx, buf_span(&b_cert), buf_span(&b_key),
				     &e) == 0,
	      "a server takes two certificates %s", e.text);
	return ctx;
}

static void
secure(struct tls_ctx *s, struct tls_ctx *c, const char *name)
{
	open_pair();
	io_start_tls(&server.io, tls_accept(s));
	io_start_tls(&client.io, tls_connect(c, name));
}

static void
test_session(void)
{
	struct tls_ctx *s = server_ctx(TLS_MIN_1_2);
	struct tls_ctx *c = tls_client_new(TLS_MIN_1_2, "", NULL);
	const struct tls_info *info;

	secure(s, c, "a.example");
	CHECK(io_tls(&server.io) == NULL, "nothing is agreed on at first");
	CHECK(run_until(both_secured), "both ends are told of the handshake");
	info = io_tls(&server.io);
	CHECK(info != NULL && str_eq(info->version, "TLSv1.3"), "version");
	CHECK(info != NULL && info->bits >= 128 && *info->cipher != '\0',
	      "cipher");
	CHECK_STR(info->name, "a.example", "the server knows what name");
	info = io_tls(&client.io);
	CHECK(!info->is_verified, "nobody is trusted unasked: %s", info->why);
	say(&server, "220 hello\r\n");
	CHECK(run_until(client_has_text), "text comes through");
	CHECK_STR(buf_str(&client.got), "220 hello\r\n", "as it was");
	io_finish(&server.io);
	CHECK(run_until(client_is_gone), "the end is told");
	CHECK_STR(client.why, "", "as one in order");
	io_finish(&client.io);
	CHECK(run_until(server_is_finished), "both ends close");
	close_pair();
	tls_ctx_free(s);
	tls_ctx_free(c);
}

static void
test_trust(void)
{
	static const struct {
		const char *name;
		bool is_verified;
		const char *words;
	} rows[] = {
		{ "a.example", true, "a name of the first certificate" },
		{ "b.example", true, "one of the second, chosen by SNI" },
		{ "c.example", false, "one of neither" },
		{ "", false, "no name" },
	};
	struct tls_ctx *s = server_ctx(TLS_MIN_1_2);
	struct tls_ctx *c = tls_client_new(TLS_MIN_1_3, "", NULL);
	struct err e;
	size_t i;

	CHECK_INT(tls_client_trust(c, buf_span(&a_cert), &e), 1, "trust");
	CHECK_INT(tls_client_trust(c, buf_span(&b_cert), &e), 1, "trust");
	CHECK_INT(tls_client_trust(c, SPAN_LIT("none"), &e), -1,
		  "no certificate to trust: %s", e.text);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		secure(s, c, rows[i].name);
		CHECK(run_until(both_secured), "handshake: %s", rows[i].words);
		CHECK_INT(io_tls(&client.io)->is_verified, rows[i].is_verified,
			  "verified: %s %s", rows[i].words,
			  io_tls(&client.io)->why);
		close_pair();
	}
	tls_ctx_free(s);
	tls_ctx_free(c);
}

static void
test_address(void)
{
	struct tls_ctx *s = tls_server_new(TLS_MIN_1_2, "", NULL);
	struct tls_ctx *c = tls_client_new(TLS_MIN_1_2, "", NULL);
	struct buf cert = { 0 }, key = { 0 };

	tlscert_make("192.0.2.1", 30, NULL, &cert, &key);
	CHECK_INT(tls_server_add(s, buf_span(&cert), buf_span(&key), NULL), 0,
		  "a certificate of an address");
	CHECK_INT(tls_server_days_left(s), 30, "days left");
	tls_client_trust(c, buf_span(&cert), NULL);
	secure(s, c, "192.0.2.1");
	CHECK(run_until(both_secured), "handshake with an address");
	CHECK(io_tls(&client.io)->is_verified, "an address is verified");
	CHECK_STR(io_tls(&server.io)->name, "", "and not sent as a name");
	close_pair();
	secure(s, c, "192.0.2.2");
	CHECK(run_until(both_secured), "handshake with another");
	CHECK(!io_tls(&client.io)->is_verified, "another is not: %s",
	      io_tls(&client.io)->why);
	close_pair();
	buf_release(&cert);
	buf_release(&key);
	tls_ctx_free(s);
	tls_ctx_free(c);
}

static bool
echo_is_whole(void)
{
	return client.got.len >= 3000000;
}

/* Much in both directions, through buffers that fill up. */
static void
test_bulk(void)
{
	struct tls_ctx *s = server_ctx(TLS_MIN_1_2);
	struct tls_ctx *c = tls_client_new(TLS_MIN_1_2, "", NULL);
	struct buf sent = { 0 };
	size_t i;

	secure(s, c, "a.example");
	server.echoes = true;
	for (i = 0; sent.len < 3000000; i++)
		buf_printf(&sent, "line %zu of many\r\n", i);
	CHECK(run_until(both_secured), "handshake");
	client.to_send = buf_span(&sent);
	io_want_output(&client.io, true);
	CHECK(run_until(echo_is_whole), "all comes back");
	CHECK(client.got.len == sent.len &&
		      memcmp(client.got.data, sent.data, sent.len) == 0,
	      "as it was");
	CHECK(server.io.out.data == NULL && server.io.in.data == NULL,
	      "no buffer is left");
	close_pair();
	buf_release(&sent);
	tls_ctx_free(s);
	tls_ctx_free(c);
}

static bool
server_is_full(void)
{
	return server.io.in.len > IO_KEEP_MAX;
}

/* An owner that does not take is given it later, also what TLS holds. */
static void
test_blocked(void)
{
	struct tls_ctx *s = server_ctx(TLS_MIN_1_2);
	struct tls_ctx *c = tls_client_new(TLS_MIN_1_2, "", NULL);
	static char text[40001];

	memset(text, 'x', sizeof(text) - 1);
	secure(s, c, "");
	server.is_blocked = true;
	CHECK(run_until(both_secured), "handshake");
	say(&client, text);
	CHECK(run_until(server_is_full), "much waits");
	server.is_blocked = false;
	server.echoes = true;
	io_kick(&server.io);
	while (server.got.len < sizeof(text) - 1 && run_until(server_has_text))
		;
	CHECK_INT(server.got.len, sizeof(text) - 1, "all is given later");
	close_pair();
	tls_ctx_free(s);
	tls_ctx_free(c);
}

static void
test_starttls(void)
{
	struct tls_ctx *s = server_ctx(TLS_MIN_1_2);
	struct tls_ctx *c = tls_client_new(TLS_MIN_1_2, "", NULL);

	open_pair();
	say(&server, "220 go on\r\n");
	io_start_tls(&server.io, tls_accept(s));
	CHECK(run_until(client_has_text), "the reply comes in the clear");
	CHECK_STR(buf_str(&client.got), "220 go on\r\n", "as it was");
	io_start_tls(&client.io, tls_connect(c, ""));
	CHECK(run_until(both_secured), "then the handshake is done");
	close_pair();

	open_pair();
	server.is_blocked = true;
	say(&client, "NOOP\r\n");
	io_start_tls(&server.io, tls_accept(s));
	CHECK(run_until(server_is_gone), "a command instead of a handshake");
	CHECK(str_has_prefix(server.why, "TLS: "), "is told: %s", server.why);
	close_pair();
	tls_ctx_free(s);
	tls_ctx_free(c);
}

static struct tls_ctx *late_ctx;

static size_t
start_in_input(void *arg, struct span in)
{
	struct end *e = arg;

	(void)in;
	e->got.len = 0;
	buf_add_char(&e->got, '1');
	io_start_tls(&e->io, tls_accept(late_ctx));
	return 3;
}

static void
test_injected(void)
{
	static const struct io_ops early = {
		.input = start_in_input,
		.secured = on_secured,
		.end = on_end,
		.timeout = on_timeout,
		.finished = on_finished,
	};

	late_ctx = server_ctx(TLS_MIN_1_2);
	open_pair();
	server.io.ops = &early;
	say(&client, "TLSand more");
	CHECK(run_until(server_is_gone), "input that was not taken breaks it");
	CHECK_STR(server.why, "text in the clear behind STARTTLS", "and why");
	close_pair();
	tls_ctx_free(late_ctx);
}

/* Takes a header of four bytes, and begins. */
static size_t
begin_in_input(void *arg, struct span in)
{
	struct end *e = arg;

	if (e->is_secured)
		return on_input(arg, in);
	if (in.len < 4)
		return 0;
	io_begin_tls(&e->io, tls_accept(late_ctx));
	return 4;
}

static void
test_behind_header(void)
{
	static const struct io_ops header = {
		.input = begin_in_input,
		.secured = on_secured,
		.end = on_end,
		.timeout = on_timeout,
		.finished = on_finished,
	};
	struct tls_ctx *c = tls_client_new(TLS_MIN_1_2, "", NULL);

	late_ctx = server_ctx(TLS_MIN_1_2);
	open_pair();
	server.io.ops = &header;
	say(&client, "HEAD");
	io_start_tls(&client.io, tls_connect(c, "b.example"));
	CHECK(run_until(both_secured),
	      "a handshake right behind a header in the clear");
	CHECK_STR(io_tls(&server.io)->name, "b.example", "is whole");
	say(&client, "text");
	CHECK(run_until(server_has_text), "and what follows comes through");
	CHECK_STR(buf_str(&server.got), "text", "as it was");
	close_pair();
	tls_ctx_free(late_ctx);
	tls_ctx_free(c);
}

static bool
server_timed_out(void)
{
	return server.timeouts > 0 && server.is_finished;
}

static void
test_deadline(void)
{
	struct tls_ctx *s = server_ctx(TLS_MIN_1_2);

	open_pair();
	io_start_tls(&server.io, tls_accept(s));
	io_deadline(&server.io, 20);
	CHECK(run_until(server_timed_out) || true, "a silent client");
	CHECK_INT(server.timeouts, 1, "is too late");
	close_pair();
	tls_ctx_free(s);
}

static void
test_versions(void)
{
	struct tls_ctx *s = server_ctx(TLS_MIN_1_3);
	struct tls_ctx *c = tls_client_new(TLS_MIN_1_2, "", NULL);
	struct err e;

	secure(s, c, "");
	CHECK(run_until(both_secured) &&
		      str_eq(io_tls(&client.io)->version, "TLSv1.3"),
	      "the minimum is kept");
	close_pair();
	CHECK(tls_server_new(TLS_MIN_1_2, "NO-SUCH", &e) == NULL,
	      "a list without a cipher: %s", e.text);
	tls_ctx_free(s);
	tls_ctx_free(c);
}

static void
wrong_pair(struct tls_ctx *s, struct span cert, struct span key,
	   const char *why)
{
	struct err e = { "" };

	CHECK_INT(tls_server_add(s, cert, key, &e), -1, "not taken: %s", why);
	CHECK_STR(e.text, why, "and why");
}

static void
test_wrong_pairs(void)
{
	struct buf locked = { 0 }, cert = { 0 }, both = { 0 };
	struct tls_ctx *s = tls_server_new(TLS_MIN_1_2, "", NULL);
	struct err e;

	tlscert_make("c.example", -1, "secret", &cert, &locked);
	buf_add_span(&both, buf_span(&a_key));
	buf_add_span(&both, buf_span(&a_cert));
	wrong_pair(s, SPAN_LIT(""), buf_span(&a_key),
		   "no certificate in it (PEM)");
	wrong_pair(s, buf_span(&a_key), buf_span(&a_key),
		   "no certificate in it (PEM)");
	wrong_pair(s, buf_span(&a_cert), buf_span(&a_cert),
		   "no private key in it (PEM)");
	wrong_pair(s, buf_span(&a_cert), buf_span(&b_key),
		   "the key does not belong to the certificate");
	wrong_pair(s, buf_span(&cert), buf_span(&locked),
		   "the key wants a password: expected one without");
	CHECK_INT(tls_server_add(s, buf_span(&both), buf_span(&both), &e), 0,
		  "one text with both, in any order");
	buf_release(&locked);
	buf_release(&cert);
	buf_release(&both);
	tls_ctx_free(s);
}

static void
test_expired(void)
{
	struct buf key = { 0 }, cert = { 0 };
	struct tls_ctx *s = tls_server_new(TLS_MIN_1_2, "", NULL);

	tlscert_make("c.example", -3, NULL, &cert, &key);
	CHECK_INT(tls_server_add(s, buf_span(&cert), buf_span(&key), NULL), 0,
		  "an expired certificate is better than none");
	CHECK(tls_server_days_left(s) < 0, "and is told");
	buf_release(&key);
	buf_release(&cert);
	tls_ctx_free(s);
}

int
main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	loop_init();
	timer_init(&poll_timer, poll_until, NULL);
	tlscert_make("a.example", 90, NULL, &a_cert, &a_key);
	tlscert_make("b.example", 90, NULL, &b_cert, &b_key);
	test_session();
	test_trust();
	test_address();
	test_bulk();
	test_blocked();
	test_starttls();
	test_injected();
	test_behind_header();
	test_deadline();
	test_versions();
	test_wrong_pairs();
	test_expired();
	timer_release(&poll_timer);
	buf_release(&a_cert);
	buf_release(&a_key);
	buf_release(&b_cert);
	buf_release(&b_key);
	return check_done();
}
