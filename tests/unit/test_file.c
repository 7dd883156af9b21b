/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Files.  This program stands between file.c and the system: it notes the
 * order of the calls, makes them fail, be interrupted or come up short.
 */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

/* One letter a call: o open, w write, r read, d fdatasync, f fsync,
 * n rename, c close, m fchmod. */
static char calls[256];
static size_t call_count;
static char fail_call; /* the letter that fails */
static int fail_after; /* that often it goes well before */
static int fail_errno;
static int fail_times; /* that often it fails */
static size_t short_by; /* reads and writes take that many bytes at most */

static char dir[4096];

static int
is_failing(char letter)
{
	if (call_count < sizeof(calls) - 1)
		calls[call_count++] = letter;
	calls[call_count] = '\0';
	if (letter != fail_call || fail_times == 0 || fail_after-- > 0)
		return 0;
	fail_times--;
	fail_after = 0;
	errno = fail_errno;
	return 1;
}

static size_t
cut(size_t n)
{
	return short_by > 0 && n > short_by ? short_by : n;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	return is_failing('w') ? -1 : syscall(SYS_write, fd, p, cut(n));
}

ssize_t
read(int fd, void *p, size_t n)
{
	return is_failing('r') ? -1 : syscall(SYS_read, fd, p, cut(n));
}

int
fdatasync(int fd)
{
	return is_failing('d') ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	return is_failing('f') ? -1 : (int)syscall(SYS_fsync, fd);
}

