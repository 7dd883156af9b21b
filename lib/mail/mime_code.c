/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Transfer encodings.  One pass over the input each, and never more output
 * than input.
 */
#include "mime_code.h"

#include <stdint.h>
#include <string.h>

#include "str.h"

#define LIKELY_MIN 40 /* letters of base64 that are no accident */

/* The value of each letter, 64 for "=", 65 for blanks and line ends, 66 for
 * all that does not belong there. */
static int
base64_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	if (c == '=')
		return 64;
	return ascii_isspace(c) ? 65 : 66;
}

struct base64 {
	unsigned char value[256];
	uint32_t bits;
	int have; /* letters of the group so far */
	char *to;
};

static void
put_group(struct base64 *b, int bytes)
{
	int i;

	for (i = 0; i < bytes; i++)
		*b->to++ = (char)(b->bits >> (16 - 8 * i));
	b->bits = 0;
	b->have = 0;
}

/* A group that ends early: its whole bytes; 1 when a letter is lost. */
static int
end_group(struct base64 *b)
{
	int have = b->have;

	b->bits <<= 6 * (4 - have);
	put_group(b, have > 1 ? have - 1 : 0);
	return have == 1;
}

static const char *
line_end(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));

	return lf != NULL ? lf : end;
}

/* Behind the line end at p comes an empty line. */
static bool
is_blank_next(const char *p, const char *end)
{
	p++;
	if (p < end && *p == '\r')
		p++;
	return p < end && *p == '\n';
}

static int
base64_run(struct base64 *b, struct span in, enum base64_mode mode)
{
	const char *p = in.p, *end = in.p + in.len;
	bool was_padded = false;
	int said = 0;

	for (; p < end; p++) {
		int v = b->value[(unsigned char)*p];

		if (v < 64) {
			if (was_padded)
				said |= CODE_PAD_INSIDE;
			b->bits = b->bits << 6 | (uint32_t)v;
			if (++b->have == 4)
				put_group(b, 3);
		} else if (v == 64) {
			was_padded = true;
			if (mode != BASE64_IGNORE && b->have > 0)
				said |= end_group(b) ? CODE_CUT : 0;
		} else if (v == 66) {
			said |= CODE_JUNK;
			if (mode == BASE64_CUT_LINES)
				p = line_end(p, end) - 1;
		} else if (*p == '\n' && b->have > 0 && is_blank_next(p, end)) {
			said |= CODE_BLOCKS;
			if (mode == BASE64_BLOCKS)
				end_group(b);
		}
	}
	if (b->have > 0) {
		if (!was_padded)
			said |= CODE_CUT;
		end_group(b);
	}
	return said;
}

int
base64_decode(struct span in, enum base64_mode mode, struct buf *out)
{
	size_t room = in.len / 4 * 3 + 3;
	struct base64 b = { 0 };
	int said = 0;
	char *to;
	int i;

	if (out->limit > 0 && room > out->limit - out->len) {
		room = (out->limit - out->len) / 3 * 3;
		in.len = room / 3 * 4;
		said = CODE_FULL;
	}
	to = buf_reserve(out, room);
	if (to == NULL || in.len == 0)
		return said;
	for (i = 0; i < 256; i++)
		b.value[i] = (unsigned char)base64_value((unsigned char)i);
	b.to = to;
	said |= base64_run(&b, in, mode);
	buf_commit(out, (size_t)(b.to - to));
	return said;
}

static int
hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Blanks up to a line end at p, which a soft line break swallows (RFC 2045
 * section 6.7 rule 3); 0 when something else comes first. */
static size_t
soft_break(const char *p, const char *end)
{
	const char *at = p;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (at == end)
		return (size_t)(at - p);
	if (*at == '\r' && at + 1 < end && at[1] == '\n')
		return (size_t)(at + 2 - p);
	return *at == '\n' ? (size_t)(at + 1 - p) : 0;
}

/* What stands behind "=": how much of it was read, and a byte or none. */
static size_t
quoted_pair(const char *p, const char *end, enum quoted_mode mode, char **to,
	    int *said)
{
	int hi = p < end ? hex_value((unsigned char)p[0]) : -1;
	int lo = p + 1 < end ? hex_value((unsigned char)p[1]) : -1;
	size_t n;

	if (hi >= 0 && lo >= 0) {
		*(*to)++ = (char)(hi << 4 | lo);
		return 2;
	}
	n = soft_break(p, end);
	if (n == 0 && p < end) {
		*said |= CODE_JUNK;
		if (mode == QUOTED_DROP)
			return hi >= 0;
		*(*to)++ = '=';
	}
	return n;
}

