/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The service manager's protocol: what is taken from the environment and
 * what arrives at its socket.
 */
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "notify.h"
#include "str.h"

static int
listen_at(const char *path, size_t len)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(a.sun_path, path, len);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				       len)) != 0) {
		perror("bind");
		exit(EXIT_FAILURE);
	}
	return fd;
}

static const char *
received(int fd)
{
	static char text[256];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
test_socket(void)
{
	char dir[] = "/tmp/mcgate-notify.XXXXXX", path[64], name[64];
	int fd;

	if (mkdtemp(dir) == NULL)
		exit(EXIT_FAILURE);
	str_fmt(path, sizeof(path), "%s/socket", dir);
	fd = listen_at(path, strlen(path));
	setenv("NOTIFY_SOCKET", path, 1);
	notify_init();
	CHECK(getenv("NOTIFY_SOCKET") == NULL,
	      "the variable is taken out of the environment");
	notify_send("READY=1\n");
	CHECK_STR(received(fd), "READY=1\n", "a notice arrives at a path");
	close(fd);
	notify_send("READY=1\n");
	unlink(path);
	notify_send("READY=1\n");
	CHECK(1, "a manager that does not listen does no harm");
	rmdir(dir);
	str_fmt(name, sizeof(name), "@mcgate-test-%ld", (long)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = '\0';
	fd = listen_at(name, 1 + strlen(name + 1));
	notify_init();
	notify_send("STOPPING=1\n");
	CHECK_STR(received(fd), "STOPPING=1\n",
		  "a notice arrives in the abstract name space");
	notify_init();
	notify_send("READY=1\n");
	CHECK_STR(received(fd), "", "without the variable nothing is sent");
	setenv("NOTIFY_SOCKET", "relative", 1);
	notify_init();
	notify_send("READY=1\n");
	CHECK_STR(received(fd), "", "a name that is no path is refused");
	close(fd);
}

static void
test_watchdog(void)
{
	static const struct {
		const char *usec, *pid;
		int64_t want_ms;
		const char *words;
	} rows[] = {
		{ NULL, NULL, 0, "no watchdog: nothing is due" },
		{ "30000000", NULL, 15000, "twice in each period" },
		{ "30000000", "self", 15000, "a pid that is ours" },
		{ "30000000", "1", 0, "a pid that is not ours" },
		{ "soon", NULL, 0, "no number" },
		{ "-5", NULL, 0, "a negative number" },
	};
	char self[24];
	size_t i;

	str_fmt(self, sizeof(self), "%ld", (long)getpid());
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].usec != NULL)
			setenv("WATCHDOG_USEC", rows[i].usec, 1);
		if (rows[i].pid != NULL)
			setenv("WATCHDOG_PID",
			       str_eq(rows[i].pid, "self") ? self : rows[i].pid,
			       1);
		notify_init();
		CHECK_INT(notify_watchdog_ms(), rows[i].want_ms, "watchdog: %s",
			  rows[i].words);
	}
}

static void
test_listen_fds(void)
{
	char self[24];
	int fd;

	str_fmt(self, sizeof(self), "%ld", (long)getpid());
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	notify_init();
	CHECK_INT(notify_listen_fds(), 0, "descriptors for another process");
	CHECK(getenv("LISTEN_FDS") == NULL, "the variables are taken out");
	setenv("LISTEN_FDS", "1", 1);
	notify_init();
	CHECK_INT(notify_listen_fds(), 0, "descriptors for no process");
	fd = dup2(STDOUT_FILENO, NOTIFY_LISTEN_FIRST);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", self, 1);
	notify_init();
	CHECK_INT(notify_listen_fds(), 1, "descriptors for us");
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC, "they become close-on-exec");
	close(fd);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", self, 1);
	notify_init();
	CHECK_INT(notify_listen_fds(), 0, "descriptors that are not there");
	setenv("LISTEN_FDS", "1000000", 1);
	setenv("LISTEN_PID", self, 1);
	notify_init();
	CHECK_INT(notify_listen_fds(), 0, "more than can be");
}

int
main(void)
{
	test_socket();
	test_watchdog();
	test_listen_fds();
	return check_done();
}
