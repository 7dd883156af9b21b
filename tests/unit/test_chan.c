/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Channels: frames and descriptors pass in order, also when the socket is
 * full; and what a hostile other side sends ends its channel only.
 */
#include "chan.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "check.h"
#include "clock.h"
#include "file.h"
#include "str.h"

static struct chan *incoming, *queue;

static void
open_pair(void)
{
	int fd[2];

	if (chan_pair(fd, NULL) != 0)
		abort();
	incoming = chan_new(fd[0], ROLE_INCOMING, ROLE_QUEUE);
	queue = chan_new(fd[1], ROLE_QUEUE, ROLE_INCOMING);
}

static void
close_pair(void)
{
	chan_free(incoming);
	chan_free(queue);
	incoming = queue = NULL;
}

static int
open_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static int
some_fd(void)
{
	return file_open(AT_FDCWD, "/dev/null", O_RDONLY, 0);
}

static void
test_there_and_back(void)
{
	struct frame_body_ask ask = { .size_hint = 12345 };
	struct frame_body_reply reply = { .status = ANSWER_OK, .id = "abc" };
	struct frame f;
	struct err e;
	int fds = open_fds();

	open_pair();
	CHECK_INT(chan_receive(queue, &f, &e), 0, "nothing is there at first");
	CHECK(chan_other(queue) == ROLE_INCOMING && chan_fd(queue) >= 0,
	      "a channel knows its other side");
	CHECK_INT(chan_send(incoming, FRAME_body_ask, 9, &ask, -1), 0,
		  "a question is sent");
	CHECK(!chan_wants_write(incoming), "and does not wait");
	CHECK_INT(chan_receive(queue, &f, &e), 1, "it arrives");
	CHECK(f.type == FRAME_body_ask && f.token == 9 && f.fd == -1 &&
		      FRAME_BODY(&f, body_ask)->size_hint == 12345,
	      "with its values");
	CHECK_INT(chan_send(queue, FRAME_body_reply, 9, &reply, some_fd()), 0,
		  "a reply is sent with a descriptor");
	CHECK_INT(chan_wait(incoming, &f, 5000, &e), 1, "it arrives");
	CHECK(f.fd >= 0 && (fcntl(f.fd, F_GETFD) & FD_CLOEXEC) != 0,
	      "with a descriptor that is closed on exec");
	file_shut(&f.fd);
	CHECK_INT(chan_receive(incoming, &f, &e), 0, "and that was all");
	close_pair();
	CHECK_INT(open_fds(), fds, "no descriptor is left open");
}

static void
test_not_sent(void)
{
	struct frame_body_reply reply = { .status = ANSWER_OK };
	struct frame_body_ask ask = { 0 };
	struct frame_ledger_grown grown = { .file = "" };
	struct frame_commit commit = { .id = "a" };
	char text[400];
	int fds;

	open_pair();
	fds = open_fds();
	CHECK(chan_send(incoming, FRAME_body_reply, 1, &reply, -1) != 0,
	      "incoming may not send what only queue sends");
	CHECK(chan_send(queue, FRAME_ledger_grown, 0, &grown, -1) != 0,
	      "queue may not send incoming what is for store");
	CHECK_STR(chan_error(queue),
		  "frame ledger_grown: not from queue to incoming",
		  "the reason is kept");
	CHECK(chan_send(incoming, FRAME_body_ask, 1, &ask, some_fd()) != 0,
	      "a frame that takes no descriptor is not sent with one");
	CHECK(chan_send(incoming, FRAME_body_ask, 0, &ask, -1) != 0,
	      "a question without a token is not sent");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	commit.sender = text;
	CHECK(chan_send(incoming, FRAME_commit, 1, &commit, -1) != 0,
	      "a field over its limit is not sent");
	CHECK(chan_send(incoming, (enum frame_type)255, 0, &ask, -1) != 0,
	      "an unknown frame is not sent");
	CHECK_INT(open_fds(), fds, "descriptors given are closed");
	CHECK_INT(chan_send(incoming, FRAME_body_ask, 1, &ask, -1), 0,
		  "the channel still works");
	close_pair();
}

static void
test_without_fd(void)
{
	struct frame_deliver deliver = { .name = "a" };
	struct chan *c;
	int fd[2];

	if (chan_pair(fd, NULL) != 0)
		abort();
	c = chan_new(fd[0], ROLE_QUEUE, ROLE_OUTGOING);
	CHECK(chan_send(c, FRAME_deliver, 1, &deliver, -1) != 0,
	      "a frame that takes a descriptor is not sent without");
	chan_free(c);
	file_shut(&fd[1]);
}

