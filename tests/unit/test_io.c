/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Connections on the loop, with the other end of a socket pair in the
 * hands of the test.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "io.h"
#include "xalloc.h"

#define LIMIT_MS 20000

/* An owner that does as the test says. */
static struct owner {
	struct io io;
	struct buf got;
	size_t takes; /* bytes of a call to input, 0: whole lines */
	size_t calls;
	bool is_blocked; /* takes nothing */
	bool echoes;
	bool releases; /* in input() */
	bool finishes; /* in input() */
	size_t sends; /* bytes to send through output() */
	int ends, timeouts, finisheds, connecteds;
	char why[100];
	bool is_free;
} o;

static int far; /* the other end */
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

/* Runs the loop until the condition is so; false: it never was. */
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
	size_t n = in.len;
	const char *lf;

	(void)arg;
	o.calls++;
	if (o.is_blocked)
		return 0;
	if (o.takes > 0 && n > o.takes)
		n = o.takes;
	if (o.takes == 0) {
		lf = memrchr(in.p, '\n', n);
		n = lf == NULL ? 0 : (size_t)(lf - in.p) + 1;
	}
	buf_add(&o.got, in.p, n);
	if (o.echoes) {
		buf_add(io_out(&o.io), in.p, n);
		io_flush(&o.io);
	}
	if (o.finishes)
		io_finish(&o.io);
	if (o.releases) {
		io_release(&o.io);
		o.is_free = true;
	}
	return n;
}

static void
on_output(void *arg)
{
	static char bytes[1000];
	size_t n = o.sends < sizeof(bytes) ? o.sends : sizeof(bytes);

	(void)arg;
	buf_add(io_out(&o.io), bytes, n);
	o.sends -= n;
	if (o.sends == 0)
		io_want_output(&o.io, false);
	io_flush(&o.io);
}

static void
on_end(void *arg, const char *why)
{
	(void)arg;
	o.ends++;
	snprintf(o.why, sizeof(o.why), "%s", why);
}

static void
on_timeout(void *arg)
{
	(void)arg;
	o.timeouts++;
}

static void
on_finished(void *arg)
{
	(void)arg;
	o.finisheds++;
	io_release(&o.io);
	o.is_free = true;
}

static void
on_connected(void *arg)
{
	(void)arg;
	o.connecteds++;
}

static const struct io_ops ops = {
	.input = on_input,
	.connected = on_connected,
	.output = on_output,
	.end = on_end,
	.timeout = on_timeout,
	.finished = on_finished,
};

static void
open_pair(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) < 0)
		abort();
	memset(&o, 0, sizeof(o));
	io_init(&o.io, &ops, &o);
	io_open(&o.io, fds[0]);
	far = fds[1];
}

static void
close_pair(void)
{
	if (!o.is_free)
		io_release(&o.io);
	buf_release(&o.got);
	if (far >= 0)
		close(far);
	far = -1;
}

static void
say(const char *text)
{
	if (send(far, text, strlen(text), MSG_NOSIGNAL) !=
	    (ssize_t)strlen(text))
		abort();
}

static size_t
far_read(struct buf *b)
{
	static char piece[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = recv(far, piece, sizeof(piece), MSG_DONTWAIT)) > 0) {
		total += (size_t)n;
		if (b != NULL)
			buf_add(b, piece, (size_t)n);
	}
	return total;
}

static bool
got_two_lines(void)
{
	return o.got.len >= 6;
}

static bool
has_ended(void)
{
	return o.ends > 0;
}

static bool
was_called(void)
{
	return o.calls > 0;
}

static bool
is_free(void)
{
	return o.is_free;
}

static bool
has_timed_out(void)
{
	return o.timeouts > 0;
}

static void
test_lines(void)
{
	open_pair();
	say("a");
	CHECK(run_until(was_called) && o.got.len == 0,
	      "half a line is not taken");
	say("b\ncd");
	say("e\nf");
	CHECK(run_until(got_two_lines), "lines come together again");
	CHECK_STR(buf_str(&o.got), "ab\ncde\n", "in order");
	CHECK_INT(o.io.in.len, 1, "what is left is kept");
	CHECK(o.io.out.data == NULL, "nothing is kept for output");
	close_pair();
}

static void
test_pieces(void)
{
	open_pair();
	o.takes = 1;
	say("abcdef");
	CHECK(run_until(got_two_lines), "what is left is given again at once");
	CHECK_STR(buf_str(&o.got), "abcdef", "byte by byte");
	CHECK(o.io.in.data == NULL, "and no buffer is left");
	close_pair();
}

