/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Forked and not executed: the program on disk may be newer than the
 * console that runs.
 */
#include "errand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "run.h"
#include "xalloc.h"

#define END_MS 500 /* from SIGTERM to SIGKILL */

struct errand {
	pid_t pid; /* 0: it has ended */
	int fds[2];
	struct buf said[2]; /* standard output, standard error */
	bool is_cut;
	int status;
};

static void
default_signals(void)
{
	struct sigaction sa;
	sigset_t none;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &sa, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child; does not return. */
static void
run(const struct cmdline *words, pid_t parent, const int out[2],
    const int err[2])
{
	char *copy[CMDLINE_WORDS + 1];
	int null = file_open(AT_FDCWD, "/dev/null", O_RDONLY, 0);

	(void)setpgid(0, 0);
	default_signals();
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(out[1], STDOUT_FILENO) < 0 || dup2(err[1], STDERR_FILENO) < 0)
		_exit(EX_OSERR);
	for (int i = 0; i < 2; i++) {
		(void)close(out[i]);
		(void)close(err[i]);
	}
	(void)close(null);
	memcpy(copy, words->words, sizeof(copy));
	_exit(run_words(copy));
}

static int
make_pipe(int fds[2])
{
	return pipe2(fds, O_CLOEXEC | O_NONBLOCK);
}

struct errand *
errand_start(const struct cmdline *words, struct err *e)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	pid_t pid = -1, parent = getpid();
	struct errand *j;

	(void)fflush(NULL);
	if (make_pipe(out) == 0 && make_pipe(err) == 0)
		pid = fork();
	if (pid == 0) {
		/* The command writes as it would to a terminal. */
		(void)fcntl(out[1], F_SETFL, 0);
		(void)fcntl(err[1], F_SETFL, 0);
		run(words, parent, out, err);
	}
	if (pid < 0)
		(void)err_sys(e, "a process for the command");
	file_shut(&out[1]);
	file_shut(&err[1]);
	if (pid < 0) {
		file_shut(&out[0]);
		file_shut(&err[0]);
		return NULL;
	}
	j = xcalloc(1, sizeof(*j));
	j->pid = pid;
	j->fds[0] = out[0];
	j->fds[1] = err[0];
	j->said[0].limit = j->said[1].limit = ERRAND_OUTPUT_MAX;
	return j;
}

/* Takes what one pipe has; closes it at its end. */
static void
take(struct errand *j, int i)
{
	char bytes[16384];
	ssize_t n = read(j->fds[i], bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		file_shut(&j->fds[i]);
		return;
	}
	if (buf_add(&j->said[i], bytes, (size_t)n) < 0) {
		j->is_cut = true;
		file_shut(&j->fds[i]);
	}
}

/* Both pipes are closed: it has ended, or is about to. */
static bool
reap(struct errand *j, int flags)
{
	pid_t got;

	do
		got = waitpid(j->pid, &j->status, flags);
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return false;
	if (got < 0)
		j->status = EX_OSERR << 8;
	j->pid = 0;
	return true;
}

static void
stop(struct errand *j)
{
	int64_t end = clock_mono_ms() + END_MS;

	(void)kill(j->pid, SIGTERM);
	while (!reap(j, WNOHANG)) {
		if (clock_mono_ms() > end)
			(void)kill(j->pid, SIGKILL);
		(void)poll(NULL, 0, 5);
	}
}

bool
errand_wait(struct errand *j, int64_t wait_ms)
{
	int64_t end = clock_mono_ms() + wait_ms, left;
	struct pollfd p[2];

	while (j->pid != 0) {
		if (j->is_cut)
			stop(j);
		else if (j->fds[0] < 0 && j->fds[1] < 0)
			(void)reap(j, 0);
		if (j->pid == 0)
			break;
		left = end - clock_mono_ms();
		for (int i = 0; i < 2; i++)
			p[i] = (struct pollfd){ j->fds[i], POLLIN, 0 };
		if (poll(p, 2, left > 0 ? (int)left : 0) <= 0)
			return false;
		for (int i = 0; i < 2; i++)
			if (p[i].revents != 0 && j->fds[i] >= 0)
				take(j, i);
	}
	return true;
}

const struct buf *
errand_output(const struct errand *j)
{
	return &j->said[0];
}

const struct buf *
errand_errors(const struct errand *j)
{
	return &j->said[1];
}

bool
errand_is_cut(const struct errand *j)
{
	return j->is_cut;
}

int
errand_code(const struct errand *j)
{
	return WIFEXITED(j->status) ? WEXITSTATUS(j->status) : EX_SOFTWARE;
}

void
errand_free(struct errand *j)
{
	if (j == NULL)
		return;
	if (j->pid != 0)
		stop(j);
	for (int i = 0; i < 2; i++) {
		file_shut(&j->fds[i]);
		buf_release(&j->said[i]);
	}
	free(j);
}
