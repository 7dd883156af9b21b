/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Text of any declared character set as UTF-8.  What is not known or not
 * valid becomes valid all the same: UTF-8 where it is, else windows-1252,
 * which gives every byte a character.
 */
#ifndef CHARSET_H
#define CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define CHARSET_NAME_MAX 40

/* What charset_decode() found. */
#define CHARSET_UNKNOWN 1 /* a name nobody knows */
#define CHARSET_INVALID 2 /* bytes that are not of this set */
#define CHARSET_FULL 4 /* the limit of out was reached */

/*
 * Opens the converters of all sets, because a jail that comes later has no
 * files to load them from; about 1 MB, shared by all that fork after it.
 * Without it they are opened as they are met.  One thread only.
 */
void charset_prepare(void);
/* Closes them. */
void charset_release(void);

/*
 * Appends in as UTF-8 to out, up to its limit, and returns CHARSET_* bits.
 * name is as it was declared, in any case; "" is UTF-8 or windows-1252,
 * whichever the bytes are.
 */
int charset_decode(const char *name, struct span in, struct buf *out);
/* Appends in as valid UTF-8; 1 when something had to be replaced. */
int utf8_repair(struct span in, struct buf *out);
/* Appends one character. */
void utf8_put(struct buf *out, unsigned cp);

#endif
