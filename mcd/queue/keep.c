/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The keeper's side of the spool.  Nothing here makes mail durable: that
 * is the committer's work.
 */
#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "spool_key.h"
#include "str.h"

#define SEQUENCE_MAX 0xffff
#define CREATE_TRIES 16
#define SPACE_LOOK_MS 1000
#define INODES_RESERVE 1000

static struct {
	int fd;
	int ledger_fd;
	int lock_fd;
	struct trailer_key key;
	struct id_parts last;
	int64_t looked_ms; /* when the space was looked up, 0: never */
	int64_t free_bytes;
	struct err space_error;
} self = { .fd = -1, .ledger_fd = -1, .lock_fd = -1 };

static int
take_lock(struct err *e)
{
	int result;

	self.lock_fd = file_open(self.fd, "lock", O_RDWR | O_CREAT, 0600);
	if (self.lock_fd < 0)
		return err_sys(e, "lock");
	do {
		result = flock(self.lock_fd, LOCK_EX | LOCK_NB);
	} while (result != 0 && errno == EINTR);
	if (result != 0 && errno == EWOULDBLOCK)
		return err_set(e, "another mcd works on it (its lock is held)");
	return result != 0 ? err_sys(e, "lock") : 0;
}

/* Two words of 16 digits, each with a line end. */
/* Durable but for its name, which goes with the spool's folder. */
static int
make_key(struct err *e)
{
	char text[SPOOL_KEY_SIZE + 1];
	int fd, result = 0;

	if (getrandom(&self.key, sizeof(self.key), 0) !=
	    (ssize_t)sizeof(self.key))
		return err_sys(e, "key: no random bytes");
	spool_key_text(&self.key, text);
	fd = file_open(self.fd, ".key.tmp", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return err_sys(e, "key");
	if (file_write_all(fd, text, SPOOL_KEY_SIZE) != 0 || fdatasync(fd) != 0)
		result = err_sys(e, "key");
	file_shut(&fd);
	if (result == 0 && renameat(self.fd, ".key.tmp", self.fd, "key") != 0)
		result = err_sys(e, "key");
	return result;
}

static int
take_key(struct err *e)
{
	int result = spool_key_read(self.fd, &self.key, e);

	return result > 0 ? make_key(e) : result;
}

int
keep_open(const char *path, unsigned node, struct err *e)
{
	memset(&self.last, 0, sizeof(self.last));
	self.last.node = node;
	self.looked_ms = 0;
	self.fd = file_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (self.fd < 0)
		return err_sys(e, "spool %s", path);
	if (take_lock(e) == 0 && take_key(e) == 0 &&
	    spool_make_folders(self.fd, e) == 0) {
		self.ledger_fd =
			file_open(self.fd, "ledger", O_RDONLY | O_DIRECTORY, 0);
		if (self.ledger_fd >= 0)
			return 0;
		err_sys(e, "ledger");
	}
	keep_close();
	return err_prefix(e, "spool %s", path);
}

void
keep_close(void)
{
	file_shut(&self.ledger_fd);
	file_shut(&self.lock_fd);
	file_shut(&self.fd);
}

int
keep_fd(void)
{
	return self.fd;
}

const struct trailer_key *
keep_key(void)
{
	return &self.key;
}

int
keep_ledger_fd(void)
{
	return self.ledger_fd;
}

static int
sync_folder(const char *path, struct err *e)
{
	int fd = file_open(self.fd, path, O_RDONLY | O_DIRECTORY, 0);
	int result = 0;

	if (fd < 0)
		return err_sys(e, "%s", path);
	if (fsync(fd) != 0)
		result = err_sys(e, "%s: sync", path);
	file_shut(&fd);
	return result;
}

static int
sync_folder_of(char *path, struct err *e)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL)
		return err_set(e, "%s: in no folder", path);
	*slash = '\0';
	return sync_folder(path, e);
}

int
keep_sync_folder(enum state s, const char *name, struct err *e)
{
	char path[SPOOL_PATH_SIZE];

	spool_envelope_path(s, name, path);
	return sync_folder_of(path, e);
}

int
keep_sync_body_folder(const char *body, struct err *e)
{
	char path[SPOOL_PATH_SIZE];

	spool_body_path(body, path);
	return sync_folder_of(path, e);
}

