/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Worker processes.  A death counts against a message only when it came
 * of computing: by a signal of its own, the jail, or a limit of memory or
 * CPU.  Waiting too long for somebody else is not the message's fault.
 */
#include "slot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chan.h"
#include "file.h"
#include "log.h"
#include "reap.h"
#include "role.h"
#include "str.h"
#include "worker.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 10000
#define HELD_MS 100
#define WORKER_CHANNEL 3
#define LAST_LOOK_MS 200
#define COMPUTING_US 1000 /* CPU time in the last look that is computing */
#define LOST_TIME_MS 1000 /* between its channel's end and its own */

const struct slot_kind slot_scanner = {
	.title = "mcd-worker",
	.run = worker_run,
	.memory = 1024 * 1024 * 1024,
	.is_listed = true,
};

static struct {
	int statm_fd; /* our size, out of reach in the jail */
	bool has_jail;
	bool is_held;
	unsigned generation;
} shared = { .statm_fd = -1 };

void
slots_prepare(bool has_jail)
{
	shared.has_jail = has_jail;
	shared.statm_fd = file_open(AT_FDCWD, "/proc/self/statm", O_RDONLY, 0);
	if (shared.statm_fd < 0)
		log_warn("/proc/self/statm: %s: workers have no limit of "
			 "memory",
			 strerror(errno));
}

void
slots_hold(bool is_on)
{
	shared.is_held = is_on;
}

void
slots_renew(void)
{
	shared.generation++;
}

bool
slot_is_old(const struct slot *s)
{
	return s->generation != shared.generation;
}

/* For the address space of a worker; 0: none. */
static int64_t
memory_max(const struct slot_kind *kind)
{
	char text[128];
	ssize_t n;
	long long pages;

	if (shared.statm_fd < 0)
		return 0;
	n = pread(shared.statm_fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	pages = strtoll(text, NULL, 10);
	return pages > 0 ? pages * sysconf(_SC_PAGESIZE) + kind->memory : 0;
}

static void
tell_parent(const struct slot *s)
{
	struct frame_worker_state f = {
		.slot = s->index,
		.pid = (uint32_t)s->pid,
		.restarts = s->restarts,
	};

	if (s->kind->is_listed)
		(void)peer_note(peer_of(ROLE_PARENT), FRAME_worker_state, &f,
				-1);
}

/* CPU time that the process has used, -1 when it cannot be told. */
static int64_t
cpu_used_us(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &t) != 0)
		return -1;
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/*
 * The last stretch before the deadline: a worker that then still uses the
 * CPU, however busy the machine is, computes; one that does not waits for
 * somebody else.
 */
static int64_t
last_look_ms(const struct slot *s)
{
	return s->limit_ms < 2 * LAST_LOOK_MS ? s->limit_ms / 2 : LAST_LOOK_MS;
}

static void
on_deadline(void *arg)
{
	struct slot *s = arg;
	int64_t cpu_us = cpu_used_us(s->pid);

	if (s->peer == 0) {
		slot_kill(s, SLOT_BROKEN);
	} else if (!s->is_last_look) {
		s->is_last_look = true;
		s->cpu_us = cpu_us;
		timer_set(&s->deadline, last_look_ms(s));
	} else {
		s->was_computing = cpu_us - s->cpu_us > COMPUTING_US;
		slot_kill(s, SLOT_LATE);
	}
}

static void
start_again(void *arg)
{
	struct slot *s = arg;

	slot_start(s);
}

void
slot_init(struct slot *s, const struct slot_kind *kind, unsigned index)
{
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->index = index;
	s->delay_ms = BACKOFF_FIRST_MS;
	timer_init(&s->deadline, on_deadline, s);
	timer_init(&s->again, start_again, s);
}

static void
wait_longer(struct slot *s)
{
	timer_set(&s->again, s->delay_ms);
	s->delay_ms *= 2;
	if (s->delay_ms > BACKOFF_MAX_MS)
		s->delay_ms = BACKOFF_MAX_MS;
}

