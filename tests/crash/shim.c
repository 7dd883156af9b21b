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

#include "shim_base.h"

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
