/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Character sets through iconv(3), but only those of a list: a name that a
 * stranger chose never reaches the loader of converters.  The common ones
 * are decoded here, where nothing has to be loaded.
 */
#include "charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>

#include "str.h"

#define NONE ((iconv_t)-1)

enum kind { ASCII, UTF_8, LATIN, UTF_16, UTF_7, BY_ICONV };

struct set {
	const char *name; /* lower case */
	const char *iconv_name;
	enum kind kind;
};

/* clang-format off */
static const struct set sets[] = {
	{ "", "", ASCII },
	{ "us-ascii", "", ASCII }, { "ascii", "", ASCII },
	{ "ansi_x3.4-1968", "", ASCII }, { "ansi_x3.4-1986", "", ASCII },
	{ "iso646-us", "", ASCII }, { "us", "", ASCII },
	{ "utf-8", "", UTF_8 }, { "utf8", "", UTF_8 },
	{ "unicode-1-1-utf-8", "", UTF_8 },
	/* As browsers do: what is called Latin 1 is windows-1252. */
	{ "iso-8859-1", "", LATIN }, { "iso8859-1", "", LATIN },
	{ "iso_8859-1", "", LATIN }, { "latin1", "", LATIN },
	{ "windows-1252", "", LATIN }, { "cp1252", "", LATIN },
	{ "x-cp1252", "", LATIN }, { "ansi", "", LATIN },
	{ "utf-16", "", UTF_16 }, { "utf-16le", "LE", UTF_16 },
	{ "unicode", "", UTF_16 }, { "utf-16be", "BE", UTF_16 },
	{ "utf-32", "UTF-32", BY_ICONV }, { "utf-32le", "UTF-32LE", BY_ICONV },
	{ "utf-32be", "UTF-32BE", BY_ICONV },
	{ "utf-7", "", UTF_7 }, { "unicode-1-1-utf-7", "", UTF_7 },
	{ "iso-8859-2", "ISO-8859-2", BY_ICONV },
	{ "latin2", "ISO-8859-2", BY_ICONV },
	{ "iso-8859-3", "ISO-8859-3", BY_ICONV },
	{ "iso-8859-4", "ISO-8859-4", BY_ICONV },
	{ "iso-8859-5", "ISO-8859-5", BY_ICONV },
	{ "iso-8859-6", "ISO-8859-6", BY_ICONV },
	{ "iso-8859-7", "ISO-8859-7", BY_ICONV },
	{ "iso-8859-8", "ISO-8859-8", BY_ICONV },
	{ "iso-8859-8-i", "ISO-8859-8", BY_ICONV },
	{ "iso-8859-9", "WINDOWS-1254", BY_ICONV },
	{ "latin5", "WINDOWS-1254", BY_ICONV },
	{ "iso-8859-10", "ISO-8859-10", BY_ICONV },
	{ "iso-8859-11", "WINDOWS-874", BY_ICONV },
	{ "iso-8859-13", "ISO-8859-13", BY_ICONV },
	{ "iso-8859-14", "ISO-8859-14", BY_ICONV },
	{ "iso-8859-15", "ISO-8859-15", BY_ICONV },
	{ "latin9", "ISO-8859-15", BY_ICONV },
	{ "iso-8859-16", "ISO-8859-16", BY_ICONV },
	{ "windows-874", "WINDOWS-874", BY_ICONV },
	{ "tis-620", "WINDOWS-874", BY_ICONV },
	{ "windows-1250", "WINDOWS-1250", BY_ICONV },
	{ "cp1250", "WINDOWS-1250", BY_ICONV },
	{ "windows-1251", "WINDOWS-1251", BY_ICONV },
	{ "cp1251", "WINDOWS-1251", BY_ICONV },
	{ "windows-1253", "WINDOWS-1253", BY_ICONV },
	{ "windows-1254", "WINDOWS-1254", BY_ICONV },
	{ "windows-1255", "WINDOWS-1255", BY_ICONV },
	{ "windows-1256", "WINDOWS-1256", BY_ICONV },
	{ "cp1256", "WINDOWS-1256", BY_ICONV },
	{ "windows-1257", "WINDOWS-1257", BY_ICONV },
	{ "windows-1258", "WINDOWS-1258", BY_ICONV },
	{ "koi8-r", "KOI8-R", BY_ICONV }, { "koi8-u", "KOI8-U", BY_ICONV },
	{ "ibm437", "IBM437", BY_ICONV }, { "cp437", "IBM437", BY_ICONV },
	{ "ibm850", "IBM850", BY_ICONV }, { "cp850", "IBM850", BY_ICONV },
	{ "ibm852", "IBM852", BY_ICONV }, { "ibm866", "IBM866", BY_ICONV },
	{ "cp866", "IBM866", BY_ICONV },
	{ "macintosh", "MACINTOSH", BY_ICONV },
	{ "gb2312", "GB18030", BY_ICONV }, { "gbk", "GB18030", BY_ICONV },
	{ "gb18030", "GB18030", BY_ICONV }, { "cp936", "GB18030", BY_ICONV },
	{ "big5", "BIG5", BY_ICONV }, { "big5-hkscs", "BIG5-HKSCS", BY_ICONV },
	{ "euc-kr", "CP949", BY_ICONV },
	{ "ks_c_5601-1987", "CP949", BY_ICONV },
	{ "cp949", "CP949", BY_ICONV }, { "euc-jp", "EUC-JP", BY_ICONV },
	{ "iso-2022-jp", "ISO-2022-JP", BY_ICONV },
	{ "shift_jis", "CP932", BY_ICONV }, { "shift-jis", "CP932", BY_ICONV },
	{ "sjis", "CP932", BY_ICONV }, { "cp932", "CP932", BY_ICONV },
	{ "windows-31j", "CP932", BY_ICONV },
};

