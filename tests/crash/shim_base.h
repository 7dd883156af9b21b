/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the hooks of shim.c share: which call this is, whether it is the
 * one that is meant, and the log.  All static, because a preload library
 * is one object.
 */
#ifndef SHIM_BASE_H
#define SHIM_BASE_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim.h"

/* As enum role of lib/core/proto.h, which is not included here. */
enum { ROLE_IS_POOL = 3, ROLE_IS_WORKER = 4 };

static struct shim *shim;
static int log_fd = -1;
static char root[PATH_MAX];
static size_t root_len;
static char snap_dir[PATH_MAX - 32];
static unsigned self_role;
static __thread int inside; /* our own calls are not counted */

#define REAL(name) ((__typeof__(&name))real(#name, &real_##name##_ptr))
#define SLOT(name) static void *real_##name##_ptr

static void *
real(const char *name, void **slot)
{
	if (*slot == NULL)
		*slot = dlsym(RTLD_NEXT, name);
	return *slot;
}

SLOT(open);
SLOT(openat);
SLOT(write);
SLOT(pwrite);
SLOT(writev);
SLOT(close);
SLOT(fsync);
SLOT(fdatasync);
SLOT(renameat);
SLOT(linkat);
SLOT(mkdirat);
SLOT(unlinkat);
SLOT(ftruncate);
SLOT(sync_file_range);
SLOT(sendmsg);
SLOT(send);
SLOT(recvmsg);
SLOT(recv);
SLOT(read);
SLOT(readv);
SLOT(fcntl);

static void
role_from_cmdline(void)
{
	static const char *const names[] = { "parent",	 "incoming", "queue",
					     "filter",	 "worker",   "lookup",
					     "outgoing", "control",  "store" };
	char line[4096];
	int fd = REAL(open)("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : REAL(read)(fd, line, sizeof(line) - 1);

	if (fd >= 0)
		REAL(close)(fd);
	line[n > 0 ? n : 0] = '\0';
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(line + i) + 1) {
		ssize_t next = i + (ssize_t)strlen(line + i) + 1;

		if (strcmp(line + i, "-x") != 0 || next >= n)
			continue;
		for (unsigned r = 0; r < sizeof(names) / sizeof(*names); r++)
			if (strcmp(line + next, names[r]) == 0)
				self_role = r;
	}
}

static void
after_fork(void)
{
	if (self_role == ROLE_IS_POOL)
		self_role = ROLE_IS_WORKER;
}

__attribute__((constructor)) static void
shim_start(void)
{
	const char *path = getenv("MCGATE_SHIM");
	const char *at = getenv("MCGATE_SHIM_ROOT");
	const char *log = getenv("MCGATE_SHIM_LOG");
	int fd;

	if (path == NULL || at == NULL)
		return;
	inside++;
	snprintf(root, sizeof(root), "%s", at);
	root_len = strlen(root);
	role_from_cmdline();
	fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		void *p = mmap(NULL, sizeof(*shim), PROT_READ | PROT_WRITE,
			       MAP_SHARED, fd, 0);
		REAL(close)(fd);
		if (p != MAP_FAILED && ((struct shim *)p)->magic == SHIM_MAGIC)
			shim = p;
	}
	if (log != NULL) {
		snprintf(snap_dir, sizeof(snap_dir), "%s.d", log);
		log_fd = REAL(open)(
			log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		if (log_fd >= 0) {
			/* out of the way of descriptors that are passed */
			int high = REAL(fcntl)(log_fd, F_DUPFD_CLOEXEC, 900);

			if (high >= 0) {
				REAL(close)(log_fd);
				log_fd = high;
			}
		}
	}
	pthread_atfork(NULL, NULL, after_fork);
	inside--;
}

/* The path below the root, or NULL for what is not in the spool. */
static const char *
below_root(const char *path)
{
	if (strncmp(path, root, root_len) != 0)
		return NULL;
	if (path[root_len] == '\0')
		return ".";
	return path[root_len] == '/' ? path + root_len + 1 : NULL;
}

static const char *
path_of_fd(int fd, char *dst)
{
	char link_name[64];
	ssize_t n;

	snprintf(link_name, sizeof(link_name), "/proc/self/fd/%d", fd);
	n = readlink(link_name, dst, PATH_MAX - 1);
	if (n <= 0)
		return NULL;
	dst[n] = '\0';
	return below_root(dst);
}

static const char *
path_at(int dirfd, const char *path, char *dst)
{
	char dir[PATH_MAX];
	ssize_t n;
	char link_name[64];

	if (path[0] == '/') {
		snprintf(dst, PATH_MAX, "%s", path);
		return below_root(dst);
	}
	if (dirfd == AT_FDCWD) {
		if (getcwd(dir, sizeof(dir)) == NULL)
			return NULL;
	} else {
		snprintf(link_name, sizeof(link_name), "/proc/self/fd/%d",
			 dirfd);
		n = readlink(link_name, dir, sizeof(dir) - 1);
		if (n <= 0)
			return NULL;
		dir[n] = '\0';
	}
	if ((size_t)snprintf(dst, PATH_MAX, "%s/%s", dir, path) >= PATH_MAX)
		return NULL;
	return below_root(dst);
}

