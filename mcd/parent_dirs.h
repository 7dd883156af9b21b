/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the parent needs on disk before any role starts: folders with
 * their owners, and the locks that keep a second mcd away.
 */
#ifndef PARENT_DIRS_H
#define PARENT_DIRS_H

#include <sys/types.h>

#include "err.h"
#include "parent_conf.h"

/*
 * run_dir and run_dir/empty (0755, root's), lib_dir (2770, user_main's),
 * spool_dir (0700, user_queue's).  Made where missing; owner and mode are
 * set only where roles get users of their own.
 */
int parent_dirs_make(const struct parent_conf *pc, struct err *e);

/*
 * Locks run_dir/mcd.pid and the spool's folder.  EX_TEMPFAIL (75) when
 * another mcd holds one of them, 71 for a failure, 0 when both are ours.
 * Waits a moment for roles whose parent was killed.
 */
int parent_lock(const struct parent_conf *pc, struct err *e);
/*
 * The locks, which roles inherit, so that no new mcd starts while an
 * orphan still listens or writes: the first for each role, the second for
 * queue alone, since it is a folder outside of the others' jails.
 */
struct parent_locks {
	int run_fd; /* can only be read */
	int spool_fd;
};
const struct parent_locks *parent_locks(void);
/* Empties the pid file; the locks go with the process. */
void parent_unlock(void);

/* A user and its group for chown(2): both -1 (no change) where roles do
 * not get users of their own. */
int parent_owner(const struct parent_conf *pc, const char *user, uid_t *uid,
		 gid_t *gid, struct err *e);

#endif