/* U+0080 to U+009F of windows-1252; what is not given away stays. */
static const uint16_t latin_high[32] = {
	0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
	0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178,
};
/* clang-format on */

#define SET_COUNT (sizeof(sets) / sizeof(sets[0]))

/* Converters of this process, by row; opened where is_open says so. */
static struct {
	iconv_t to[SET_COUNT];
	bool is_open[SET_COUNT];
} opened;

static const struct set *
set_find(const char *name)
{
	size_t i;

	if (str_has_prefix(name, "x-") || str_has_prefix(name, "X-"))
		name += 2;
	for (i = 0; i < SET_COUNT; i++)
		if (str_ieq(sets[i].name, name))
			return &sets[i];
	return NULL;
}

static iconv_t
set_open(const struct set *s)
{
	size_t i = (size_t)(s - sets);

	if (!opened.is_open[i]) {
		opened.to[i] = iconv_open("UTF-8", s->iconv_name);
		opened.is_open[i] = true;
	}
	return opened.to[i];
}

void
charset_prepare(void)
{
	size_t i;

	for (i = 0; i < SET_COUNT; i++)
		if (sets[i].kind == BY_ICONV)
			set_open(&sets[i]);
}

void
charset_release(void)
{
	size_t i;

	for (i = 0; i < SET_COUNT; i++) {
		if (opened.is_open[i] && opened.to[i] != NONE)
			iconv_close(opened.to[i]);
		opened.is_open[i] = false;
	}
}

void
utf8_put(struct buf *out, unsigned cp)
{
	char b[4];

	if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		cp = 0xfffd;
	if (cp < 0x80) {
		buf_add_char(out, (char)cp);
		return;
	}
	if (cp < 0x800) {
		b[0] = (char)(0xc0 | cp >> 6);
		b[1] = (char)(0x80 | (cp & 63));
		buf_add(out, b, 2);
		return;
	}
	if (cp < 0x10000) {
		b[0] = (char)(0xe0 | cp >> 12);
		b[1] = (char)(0x80 | (cp >> 6 & 63));
		b[2] = (char)(0x80 | (cp & 63));
		buf_add(out, b, 3);
		return;
	}
	b[0] = (char)(0xf0 | cp >> 18);
	b[1] = (char)(0x80 | (cp >> 12 & 63));
	b[2] = (char)(0x80 | (cp >> 6 & 63));
	b[3] = (char)(0x80 | (cp & 63));
	buf_add(out, b, 4);
}

