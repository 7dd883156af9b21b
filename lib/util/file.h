/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Files: whole reads with a limit, whole writes, folders.  All calls retry
 * EINTR, all descriptors are close-on-exec.
 */
#ifndef FILE_H
#define FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"

/* Writes all of it; -1 with errno. */
int file_write_all(int fd, const void *p, size_t len);
/* Reads until EOF, appends to b; -1 with err when larger than max, or than
 * the limit of b leaves room for.  b is as before when it fails. */
int file_read_fd(int fd, struct buf *b, size_t max, struct err *e);
/* dirfd may be AT_FDCWD. */
int file_read_at(int dirfd, const char *path, struct buf *b, size_t max,
		 struct err *e);
int file_read(const char *path, struct buf *b, size_t max, struct err *e);
/* Makes the folder and its missing parents with mode, whatever the umask;
 * fine when there. */
int file_mkdirs(const char *path, mode_t mode, struct err *e);
/* Opens with O_CLOEXEC, retries EINTR. */
int file_open(int dirfd, const char *path, int flags, mode_t mode);
int file_set_nonblock(int fd);
/* close(2) whose error is reported, for files that were written. */
int file_close(int fd, const char *what, struct err *e);
/* Closes and sets *fd to -1; nothing when it is -1. */
void file_shut(int *fd);
/* Replaces path by p[0..len): temporary name, fdatasync, rename, fsync of
 * the folder.  mode holds whatever the umask.  When only the last step
 * fails path is the new one, but may be the old one after a crash. */
int file_replace(const char *path, const void *p, size_t len, mode_t mode,
		 struct err *e);
/* fsync of the folder that path is in. */
int file_sync_dir_of(const char *path, struct err *e);

#endif
