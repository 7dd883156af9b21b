/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A message in the spool as a worker reads it: in blocks, never beyond
 * the size that it is said to have.
 */
#ifndef BODY_H
#define BODY_H

#include <stdint.h>

#include "buf.h"
#include "err.h"

#define BODY_BLOCK 65536

/* A block at offset; -1 stops the walk (with e set). */
typedef int body_fn(void *arg, uint64_t offset, struct span block,
		    struct err *e);

/* Walks all of it; -1 when it cannot be read or is shorter. */
int body_walk(int fd, uint64_t size, body_fn *fn, void *arg, struct err *e);

#endif
