/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * UTF-8 (RFC 3629), and text of strangers made fit for logs and terminals:
 * no byte of theirs may move a cursor, start a line or reorder one.
 */
#include "str.h"

#include <string.h>

#define ASCII_HIGH 0x8080808080808080

/*
 * Length of the character from its first byte, and the bounds of its
 * second: RFC 3629 section 4.
 */
static size_t
lead(unsigned char c, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	if (c < 0xe0)
		return 2;
	if (c == 0xe0)
		*low = 0xa0;
	else if (c == 0xed)
		*high = 0x9f;
	else if (c == 0xf0)
		*low = 0x90;
	else if (c == 0xf4)
		*high = 0x8f;
	return c < 0xf0 ? 3 : 4;
}

size_t
str_utf8_next(const char *s, size_t len, uint32_t *cp)
{
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	const unsigned char *p = (const unsigned char *)s;
	unsigned char low, high;
	uint32_t c;
	size_t n, i;

	if (len == 0)
		return 0;
	n = lead(p[0], &low, &high);
	if (n == 0 || n > len)
		return 0;
	c = p[0] & mask[n];
	for (i = 1; i < n; i++) {
		if (p[i] < low || p[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
		c = c << 6 | (p[i] & 0x3f);
	}
	*cp = c;
	return n;
}

bool
str_is_utf8(const char *s, size_t len)
{
	size_t i = 0;
	uint64_t eight;
	uint32_t cp;
	size_t n;

	while (i < len) {
		if (len - i >= sizeof(eight)) {
			memcpy(&eight, s + i, sizeof(eight));
			if ((eight & ASCII_HIGH) == 0) {
				i += sizeof(eight);
				continue;
			}
		}
		n = str_utf8_next(s + i, len - i, &cp);
		if (n == 0)
			return false;
		i += n;
	}
	return true;
}

/* Controls, and what breaks or reorders a line of text. */
static bool
is_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x061c ||
	       cp == 0x200e || cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}

void
str_printable(char *dst, size_t size, const char *src, size_t len)
{
	size_t room = size - 1;
	size_t cut = 0; /* where "..." would go */
	size_t out = 0;
	size_t i = 0;
	const char *p;
	uint32_t cp;
	size_t used, n;

	if (size == 0)
		return;
	for (; i < len; i += used) {
		p = src + i;
		used = n = str_utf8_next(p, len - i, &cp);
		if (n == 0)
			used = 1;
		if (n == 0 || is_unsafe(cp)) {
			p = "?";
			n = 1;
		}
		if (n > room - out) {
			n = room - cut < 3 ? room - cut : 3;
			memcpy(dst + cut, "...", n);
			out = cut + n;
			break;
		}
		memcpy(dst + out, p, n);
		out += n;
		if (out + 3 <= room)
			cut = out;
	}
	dst[out] = '\0';
}