int
keep_sync_folders(const bool marked[SPOOL_FOLDERS], struct err *e)
{
	char path[SPOOL_PATH_SIZE];
	int s, i;

	for (i = 0; i < SPOOL_FOLDERS; i++) {
		for (s = 0; s < STATE_COUNT && marked[i]; s++) {
			(void)str_fmt(path, sizeof(path), "%s/%02x",
				      state_name((enum state)s), i);
			if (sync_folder(path, e) != 0)
				return -1;
		}
	}
	return 0;
}

void
keep_new_id(char dst[ENVELOPE_ID_LEN + 1])
{
	int64_t now_us = clock_wall_us();

	if (now_us > self.last.wall_us) {
		self.last.wall_us = now_us;
		self.last.sequence = 0;
	} else if (self.last.sequence < SEQUENCE_MAX) {
		self.last.sequence++;
	} else {
		self.last.wall_us++;
		self.last.sequence = 0;
	}
	id_make(&self.last, dst);
}

void
keep_seen(const char *name)
{
	struct id_parts parts;

	if (id_parse(name, &parts) != 0 || parts.wall_us < self.last.wall_us)
		return;
	self.last.wall_us = parts.wall_us;
	self.last.sequence = SEQUENCE_MAX;
}

void
keep_id_of(const char *name, char dst[ENVELOPE_ID_LEN + 1])
{
	(void)str_fmt(dst, ENVELOPE_ID_LEN + 1, "%.*s", ENVELOPE_ID_LEN, name);
}

int64_t
keep_free_bytes(struct err *e)
{
	int64_t now = clock_mono_ms();
	struct statvfs st;

	if (self.looked_ms == 0 || now - self.looked_ms >= SPACE_LOOK_MS) {
		self.looked_ms = now;
		self.free_bytes = -1;
		if (fstatvfs(self.fd, &st) != 0)
			err_sys(&self.space_error, "free space of the spool");
		else if (st.f_files > 0 && st.f_favail < INODES_RESERVE)
			err_set(&self.space_error,
				"the spool's disk has no inodes left");
		else
			self.free_bytes = (int64_t)(st.f_bavail * st.f_frsize);
	}
	if (self.free_bytes < 0)
		err_set(e, "%s", self.space_error.text);
	return self.free_bytes;
}

int
keep_body_create(char id[ENVELOPE_ID_LEN + 1], struct err *e)
{
	char path[SPOOL_PATH_SIZE];
	int fd, i;

	for (i = 0; i < CREATE_TRIES; i++) {
		keep_new_id(id);
		spool_body_path(id, path);
		fd = file_open(self.fd, path, O_WRONLY | O_CREAT | O_EXCL,
			       0600);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			break;
	}
	return err_sys(e, "%s", path);
}

static enum body_result
check_stat(const struct stat *st, const char *path, uint64_t size,
	   struct err *e)
{
	if (S_ISREG(st->st_mode) && (uint64_t)st->st_size == size)
		return BODY_OK;
	err_set(e, "%s has %lld bytes instead of %llu", path,
		(long long)st->st_size, (unsigned long long)size);
	return BODY_BAD;
}

static enum body_result
open_body(const char *body, uint64_t size, int flags, int *fd, struct err *e)
{
	enum body_result result = BODY_LATER;
	char path[SPOOL_PATH_SIZE];
	struct stat st;

	spool_body_path(body, path);
	*fd = file_open(self.fd, path, flags | O_NOFOLLOW | O_NONBLOCK, 0);
	if (*fd < 0) {
		if (errno == ENOENT || errno == ELOOP)
			result = BODY_BAD;
		err_sys(e, "%s", path);
		return result;
	}
	if (fstat(*fd, &st) != 0)
		err_sys(e, "%s", path);
	else
		result = check_stat(&st, path, size, e);
	if (result != BODY_OK)
		file_shut(fd);
	return result;
}

enum body_result
keep_body_open(const struct envelope *env, int *fd, struct err *e)
{
	return open_body(env->body, env->size + env->trailer, O_RDONLY, fd, e);
}

enum body_result
keep_body_unsealed(const char *body, uint64_t size, int *fd, struct err *e)
{
	return open_body(body, size, O_RDWR, fd, e);
}

enum body_result
keep_body_check(const struct envelope *env, struct err *e)
{
	char path[SPOOL_PATH_SIZE];
	struct stat st;
	int failed;

	spool_body_path(env->body, path);
	if (fstatat(self.fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return check_stat(&st, path, env->size + env->trailer, e);
	failed = errno;
	err_sys(e, "%s", path);
	return failed == ENOENT ? BODY_BAD : BODY_LATER;
}
