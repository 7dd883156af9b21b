/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The parts of a delivery status notification, each without its MIME
 * header.  Of no use outside dsn.c.
 */
#ifndef DSN_PART_H
#define DSN_PART_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "dsn.h"

#define DSN_VALUE_SIZE 1100 /* holds an address or a diagnostic text */

/*
 * Text of a stranger on one line: printable, of ASCII alone unless
 * is_utf8, cut at size - 1.  Returns dst.
 */
const char *dsn_clean(char *dst, size_t size, const char *s, bool is_utf8);
/*
 * Appends text, which is clean, and CRLF, broken between words to lines of
 * 76 where that can be, of 998 in any case.  col characters stand on the
 * line already; each further line begins with indent spaces.
 */
void dsn_wrap(struct buf *out, size_t col, size_t indent, const char *text);

/* What people read. */
void dsn_part_text(const struct dsn *d, bool is_utf8, struct buf *out);
/* RFC 3464 section 2 */
void dsn_part_status(const struct dsn *d, bool is_utf8, struct buf *out);
/* The header of the original: fields alone, clean, in short lines. */
void dsn_part_header(const struct dsn *d, bool is_utf8, struct buf *out);

#endif
