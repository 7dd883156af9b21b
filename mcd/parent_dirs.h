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
 */
int parent_lock(const struct parent_conf *pc, struct err *e);
/*
 * The spool's lock.  queue inherits it, so that no new mcd starts on a
 * spool while a queue whose parent was killed is still writing.
 */
int parent_spool_lock_fd(void);
/* Empties the pid file; the locks go with the process. */
void parent_unlock(void);

/* A user and its group for chown(2): both -1 (no change) where roles do
 * not get users of their own. */
int parent_owner(const struct parent_conf *pc, const char *user, uid_t *uid,
		 gid_t *gid, struct err *e);

#endif
