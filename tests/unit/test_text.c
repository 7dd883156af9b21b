/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Text of strangers: UTF-8 against the grammar of RFC 3629 written as a
 * table, and what becomes of hostile bytes.
 */
#include "str.h"

#include "check.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROUNDS 200000

static uint64_t seed = 0x853c49e6748fea9b;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed * 0x2545f4914f6cdd1d >> 33) % n);
}

/* RFC 3629 section 4: bounds of each byte. */
static const struct {
	size_t len;
	unsigned char low[4], high[4];
} grammar[] = {
	{ 1, { 0x00 }, { 0x7f } },
	{ 2, { 0xc2, 0x80 }, { 0xdf, 0xbf } },
	{ 3, { 0xe0, 0xa0, 0x80 }, { 0xe0, 0xbf, 0xbf } },
	{ 3, { 0xe1, 0x80, 0x80 }, { 0xec, 0xbf, 0xbf } },
	{ 3, { 0xed, 0x80, 0x80 }, { 0xed, 0x9f, 0xbf } },
	{ 3, { 0xee, 0x80, 0x80 }, { 0xef, 0xbf, 0xbf } },
	{ 4, { 0xf0, 0x90, 0x80, 0x80 }, { 0xf0, 0xbf, 0xbf, 0xbf } },
	{ 4, { 0xf1, 0x80, 0x80, 0x80 }, { 0xf3, 0xbf, 0xbf, 0xbf } },
	{ 4, { 0xf4, 0x80, 0x80, 0x80 }, { 0xf4, 0x8f, 0xbf, 0xbf } },
};

/* Length of the character at p, 0 when there is none. */
static size_t
by_grammar(const unsigned char *p, size_t len)
{
	size_t i, k;

	for (i = 0; i < COUNT(grammar); i++) {
		if (grammar[i].len > len)
			continue;
		for (k = 0; k < grammar[i].len; k++)
			if (p[k] < grammar[i].low[k] ||
			    p[k] > grammar[i].high[k])
				break;
		if (k == grammar[i].len)
			return k;
	}
	return 0;
}

/* What str_printable() does not let through, as bytes. */
static int
is_hidden(const unsigned char *p, size_t len)
{
	static const char *const hidden[] = {
		"\xd8\x9c",	"\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8",
		"\xe2\x80\xa9", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac",
		"\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7",
		"\xe2\x81\xa8", "\xe2\x81\xa9",
	};
	size_t i;

	if (len == 1)
		return p[0] < 0x20 || p[0] == 0x7f;
	if (len == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return 1;
	for (i = 0; i < COUNT(hidden); i++)
		if (strlen(hidden[i]) == len && memcmp(hidden[i], p, len) == 0)
			return 1;
	return 0;
}

/* What str_printable() ought to say, made in two passes. */
static void
expected(char *dst, size_t size, const unsigned char *src, size_t len)
{
	static char whole[4096];
	static size_t ends[4096];
	size_t n = 0, out = 0, at = 0, c;

	while (at < len) {
		c = by_grammar(src + at, len - at);
		if (c == 0 || is_hidden(src + at, c)) {
			whole[out++] = '?';
		} else {
			memcpy(whole + out, src + at, c);
			out += c;
		}
		at += c > 0 ? c : 1;
		ends[n++] = out;
	}
	whole[out] = '\0';
	if (out < size) {
		memcpy(dst, whole, out + 1);
		return;
	}
	while (n > 0 && ends[n - 1] + 4 > size)
		n--;
	at = n > 0 ? ends[n - 1] : 0;
	memcpy(dst, whole, at);
	for (c = 0; c < 3 && at + 1 < size; c++)
		dst[at++] = '.';
	dst[at] = '\0';
}

/* Bytes as a stranger would choose them; returns how many. */
static size_t
hostile(unsigned char *dst, size_t max)
{
	size_t want = random_below((unsigned)max - 4), len = 0, k;
	unsigned row, kind = random_below(4);

	while (len < want) {
		if (kind == 0 || random_below(6) == 0) {
			dst[len++] = (unsigned char)random_below(256);
			continue;
		}
		if (kind == 1) {
			dst[len++] = (unsigned char)(' ' + random_below(95));
			continue;
		}
		/* A character, now and then broken at one of its bounds. */
		row = random_below(COUNT(grammar));
		for (k = 0; k < grammar[row].len; k++) {
			unsigned low = grammar[row].low[k];
			unsigned high = grammar[row].high[k];

			if (kind == 3 && random_below(9) == 0)
				dst[len + k] = (unsigned char)(low - 1);
			else if (kind == 3 && random_below(9) == 0)
				dst[len + k] = (unsigned char)(high + 1);
			else
				dst[len + k] =
					(unsigned char)(low +
							random_below(high -
								     low + 1));
		}
		len += random_below(12) == 0 ? 1 : grammar[row].len;
	}
	return len;
}

static void
test_random(void)
{
	unsigned char src[160];
	char got[160], want[160];
	int bad_text = 0, bad_valid = 0, bad_past = 0;
	size_t len, size, at, c;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		len = hostile(src, sizeof(src));
		size = 1 + random_below(sizeof(got) - 1);
		memset(got, 'G', sizeof(got));
		str_printable(got, size, (const char *)src, len);
		expected(want, size, src, len);
		bad_text += memcmp(got, want, strlen(want) + 1) != 0;
		bad_past += got[size] != 'G';
		for (at = 0; at < len; at += c)
			if ((c = by_grammar(src + at, len - at)) == 0)
				break;
		bad_valid += str_is_utf8((const char *)src, len) != (at == len);
	}
	CHECK_INT(bad_text, 0, "%d hostile texts are made printable", ROUNDS);
	CHECK_INT(bad_past, 0, "nothing is written past the size");
	CHECK_INT(bad_valid, 0, "and are UTF-8 when the grammar says so");
}