int
quoted_decode(struct span in, enum quoted_mode mode, struct buf *out)
{
	const char *p = in.p, *end;
	int said = 0;
	char *to, *start;

	if (in.len == 0)
		return 0;
	if (out->limit > 0 && in.len > out->limit - out->len) {
		in.len = out->limit - out->len;
		said = CODE_FULL;
	}
	end = in.p + in.len;
	start = to = buf_reserve(out, in.len);
	if (to == NULL)
		return said;
	while (p < end) {
		if (*p == '=') {
			p++;
			p += quoted_pair(p, end, mode, &to, &said);
		} else if (*p == '_' && mode == QUOTED_HEADER) {
			*to++ = ' ';
			p++;
		} else {
			*to++ = *p++;
		}
	}
	buf_commit(out, (size_t)(to - start));
	return said;
}

/* Whether "begin" and a mode of three or four digits stand at p. */
static bool
is_begin(const char *p, const char *end)
{
	size_t digits = 0;

	if (end - p < 10 || strncmp(p, "begin ", 6) != 0)
		return false;
	for (p += 6; p < end && *p >= '0' && *p <= '7'; p++)
		digits++;
	return (digits == 3 || digits == 4) && p < end && *p == ' ';
}

size_t
uu_find(struct span in, size_t from)
{
	const char *p, *end;

	if (in.len == 0)
		return 0;
	end = in.p + in.len;
	for (p = in.p + from; p < end; p = line_end(p, end) + 1)
		if (is_begin(p, end))
			return (size_t)(p - in.p);
	return in.len;
}

static int
uu_value(char c)
{
	return (c - ' ') & 63;
}

/* One line; false when it is none. */
static bool
uu_line(const char *p, const char *end, struct buf *out)
{
	int left = p < end ? uu_value(*p) : 0;
	uint32_t bits = 0;
	int i;

	if (left == 0 || *p < ' ' || *p > '`')
		return false;
	for (p++; left > 0; left -= 3) {
		for (i = 0; i < 4; i++) {
			int c = p < end ? *p : ' ';

			if (c < ' ' || c > '`')
				return false;
			bits = bits << 6 | (uint32_t)uu_value((char)c);
			p += p < end;
		}
		for (i = 0; i < 3 && i < left; i++)
			if (buf_add_char(out, (char)(bits >> (16 - 8 * i))) < 0)
				return false;
	}
	return true;
}

static const char *
without_cr(const char *p, const char *end)
{
	return end > p && end[-1] == '\r' ? end - 1 : end;
}

int
uu_decode(struct span in, struct buf *out, struct span *name, size_t *used)
{
	const char *p = in.p, *end, *eol;

	*name = (struct span){ "", 0 };
	*used = 0;
	if (in.len == 0)
		return CODE_CUT;
	end = in.p + in.len;
	if (is_begin(p, end)) {
		eol = line_end(p, end);
		p = (const char *)memchr(p + 6, ' ', (size_t)(eol - p - 6)) + 1;
		*name = (struct span){ p, (size_t)(without_cr(p, eol) - p) };
		p = eol < end ? eol + 1 : end;
	}
	for (; p < end; p = eol < end ? eol + 1 : end) {
		eol = line_end(p, end);
		if (!uu_line(p, without_cr(p, eol), out))
			break;
	}
	*used = (size_t)(p - in.p);
	if (out->overflowed)
		return CODE_FULL;
	/* A line of length 0, then "end"; either may be missing. */
	if (p < end && (*p == '`' || *p == ' ' || *p == 'e'))
		return 0;
	return CODE_CUT;
}

bool
base64_is_likely(struct span in)
{
	size_t letters = 0, i;

	for (i = 0; i < in.len && letters < 4096; i++) {
		int v = base64_value((unsigned char)in.p[i]);

		if (v == 66 || in.p[i] == ' ')
			return false;
		letters += v < 64;
	}
	return letters >= LIKELY_MIN;
}
