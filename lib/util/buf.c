/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A growable byte buffer that never holds more than its limit, and spans.
 */
#include "buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "xalloc.h"

#define BUF_FIRST 64 /* bytes of the first allocation */

struct span
span_of(const char *s)
{
	return (struct span){ s, strlen(s) };
}

int
span_eq(struct span a, struct span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

int
span_ieq(struct span a, struct span b)
{
	size_t i;

	if (a.len != b.len)
		return 0;
	for (i = 0; i < a.len; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return 0;
	return 1;
}

char *
buf_reserve(struct buf *b, size_t n)
{
	size_t max = b->limit > 0 ? b->limit : PTRDIFF_MAX - 1;
	size_t cap = b->cap > 0 ? b->cap : BUF_FIRST;

	if (b->len > max || n > max - b->len) {
		b->overflowed = 1;
		return NULL;
	}
	/* One more, for the NUL. */
	if (b->len + n >= b->cap) {
		while (cap <= b->len + n)
			cap = cap <= max / 2 ? cap * 2 : max + 1;
		b->data = xrealloc(b->data, cap);
		b->cap = cap;
		b->data[b->len] = '\0';
	}
	return b->data + b->len;
}

void
buf_commit(struct buf *b, size_t n)
{
	b->len += n;
	b->data[b->len] = '\0';
}

int
buf_add(struct buf *b, const void *p, size_t n)
{
	char *dst = buf_reserve(b, n);

	if (dst == NULL)
		return -1;
	if (n > 0)
		memcpy(dst, p, n);
	buf_commit(b, n);
	return 0;
}

int
buf_add_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int
buf_add_span(struct buf *b, struct span s)
{
	return buf_add(b, s.p, s.len);
}

int
buf_add_char(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	size_t room = b->cap - b->len;
	va_list again;
	char *dst;
	int n;

	va_copy(again, ap);
	/* Into the room there is; once more when that was too small. */
	n = vsnprintf(b->data != NULL ? b->data + b->len : NULL, room, fmt, ap);
	dst = n < 0 ? NULL : buf_reserve(b, (size_t)n);
	if (dst == NULL) {
		if (b->data != NULL)
			b->data[b->len] = '\0';
	} else {
		if ((size_t)n >= room)
			vsnprintf(dst, (size_t)n + 1, fmt, again);
		buf_commit(b, (size_t)n);
	}
	va_end(again);
	return dst != NULL ? 0 : -1;
}

int
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = buf_vprintf(b, fmt, ap);
	va_end(ap);
	return rc;
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
	} else if (n > 0) {
		memmove(b->data, b->data + n, b->len - n);
		b->len -= n;
	}
	if (b->data != NULL)
		b->data[b->len] = '\0';
}

struct span
buf_span(const struct buf *b)
{
	return (struct span){ buf_str(b), b->len };
}

const char *
buf_str(const struct buf *b)
{
	return b->data != NULL ? b->data : "";
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->overflowed = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void
buf_release(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->cap = 0;
	buf_clear(b);
}

void
buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}