/* Each string of up to four bytes at the bounds of the grammar. */
static void
test_bounds(void)
{
	static const unsigned char edges[] = {
		0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
		0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
		0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff,
	};
	unsigned char s[4];
	unsigned n, i, k;
	int bad = 0;
	uint32_t cp;

	for (n = 0; n < 25 * 25 * 25 * 25; n++) {
		for (i = n, k = 0; k < 4; k++, i /= 25)
			s[k] = edges[i % 25];
		for (k = 0; k <= 4; k++)
			bad += str_utf8_next((const char *)s, k, &cp) !=
			       by_grammar(s, k);
	}
	CHECK_INT(bad, 0, "characters end where the grammar says so");
}

static void
test_code_points(void)
{
	char s[4];
	uint32_t cp, got;
	int bad = 0;
	size_t n;

	for (cp = 0; cp < 0x110000; cp++) {
		if (cp < 0x80) {
			s[0] = (char)cp;
			n = 1;
		} else if (cp < 0x800) {
			s[0] = (char)(0xc0 | cp >> 6);
			n = 2;
		} else if (cp < 0x10000) {
			s[0] = (char)(0xe0 | cp >> 12);
			n = 3;
		} else {
			s[0] = (char)(0xf0 | cp >> 18);
			n = 4;
		}
		if (n > 1)
			s[n - 1] = (char)(0x80 | (cp & 0x3f));
		if (n > 2)
			s[n - 2] = (char)(0x80 | (cp >> 6 & 0x3f));
		if (n > 3)
			s[n - 3] = (char)(0x80 | (cp >> 12 & 0x3f));
		if (cp >= 0xd800 && cp < 0xe000)
			bad += str_utf8_next(s, n, &got) != 0;
		else
			bad += str_utf8_next(s, n, &got) != n || got != cp;
	}
	CHECK_INT(bad, 0, "every code point but the surrogates is read");
}

static void
test_rows(void)
{
	static const struct {
		const char *src;
		size_t len, size;
		const char *want, *words;
	} rows[] = {
		{ "", 0, 8, "", "nothing" },
		{ "abc", 3, 8, "abc", "plain text" },
		{ "abcdefg", 7, 8, "abcdefg", "text that just fits" },
		{ "abcdefgh", 8, 8, "abcd...", "text that does not" },
		{ "a\0b", 3, 8, "a?b", "a NUL" },
		{ "\033[2J", 4, 8, "?[2J", "an escape sequence" },
		{ "a\r\nb\tc", 6, 8, "a??b?c", "ends of lines and tabs" },
		{ "\xc2\x9b"
		  "2J",
		  4, 8, "?2J", "a control of 8 bits" },
		{ "\x9b"
		  "2J",
		  3, 8, "?2J", "the same as a bare byte" },
		{ "\x7f", 1, 8, "?", "DEL" },
		{ "\xc3\xa4", 2, 8, "\xc3\xa4", "a letter" },
		{ "\xc3", 1, 8, "?", "half a letter" },
		{ "\xc0\xaf", 2, 8, "??", "an overlong slash" },
		{ "\xed\xa0\x80", 3, 8, "???", "a surrogate" },
		{ "\xf4\x90\x80\x80", 4, 8, "????", "past the last one" },
		{ "\xe2\x80\xae"
		  "x",
		  4, 8, "?x", "a change of direction" },
		{ "\xe2\x80\xa8"
		  "x",
		  4, 8, "?x", "a line separator" },
		{ "abc\xc3\xa4"
		  "fgh",
		  8, 8, "abc...", "a cut letter" },
		{ "abcd", 4, 4, "...", "room for the dots only" },
		{ "abcd", 4, 3, "..", "room for two of them" },
		{ "abcd", 4, 1, "", "room for nothing" },
	};
	char dst[8];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		str_printable(dst, rows[i].size, rows[i].src, rows[i].len);
		CHECK_STR(dst, rows[i].want, "printable: %s", rows[i].words);
	}
	dst[0] = 'k';
	str_printable(dst, 0, "abc", 3);
	CHECK_INT(dst[0], 'k', "no bytes are not written to");
}

int
main(void)
{
	test_rows();
	test_bounds();
	test_code_points();
	test_random();
	return check_done();
}
