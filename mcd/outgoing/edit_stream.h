/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A message as it leaves: the body of the spool with its edits applied, in
 * pieces.  A body that is not as long as its envelope says is an error,
 * never a shorter message.
 */
#ifndef EDIT_STREAM_H
#define EDIT_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "envelope.h"
#include "err.h"

#define EDIT_PIECE 65536 /* bytes of the longest piece read from the body */

struct edit_stream {
	int fd; /* borrowed, read by offset */
	uint64_t size;
	const struct edit *edits; /* borrowed */
	size_t edit_count;
	size_t next; /* the edit to come */
	uint64_t at; /* in the body */
};

/*
 * Starts over; the edits passed edits_check().  -1 when the file is shorter
 * than size; what is behind that is not the message's.
 */
int edit_stream_init(struct edit_stream *s, int fd, uint64_t size,
		     const struct edit *edits, size_t edit_count,
		     struct err *e);
/*
 * The next piece: 1, 0 at the end, -1 when reading fails or the body is
 * cut short.  The bytes are valid until the next call on any stream.
 */
int edit_stream_next(struct edit_stream *s, struct span *out, struct err *e);

#endif
