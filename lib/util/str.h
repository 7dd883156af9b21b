/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Strings: comparison without locale, bounded copies, numbers with units,
 * text from strangers made printable, and the nearest known word for a
 * mistyped one.
 */
#ifndef STR_H
#define STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

bool str_eq(const char *a, const char *b);
/* ASCII letters compare without case; no locale. */
bool str_ieq(const char *a, const char *b);
bool str_has_prefix(const char *s, const char *prefix);
/* Copies, always terminates; true when all of src fitted. */
bool str_copy(char *dst, size_t size, const char *src);
/* snprintf that tells: true when all fitted. */
bool str_fmt(char *dst, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* ASCII only, in place. */
void str_lower(char *s);

static inline int
ascii_lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static inline bool
ascii_isalpha(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_isdigit(int c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_isalnum(int c)
{
	return ascii_isalpha(c) || ascii_isdigit(c);
}

/* Space, HT, CR, LF, VT, FF. */
static inline bool
ascii_isspace(int c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whole-string decimal numbers; no sign for u64, no spaces. */
int str_to_u64(const char *s, uint64_t *out, struct err *e);
int str_to_i64(const char *s, int64_t *out, struct err *e);
int span_to_u64(struct span s, uint64_t *out);
/* "15s", "2m", "3h", "5d", "250ms" and sums such as "1h30m", the larger
 * unit first; a bare number is seconds.  Result in milliseconds. */
int str_to_duration_ms(const char *s, int64_t *out, struct err *e);
/* "10M", "4k", "1G", "2T" (powers of 1024, either case), "1500": bytes. */
int str_to_bytes(const char *s, uint64_t *out, struct err *e);
/* "yes/no/on/off/true/false/1/0". */
int str_to_bool(const char *s, bool *out, struct err *e);
/* The shortest text with units that str_to_duration_ms() reads back to the
 * same: "90s", "36h", "1d1s". */
void str_duration(char *dst, size_t size, int64_t ms);
/* Human size: "1.4 GiB", "812 B". */
void str_bytes(char *dst, size_t size, uint64_t n);

/*
 * Makes bytes of a stranger printable: controls, DEL and bytes that are
 * not valid UTF-8 become '?', the result is cut at size - 1 with "..." at
 * the end.  Controls are those of ASCII and U+0080 to U+009F, and the
 * characters that break or reorder a line (U+2028, U+202E and their like).
 * For logs and terminals.
 */
void str_printable(char *dst, size_t size, const char *src, size_t len);
/* Strict UTF-8 (RFC 3629): no overlong forms, surrogates, > U+10FFFF. */
bool str_is_utf8(const char *s, size_t len);
/* The bytes of the UTF-8 character that s[0..len) starts with, *cp is its
 * code point; 0 when there is none or it is not valid. */
size_t str_utf8_next(const char *s, size_t len, uint32_t *cp);

/*
 * The word of a NULL-terminated list nearest to s by edit distance with
 * transpositions, or NULL when none is near enough to be worth saying.
 */
const char *str_nearest(const char *s, const char *const *words);

/* CRC-32 (IEEE 802.3, as gzip), crc is 0 to start. */
uint32_t crc32_update(uint32_t crc, const void *p, size_t len);

#endif
