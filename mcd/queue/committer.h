/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Durable changes of the spool, in batches by a few threads.  A batch is:
 * write all files, seal bodies that bring an envelope, start their
 * write-back, fdatasync each, put in place what others refer to and fsync
 * its folders, put the rest in place and fsync those folders, second
 * names, unlinks, then the answers.  Nobody is told OK before all of it is
 * durable, second names aside.  Operations without files are in batches of
 * their own, beside the others: there is no order between operations.
 *
 * The crash model this relies on: a rename is atomic; it is durable once
 * either folder is fsynced; contents are durable once fdatasynced.  What
 * was not synced may be there after a crash or not, in any mixture: that
 * is why an envelope gets its name only when its body's is durable.
 *
 * After a failed write or sync of a file that file is never tried again
 * (the kernel may have dropped the pages and called them clean); every
 * member of its batch fails, and what they had put in place is unlinked,
 * the envelope durably before its body.
 */
#ifndef COMMITTER_H
#define COMMITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "list.h"
#include "spool.h"

#define COMMITTER_THREADS_MAX 64
#define COMMITTER_BATCH_OPS 64
#define COMMITTER_BATCH_FILES 256 /* or one operation */

/*
 * One file of an operation.  With tmp: text is written to it.  Without: fd
 * is open and in place, and text, when there is one, is an envelope that
 * becomes the trailer behind its size bytes.
 */
struct commit_file {
	char tmp[SPOOL_PATH_SIZE];
	char path[SPOOL_PATH_SIZE]; /* final name */
	char link[SPOOL_PATH_SIZE]; /* a second name, not synced, or "" */
	int fd;
	struct buf text;
	uint64_t size;
	bool is_body; /* durable, its name too, before the others */
	bool is_replacing; /* path may be there: a failure leaves it */
	bool is_placed, is_linked; /* private */
	bool is_left, is_left_tmp; /* a failure could not unlink it */
};

/* Files that become durable together; of several the bodies come first. */
struct commit_op {
	struct list node; /* private */
	struct commit_file *files;
	size_t file_count;
	char (*unlinks)[SPOOL_PATH_SIZE]; /* after all files are durable */
	size_t unlink_count;
	/* The unlinks are part of the promise: they are made durable, and
	 * the operation fails when they do.  Otherwise they are a courtesy:
	 * result is 0 and e says what was left. */
	bool must_unlink;
	/* Called in the loop's thread; ok is 0 or -1 with e.  Owns op. */
	void (*done)(struct commit_op *op, int result, const struct err *e);
	void *arg;
	struct err e; /* private */
	int result; /* private */
};

/* Zeroed, fd of all files -1. */
struct commit_op *commit_op_new(size_t files, size_t unlinks);
/* Closes the descriptors of its files. */
void commit_op_free(struct commit_op *op);

/* spool_fd and key stay the caller's. */
void committer_start(int spool_fd, const struct trailer_key *key, int threads);
/* Takes op until done() is called. */
void committer_submit(struct commit_op *op);
/* Work not yet answered. */
size_t committer_pending(void);
/* Batches since the last call. */
int64_t committer_batches(void);
/* Waits for all threads to finish what was submitted; done() is called
 * for all of it. */
void committer_stop(void);

#endif
