/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Preloaded into a lab's processes: counts the libc calls that touch the
 * spool or a peer, kills or fails the one it is told to, bounds the
 * spool's space, and logs what a disk would have of the spool after a
 * power cut.  Never linked into what is installed.
 *
 * Log lines (paths relative to MCGATE_SHIM_ROOT):
 *   C ino path          file made
 *   S ino snapshot      contents synced: they stand in LOG.d/snapshot
 *   D path position     folder synced; ops logged before position hold
 *   R old new | U path | L old new | M path of a folder
 *   F ino | X path      a sync of a file, of a folder failed
 */
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

int
fsync(int fd)
{
	char path[PATH_MAX];
	const char *rel = shim != NULL ? path_of_fd(fd, path) : NULL;

	if (rel != NULL && hit(SHIM_FSYNC, rel))
		return sync_failed(fd, rel);
	if (is_traced(rel))
		return sync_traced(fd, rel, REAL(fsync));
	return REAL(fsync)(fd);
}

int
fdatasync(int fd)
{
	char path[PATH_MAX];
	const char *rel = shim != NULL ? path_of_fd(fd, path) : NULL;

	if (rel != NULL && hit(SHIM_FDATASYNC, rel))
		return sync_failed(fd, rel);
	if (is_traced(rel))
		return sync_traced(fd, rel, REAL(fdatasync));
	return REAL(fdatasync)(fd);
}

int
mkdirat(int dirfd, const char *path, mode_t mode)
{
	char full[PATH_MAX];
	const char *rel;
	int r;

	if (shim == NULL || inside || self_role == ROLE_IS_WORKER)
		return REAL(mkdirat)(dirfd, path, mode);
	rel = path_at(dirfd, path, full);
	if (rel != NULL && hit(SHIM_MKDIR, rel))
		return -1;
	if (!is_traced(rel))
		return REAL(mkdirat)(dirfd, path, mode);
	order_lock();
	r = REAL(mkdirat)(dirfd, path, mode);
	if (r == 0)
		trace("M %s\n", rel);
	pthread_mutex_unlock(&shim->lock);
	return r;
}

int
mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int
sync_file_range(int fd, off64_t at, off64_t len, unsigned flags)
{
	if (hit(SHIM_RANGE, NULL))
		return -1;
	return REAL(sync_file_range)(fd, at, len, flags);
}

static bool
no_space(int64_t want, int64_t *may)
{
	int64_t left;

	*may = want;
	if (shim == NULL || !shim->armed)
		return false;
	left = __atomic_load_n(&shim->space, __ATOMIC_SEQ_CST);
	if (left < 0)
		return false;
	*may = want <= left ? want : left;
	__atomic_fetch_sub(&shim->space, *may, __ATOMIC_SEQ_CST);
	return *may == 0 && want > 0;
}

static int
open_traced(int dirfd, const char *path, int flags, mode_t mode,
	    const char *rel)
{
	struct stat st;
	int64_t may;
	bool is_new = (flags & O_CREAT) != 0 &&
		      fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0;
	int fd;

	if (rel != NULL && is_new && no_space(1, &may)) {
		errno = ENOSPC;
		return -1;
	}
	if (!is_new || !is_traced(rel))
		return REAL(openat)(dirfd, path, flags, mode);
	order_lock();
	fd = REAL(openat)(dirfd, path, flags, mode);
	if (fd >= 0 && fstat(fd, &st) == 0)
		trace("C %llu %s\n", (unsigned long long)st.st_ino, rel);
	pthread_mutex_unlock(&shim->lock);
	return fd;
}

static int
open_any(int dirfd, const char *path, int flags, mode_t mode)
{
	char full[PATH_MAX];
	const char *rel = NULL;

	if (shim == NULL || inside || self_role == ROLE_IS_WORKER)
		return REAL(openat)(dirfd, path, flags, mode);
	rel = path_at(dirfd, path, full);
	if (rel != NULL && hit(SHIM_OPEN, rel))
		return -1;
	return open_traced(dirfd, path, flags, mode, rel);
}

