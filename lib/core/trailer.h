/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The trailer of a body: the first envelope of a message, in the same
 * file behind its body, so that one sync makes both durable.
 *
 *   the body, as many bytes as the envelope says
 *   the text of the envelope (generation 1, state incoming)
 *   mcgate-trailer: 1 LENGTH BODYCRC SEAL CRC
 *
 * Each is hexadecimal with a fixed number of digits: bytes of the text,
 * the CRC-32 of the body, a keyed hash of text and BODYCRC, and the CRC-32
 * of the line before its space.  A client may write what it likes into a
 * body that is never committed: the seal says that the trailer is ours,
 * the CRC of the body that all of it had come to the disk.
 */
#ifndef TRAILER_H
#define TRAILER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define TRAILER_VERSION 1
#define TRAILER_END_SIZE 62 /* the last line with its LF */

/* Of one spool; kept in its file key. */
struct trailer_key {
	uint64_t word[2];
};

struct trailer {
	uint32_t text_len;
	uint32_t body_crc;
	uint64_t seal;
};

/* The last line behind text, without a NUL. */
void trailer_end(const struct trailer_key *key, struct span text,
		 uint32_t body_crc, char dst[TRAILER_END_SIZE]);

enum trailer_result {
	TRAILER_OK,
	TRAILER_NONE, /* no last line of ours: an envelope, or half a body */
	TRAILER_NEWER /* of a newer version */
};
/* tail: at least the last TRAILER_END_SIZE bytes of a file, or all of
 * it. */
enum trailer_result trailer_find(struct span tail, struct trailer *out);
/* Whether text was written behind its body by who knows the key. */
bool trailer_is_sealed(const struct trailer_key *key, struct span text,
		       const struct trailer *t);

#endif
