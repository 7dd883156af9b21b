/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Durable changes of the spool, in batches by a few threads.  A batch is:
 * start write-back of all its files, fdatasync each, all renames, fsync of
 * the folders touched, unlinks, then the answers.  Nobody is told OK
 * before all of it is durable.
 *
 * The crash model this relies on: a rename is atomic; it is durable once
 * either folder is fsynced; contents are durable once fdatasynced.
 *
 * After a failed write or sync of a file that file is never tried again
 * (the kernel may have dropped the pages and called them clean); every
 * member of its batch fails, and what they had put in place is unlinked.
 */
#ifndef COMMITTER_H
#define COMMITTER_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "list.h"
#include "spool.h"

/* One file of an operation. */
struct commit_file {
	char tmp[SPOOL_PATH_SIZE]; /* "" when fd is already in place */
	char path[SPOOL_PATH_SIZE]; /* final name */
	int fd; /* an open file to sync, or -1: write text to tmp */
	struct buf text;
};

/*
 * A set of files that become durable together.  With ordered set, file
 * n + 1 is put in place only when file n is durable (splits).
 */
struct commit_op {
	struct list node; /* private */
	struct commit_file *files;
	size_t file_count;
	char (*unlinks)[SPOOL_PATH_SIZE]; /* after all files are durable */
	size_t unlink_count;
	/* Called in the loop's thread; ok is 0 or -1 with e.  Owns op. */
	void (*done)(struct commit_op *op, int result, const struct err *e);
	void *arg;
	struct err e; /* private */
	int result; /* private */
};

/* spool_fd stays the caller's. */
void committer_start(int spool_fd, int threads);
/* Takes op until done() is called. */
void committer_submit(struct commit_op *op);
/* Work not yet answered. */
size_t committer_pending(void);
/* Waits for all threads to finish what was submitted. */
void committer_stop(void);

#endif