/* Frames of 8 KiB, each with a descriptor, until the socket is full. */
static void
test_backlog(void)
{
	struct frame_body_reply reply = { .status = ANSWER_OK };
	char text[401], id[25];
	int fds, i, sent = 0, got = 0, with_fd = 0, in_order = 1;
	struct frame f;
	struct err e;

	open_pair();
	fds = open_fds();
	memset(text, 'x', 400);
	text[400] = '\0';
	reply.text = text;
	reply.id = id;
	while (chan_backlog(queue) < 100000 && sent < 100000) {
		snprintf(id, sizeof(id), "%d", sent);
		if (chan_send(queue, FRAME_body_reply, 7, &reply,
			      sent % 50 == 0 ? some_fd() : -1) != 0)
			break;
		sent++;
	}
	CHECK(chan_wants_write(queue) && chan_backlog(queue) >= 100000,
	      "what the socket does not take waits");
	for (i = 0; i < 1000000 && got < sent; i++) {
		if (chan_flush(queue) != 0)
			break;
		if (chan_receive(incoming, &f, &e) != 1)
			break;
		in_order &= f.token == 7 &&
			    strtol(FRAME_BODY(&f, body_reply)->id, NULL, 10) ==
				    got &&
			    (f.fd >= 0) == (got % 50 == 0);
		with_fd += f.fd >= 0;
		file_shut(&f.fd);
		got++;
	}
	CHECK_INT(got, sent, "all arrive");
	CHECK(in_order && with_fd > 0, "in order, with their descriptors");
	CHECK(!chan_wants_write(queue) && chan_backlog(queue) == 0,
	      "nothing waits in the end");
	CHECK_INT(open_fds(), fds, "no descriptor is left open");
	close_pair();
}

static void
test_backlog_dropped(void)
{
	struct frame_body_reply reply = { .status = ANSWER_OK };
	int fds = open_fds(), i;

	open_pair();
	for (i = 0; i < 100000 && chan_backlog(queue) < 1000; i++) {
		if (chan_send(queue, FRAME_body_reply, 7, &reply, -1) != 0)
			break;
	}
	for (i = 0; i < 20; i++)
		chan_send(queue, FRAME_body_reply, 7, &reply, some_fd());
	close_pair();
	CHECK_INT(open_fds(), fds,
		  "a channel that is freed closes what waited");
}

static void
test_backlog_full(void)
{
	static char bytes[49152];
	struct frame_ctl_row row = { { bytes, sizeof(bytes) } };
	struct frame f;
	struct err e = { "" };
	struct chan *c;
	int fd[2], i;

	if (chan_pair(fd, NULL) != 0)
		abort();
	c = chan_new(fd[0], ROLE_CONTROL, ROLE_CTL);
	for (i = 0; i < 5000; i++) {
		if (chan_send(c, FRAME_ctl_row, 1, &row, -1) != 0)
			break;
	}
	CHECK(i < 5000 && strstr(chan_error(c), "does not read") != NULL,
	      "a side that does not read breaks its channel: %s",
	      chan_error(c));
	CHECK(chan_backlog(c) == 0 && !chan_wants_write(c),
	      "what waited is dropped");
	CHECK(chan_send(c, FRAME_ctl_row, 1, &row, -1) != 0,
	      "and nothing more is sent");
	CHECK(chan_receive(c, &f, &e) == -1 &&
		      strstr(e.text, "does not read") != NULL,
	      "nor received when all is: %s", e.text);
	chan_free(c);
	file_shut(&fd[1]);
}

/* Raw bytes with descriptors, as a hostile other side would send them. */
static void
send_raw(int fd, const char *p, size_t len, int fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { (char *)(uintptr_t)p, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;
	int passed[8], i;

	for (i = 0; i < fds; i++)
		passed[i] = some_fd();
	if (fds > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE((size_t)fds * sizeof(int));
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN((size_t)fds * sizeof(int));
		memcpy(CMSG_DATA(cmsg), passed, (size_t)fds * sizeof(int));
	}
	if (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0)
		abort();
	for (i = 0; i < fds; i++)
		file_shut(&passed[i]);
}

#define DROP "\x32\0\0\0\0\0\0\0\1\0\0\0a\0" /* body_drop of "a" */
#define INTAKE "\x37\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0" /* queue's to send */

static char too_long[PROTO_FRAME_MAX + 1];

static const struct hostile {
	const char *words;
	struct span bytes;
	int fds;
	const char *why;
} hostile[] = {
	{ "bytes that are no frame", SPAN_LIT("hello, queue"), 0, "type" },
	{ "a frame with a byte too many", SPAN_LIT(DROP "x"), 0, "left over" },
	{ "a frame that only the receiver sends", SPAN_LIT(INTAKE), 0,
	  "not from incoming to queue" },
	{ "a frame with a descriptor where none is due",
	  { DROP, sizeof(DROP) - 1 },
	  1,
	  "none is due" },
	{ "a frame with two descriptors",
	  { DROP, sizeof(DROP) - 1 },
	  2,
	  "more than one" },
	{ "a frame with eight descriptors",
	  { DROP, sizeof(DROP) - 1 },
	  8,
	  "more than one" },
	{ "a datagram that is too long",
	  { too_long, sizeof(too_long) },
	  0,
	  "datagram of 1 to 65536" },
	{ "one that is too long, with a descriptor",
	  { too_long, sizeof(too_long) },
	  1,
	  "datagram of 1 to 65536" },
	{ "an empty datagram with a descriptor", { "", 0 }, 1, "1 to 65536" },
	{ "an empty datagram, which is as the end", { "", 0 }, 0, "" },
};

static void
test_hostile(void)
{
	const struct hostile *h;
	struct frame f;
	struct err e;
	size_t i;
	int fds;

	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		h = &hostile[i];
		open_pair();
		fds = open_fds();
		send_raw(chan_fd(incoming), h->bytes.p, h->bytes.len, h->fds);
		send_raw(chan_fd(incoming), DROP, sizeof(DROP) - 1, 0);
		e.text[0] = '\0';
		CHECK(chan_receive(queue, &f, &e) == -1 &&
			      (h->why[0] ? strstr(e.text, h->why) != NULL
					 : e.text[0] == '\0'),
		      "%s: %s", h->words, e.text);
		CHECK_INT(open_fds(), fds, "%s: no descriptor stays", h->words);
		CHECK_INT(chan_receive(queue, &f, &e), -1,
			  "%s: nothing more is taken", h->words);
		close_pair();
	}
}

