/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whole reads and writes, folders, and a file replaced so that a crash
 * leaves the old one or the new one.
 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dict.h"
#include "str.h"
#include "xalloc.h"

#define READ_STEP 16384 /* bytes asked for when the size is not known */

int
file_write_all(int fd, const void *p, size_t len)
{
	const char *s = p;
	ssize_t n;

	while (len > 0) {
		n = write(fd, s, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0)
			errno = EIO;
		if (n <= 0)
			return -1;
		s += n;
		len -= (size_t)n;
	}
	return 0;
}

static ssize_t
read_some(int fd, void *p, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, p, len);
	} while (n == -1 && errno == EINTR);
	return n;
}

/* How much to ask for first: one more than there is, so that the read that
 * sees the end has room. */
static size_t
first_step(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size <= 0)
		return READ_STEP;
	return (size_t)st.st_size + 1;
}

/* Appends all that is left in fd; what names it in errors. */
static int
read_all(int fd, struct buf *b, size_t max, const char *what, struct err *e)
{
	size_t step = first_step(fd);
	size_t room = max;
	char probe;
	ssize_t n;

	if (b->limit > 0 && b->limit - b->len < room)
		room = b->limit - b->len;
	max = room;
	for (;;) {
		if (step > room)
			step = room;
		/* Full: one byte more means too large. */
		if (step == 0)
			n = read_some(fd, &probe, 1);
		else
			n = read_some(fd, buf_reserve(b, step), step);
		if (n == -1)
			return err_sys(e, "%s: read", what);
		if (n == 0)
			return 0;
		if (step == 0)
			return err_set(e, "%s: larger than %zu bytes", what,
				       max);
		buf_commit(b, (size_t)n);
		room -= (size_t)n;
		step = b->cap - b->len - 1;
		if (step == 0)
			step = READ_STEP;
	}
}

/* As read_all(), but b keeps its length when it fails. */
static int
read_whole(int fd, struct buf *b, size_t max, const char *what, struct err *e)
{
	size_t before = b->len;

	if (read_all(fd, b, max, what, e) == 0)
		return 0;
	if (b->data != NULL) {
		b->len = before;
		b->data[before] = '\0';
	}
	return -1;
}

int
file_read_fd(int fd, struct buf *b, size_t max, struct err *e)
{
	char what[32];

	str_fmt(what, sizeof(what), "descriptor %d", fd);
	return read_whole(fd, b, max, what, e);
}

int
file_read_at(int dirfd, const char *path, struct buf *b, size_t max,
	     struct err *e)
{
	int fd = file_open(dirfd, path, O_RDONLY | O_NOCTTY, 0);
	int rc;

	if (fd == -1)
		return err_sys(e, "%s: open", path);
	rc = read_whole(fd, b, max, path, e);
	file_shut(&fd);
	return rc;
}

int
file_read(const char *path, struct buf *b, size_t max, struct err *e)
{
	return file_read_at(AT_FDCWD, path, b, max, e);
}

static bool
is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int
make_dir(const char *path, mode_t mode, struct err *e)
{
	int saved;

	/* mkdir() takes the umask off, and set-id bits. */
	if (mkdir(path, mode & 0777) == 0) {
		if (chmod(path, mode) == -1)
			return err_sys(e, "%s: chmod", path);
		return 0;
	}
	saved = errno;
	if (is_dir(path))
		return 0;
	errno = saved == EEXIST ? ENOTDIR : saved;
	return err_sys(e, "%s: mkdir", path);
}

int
file_mkdirs(const char *path, mode_t mode, struct err *e)
{
	char *copy, *p;
	int rc = 0;

	if (is_dir(path))
		return 0;
	copy = xstrdup(path);
	p = copy + strspn(copy, "/");
	while (rc == 0 && *p != '\0') {
		p += strcspn(p, "/");
		if (*p == '\0')
			break;
		*p = '\0';
		rc = make_dir(copy, mode, e);
		*p++ = '/';
		p += strspn(p, "/");
	}
	if (rc == 0)
		rc = make_dir(copy, mode, e);
	free(copy);
	return rc;
}

int
file_open(int dirfd, const char *path, int flags, mode_t mode)
{
	int fd;

	do {
		fd = openat(dirfd, path, flags | O_CLOEXEC, mode);
	} while (fd == -1 && errno == EINTR);
	return fd;
}

int
file_set_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1)
		return -1;
	if ((flags & O_NONBLOCK) != 0)
		return 0;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ? -1 : 0;
}

int
file_close(int fd, const char *what, struct err *e)
{
	/* On Linux EINTR has closed it: a second close could hit another. */
	if (close(fd) == -1 && errno != EINTR)
		return err_sys(e, "%s: close", what);
	return 0;
}

void
file_shut(int *fd)
{
	int saved = errno;

	if (*fd == -1)
		return;
	close(*fd);
	*fd = -1;
	errno = saved;
}

/* A name beside path that no other process and no other call has. */
static char *
temp_name(const char *path)
{
	static _Atomic uint64_t turn;
	uint64_t id[2] = { (uint64_t)getpid(), turn++ };
	const char *base = strrchr(path, '/');
	struct buf b = { 0 };

	base = base != NULL ? base + 1 : path;
	buf_add(&b, path, (size_t)(base - path));
	buf_printf(&b, ".%s.%016llx.tmp", base,
		   (unsigned long long)hash_bytes(id, sizeof(id)));
	return b.data;
}

/* Makes path with its contents durable, not yet its name. */
static int
write_durable(const char *path, const void *p, size_t len, mode_t mode,
	      struct err *e)
{
	int fd;

	fd = file_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd == -1)
		return err_sys(e, "%s: open", path);
	if (fchmod(fd, mode) == -1)
		err_sys(e, "%s: chmod", path);
	else if (file_write_all(fd, p, len) == -1)
		err_sys(e, "%s: write", path);
	else if (fdatasync(fd) == -1)
		err_sys(e, "%s: fdatasync", path);
	else if (file_close(fd, path, e) == 0)
		return 0;
	else
		fd = -1;
	file_shut(&fd);
	unlink(path);
	return -1;
}

int
file_sync_dir_of(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *dir;
	int rc = 0;
	int fd;

	if (slash == NULL)
		dir = xstrdup(".");
	else
		dir = xstrndup(path, slash > path ? (size_t)(slash - path) : 1);
	fd = file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -1)
		rc = err_sys(e, "%s: open", dir);
	else if (fsync(fd) == -1)
		rc = err_sys(e, "%s: fsync", dir);
	file_shut(&fd);
	free(dir);
	return rc;
}

int
file_replace(const char *path, const void *p, size_t len, mode_t mode,
	     struct err *e)
{
	char *temp = temp_name(path);
	int rc = write_durable(temp, p, len, mode, e);

	if (rc == 0 && rename(temp, path) == -1) {
		rc = err_sys(e, "%s: rename", path);
		unlink(temp);
	}
	if (rc == 0)
		rc = file_sync_dir_of(path, e);
	free(temp);
	return rc;
}