#define OPEN_MODE(flags, mode)                                \
	do {                                                  \
		if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
			va_list ap_;                          \
			va_start(ap_, flags);                 \
			(mode) = va_arg(ap_, mode_t);         \
			va_end(ap_);                          \
		}                                             \
	} while (0)

int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	OPEN_MODE(flags, mode);
	return open_any(AT_FDCWD, path, flags, mode);
}

int
openat(int dirfd, const char *path, int flags, ...)
{
	mode_t mode = 0;

	OPEN_MODE(flags, mode);
	return open_any(dirfd, path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	mode_t mode = 0;

	OPEN_MODE(flags, mode);
	return open_any(AT_FDCWD, path, flags, mode);
}

int
openat64(int dirfd, const char *path, int flags, ...)
{
	mode_t mode = 0;

	OPEN_MODE(flags, mode);
	return open_any(dirfd, path, flags, mode);
}

/* 1: a file of the spool, 2: a socket, 0: neither. */
static int
fd_sort(int fd, char *path, const char **rel)
{
	struct stat st;

	*rel = NULL;
	/* A worker has no files of the spool to write, and its jail would
	 * kill it for asking the name of one. */
	if (shim == NULL || inside || !shim->armed ||
	    self_role == ROLE_IS_WORKER || fstat(fd, &st) < 0)
		return 0;
	if (S_ISSOCK(st.st_mode))
		return 2;
	*rel = path_of_fd(fd, path);
	return *rel != NULL ? 1 : 0;
}

/*
 * How much of want bytes a write to a file of the spool may take; -1 when
 * it fails (errno is set).
 */
static int64_t
may_write(const char *rel, int64_t want)
{
	int64_t may;
	int how = hit(SHIM_WRITE, rel);

	if (how == 1)
		return -1;
	if (how == 2 && want > 1)
		want /= 2;
	if (no_space(want, &may)) {
		errno = ENOSPC;
		return -1;
	}
	return may;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	char path[PATH_MAX];
	const char *rel;
	int sort = fd_sort(fd, path, &rel);
	int64_t may = (int64_t)n;

	if (sort == 2 && hit(SHIM_SEND, NULL))
		return -1;
	if (sort == 1)
		may = may_write(rel, may);
	return may < 0 ? -1 : REAL(write)(fd, p, (size_t)may);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	char path[PATH_MAX];
	const char *rel;
	int64_t may = (int64_t)n;

	if (fd_sort(fd, path, &rel) == 1)
		may = may_write(rel, may);
	return may < 0 ? -1 : REAL(pwrite)(fd, p, (size_t)may, at);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	return pwrite(fd, p, n, at);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	char path[PATH_MAX];
	const char *rel;
	int sort = fd_sort(fd, path, &rel);
	int64_t may;
	int64_t want = 0;

	if (sort == 2 && hit(SHIM_SEND, NULL))
		return -1;
	if (sort != 1)
		return REAL(writev)(fd, v, n);
	for (int i = 0; i < n; i++)
		want += (int64_t)v[i].iov_len;
	may = may_write(rel, want);
	if (may < 0)
		return -1;
	if (may < want) { /* a short write of the first piece is allowed */
		size_t first = v[0].iov_len;

		if (may < (int64_t)first)
			first = (size_t)may;
		return REAL(write)(fd, v[0].iov_base, first);
	}
	return REAL(writev)(fd, v, n);
}

int
close(int fd)
{
	char path[PATH_MAX];
	const char *rel;

	if (fd == log_fd && log_fd >= 0) {
		errno = EBADF;
		return -1;
	}
	if (fd_sort(fd, path, &rel) == 1 && hit(SHIM_CLOSE, rel)) {
		int err = errno;

		REAL(close)(fd);
		errno = err;
		return -1;
	}
	return REAL(close)(fd);
}

int
renameat(int olddir, const char *old, int newdir, const char *new)
{
	char a[PATH_MAX];
	char b[PATH_MAX];
	const char *from;
	const char *to;
	int r;

	if (shim == NULL || inside)
		return REAL(renameat)(olddir, old, newdir, new);
	from = path_at(olddir, old, a);
	to = path_at(newdir, new, b);
	if (to != NULL && hit(SHIM_RENAME, to))
		return -1;
	if (!is_traced(to) || from == NULL)
		return REAL(renameat)(olddir, old, newdir, new);
	order_lock();
	r = REAL(renameat)(olddir, old, newdir, new);
	if (r == 0)
		trace("R %s %s\n", from, to);
	pthread_mutex_unlock(&shim->lock);
	return r;
}

int
rename(const char *old, const char *new)
{
	return renameat(AT_FDCWD, old, AT_FDCWD, new);
}

int
linkat(int olddir, const char *old, int newdir, const char *new, int flags)
{
	char a[PATH_MAX];
	char b[PATH_MAX];
	const char *from;
	const char *to;
	int r;

	if (shim == NULL || inside)
		return REAL(linkat)(olddir, old, newdir, new, flags);
	from = path_at(olddir, old, a);
	to = path_at(newdir, new, b);
	if (to != NULL && hit(SHIM_LINK, to))
		return -1;
	if (!is_traced(to) || from == NULL)
		return REAL(linkat)(olddir, old, newdir, new, flags);
	order_lock();
	r = REAL(linkat)(olddir, old, newdir, new, flags);
	if (r == 0)
		trace("L %s %s\n", from, to);
	pthread_mutex_unlock(&shim->lock);
	return r;
}

int
link(const char *old, const char *new)
{
	return linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int
unlinkat(int dirfd, const char *path, int flags)
{
	char full[PATH_MAX];
	const char *rel;
	struct stat st;
	bool has_size;
	int r;

	if (shim == NULL || inside)
		return REAL(unlinkat)(dirfd, path, flags);
	rel = path_at(dirfd, path, full);
	if (rel != NULL && hit(SHIM_UNLINK, rel))
		return -1;
	has_size = rel != NULL && shim->space >= 0 &&
		   fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (is_traced(rel)) {
		order_lock();
		r = REAL(unlinkat)(dirfd, path, flags);
		if (r == 0)
			trace("U %s\n", rel);
		pthread_mutex_unlock(&shim->lock);
	} else {
		r = REAL(unlinkat)(dirfd, path, flags);
	}
	if (r == 0 && has_size && st.st_nlink == 1)
		__atomic_fetch_add(&shim->space, st.st_size + 1,
				   __ATOMIC_SEQ_CST);
	return r;
}

int
unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int
ftruncate(int fd, off_t len)
{
	char path[PATH_MAX];
	const char *rel;

	if (fd_sort(fd, path, &rel) == 1 && hit(SHIM_TRUNCATE, rel))
		return -1;
	return REAL(ftruncate)(fd, len);
}

int
ftruncate64(int fd, off64_t len)
{
	return ftruncate(fd, len);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	if (hit(SHIM_SEND, NULL))
		return -1;
	return REAL(sendmsg)(fd, m, flags);
}

ssize_t
send(int fd, const void *p, size_t n, int flags)
{
	if (hit(SHIM_SEND, NULL))
		return -1;
	return REAL(send)(fd, p, n, flags);
}

ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	if (hit(SHIM_RECV, NULL))
		return -1;
	return REAL(recvmsg)(fd, m, flags);
}

ssize_t
recv(int fd, void *p, size_t n, int flags)
{
	if (hit(SHIM_RECV, NULL))
		return -1;
	return REAL(recv)(fd, p, n, flags);
}

ssize_t
read(int fd, void *p, size_t n)
{
	char path[PATH_MAX];
	const char *rel;

	if (fd_sort(fd, path, &rel) == 2 && hit(SHIM_RECV, NULL))
		return -1;
	return REAL(read)(fd, p, n);
}

ssize_t
readv(int fd, const struct iovec *v, int n)
{
	char path[PATH_MAX];
	const char *rel;

	if (fd_sort(fd, path, &rel) == 2 && hit(SHIM_RECV, NULL))
		return -1;
	return REAL(readv)(fd, v, n);
}

static int
fcntl_any(int fd, int cmd, void *arg)
{
	if (cmd == F_SETLEASE && hit(SHIM_FCNTL, "lease"))
		return -1;
	return REAL(fcntl)(fd, cmd, arg);
}

int
fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return fcntl_any(fd, cmd, arg);
}

int
fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return fcntl_any(fd, cmd, arg);
}
