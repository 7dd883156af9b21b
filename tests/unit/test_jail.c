/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The jail of a filter worker, each call tried in a process of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "jail.h"

#define MEMORY_MAX (256LL * 1024 * 1024 * 1024)

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifndef HAS_ASAN
#define HAS_ASAN 0
#endif

static int pair[2]; /* of sockets */
static int file_fd;

static int
try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int
try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}

static int
try_connect(void)
{
	struct sockaddr a = { .sa_family = AF_UNSPEC };

	return connect(pair[0], &a, sizeof(a)) != 0;
}

static int
try_bind(void)
{
	struct sockaddr a = { .sa_family = AF_UNIX };

	return bind(pair[0], &a, sizeof(a.sa_family)) != 0;
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0;
}

static int
try_exec(void)
{
	char name[] = "true";
	char *const argv[] = { name, NULL };

	return execv("/bin/true", argv);
}

static int
try_kill(void)
{
	return kill(getppid(), 0) != 0;
}

static int
try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) != 0;
}

static int
try_setuid(void)
{
	return setuid(getuid()) != 0;
}

static int
try_abort(void)
{
	abort();
}

static int
try_open(void)
{
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	return fd >= 0 ? 1 : errno != EACCES && errno != ENOENT;
}

static int
try_make(void)
{
	int fd = open("/tmp/mcgate-jail-test", O_WRONLY | O_CREAT | O_CLOEXEC,
		      0600);

	return fd >= 0 ? 1 : errno != EACCES && errno != ENOENT;
}

static int
try_read(void)
{
	char c;

	return pread(file_fd, &c, 1, 0) != 1;
}

static int
try_messages(void)
{
	char byte = 'x';
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct pollfd p = { .fd = pair[1], .events = POLLIN };

	return sendmsg(pair[0], &msg, 0) != 1 || poll(&p, 1, 1000) != 1 ||
	       recvmsg(pair[1], &msg, 0) != 1;
}

static int
try_memory(void)
{
	void *p = malloc(8 << 20);

	if (p == NULL)
		return 1;
	memset(p, 1, 8 << 20);
	free(p);
	return 0;
}

static int
try_too_much_memory(void)
{
	void *p = mmap(NULL, MEMORY_MAX, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p != MAP_FAILED;
}

static int
has_landlock(void)
{
#ifdef SYS_landlock_create_ruleset
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1u) > 0;
#else
	return 0;
#endif
}

#define EXITS 0
#define NOT_WITH_ASAN 1
#define WITH_LANDLOCK 2

/* Ends by signo, or exits 0 when that is EXITS. */
static const struct {
	const char *words;
	int (*fn)(void);
	int signo;
	int flags;
} rows[] = {
	{ "socket() of the network kills", try_socket, SIGSYS, 0 },
	{ "socket() of this host kills", try_unix_socket, SIGSYS, 0 },
	{ "connect() kills", try_connect, SIGSYS, 0 },
	{ "bind() kills", try_bind, SIGSYS, 0 },
	{ "fork() kills", try_fork, SIGSYS, NOT_WITH_ASAN },
	{ "execve() kills", try_exec, SIGSYS, 0 },
	{ "a signal to others kills", try_kill, SIGSYS, NOT_WITH_ASAN },
	{ "ptrace() kills", try_ptrace, SIGSYS, NOT_WITH_ASAN },
	{ "setuid() kills", try_setuid, SIGSYS, 0 },
	{ "abort() is seen as such", try_abort, SIGABRT, 0 },
	{ "no file can be opened", try_open, EXITS,
	  NOT_WITH_ASAN | WITH_LANDLOCK },
	{ "no file can be made", try_make, EXITS,
	  NOT_WITH_ASAN | WITH_LANDLOCK },
	{ "a descriptor that it has can be read", try_read, EXITS, 0 },
	{ "messages pass, and can be waited for", try_messages, EXITS, 0 },
	{ "memory can be had", try_memory, EXITS, 0 },
	{ "more memory than the limit cannot", try_too_much_memory, EXITS,
	  NOT_WITH_ASAN },
};

static void
run_row(size_t i)
{
	struct err e;
	int status;
	pid_t pid;

	if (HAS_ASAN && rows[i].flags & NOT_WITH_ASAN)
		return;
	if (rows[i].flags & WITH_LANDLOCK && !has_landlock()) {
		check_skip("this kernel has no Landlock");
		return;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (jail_worker(NULL, MEMORY_MAX, &e) != 0) {
			fprintf(stderr, "%s\n", e.text);
			_exit(99);
		}
		_exit(rows[i].fn() != 0);
	}
	if (waitpid(pid, &status, 0) != pid)
		status = -1;
	if (rows[i].signo == EXITS)
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		      "in a worker's jail %s (status %#x)", rows[i].words,
		      (unsigned)status);
	else
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == rows[i].signo,
		      "in a worker's jail %s (status %#x)", rows[i].words,
		      (unsigned)status);
}

int
main(void)
{
	struct err e;
	bool jailed = true;
	size_t i;

	file_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (file_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
		return EXIT_FAILURE;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		run_row(i);
	if (geteuid() != 0) {
		CHECK(jail_enter("nobody", "/", &jailed, &e) == 0 && !jailed,
		      "a role that is not root is not jailed");
	} else {
		CHECK(jail_enter("no-such-user-here", "/", &jailed, &e) != 0,
		      "an unknown user is an error");
		CHECK_STR(e.text, "user \"no-such-user-here\" is not known",
			  "which is named");
		CHECK(jail_enter("root", "/", &jailed, &e) != 0,
		      "root is no user for a role");
	}
	return check_done();
}
