/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Content transfer encodings (RFC 2045 section 6) as forgiving readers
 * decode them.  Whatever the bytes are, there is an output; what was wrong
 * with them is told, and where readers differ a mode says which to play.
 */
#ifndef MIME_CODE_H
#define MIME_CODE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* What a decoder stumbled over. */
#define CODE_JUNK 1 /* bytes outside the alphabet */
#define CODE_PAD_INSIDE 2 /* data goes on behind "=" */
#define CODE_CUT 4 /* ends within a group */
#define CODE_FULL 8 /* the limit of out was reached */
#define CODE_BLOCKS 16 /* an empty line within a group */

enum base64_mode {
	BASE64_RESUME, /* "=" ends a group, the next one begins anew */
	BASE64_IGNORE, /* "=" is skipped like any junk */
	BASE64_CUT_LINES, /* what follows junk on a line is junk */
	BASE64_BLOCKS /* each run of lines up to an empty one by itself */
};

enum quoted_mode {
	QUOTED_BODY, /* a "=" that is none stays */
	QUOTED_DROP, /* and goes, with a digit behind it */
	QUOTED_HEADER /* the Q encoding of RFC 2047: "_" is a blank */
};

/* Each appends to out up to its limit and returns CODE_* bits. */
int base64_decode(struct span in, enum base64_mode mode, struct buf *out);
int quoted_decode(struct span in, enum quoted_mode mode, struct buf *out);
/*
 * From the "begin" line (skipped where there is one) to "end".  *name is
 * the rest of the begin line, or empty; *used how much of in was read.
 */
int uu_decode(struct span in, struct buf *out, struct span *name, size_t *used);
/* The offset of a "begin MODE NAME" line, or in.len. */
size_t uu_find(struct span in, size_t from);
/* Whether the text is nothing but lines of base64, enough of it to say. */
bool base64_is_likely(struct span in);

#endif
