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
int ascii_lower(int c);
bool ascii_isalpha(int c);
bool ascii_isdigit(int c);
bool ascii_isalnum(int c);
bool ascii_isspace(int c); /* space, HT, CR, LF, VT, FF */

/* Whole-string decimal numbers; no sign for u64, no spaces. */
int str_to_u64(const char *s, uint64_t *out, struct err *e);
int str_to_i64(const char *s, int64_t *out, struct err *e);
int span_to_u64(struct span s, uint64_t *out);
/* "15s", "2m", "3h", "5d", "250ms" and sums such as "1h30m"; a bare number
 * is seconds.  Result in milliseconds. */
int str_to_duration_ms(const char *s, int64_t *out, struct err *e);
/* "10M", "4k", "1G" (powers of 1024), "1500": bytes. */
int str_to_bytes(const char *s, uint64_t *out, struct err *e);
/* "yes/no/on/off/true/false/1/0". */
int str_to_bool(const char *s, bool *out, struct err *e);
/* The shortest text that str_to_duration_ms() reads back to the same. */
void str_duration(char *dst, size_t size, int64_t ms);
/* Human size: "1.4 GiB", "812 B". */
void str_bytes(char *dst, size_t size, uint64_t n);

/*
 * Makes bytes of a stranger printable: controls, DEL and bytes that are
 * not valid UTF-8 become '?', the result is cut at size - 1 with "..." at
 * the end.  For logs and terminals.
 */
void str_printable(char *dst, size_t size, const char *src, size_t len);
/* Strict UTF-8 (RFC 3629): no overlong forms, surrogates, > U+10FFFF. */
bool str_is_utf8(const char *s, size_t len);

/*
 * The word of a NULL-terminated list nearest to s by edit distance with
 * transpositions, or NULL when none is near enough to be worth saying.
 */
const char *str_nearest(const char *s, const char *const *words);

/* CRC-32 (IEEE 802.3, as gzip), crc is 0 to start. */
uint32_t crc32_update(uint32_t crc, const void *p, size_t len);

#endif