static void
test_missing_fd(void)
{
	static const char stats_map[] = "\x02\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0";
	struct frame f;
	struct chan *c;
	struct err e;
	int fd[2];

	if (chan_pair(fd, NULL) != 0)
		abort();
	c = chan_new(fd[0], ROLE_STORE, ROLE_PARENT);
	send_raw(fd[1], stats_map, sizeof(stats_map) - 1, 0);
	CHECK(chan_receive(c, &f, &e) == -1 &&
		      strstr(e.text, "descriptor is missing") != NULL,
	      "a frame without its descriptor: %s", e.text);
	chan_free(c);
	file_shut(&fd[1]);
}

static void
test_closed(void)
{
	struct frame_body_ask ask = { 0 };
	struct frame f;
	struct err e = { "?" };

	open_pair();
	chan_send(incoming, FRAME_body_ask, 3, &ask, -1);
	chan_free(incoming);
	incoming = NULL;
	CHECK_INT(chan_receive(queue, &f, &e), 1,
		  "what was sent before the end arrives");
	CHECK_INT(chan_receive(queue, &f, &e), -1, "then the end is seen");
	CHECK_STR(e.text, "", "and is no error");
	CHECK_INT(chan_wait(queue, &f, -1, &e), -1, "a wait sees it too");
	close_pair();
	open_pair();
	chan_send(incoming, FRAME_body_ask, 3, &ask, -1);
	chan_free(queue);
	queue = NULL;
	CHECK(chan_receive(incoming, &f, &e) == -1 && e.text[0] == '\0',
	      "an end with a frame unread is no error either");
	CHECK(chan_send(incoming, FRAME_body_ask, 3, &ask, -1) != 0,
	      "nothing is sent to a closed side, and no signal comes");
	close_pair();
}

static void
test_last_words(void)
{
	struct frame_body_reply reply = { .id = "last" };
	struct frame_body_ask ask = { 0 };
	struct frame f;
	struct err e = { "?" };
	int i, got = 0;

	open_pair();
	chan_send(incoming, FRAME_body_ask, 3, &ask, -1);
	for (i = 0; i < 3; i++)
		chan_send(queue, FRAME_body_reply, 3, &reply, -1);
	chan_free(queue);
	queue = NULL;
	CHECK(chan_send(incoming, FRAME_body_ask, 4, &ask, -1) != 0 &&
		      chan_flush(incoming) != 0,
	      "nothing is sent to a side that is gone");
	while (chan_receive(incoming, &f, &e) == 1)
		got += str_eq(FRAME_BODY(&f, body_reply)->id, "last");
	CHECK_INT(got, 3, "its last words are received all the same");
	CHECK_INT(chan_receive(incoming, &f, &e), -1, "then the end is seen");
	close_pair();
}

static void
test_wait(void)
{
	int64_t start_ms = clock_mono_ms();
	struct frame f;
	struct err e;

	open_pair();
	CHECK_INT(chan_wait(queue, &f, 30, &e), 0, "a wait ends");
	CHECK(clock_mono_ms() - start_ms >= 30, "not before its time");
	CHECK_INT(chan_wait(queue, &f, 0, &e), 0, "a wait of 0 does not wait");
	close_pair();
}

int
main(void)
{
	test_there_and_back();
	test_not_sent();
	test_without_fd();
	test_backlog();
	test_backlog_dropped();
	test_backlog_full();
	test_hostile();
	test_missing_fd();
	test_closed();
	test_last_words();
	test_wait();
	return check_done();
}
