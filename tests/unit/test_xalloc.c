/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Allocation that does not return NULL: the sizes at the edges, and what
 * happens when there is no memory.
 */
#include "xalloc.h"

#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static volatile size_t too_many = SIZE_MAX / 2;

/* An exit handler that itself needs what is not there. */
static void
allocate_again(void)
{
	free(xreallocarray(NULL, too_many, 4));
}

static int
status_when_out(int with_handler, char *said, size_t size)
{
	int status, fds[2];
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe(fds) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		if (with_handler)
			atexit(allocate_again);
		free(xreallocarray(NULL, too_many, 3));
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], said + len, size - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
main(void)
{
	char said[512];
	char *p;

	p = xmalloc(0);
	CHECK(p != NULL, "no bytes are still a place");
	p = xrealloc(p, 0);
	CHECK(p != NULL, "shrinking to nothing does not free");
	free(p);
	p = xcalloc(0, 0);
	CHECK(p != NULL, "an array of nothing is a place");
	free(p);
	p = xcalloc(3, 5);
	CHECK_MEM(p, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15, "xcalloc zeroes");
	p = xreallocarray(p, 7, 9);
	memset(p, 1, 63);
	free(p);
	p = xstrndup("abcdef", 3);
	CHECK_STR(p, "abc", "xstrndup takes n bytes");
	free(p);
	p = xstrndup("ab", 3);
	CHECK_STR(p, "ab", "xstrndup ends at a NUL");
	free(p);
	p = xstrdup("");
	CHECK_STR(p, "", "xstrdup copies the empty string");
	free(p);
	p = xmemdup("a\0b", 3);
	CHECK_MEM(p, "a\0b", 3, "xmemdup copies NULs");
	free(p);
	p = xmemdup(NULL, 0);
	CHECK(p != NULL, "xmemdup of nothing is a place");
	free(p);
	CHECK_INT(status_when_out(0, said, sizeof(said)), 71,
		  "without memory the process exits 71");
	CHECK(strstr(said, "error: out of memory") != NULL, "and says so");
	CHECK_INT(status_when_out(1, said, sizeof(said)), 71,
		  "an exit handler without memory does not loop");
	return check_done();
}