static bool
far_is_full(void)
{
	static char bytes[4096];

	while (send(far, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	return o.io.in.len > IO_KEEP_MAX;
}

static bool
kept_goes(void)
{
	far_read(NULL);
	return o.io.in.len == 0;
}

static void
test_blocked(void)
{
	open_pair();
	o.is_blocked = true;
	CHECK(run_until(far_is_full), "a blocked owner is not given more");
	CHECK(o.io.in.len <= IO_PIECE + IO_KEEP_MAX,
	      "%zu bytes are kept, no more", o.io.in.len);
	o.calls = 0;
	o.is_blocked = false;
	o.takes = 100000;
	io_kick(&o.io);
	CHECK(o.calls == 0, "a kick calls nothing itself");
	CHECK(run_until(kept_goes), "but sets it going");
	close_pair();
}

static bool
echo_stalls(void)
{
	static char bytes[4096];
	static size_t before;
	size_t now = o.got.len;
	bool same = now == before && now > IO_OUT_HIGH;

	while (send(far, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	before = now;
	return same;
}

static void
test_output_bound(void)
{
	size_t stalled;

	open_pair();
	o.echoes = true;
	o.takes = 1 << 20;
	CHECK(run_until(echo_stalls), "nothing is read while much waits");
	stalled = o.io.out.len;
	CHECK(stalled <= IO_OUT_HIGH + IO_PIECE + IO_KEEP_MAX,
	      "%zu bytes wait, no more", stalled);
	close_pair();
}

static bool
sent_all(void)
{
	static size_t total;

	total += far_read(NULL);
	return o.sends == 0 && o.io.out.len == 0 && total >= 5000000;
}

static void
test_output(void)
{
	open_pair();
	o.sends = 5000000;
	io_want_output(&o.io, true);
	CHECK(run_until(sent_all), "a long stream is pumped out");
	close_pair();
}

static void
test_end(void)
{
	open_pair();
	o.takes = 2;
	say("abcdefgh");
	shutdown(far, SHUT_WR);
	CHECK(run_until(has_ended), "the end is told");
	CHECK_STR(o.why, "", "as one in order");
	CHECK_STR(buf_str(&o.got), "abcdefgh", "after all that came");
	close_pair();

	open_pair();
	o.is_blocked = true;
	say("a\n");
	shutdown(far, SHUT_WR);
	CHECK(run_until(has_ended), "the end is told to a blocked owner too");
	o.ends = 0;
	o.is_blocked = false;
	io_kick(&o.io);
	CHECK(run_until(has_ended), "and again after a kick");
	CHECK_STR(buf_str(&o.got), "a\n", "when the rest was taken");
	close_pair();

	open_pair();
	close(far);
	far = -1;
	buf_add_str(io_out(&o.io), "hello");
	io_flush(&o.io);
	CHECK_INT(o.ends, 0, "a failed write calls nothing itself");
	CHECK(run_until(has_ended), "but is told");
	CHECK_STR(o.why, "Broken pipe", "with its reason");
	close_pair();
}

static void
test_release_inside(void)
{
	open_pair();
	o.releases = true;
	o.takes = 1;
	say("abc");
	CHECK(run_until(is_free), "a connection may be released in input");
	CHECK_STR(buf_str(&o.got), "a", "and is not called again");
	close_pair();
}

static bool
is_shut(void)
{
	return o.io.is_shut;
}

static void
test_finish(void)
{
	struct buf got = { 0 };

	open_pair();
	o.finishes = o.echoes = true;
	o.takes = 100;
	say("bye");
	CHECK(run_until(is_shut), "finishing ends the output");
	far_read(&got);
	CHECK_STR(buf_str(&got), "bye", "after all of it");
	say("more");
	CHECK_INT(o.finisheds, 0, "then it waits for the other side");
	close(far);
	far = -1;
	CHECK(run_until(is_free), "and is done when that closes");
	CHECK_STR(buf_str(&o.got), "bye", "what came late is thrown away");
	close_pair();
	buf_release(&got);

	open_pair();
	io_finish(&o.io);
	CHECK(run_until(is_free),
	      "it is done after a while if that never closes");
	close_pair();
}

static void
test_deadline(void)
{
	open_pair();
	io_deadline(&o.io, 1000000);
	io_deadline(&o.io, 20);
	CHECK(run_until(has_timed_out), "a deadline may be brought forward");
	CHECK_INT(o.timeouts, 1, "and fires once");
	o.timeouts = 0;
	io_deadline(&o.io, 10);
	io_deadline(&o.io, 0);
	io_deadline(&o.io, 30);
	CHECK(run_until(has_timed_out), "or put off");
	close_pair();
}

static bool
is_decided(void)
{
	return o.connecteds + o.ends > 0;
}

static void
test_connect(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct ip_port to;
	struct err e;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, len) < 0 ||
	    listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) < 0 ||
	    ip_from_sockaddr((struct sockaddr *)&sin, &to) < 0)
		abort();
	memset(&o, 0, sizeof(o));
	far = -1;
	io_init(&o.io, &ops, &o);
	CHECK_INT(io_connect(&o.io, &to, &e), 0, "a connection is started");
	CHECK(run_until(is_decided) && o.connecteds == 1, "and made");
	close_pair();

	close(fd);
	memset(&o, 0, sizeof(o));
	io_init(&o.io, &ops, &o);
	if (io_connect(&o.io, &to, &e) == 0) {
		CHECK(run_until(is_decided) && o.ends == 1,
		      "a refused one is told");
		CHECK_STR(o.why, "Connection refused", "with its reason");
	}
	close_pair();
}

int
main(void)
{
	loop_init();
	timer_init(&poll_timer, poll_until, NULL);
	far = -1;
	test_lines();
	test_pieces();
	test_blocked();
	test_output_bound();
	test_output();
	test_end();
	test_release_inside();
	test_finish();
	test_deadline();
	test_connect();
	return check_done();
}
