/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A growable byte buffer, and the borrowed span of bytes that parsers
 * take.  A buffer never holds more than its limit.
 */
#ifndef BUF_H
#define BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes, not terminated by a NUL. */
struct span {
	const char *p;
	size_t len;
};

#define SPAN_LIT(s) ((struct span){ (s), sizeof(s) - 1 })

struct span span_of(const char *s);
int span_eq(struct span a, struct span b);
/* ASCII letters compare without case. */
int span_ieq(struct span a, struct span b);

/*
 * data is NULL or terminated by a NUL that len does not count.  limit is
 * in bytes, 0 means none but the address space.  A zeroed struct buf is
 * empty and usable.
 */
struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t limit;
	int overflowed; /* an append was refused since the last clear */
};

/* Appends return 0, or -1 and append nothing where limit forbids. */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_add_str(struct buf *b, const char *s);
int buf_add_span(struct buf *b, struct span s);
int buf_add_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
/* Room for n more bytes at the returned place, NULL where limit forbids. */
char *buf_reserve(struct buf *b, size_t n);
/* Counts n bytes written to the reserved place. */
void buf_commit(struct buf *b, size_t n);
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
struct span buf_span(const struct buf *b);
/* Always a string, "" when empty. */
const char *buf_str(const struct buf *b);
void buf_clear(struct buf *b);
void buf_release(struct buf *b);
/* Overwrites with zeros before giving back: for secrets. */
void buf_wipe(struct buf *b);

#endif