/* The bytes of ASCII that in starts with; NUL is not text. */
static size_t
ascii_run(const char *p, const char *end)
{
	const char *at = p;
	uint64_t w;

	for (; end - at >= 8; at += 8) {
		memcpy(&w, at, sizeof(w));
		if ((w & 0x8080808080808080u) != 0)
			break;
		/* A byte that is 0 borrows from its high bit. */
		if (((w - 0x0101010101010101u) & ~w & 0x8080808080808080u) != 0)
			break;
	}
	while (at<end && * at> 0)
		at++;
	return (size_t)(at - p);
}

/* As much as fits; false when not all did. */
static bool
add_some(struct buf *out, const char *p, size_t n)
{
	size_t room = out->limit > 0 ? out->limit - out->len : n;

	if (n <= room)
		return buf_add(out, p, n) == 0;
	buf_add(out, p, room);
	out->overflowed = 1;
	return false;
}

int
utf8_repair(struct span in, struct buf *out)
{
	const char *p = in.p, *end;
	int bad = 0;
	uint32_t cp;
	size_t n;

	if (in.len == 0)
		return 0;
	end = in.p + in.len;
	while (p < end && !out->overflowed) {
		n = ascii_run(p, end);
		if (n > 0 && !add_some(out, p, n))
			break;
		p += n;
		if (p == end)
			break;
		n = str_utf8_next(p, (size_t)(end - p), &cp);
		if (n == 0 || cp == 0) {
			utf8_put(out, 0xfffd);
			bad = 1;
			p++;
		} else {
			buf_add(out, p, n);
			p += n;
		}
	}
	return bad;
}

static void
latin_decode(struct span in, struct buf *out)
{
	const char *p = in.p, *end;
	size_t n;

	if (in.len == 0)
		return;
	end = in.p + in.len;
	while (p < end && !out->overflowed) {
		n = ascii_run(p, end);
		if (n > 0 && !add_some(out, p, n))
			break;
		p += n;
		for (; p < end && *p <= 0 && !out->overflowed; p++) {
			unsigned c = (unsigned char)*p;

			if (c == 0)
				c = 0xfffd;
			else if (c < 0xa0)
				c = latin_high[c - 0x80];
			utf8_put(out, c);
		}
	}
}

/* UTF-8 where all of it is, else windows-1252. */
static void
guess_decode(struct span in, struct buf *out)
{
	if (str_is_utf8(in.p, in.len))
		utf8_repair(in, out);
	else
		latin_decode(in, out);
}

/* Most text has a zero in the upper byte of most characters. */
static bool
looks_big(struct span in)
{
	size_t even = 0, odd = 0;
	size_t i;

	for (i = 0; i + 1 < in.len && i < 4096; i += 2) {
		even += in.p[i] == '\0';
		odd += in.p[i + 1] == '\0';
	}
	return even > odd;
}

static void
utf16_decode(struct span in, bool is_big, struct buf *out)
{
	unsigned cp, high = 0;
	size_t i;

	if (in.len >= 2) {
		if (memcmp(in.p, "\xff\xfe", 2) == 0)
			is_big = false;
		if (memcmp(in.p, "\xfe\xff", 2) == 0)
			is_big = true;
	}
	for (i = 0; i + 1 < in.len && !out->overflowed; i += 2) {
		unsigned a = (unsigned char)in.p[i];
		unsigned b = (unsigned char)in.p[i + 1];

		cp = is_big ? a << 8 | b : b << 8 | a;
		if (cp == 0xfeff || (cp >= 0xd800 && cp < 0xdc00)) {
			high = cp == 0xfeff ? 0 : cp;
			continue;
		}
		if (cp >= 0xdc00 && cp < 0xe000 && high != 0)
			cp = 0x10000 + ((high - 0xd800) << 10) + (cp - 0xdc00);
		high = 0;
		utf8_put(out, cp != 0 ? cp : 0xfffd);
	}
}

