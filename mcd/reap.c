/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * waitpid(2), for the parent and for the pool of workers.
 */
#include "reap.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "str.h"

void
reap_all(reap_fn *fn)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, WNOHANG);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid <= 0)
			return;
		fn(pid, status);
	}
}

void
reap_text(int status, char *dst, size_t size)
{
	if (WIFEXITED(status))
		(void)str_fmt(dst, size, "exit=%d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		(void)str_fmt(dst, size, "signal=%d (%s)", WTERMSIG(status),
			      strsignal(WTERMSIG(status)));
	else
		(void)str_fmt(dst, size, "status=%d", status);
}
