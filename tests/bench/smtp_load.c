/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SMTP sessions that send one message after the other over their own
 * connection, a thread each.
 * smtp_load ADDR:PORT SESSIONS SECONDS SIZE RCPT prints messages answered
 * 250 a second; any other answer is an error.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "ip.h"
#include "str.h"
#include "xalloc.h"

static struct ip_port to;
static struct buf start, message;
static atomic_long done;
static atomic_int is_over;

static void
die(const char *what)
{
	fprintf(stderr, "smtp_load: %s\n", what);
	exit(1);
}

/* Reads n complete replies; the last must begin with digit. */
static void
replies(int fd, int n, char digit)
{
	char b[4096];
	size_t len = 0;

	for (;;) {
		ssize_t got = read(fd, b + len, sizeof(b) - 1 - len);
		char *line = b;
		char *end;

		if (got <= 0)
			die(got == 0 ? "closed" : strerror(errno));
		len += (size_t)got;
		b[len] = '\0';
		while ((end = strstr(line, "\r\n")) != NULL) {
			if (line[3] != '-' && --n == 0) {
				if (line[0] != digit)
					die(line);
				return;
			}
			line = end + 2;
		}
		len -= (size_t)(line - b);
		memmove(b, line, len);
	}
}

static void *
session(void *arg)
{
	struct sockaddr_storage ss;
	socklen_t len = ip_to_sockaddr(&to, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	(void)arg;
	if (fd < 0 || connect(fd, (struct sockaddr *)&ss, len) < 0)
		die(strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	replies(fd, 1, '2');
	if (file_write_all(fd, "EHLO load.example\r\n", 19) < 0)
		die("write");
	replies(fd, 1, '2');
	while (!atomic_load(&is_over)) {
		if (file_write_all(fd, start.data, start.len) < 0)
			die("write");
		replies(fd, 3, '3');
		if (file_write_all(fd, message.data, message.len) < 0)
			die("write");
		replies(fd, 1, '2');
		atomic_fetch_add(&done, 1);
	}
	close(fd);
	return NULL;
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
	pthread_t *t;
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
	t = xcalloc(sessions, sizeof(*t));
	began = clock_mono_us();
	for (uint64_t i = 0; i < sessions; i++)
		if (pthread_create(&t[i], NULL, session, NULL))
			die("pthread_create");
	usleep((useconds_t)(seconds * 1000000));
	atomic_store(&is_over, 1);
	for (uint64_t i = 0; i < sessions; i++)
		pthread_join(t[i], NULL);
	printf("%.1f\n", (double)atomic_load(&done) * 1e6 /
				 (double)(clock_mono_us() - began));
	return 0;
}