int
fchmod(int fd, mode_t mode)
{
	return is_failing('m') ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

int
rename(const char *from, const char *to)
{
	return is_failing('n') ? -1
			       : (int)syscall(SYS_renameat2, AT_FDCWD, from,
					      AT_FDCWD, to, 0);
}

/* As Linux does, it closes whatever it answers. */
int
close(int fd)
{
	int rc = (int)syscall(SYS_close, fd);

	return is_failing('c') ? -1 : rc;
}

int
openat(int at, const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = va_arg(ap, int);
	va_end(ap);
	if (is_failing('o'))
		return -1;
	return (int)syscall(SYS_openat, at, path, flags, mode);
}

/* From here on calls are counted anew; letter 0 makes none fail. */
static void
plan(char letter, int after, int times, int error)
{
	call_count = 0;
	calls[0] = '\0';
	fail_call = letter;
	fail_after = after;
	fail_times = times;
	fail_errno = error;
	short_by = 0;
}

/* A path in the test's folder, in one of four static buffers. */
static const char *
in_dir(const char *name)
{
	static char paths[4][8192];
	static int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static int
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

static int
entries(const char *path)
{
	DIR *d = opendir(path);
	int n = -2;

	while (d != NULL && readdir(d) != NULL)
		n++;
	if (d != NULL)
		closedir(d);
	return n;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static const char *
contents(const char *path)
{
	static struct buf b;

	buf_clear(&b);
	return file_read(path, &b, 1 << 20, NULL) == 0 ? buf_str(&b) : NULL;
}

static void
test_write_all(void)
{
	int fd = file_open(AT_FDCWD, in_dir("w"), O_RDWR | O_CREAT, 0600);

	CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0,
	      "a descriptor is close-on-exec");
	plan(0, 0, 0, 0);
	short_by = 3;
	CHECK_INT(file_write_all(fd, "0123456789", 10), 0,
		  "short writes go on");
	CHECK_STR(calls, "wwww", "one after the other");
	CHECK_STR(contents(in_dir("w")), "0123456789", "until all is there");
	plan('w', 1, 3, EINTR);
	short_by = 5;
	CHECK_INT(file_write_all(fd, "abcdefghij", 10), 0,
		  "interrupted writes are repeated");
	CHECK_STR(contents(in_dir("w")), "0123456789abcdefghij",
		  "and lose nothing");
	plan('w', 1, 1, ENOSPC);
	short_by = 5;
	CHECK_INT(file_write_all(fd, "abcdefghij", 10), -1,
		  "a write that fails half-way is an error");
	CHECK_INT(errno, ENOSPC, "with its errno");
	plan(0, 0, 0, 0);
	CHECK_INT(file_write_all(fd, NULL, 0), 0, "nothing is written");
	CHECK_STR(calls, "", "without a call");
	file_shut(&fd);
	CHECK_INT(fd, -1, "a shut descriptor is -1");
	file_shut(&fd);
	fd = file_open(AT_FDCWD, "/dev/full", O_WRONLY, 0);
	CHECK_INT(file_write_all(fd, "x", 1), -1, "a full disk is an error");
	file_shut(&fd);
}

static void
test_read(void)
{
	struct buf b = { 0 };
	int fds = open_fds();
	struct err e;

	file_replace(in_dir("r"), "0123456789", 10, 0600, NULL);
	CHECK_INT(file_read(in_dir("r"), &b, 10, &e), 0,
		  "a file of exactly max is read");
	CHECK_STR(buf_str(&b), "0123456789", "whole");
	CHECK(b.cap < 100, "into a buffer of about its size: %zu", b.cap);
	CHECK_INT(file_read(in_dir("r"), &b, 10, &e), 0, "twice");
	CHECK_STR(buf_str(&b), "01234567890123456789", "is appended");
	CHECK_INT(file_read(in_dir("r"), &b, 9, &e), -1,
		  "a file of one more is refused");
	CHECK(strstr(e.text, "/r: larger than 9 bytes") != NULL, "%s", e.text);
	CHECK_INT(b.len, 20, "and appends nothing");
	b.limit = 29;
	CHECK_INT(file_read(in_dir("r"), &b, 100, &e), -1,
		  "the limit of the buffer holds too");
	CHECK_STR(buf_str(&b), "01234567890123456789", "and appends nothing");
	b.limit = 30;
	CHECK_INT(file_read(in_dir("r"), &b, SIZE_MAX, &e), 0,
		  "up to it there is room, whatever max");
	buf_release(&b);
	b.limit = 0;
	plan('r', 0, 2, EINTR);
	short_by = 4;
	CHECK_INT(file_read(in_dir("r"), &b, 100, &e), 0,
		  "short and interrupted reads go on");
	CHECK_STR(buf_str(&b), "0123456789", "and lose nothing");
	plan('r', 1, 1, EIO);
	short_by = 4;
	CHECK_INT(file_read(in_dir("r"), &b, 100, &e), -1,
		  "a read that fails half-way is an error");
	CHECK(strstr(e.text, "/r: read: Input/output error") != NULL, "%s",
	      e.text);
	CHECK_STR(buf_str(&b), "0123456789", "and appends nothing");
	plan('o', 0, 2, EINTR);
	CHECK_INT(file_read(in_dir("r"), &b, 100, &e), 0,
		  "an interrupted open is repeated");
	plan(0, 0, 0, 0);
	buf_release(&b);
	CHECK_INT(open_fds(), fds, "no descriptor is left open");
}

/* What is not there, no file, or a file without a size. */
static void
test_read_others(void)
{
	struct buf b = { 0 };
	int fds = open_fds();
	struct err e;
	char want[9000];
	int pipes[2];

	CHECK_INT(file_read(in_dir("none"), &b, 100, &e), -1,
		  "a missing file is an error");
	CHECK(strstr(e.text, "/none: open: No such file") != NULL, "%s",
	      e.text);
	CHECK_INT(file_read(dir, &b, 100, &e), -1, "a folder is an error");
	buf_clear(&b);
	CHECK_INT(file_read("/proc/self/stat", &b, 100000, &e), 0,
		  "a file without a size is read");
	CHECK(b.len > 10, "to its end");
	buf_clear(&b);
	memset(want, 'p', sizeof(want));
	if (pipe(pipes) == 0) {
		file_write_all(pipes[1], want, sizeof(want));
		file_shut(&pipes[1]);
		CHECK_INT(file_read_fd(pipes[0], &b, sizeof(want), &e), 0,
			  "a pipe is read");
		CHECK(b.len == sizeof(want) && memcmp(b.data, want, b.len) == 0,
		      "to its end");
		file_shut(&pipes[0]);
	}
	buf_release(&b);
	file_replace(in_dir("r"), "", 0, 0600, NULL);
	CHECK_INT(file_read(in_dir("r"), &b, 0, &e), 0,
		  "an empty file is within 0");
	CHECK_STR(buf_str(&b), "", "and empty");
	buf_release(&b);
	CHECK_INT(open_fds(), fds, "no descriptor is left open");
}

static void
test_mkdirs(void)
{
	struct err e;

	umask(077);
	CHECK_INT(file_mkdirs(in_dir("a/b/c"), 02770, &e), 0,
		  "a folder with its parents is made");
	CHECK_INT(mode_of(in_dir("a/b/c")), 02770, "with its mode");
	CHECK_INT(mode_of(in_dir("a")), 02770, "as are the parents");
	CHECK_INT(file_mkdirs(in_dir("a/b/c"), 0700, &e), 0,
		  "one that is there is fine");
	CHECK_INT(mode_of(in_dir("a/b/c")), 02770, "and is left alone");
	CHECK_INT(file_mkdirs(in_dir("a//b/./d///"), 0755, &e), 0,
		  "slashes may be many");
	CHECK_INT(mode_of(in_dir("a/b/d")), 0755, "and at the end");
	umask(022);
	CHECK_INT(file_mkdirs("/", 0755, &e), 0, "the root is there");
	CHECK_INT(symlink("a", in_dir("link")), 0, "a link to a folder");
	CHECK_INT(file_mkdirs(in_dir("link/x"), 0755, &e), 0, "is followed");
	file_replace(in_dir("plain"), "", 0, 0600, NULL);
	CHECK_INT(file_mkdirs(in_dir("plain/x"), 0755, &e), -1,
		  "a file in the way is an error");
	CHECK(strstr(e.text, "/plain: mkdir: Not a directory") != NULL, "%s",
	      e.text);
	CHECK_INT(file_mkdirs(in_dir("plain"), 0755, &e), -1,
		  "at the end as well");
	CHECK_INT(file_mkdirs("", 0755, &e), -1, "no name is an error");
}

static void
test_replace(void)
{
	char path[8192];
	int fds = open_fds();
	struct err e;

	snprintf(path, sizeof(path), "%s/f/state", dir);
	file_mkdirs(in_dir("f"), 0755, NULL);
	plan(0, 0, 0, 0);
	umask(077);
	CHECK_INT(file_replace(path, "one", 3, 0644, &e), 0, "a file is made");
	umask(022);
	CHECK_STR(calls, "omwdcnofc",
		  "write, fdatasync, close, rename, fsync of the folder");
	CHECK_STR(contents(path), "one", "with its contents");
	CHECK_INT(mode_of(path), 0644, "and its mode");
	CHECK_INT(file_replace(path, "second", 6, 0600, &e), 0, "and replaced");
	CHECK_STR(contents(path), "second", "by others");
	CHECK_INT(mode_of(path), 0600, "and another mode");
	CHECK_INT(entries(in_dir("f")), 1, "nothing is left beside it");
	CHECK_INT(chdir(dir), 0, "in the folder itself");
	CHECK_INT(file_replace("rel", "r", 1, 0600, &e), 0,
		  "a path without a folder is fine");
	CHECK_STR(contents("rel"), "r", "and here");
	CHECK_INT(file_replace(in_dir("none/x"), "r", 1, 0600, &e), -1,
		  "without the folder it is an error");
	CHECK(strstr(e.text, "none/.x.") != NULL &&
		      strstr(e.text, ".tmp: open: No such file") != NULL,
	      "%s", e.text);
	CHECK_INT(file_replace(in_dir("f"), "r", 1, 0600, &e), -1,
		  "a folder is not replaced");
	CHECK_INT(open_fds(), fds, "no descriptor is left open");
}

/* Each call of a replacement fails in turn. */
static void
test_replace_failures(void)
{
	static const struct {
		char letter;
		int after, error;
		const char *left, *words;
	} rows[] = {
		{ 'o', 0, EMFILE, "old", "open" },
		{ 'm', 0, EPERM, "old", "fchmod" },
		{ 'w', 0, ENOSPC, "old", "write" },
		{ 'd', 0, EIO, "old", "fdatasync" },
		{ 'c', 0, EIO, "old", "close" },
		{ 'n', 0, EIO, "old", "rename" },
		{ 'o', 1, EMFILE, "new", "open of the folder" },
		{ 'f', 0, EIO, "new", "fsync of the folder" },
	};
	char path[8192];
	int fds = open_fds();
	struct err e;
	size_t i;

	snprintf(path, sizeof(path), "%s/g/state", dir);
	file_mkdirs(in_dir("g"), 0755, NULL);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		plan(0, 0, 0, 0);
		file_replace(path, "old", 3, 0600, NULL);
		plan(rows[i].letter, rows[i].after, 1, rows[i].error);
		e.text[0] = '\0';
		CHECK_INT(file_replace(path, "new", 3, 0600, &e), -1,
			  "%s fails: so does the whole", rows[i].words);
		plan(0, 0, 0, 0);
		CHECK(strstr(e.text, strerror(rows[i].error)) != NULL,
		      "and says why: %s", e.text);
		CHECK_STR(contents(path), rows[i].left, "%s is left",
			  rows[i].left);
		CHECK_INT(entries(in_dir("g")), 1, "and nothing beside it");
	}
	plan('c', 0, 1, EINTR);
	CHECK_INT(file_replace(path, "new", 3, 0600, &e), 0,
		  "an interrupted close is no failure");
	CHECK_STR(calls, "omwdcnofc", "and is not repeated");
	CHECK_INT(open_fds(), fds, "no descriptor is left open");
}

static void
test_descriptors(void)
{
	struct err e;
	int fds[2];

	plan(0, 0, 0, 0);
	if (pipe(fds) == -1)
		return;
	CHECK_INT(file_set_nonblock(fds[0]), 0, "a pipe can be non-blocking");
	CHECK((fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0, "and is");
	CHECK_INT(file_set_nonblock(fds[0]), 0, "twice does no harm");
	CHECK_INT(file_close(fds[0], "the pipe", &e), 0, "and is closed");
	CHECK_INT(file_set_nonblock(fds[0]), -1, "a closed one is an error");
	CHECK_INT(file_close(fds[0], "the pipe", &e), -1,
		  "closed twice is an error");
	CHECK_STR(e.text, "the pipe: close: Bad file descriptor",
		  "that names it");
	errno = ENOENT;
	file_shut(&fds[1]);
	CHECK_INT(errno, ENOENT, "shutting one keeps errno");
}

static void
remove_all(const char *path)
{
	char sub[8192];
	struct dirent *d;
	struct stat st;
	DIR *h;

	if (lstat(path, &st) == -1)
		return;
	if (!S_ISDIR(st.st_mode)) {
		unlink(path);
		return;
	}
	h = opendir(path);
	while (h != NULL && (d = readdir(h)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		snprintf(sub, sizeof(sub), "%s/%s", path, d->d_name);
		remove_all(sub);
	}
	if (h != NULL)
		closedir(h);
	rmdir(path);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/test_file.XXXXXX",
		 tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 1;
	}
	umask(022);
	test_write_all();
	test_read();
	test_read_others();
	test_mkdirs();
	test_replace();
	test_replace_failures();
	test_descriptors();
	plan(0, 0, 0, 0);
	remove_all(dir);
	return check_done();
}
