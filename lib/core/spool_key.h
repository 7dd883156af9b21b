/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The file key of a spool: what trailers are sealed with.
 */
#ifndef SPOOL_KEY_H
#define SPOOL_KEY_H

#include "err.h"
#include "trailer.h"

#define SPOOL_KEY_SIZE 34 /* bytes of the file */

/* The contents of the file, and a NUL. */
void spool_key_text(const struct trailer_key *key,
		    char dst[SPOOL_KEY_SIZE + 1]);
/* 0, 1 when there is none yet, -1 when it is damaged or cannot be read. */
int spool_key_read(int spool_fd, struct trailer_key *key, struct err *e);

#endif
