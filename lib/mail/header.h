/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Header fields of a raw message (RFC 5322 section 2.2) with their exact
 * offsets, so that edits can name them.  Nothing is decoded or copied.
 */
#ifndef HEADER_H
#define HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define HEADER_NAME_MAX 76 /* longer names are no names to us */
#define HEADER_TEXT_MAX 2048 /* bytes of a value that become text */

struct header_field {
	struct span name; /* without the colon and blanks before it */
	struct span value; /* behind the colon, folds and last CRLF in it */
	size_t offset; /* of the name in the text */
	size_t len; /* up to and with its last line end */
};

/*
 * Walks the fields: start with *at = 0; 1 and a field, or 0 at the end of
 * the header (*at is then where the body starts, the empty line skipped).
 * Lines that are no fields are skipped.
 */
int header_next(struct span text, size_t *at, struct header_field *out);
/*
 * Unfolded and trimmed into dst, printable, cut at size - 1 or at
 * HEADER_TEXT_MAX bytes of the value.
 */
void header_value_text(struct span value, char *dst, size_t size);

/*
 * A scanner that is fed a message as it streams by and keeps the first
 * Message-ID and Subject, and counts the Received fields.
 */
struct header_scan {
	bool is_done; /* the header has ended, or the limit was reached */
	bool is_truncated; /* the header is larger than the limit */
	int received; /* number of Received fields */
	char message_id[256]; /* with its <>, printable, "" if none */
	char subject[256]; /* as it stands, unfolded, printable */
	char from[256];
	size_t bytes; /* of the header so far */
	/* private */
	char line[512];
	size_t line_len;
	int field; /* where in a line */
};

#define HEADER_SCAN_MAX (1024 * 1024) /* bytes looked at */

void header_scan_init(struct header_scan *h);
void header_scan_feed(struct header_scan *h, struct span in);
/* The message is over: takes in the last field where no empty line came. */
void header_scan_end(struct header_scan *h);

#endif
