/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SMTP sessions that send one message after the other over their own
 * connection, all in one thread, so that little of the machine is the
 * client's.
 * smtp_load ADDR:PORT SESSIONS SECONDS SIZE RCPT prints messages answered
 * 250 a second; any other answer is an error.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "ip.h"
#include "str.h"
#include "xalloc.h"

#define EVENTS 64

/* What a session waits for. */
enum step { GREETING, HELLO, GO_AHEAD, ACCEPTED };

struct session {
	int fd;
	enum step step;
	int left; /* replies */
	size_t len; /* of what is in text */
	char text[4096];
};

static struct ip_port to;
static struct buf start, message;
static uint64_t done;

static void
die(const char *what)
{
	fprintf(stderr, "smtp_load: %s\n", what);
	exit(1);
}

static void
say(struct session *s, enum step next, int replies, const void *p, size_t len)
{
	s->step = next;
	s->left = replies;
	/* A socket that blocks takes it all. */
	if (file_write_all(s->fd, p, len) < 0)
		die(strerror(errno));
}

/* All replies of a step have come. */
static void
go_on(struct session *s)
{
	static const char hello[] = "EHLO load.example\r\n";

	if (s->step == GREETING) {
		say(s, HELLO, 1, hello, sizeof(hello) - 1);
	} else if (s->step == GO_AHEAD) {
		say(s, ACCEPTED, 1, message.data, message.len);
	} else {
		done += s->step == ACCEPTED;
		say(s, GO_AHEAD, 3, start.data, start.len);
	}
}

/* One reply; the last of a step says whether all is well. */
static void
on_reply(struct session *s, const char *line)
{
	if (line[3] == '-' || --s->left > 0)
		return;
	if (line[0] != (s->step == GO_AHEAD ? '3' : '2'))
		die(line);
	go_on(s);
}

static void
on_input(struct session *s)
{
	ssize_t got =
		read(s->fd, s->text + s->len, sizeof(s->text) - 1 - s->len);
	char *line = s->text, *end;

	if (got <= 0)
		die(got == 0 ? "closed" : strerror(errno));
	s->len += (size_t)got;
	s->text[s->len] = '\0';
	while ((end = strstr(line, "\r\n")) != NULL) {
		*end = '\0';
		on_reply(s, line);
		line = end + 2;
	}
	s->len -= (size_t)(line - s->text);
	memmove(s->text, line, s->len);
}

static void
connect_one(struct session *s, int epoll)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };
	struct sockaddr_storage ss;
	socklen_t len = ip_to_sockaddr(&to, &ss);
	int one = 1;

	s->step = GREETING;
	s->left = 1;
	s->fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&ss, len) < 0)
		die(strerror(errno));
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &ev) < 0)
		die(strerror(errno));
}

static void
run(uint64_t sessions, int64_t end_us)
{
	struct session *all = xcalloc(sessions + 1, sizeof(*all));
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int i, n;

	if (epoll < 0)
		die(strerror(errno));
	for (uint64_t k = 0; k < sessions; k++)
		connect_one(&all[k], epoll);
	while (clock_mono_us() < end_us) {
		n = epoll_wait(epoll, events, EVENTS, 100);
		if (n < 0 && errno != EINTR)
			die(strerror(errno));
		for (i = 0; i < n; i++)
			on_input(events[i].data.ptr);
	}
	for (uint64_t k = 0; k < sessions; k++)
		close(all[k].fd);
	close(epoll);
	free(all);
}

static void
make_message(uint64_t size, const char *rcpt)
{
	buf_printf(&start,
		   "MAIL FROM:<load@load.example>\r\nRCPT TO:<%s>\r\n"
		   "DATA\r\n",
		   rcpt);
	buf_add_str(&message, "From: <load@load.example>\r\n"
			      "Message-ID: <load@load.example>\r\n"
			      "Subject: load\r\n\r\n");
	while (message.len < size)
		buf_add_str(&message, "A line of text as people write them, "
				      "of some seventy characters.\r\n");
	buf_add_str(&message, ".\r\n");
}

int
main(int argc, char **argv)
{
	uint64_t sessions, seconds, size;
	int64_t began;
	struct err e;

	if (argc != 6 || ip_port_parse(argv[1], &to, &e) < 0 ||
	    str_to_u64(argv[2], &sessions, &e) < 0 || sessions > 4096 ||
	    str_to_u64(argv[3], &seconds, &e) < 0 ||
	    str_to_u64(argv[4], &size, &e) < 0) {
		fprintf(stderr, "usage: smtp_load ADDR:PORT SESSIONS SECONDS "
				"SIZE RCPT\n");
		return 64;
	}
	make_message(size, argv[5]);
	began = clock_mono_us();
	run(sessions, began + (int64_t)seconds * 1000000);
	printf("%.1f\n",
	       (double)done * 1e6 / (double)(clock_mono_us() - began));
	return 0;
}
