/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Starts a role: fork and exec with one channel, a clean environment and
 * its limit of descriptors.
 */
#ifndef PARENT_SPAWN_H
#define PARENT_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "err.h"
#include "parent_conf.h"
#include "role.h"

/*
 * The child gets channel as ROLE_PARENT_FD and holds the locks that are
 * for it.  All stay the caller's.  An exec that fails is logged by the
 * child, which exits 71.
 */
pid_t parent_spawn(const struct role_row *row, const struct conf *conf,
		   int channel, struct err *e);

#endif
