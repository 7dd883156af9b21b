/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One datagram a notice, to the socket that the service manager named.
 * A manager that does not listen is no failure of ours.
 */
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "str.h"

#define LISTEN_FDS_MAX 1024

static struct {
	struct sockaddr_un address;
	socklen_t address_len; /* 0: nobody listens */
	int64_t watchdog_ms;
	int listen_fds;
} notify;

static void
take_socket(const char *name)
{
	size_t len = strlen(name);

	memset(&notify.address, 0, sizeof(notify.address));
	notify.address.sun_family = AF_UNIX;
	if ((name[0] != '/' && name[0] != '@') || len < 2 ||
	    len >= sizeof(notify.address.sun_path)) {
		log_warn("NOTIFY_SOCKET=%s is neither a path nor @name",
			 log_text(name));
		return;
	}
	memcpy(notify.address.sun_path, name, len);
	/* The abstract name space; neither form counts a NUL at the end. */
	if (name[0] == '@')
		notify.address.sun_path[0] = '\0';
	notify.address_len =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

/* True when the variable is absent or names this process. */
static int
is_for_us(const char *pid_variable, int is_needed)
{
	const char *text = getenv(pid_variable);
	int64_t pid;

	if (text == NULL)
		return !is_needed;
	return str_to_i64(text, &pid, NULL) == 0 && pid == (int64_t)getpid();
}

static int64_t
number(const char *variable, int64_t max)
{
	const char *text = getenv(variable);
	int64_t n;

	if (text == NULL || str_to_i64(text, &n, NULL) != 0 || n < 0 || n > max)
		return 0;
	return n;
}

void
notify_init(void)
{
	static const char *const ours[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC",
					    "WATCHDOG_PID",  "LISTEN_FDS",
					    "LISTEN_PID",    "LISTEN_FDNAMES" };
	const char *name = getenv("NOTIFY_SOCKET");
	size_t i;
	int fd;

	memset(&notify, 0, sizeof(notify));
	if (name != NULL)
		take_socket(name);
	if (is_for_us("WATCHDOG_PID", 0))
		notify.watchdog_ms =
			number("WATCHDOG_USEC", INT64_MAX / 2) / 1000 / 2;
	if (is_for_us("LISTEN_PID", 1))
		notify.listen_fds = (int)number("LISTEN_FDS", LISTEN_FDS_MAX);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		(void)unsetenv(ours[i]);
	for (i = 0; i < (size_t)notify.listen_fds; i++) {
		fd = NOTIFY_LISTEN_FIRST + (int)i;
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
			log_warn("LISTEN_FDS: descriptor %d is not open", fd);
			notify.listen_fds = (int)i;
		}
	}
}

void
notify_send(const char *text)
{
	int fd;
	ssize_t n;

	if (notify.address_len == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		log_warn("service manager not told: %s", strerror(errno));
		return;
	}
	do {
		n = sendto(fd, text, strlen(text), MSG_NOSIGNAL,
			   (const struct sockaddr *)&notify.address,
			   notify.address_len);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		log_debug("service manager not told: %s", strerror(errno));
	file_shut(&fd);
}

int64_t
notify_watchdog_ms(void)
{
	return notify.watchdog_ms;
}

int
notify_listen_fds(void)
{
	return notify.listen_fds;
}
