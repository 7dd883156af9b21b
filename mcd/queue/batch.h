/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One batch of the committer, done step by step for all its members in
 * the order that makes it durable.  Runs in a committer's thread.
 */
#ifndef BATCH_H
#define BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "list.h"
#include "trailer.h"

/*
 * Open descriptors of folders.  Each thread has its own: a failed
 * write-back is told once to every descriptor, so that a shared one would
 * tell it to one thread and let the other believe all is well.
 */
struct batch_folder;
struct batch_folders {
	int spool_fd; /* of the caller, as key */
	const struct trailer_key *key;
	struct batch_folder *list;
	size_t count, cap;
};

void batch_folders_init(struct batch_folders *f, int spool_fd);
void batch_folders_release(struct batch_folders *f);

/* Works on a list of struct commit_op, not empty; sets result and e of
 * each. */
void batch_run(struct batch_folders *f, struct list *batch);

#endif
