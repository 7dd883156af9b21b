/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Giving up rights: chroot and change of user for a role, a system call
 * filter and limits for a filter worker.  Each call is final.
 */
#ifndef JAIL_H
#define JAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/*
 * As root: resolves user, chroots to dir, drops groups, gid and uid, sets
 * no_new_privs, and checks that the way back is closed.  Not root: does
 * nothing, returns 0, *jailed is false.
 */
int jail_enter(const char *user, const char *dir, bool *jailed, struct err *e);

/*
 * For a worker, after it has all its descriptors: no file can be opened but
 * below tmp (Landlock, where the kernel has it; NULL: none), only an
 * allow-list of system calls goes, those of scanning libraries and of a
 * channel, all others kill the process.  memory_max is its address space in
 * bytes, 0: no limit (under ASan there never is one).  Works without root.
 */
int jail_worker(const char *tmp, int64_t memory_max, struct err *e);

#endif