static int
utf7_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 2152: runs of base64 of UTF-16 between "+" and "-". */
static void
utf7_decode(struct span in, struct buf *out)
{
	unsigned bits = 0, high = 0, cp;
	size_t i, have = 0;
	bool inside = false;
	int v;

	for (i = 0; i < in.len && !out->overflowed; i++) {
		char c = in.p[i];

		v = inside ? utf7_value(c) : -1;
		if (v < 0) {
			inside = !inside && c == '+';
			have = 0;
			high = 0;
			if (inside && i + 1 < in.len && in.p[i + 1] == '-') {
				buf_add_char(out, '+');
				inside = false;
				i++;
			} else if (!inside && c != '-') {
				utf8_put(out, c > 0 ? (unsigned)c : 0xfffd);
			} else if (c == '-' && i > 0 &&
				   utf7_value(in.p[i - 1]) < 0) {
				buf_add_char(out, '-');
			}
			continue;
		}
		bits = (bits << 6 | (unsigned)v) & 0x3fffff;
		have += 6;
		if (have < 16)
			continue;
		have -= 16;
		cp = bits >> have & 0xffff;
		if (cp >= 0xd800 && cp < 0xdc00) {
			high = cp;
			continue;
		}
		if (cp >= 0xdc00 && cp < 0xe000 && high != 0)
			cp = 0x10000 + ((high - 0xd800) << 10) + (cp - 0xdc00);
		high = 0;
		utf8_put(out, cp != 0 ? cp : 0xfffd);
	}
}

/* By a converter; what it refuses is replaced byte by byte. */
static int
iconv_decode(iconv_t cd, struct span in, struct buf *out)
{
	char part[4096];
	char *p = (char *)(uintptr_t)in.p;
	size_t left = in.len;
	int said = 0;

	iconv(cd, NULL, NULL, NULL, NULL);
	while (left > 0 && !out->overflowed) {
		char *to = part;
		size_t room = sizeof(part);
		size_t r = iconv(cd, &p, &left, &to, &room);
		int why = errno;

		add_some(out, part, (size_t)(to - part));
		if (r != (size_t)-1 || why == E2BIG)
			continue;
		utf8_put(out, 0xfffd);
		said = CHARSET_INVALID;
		if (left > 0) {
			p++;
			left--;
		}
	}
	return said;
}

/* No NUL, and no character cut in two by the limit. */
static void
tidy(struct buf *out, size_t from)
{
	size_t i;

	for (i = from; i < out->len; i++)
		if (out->data[i] == '\0')
			out->data[i] = ' ';
	if (!out->overflowed)
		return;
	for (i = 1; i <= 4 && out->len >= from + i; i++) {
		unsigned char c = (unsigned char)out->data[out->len - i];
		size_t need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

		if (c < 0x80)
			break;
		if (c >= 0xc0) {
			if (need > i) {
				out->len -= i;
				out->data[out->len] = '\0';
			}
			break;
		}
	}
}

static int
decode_set(const struct set *s, struct span in, struct buf *out)
{
	iconv_t cd;

	switch (s->kind) {
	case ASCII:
		guess_decode(in, out);
		return 0;
	case UTF_8:
		if (str_is_utf8(in.p, in.len))
			return utf8_repair(in, out);
		guess_decode(in, out);
		return CHARSET_INVALID;
	case LATIN:
		latin_decode(in, out);
		return 0;
	case UTF_16:
		utf16_decode(in,
			     s->iconv_name[0] != '\0'
				     ? str_eq(s->iconv_name, "BE")
				     : looks_big(in),
			     out);
		return in.len % 2 != 0 ? CHARSET_INVALID : 0;
	case UTF_7:
		utf7_decode(in, out);
		return 0;
	case BY_ICONV:
		break;
	}
	cd = set_open(s);
	if (cd == NONE) {
		guess_decode(in, out);
		return CHARSET_UNKNOWN;
	}
	return iconv_decode(cd, in, out);
}

int
charset_decode(const char *name, struct span in, struct buf *out)
{
	const struct set *s = set_find(name);
	size_t from = out->len;
	int said;

	if (in.len == 0)
		return 0;
	out->overflowed = 0;
	if (s != NULL) {
		said = decode_set(s, in, out);
	} else {
		guess_decode(in, out);
		said = CHARSET_UNKNOWN;
	}
	tidy(out, from);
	if (out->overflowed)
		said |= CHARSET_FULL;
	return said;
}
