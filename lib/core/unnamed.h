/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages of which a crash has left the body and its trailer, but no
 * envelope with a name: the start makes mail of them again.  For those who
 * look at the spool before that.
 */
#ifndef UNNAMED_H
#define UNNAMED_H

#include <stdint.h>

#include "dict.h"
#include "envelope.h"
#include "err.h"

/* env, with the recipients that have no final result yet, is valid for the
 * call; not 0 stops. */
typedef int unnamed_fn(void *arg, const struct envelope *env);

/*
 * Looks at the bodies of IDs that are not in ids (values do not matter), for
 * what the start would take for mail: sealed with the spool's key, whole,
 * and not done by the ledger.  While mcd runs there are none, but bodies
 * that are being taken look alike: not for then.  0, what fn returned, or
 * -1 when a folder, the key or the ledger cannot be read.
 */
int unnamed_each(int spool_fd, const struct dict *ids, unnamed_fn *fn,
		 void *arg, struct err *e);

/* Whether the first size bytes of a file have this sum: 1, 0, or -1 when
 * they cannot be read. */
int unnamed_has_sum(int fd, uint64_t size, uint32_t sum);

#endif
