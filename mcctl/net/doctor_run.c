/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Programs of others, run with an end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "doctor.h"
#include "file.h"
#include "str.h"

#define WAIT_MS 15000
#define SAID_MAX 16384 /* bytes of output that are kept */

static bool
find(const char *program, char *path, size_t size)
{
	static const char *const more[] = { "/usr/sbin", "/usr/local/bin",
					    "/usr/local/sbin" };
	const char *p = getenv("PATH");
	size_t n, i;

	for (; p != NULL && *p != '\0'; p += n + (p[n] == ':')) {
		n = strcspn(p, ":");
		if (n > 0 &&
		    str_fmt(path, size, "%.*s/%s", (int)n, p, program) &&
		    access(path, X_OK) == 0)
			return true;
	}
	for (i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (str_fmt(path, size, "%s/%s", more[i], program) &&
		    access(path, X_OK) == 0)
			return true;
	return false;
}

bool
doctor_has(const char *program)
{
	char path[1024];

	return find(program, path, sizeof(path));
}

static void __attribute__((noreturn))
become(const char *path, const char *const *argv, int in, int out,
       const char *home)
{
	if (setenv("HOME", home, 1) != 0 || dup2(in, 0) != 0 ||
	    dup2(out, 1) != 1 || dup2(out, 2) != 2 ||
	    close_range(3, ~0u, 0) != 0)
		_exit(126);
	(void)execv(path, (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Reads until the other side closes or the time is over; 0 when it closed. */
static int
read_all(int fd, struct buf *out)
{
	int64_t end_ms = clock_mono_ms() + WAIT_MS, left_ms;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char piece[4096];
	ssize_t n;

	while ((left_ms = end_ms - clock_mono_ms()) > 0) {
		if (poll(&p, 1, (int)left_ms) <= 0)
			continue;
		n = read(fd, piece, sizeof(piece));
		if (n == 0)
			return 0;
		if (n > 0 && out->len + (size_t)n <= SAID_MAX)
			(void)buf_add(out, piece, (size_t)n);
		if (n < 0 && errno != EINTR)
			return -1;
	}
	return -1;
}

/* A file that is gone already, so that nothing has to be fed. */
static int
input_file(const char *input)
{
	char name[] = "/tmp/mcctl-doctor.XXXXXX";
	int fd = mkstemp(name);

	if (fd < 0)
		return -1;
	(void)unlink(name);
	if (file_write_all(fd, input, strlen(input)) != 0 ||
	    lseek(fd, 0, SEEK_SET) != 0)
		file_shut(&fd);
	return fd;
}

static int
wait_for(pid_t pid, int out, struct buf *said)
{
	bool is_closed = read_all(out, said) == 0;
	int status;

	if (!is_closed)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -2;
	return is_closed && WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

int
doctor_run(const char *const *argv, const char *input, const char *home,
	   struct buf *out, struct err *e)
{
	char path[1024];
	int in, pipes[2], rc;
	pid_t pid;

	buf_clear(out);
	if (!find(argv[0], path, sizeof(path)))
		return err_set(e, "%s is not installed", argv[0]);
	in = input_file(input);
	if (in < 0 || pipe(pipes) != 0) {
		file_shut(&in);
		(void)err_sys(e, "%s", argv[0]);
		return -2;
	}
	pid = fork();
	if (pid == 0)
		become(path, argv, in, pipes[1], home);
	file_shut(&in);
	file_shut(&pipes[1]);
	rc = pid > 0 ? wait_for(pid, pipes[0], out) : -2;
	file_shut(&pipes[0]);
	if (rc == -2)
		(void)err_set(e, "%s has not ended within %d s", argv[0],
			      WAIT_MS / 1000);
	return rc;
}
