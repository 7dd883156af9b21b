/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * fork and exec of a role.  Between the two nothing is shared but the
 * descriptors named here.
 */
#include "parent_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"
#include "parent_dirs.h"
#include "str.h"

#define FDS_MAX 3 /* the channel and two locks */
#define ENV_MAX 64
#define EXIT_OSERR 71

extern char **environ;

/*
 * What goes to a role: the time zone and what tools of tests need.  The
 * last two are only passed on by an mcd that runs with the rights of the
 * one who started it: a set-id program must not carry them over.
 */
static bool
env_is_kept(const char *entry)
{
	static const char *const always[] = { "TZ=", "PATH=" };
	static const char *const for_tests[] = {
		"ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "MCGATE_",
		"LD_PRELOAD="
	};
	size_t i;

	for (i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		if (str_has_prefix(entry, always[i]))
			return true;
	}
	if (getauxval(AT_SECURE) != 0)
		return false;
	for (i = 0; i < sizeof(for_tests) / sizeof(for_tests[0]); i++) {
		if (str_has_prefix(entry, for_tests[i]))
			return true;
	}
	return false;
}

static void
make_env(char **env)
{
	size_t count = 0;
	char **from;

	for (from = environ; *from != NULL && count < ENV_MAX; from++) {
		if (env_is_kept(*from))
			env[count++] = *from;
	}
	env[count] = NULL;
}

static void
reset_signals(void)
{
	sigset_t none;
	int i;

	for (i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* They become ROLE_PARENT_FD and those behind it, which exec keeps. */
static int
place_descriptors(const int *fds, unsigned count)
{
	unsigned first = ROLE_PARENT_FD, i;
	int away[FDS_MAX];

	for (i = 0; i < count; i++) {
		/* Out of the way of where they go. */
		away[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, (int)(first + count));
		if (away[i] < 0)
			return -1;
	}
	for (i = 0; i < count; i++) {
		if (dup2(away[i], (int)(first + i)) < 0)
			return -1;
	}
	/* Also what whoever started mcd left open. */
	return close_range(first + count, ~0u, CLOSE_RANGE_CLOEXEC);
}

/* As many as are wanted, or as many as this system gives. */
static void
limit_descriptors(unsigned wanted)
{
	struct rlimit r, most = { wanted, wanted };

	if (setrlimit(RLIMIT_NOFILE, &most) == 0 ||
	    getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		log_warn("limit of %u descriptors: %s", wanted,
			 strerror(errno));
}

static void __attribute__((noreturn))
exec_role(const struct role_row *row, const struct conf *conf, int channel)
{
	const int fds[FDS_MAX] = { channel, parent_locks()->run_fd,
				   parent_locks()->spool_fd };
	char path[4096] = "/proc/self/exe";
	char *env[ENV_MAX + 1];
	const char *argv[] = { row->program, "-x",	 role_name(row->role),
			       "-c",	     conf->path, NULL };

	if (!str_eq(row->program, "mcd"))
		(void)str_fmt(path, sizeof(path), "%s/%s", conf->libexec_dir,
			      row->program);
	make_env(env);
	reset_signals();
	limit_descriptors(row->descriptors);
	if (place_descriptors(fds, row->role == ROLE_QUEUE ? 3 : 2) == 0)
		execve(path, (char *const *)(uintptr_t)argv, env);
	log_error("role does not start role=%s program=%s: %s",
		  role_name(row->role), log_text(path), strerror(errno));
	_exit(EXIT_OSERR);
}

pid_t
parent_spawn(const struct role_row *row, const struct conf *conf, int channel,
	     struct err *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0)
		exec_role(row, conf, channel);
	return pid;
}
