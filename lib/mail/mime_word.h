/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Values of header fields as people read them: unfolded, encoded words of
 * RFC 2047 decoded, valid UTF-8 without controls.
 */
#ifndef MIME_WORD_H
#define MIME_WORD_H

#include "buf.h"

#define WORD_BAD 1 /* something like an encoded word that is none */
#define WORD_8BIT 2 /* bytes above 127 outside encoded words */
#define WORD_CHARSET 4 /* a character set nobody knows */

/*
 * Appends the text of a value to out, up to its limit; returns WORD_* bits.
 * Words inside quoted strings are decoded too, as most readers do.
 */
int mime_words(struct span value, struct buf *out);

#endif