/* Nothing of the pool is left open but what a worker may use. */
static void __attribute__((noreturn))
become_worker(const struct slot_kind *kind, int channel, int64_t max,
	      pid_t pool)
{
	(void)signal(SIGCHLD, SIG_DFL);
	(void)prctl(PR_SET_NAME, kind->title, 0, 0, 0);
	/* One that hangs does not see its channel closed. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
	    getppid() != pool ||
	    dup2(channel, WORKER_CHANNEL) != WORKER_CHANNEL ||
	    close_range(WORKER_CHANNEL + 1, ~0u, 0) != 0)
		_exit(71);
	kind->run(WORKER_CHANNEL, shared.has_jail, max);
}

void
slot_start(struct slot *s)
{
	int64_t max = memory_max(s->kind);
	pid_t pool = getpid();
	struct err e;
	int fd[2];

	if (shared.is_held) {
		timer_set(&s->again, HELD_MS);
		return;
	}
	if (chan_pair(fd, &e) != 0) {
		log_error("%s %u not started: %s", s->kind->title, s->index + 1,
			  e.text);
		wait_longer(s);
		return;
	}
	s->pid = fork();
	if (s->pid == 0)
		become_worker(s->kind, fd[1], max, pool);
	file_shut(&fd[1]);
	if (s->pid < 0) {
		log_error("%s %u not started: fork: %s", s->kind->title,
			  s->index + 1, strerror(errno));
		s->pid = 0;
		file_shut(&fd[0]);
		wait_longer(s);
		return;
	}
	s->is_ready = false;
	s->end = SLOT_ITSELF;
	s->messages = 0;
	s->told = 0;
	s->generation = shared.generation;
	s->peer = peer_add(ROLE_WORKER, fd[0]);
	tell_parent(s);
}

void
slot_begin(struct slot *s, int64_t limit_ms)
{
	struct rlimit r = { .rlim_max = RLIM_INFINITY };
	int64_t used_us;

	s->messages++;
	s->serial++;
	s->questions = s->spamds = 0;
	s->is_asking = false;
	s->questions = 0;
	s->rbl_asks = 0;
	s->is_busy = true;
	s->limit_ms = limit_ms;
	s->was_computing = s->is_last_look = false;
	timer_set(&s->deadline, limit_ms - last_look_ms(s));
	used_us = cpu_used_us(s->pid);
	if (used_us < 0)
		return;
	/* Only from outside: a worker cannot raise its own. */
	r.rlim_cur = (rlim_t)(used_us / 1000 + limit_ms / 2) / 1000 + 1;
	if (prlimit(s->pid, RLIMIT_CPU, &r, NULL) != 0)
		log_debug("worker %u: limit of CPU: %s", s->index + 1,
			  strerror(errno));
}

void
slot_finish(struct slot *s)
{
	s->is_busy = false;
	timer_clear(&s->deadline);
}

void
slot_kill(struct slot *s, enum slot_end why)
{
	if (s->pid <= 0)
		return;
	if (s->end == SLOT_ITSELF)
		s->end = why;
	timer_clear(&s->deadline);
	if (kill(s->pid, SIGKILL) != 0)
		log_warn("worker %u: kill: %s", s->index + 1, strerror(errno));
}

void
slot_lost(struct slot *s)
{
	s->peer = 0;
	if (s->pid > 0)
		timer_set(&s->deadline, LOST_TIME_MS);
}

void
slot_retire(struct slot *s)
{
	s->end = SLOT_STOPPED;
	s->is_ready = false;
	peer_drop(s->peer);
}

/* Signals that come of computing.  A SIGKILL that is not ours is the
 * kernel's, which had no memory left. */
static bool
is_of_computing(int signo)
{
	static const int signals[] = { SIGSEGV, SIGABRT, SIGBUS,
				       SIGILL,	SIGFPE,	 SIGSYS,
				       SIGXCPU, SIGKILL, SIGTRAP };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (signals[i] == signo)
			return true;
	}
	return false;
}

static enum scan_status
blame(const struct slot *s, int status)
{
	bool is_guilty = false;

	switch (s->end) {
	case SLOT_STOPPED:
		break;
	case SLOT_LATE:
		is_guilty = s->was_computing;
		break;
	case SLOT_BROKEN:
		is_guilty = true;
		break;
	case SLOT_ITSELF:
		/* An exit that is not 0 is memory run out, or a sanitizer. */
		if (WIFSIGNALED(status))
			is_guilty = is_of_computing(WTERMSIG(status));
		else
			is_guilty =
				WIFEXITED(status) && WEXITSTATUS(status) != 0;
		break;
	}
	return is_guilty ? SCAN_DIED : SCAN_LOST;
}

static void
death_text(const struct slot *s, int status, char *text, size_t size)
{
	if (s->end == SLOT_LATE)
		(void)str_fmt(text, size, "no end after %lld ms, %s",
			      (long long)s->limit_ms,
			      s->was_computing ? "computing" : "waiting");
	else if (s->end == SLOT_BROKEN)
		(void)str_fmt(text, size, "worker broke its channel");
	else
		reap_text(status, text, size);
}

enum scan_status
slot_gone(struct slot *s, int status, char *text, size_t size)
{
	enum scan_status result = blame(s, status);
	pid_t pid = s->pid;

	timer_clear(&s->deadline);
	death_text(s, status, text, size);
	s->pid = 0;
	s->is_busy = false;
	peer_drop(s->peer);
	s->peer = 0;
	if (s->end != SLOT_STOPPED) {
		s->restarts++;
		log_warn("worker died worker=%u pid=%ld name=%s: %s",
			 s->index + 1, (long)pid, s->kind->title, text);
	}
	tell_parent(s);
	return result;
}

void
slot_replace(struct slot *s)
{
	bool was_good = s->is_ready || s->end == SLOT_STOPPED;

	s->is_ready = false;
	if (!was_good) {
		wait_longer(s);
		return;
	}
	s->delay_ms = BACKOFF_FIRST_MS;
	slot_start(s);
}