static bool
is_counted(const struct shim_point *p, enum shim_kind kind, const char *what)
{
	if ((p->kinds & (1u << kind)) == 0)
		return false;
	return p->glob[0] == '\0' ||
	       (what != NULL && fnmatch(p->glob, what, 0) == 0);
}

/* Dies here, alone or with all others. */
static void
die(uint32_t action)
{
	if (action == SHIM_KILL)
		kill(getpid(), SIGKILL);
	else
		kill(0, SIGKILL);
	for (;;)
		pause();
}

static void
set_up_next(void)
{
	shim->point = shim->next;
	shim->action = shim->next_action;
	shim->next.n = 0;
	shim->count = 0;
}

/*
 * Counts a call; when it is the one that is meant: 1 where it shall fail
 * (errno is set), 2 where it shall be short.  Never returns when it shall
 * kill.
 */
static int
hit(enum shim_kind kind, const char *what)
{
	uint32_t n;
	uint32_t target;
	uint32_t action;

	if (shim == NULL || inside || !shim->armed || self_role >= SHIM_ROLES)
		return 0;
	if (shim->dead == getpid())
		return 0;
	__atomic_add_fetch(&shim->tally[self_role][kind], 1, __ATOMIC_SEQ_CST);
	target = shim->point.n;
	if (self_role != shim->role || shim->action == SHIM_COUNT ||
	    target == 0 || !is_counted(&shim->point, kind, what))
		return 0;
	n = __atomic_add_fetch(&shim->count, 1, __ATOMIC_SEQ_CST);
	if (n < target || n - target > shim->repeat)
		return 0;
	action = shim->action;
	if (action != SHIM_FAIL && action != SHIM_SHORT)
		shim->dead = getpid();
	shim->hit_kind = kind;
	snprintf(shim->hit_path, sizeof(shim->hit_path), "%s",
		 what == NULL ? "-" : what);
	__atomic_add_fetch(&shim->hits, 1, __ATOMIC_SEQ_CST);
	if (shim->next.n != 0)
		set_up_next();
	else if (action == SHIM_KILL || action == SHIM_CUT)
		shim->point.n = 0;
	if (action == SHIM_SHORT)
		return 2;
	if (action != SHIM_FAIL)
		die(action);
	errno = shim->err;
	return 1;
}

static void
order_lock(void)
{
	if (pthread_mutex_lock(&shim->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&shim->lock);
}

static bool
is_traced(const char *rel)
{
	return shim != NULL && shim->trace && log_fd >= 0 && rel != NULL &&
	       !inside;
}

static void __attribute__((format(printf, 1, 2))) trace(const char *fmt, ...)
{
	char line[2 * PATH_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (REAL(write)(log_fd, line, (size_t)n) != n)
		abort();
}

/* Copies what fd holds now; returns the snapshot's number. */
static uint64_t
snapshot(int fd, char *name)
{
	static const size_t piece = 1 << 16;
	uint64_t no = __atomic_fetch_add(&shim->snapshot, 1, __ATOMIC_SEQ_CST);
	char self[64];
	char *text = malloc(piece);
	off_t at = 0;
	int in;
	int out;
	ssize_t n;

	snprintf(name, PATH_MAX, "%s/%llu", snap_dir, (unsigned long long)no);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	in = REAL(open)(self, O_RDONLY | O_CLOEXEC);
	out = REAL(open)(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (in < 0 || out < 0 || text == NULL)
		abort();
	while ((n = pread(in, text, piece, at)) > 0) {
		if (REAL(write)(out, text, (size_t)n) != n)
			abort();
		at += n;
	}
	REAL(close)(in);
	REAL(close)(out);
	free(text);
	return no;
}

static int
sync_traced(int fd, const char *rel, int (*call)(int))
{
	char name[PATH_MAX];
	struct stat st;
	uint64_t no = 0;
	off_t position = 0;
	int r;

	if (fstat(fd, &st) < 0)
		return call(fd);
	if (S_ISDIR(st.st_mode))
		position = lseek(log_fd, 0, SEEK_END);
	else
		no = snapshot(fd, name);
	r = call(fd);
	if (r < 0)
		return r;
	order_lock();
	if (S_ISDIR(st.st_mode))
		trace("D %s %lld\n", rel, (long long)position);
	else
		trace("S %llu %llu\n", (unsigned long long)st.st_ino,
		      (unsigned long long)no);
	pthread_mutex_unlock(&shim->lock);
	return r;
}

/* A failed sync: what was not durable before never will be. */
static int
sync_failed(int fd, const char *rel)
{
	int err = errno;
	struct stat st;

	if (is_traced(rel) && fstat(fd, &st) == 0) {
		order_lock();
		if (S_ISDIR(st.st_mode))
			trace("X %s\n", rel);
		else
			trace("F %llu\n", (unsigned long long)st.st_ino);
		pthread_mutex_unlock(&shim->lock);
	}
	errno = err;
	return -1;
}

#endif
