/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Character references of HTML.  Of the two thousand named ones those that
 * stand for letters and marks in mail are known; an unknown one stays.
 */
#include <stdlib.h>
#include <string.h>

#include "charset.h"
#include "html.h"
#include "str.h"

struct entity {
	const char *name;
	unsigned cp;
};

/* Sorted by strcmp. */
/* clang-format off */
static const struct entity entities[] = {
	{ "AElig", 0xc6 }, { "AMP", 0x26 }, { "Aacute", 0xc1 },
	{ "Acirc", 0xc2 }, { "Agrave", 0xc0 }, { "Alpha", 0x391 },
	{ "Aring", 0xc5 }, { "Atilde", 0xc3 }, { "Auml", 0xc4 },
	{ "Beta", 0x392 }, { "COPY", 0xa9 }, { "Ccedil", 0xc7 },
	{ "Dagger", 0x2021 }, { "Delta", 0x394 }, { "ETH", 0xd0 },
	{ "Eacute", 0xc9 }, { "Ecirc", 0xca }, { "Egrave", 0xc8 },
	{ "Euml", 0xcb }, { "GT", 0x3e }, { "Gamma", 0x393 },
	{ "Iacute", 0xcd }, { "Icirc", 0xce }, { "Igrave", 0xcc },
	{ "Iuml", 0xcf }, { "LT", 0x3c }, { "Lambda", 0x39b },
	{ "NewLine", 0x0a }, { "Ntilde", 0xd1 }, { "OElig", 0x152 },
	{ "Oacute", 0xd3 }, { "Ocirc", 0xd4 }, { "Ograve", 0xd2 },
	{ "Omega", 0x3a9 }, { "Oslash", 0xd8 }, { "Otilde", 0xd5 },
	{ "Ouml", 0xd6 }, { "Phi", 0x3a6 }, { "Pi", 0x3a0 },
	{ "Psi", 0x3a8 }, { "QUOT", 0x22 }, { "REG", 0xae },
	{ "Scaron", 0x160 }, { "Sigma", 0x3a3 }, { "THORN", 0xde },
	{ "Tab", 0x09 }, { "Theta", 0x398 }, { "Uacute", 0xda },
	{ "Ucirc", 0xdb }, { "Ugrave", 0xd9 }, { "Uuml", 0xdc },
	{ "Xi", 0x39e }, { "Yacute", 0xdd }, { "Yuml", 0x178 },
	{ "ZeroWidthSpace", 0x200b }, { "aacute", 0xe1 }, { "acirc", 0xe2 },
	{ "acute", 0xb4 }, { "aelig", 0xe6 }, { "agrave", 0xe0 },
	{ "alpha", 0x3b1 }, { "amp", 0x26 }, { "apos", 0x27 },
	{ "aring", 0xe5 }, { "ast", 0x2a }, { "atilde", 0xe3 },
	{ "auml", 0xe4 }, { "bdquo", 0x201e }, { "beta", 0x3b2 },
	{ "brvbar", 0xa6 }, { "bsol", 0x5c }, { "bull", 0x2022 },
	{ "ccedil", 0xe7 }, { "cedil", 0xb8 }, { "cent", 0xa2 },
	{ "check", 0x2713 }, { "colon", 0x3a }, { "comma", 0x2c },
	{ "commat", 0x40 }, { "copy", 0xa9 }, { "curren", 0xa4 },
	{ "dagger", 0x2020 }, { "dash", 0x2010 }, { "deg", 0xb0 },
	{ "delta", 0x3b4 }, { "divide", 0xf7 }, { "dollar", 0x24 },
	{ "eacute", 0xe9 }, { "ecirc", 0xea }, { "egrave", 0xe8 },
	{ "emsp", 0x2003 }, { "ensp", 0x2002 }, { "epsilon", 0x3b5 },
	{ "equals", 0x3d }, { "eta", 0x3b7 }, { "eth", 0xf0 },
	{ "euml", 0xeb }, { "euro", 0x20ac }, { "excl", 0x21 },
	{ "frac12", 0xbd }, { "frac14", 0xbc }, { "frac34", 0xbe },
	{ "frasl", 0x2044 }, { "gamma", 0x3b3 }, { "grave", 0x60 },
	{ "gt", 0x3e }, { "hearts", 0x2665 }, { "hellip", 0x2026 },
	{ "hyphen", 0x2010 }, { "iacute", 0xed }, { "icirc", 0xee },
	{ "iexcl", 0xa1 }, { "igrave", 0xec }, { "iota", 0x3b9 },
	{ "iquest", 0xbf }, { "iuml", 0xef }, { "kappa", 0x3ba },
	{ "lambda", 0x3bb }, { "laquo", 0xab }, { "larr", 0x2190 },
	{ "lbrace", 0x7b }, { "lbrack", 0x5b }, { "lcub", 0x7b },
	{ "ldquo", 0x201c }, { "lowbar", 0x5f }, { "lpar", 0x28 },
	{ "lrm", 0x200e }, { "lsaquo", 0x2039 }, { "lsqb", 0x5b },
	{ "lsquo", 0x2018 }, { "lt", 0x3c }, { "macr", 0xaf },
	{ "mdash", 0x2014 }, { "micro", 0xb5 }, { "middot", 0xb7 },
	{ "minus", 0x2212 }, { "mu", 0x3bc }, { "nbsp", 0xa0 },
	{ "ndash", 0x2013 }, { "not", 0xac }, { "ntilde", 0xf1 },
	{ "nu", 0x3bd }, { "num", 0x23 }, { "oacute", 0xf3 },
	{ "ocirc", 0xf4 }, { "oelig", 0x153 }, { "ograve", 0xf2 },
	{ "omega", 0x3c9 }, { "omicron", 0x3bf }, { "ordf", 0xaa },
	{ "ordm", 0xba }, { "oslash", 0xf8 }, { "otilde", 0xf5 },
	{ "ouml", 0xf6 }, { "para", 0xb6 }, { "percnt", 0x25 },
	{ "period", 0x2e }, { "permil", 0x2030 }, { "phi", 0x3c6 },
	{ "pi", 0x3c0 }, { "plus", 0x2b }, { "plusmn", 0xb1 },
	{ "pound", 0xa3 }, { "psi", 0x3c8 }, { "quest", 0x3f },
	{ "quot", 0x22 }, { "raquo", 0xbb }, { "rarr", 0x2192 },
	{ "rbrace", 0x7d }, { "rbrack", 0x5d }, { "rcub", 0x7d },
	{ "rdquo", 0x201d }, { "reg", 0xae }, { "rho", 0x3c1 },
	{ "rlm", 0x200f }, { "rpar", 0x29 }, { "rsaquo", 0x203a },
	{ "rsqb", 0x5d }, { "rsquo", 0x2019 }, { "sbquo", 0x201a },
	{ "scaron", 0x161 }, { "sect", 0xa7 }, { "semi", 0x3b },
	{ "shy", 0xad }, { "sigma", 0x3c3 }, { "sol", 0x2f },
	{ "sup1", 0xb9 }, { "sup2", 0xb2 }, { "sup3", 0xb3 },
	{ "szlig", 0xdf }, { "tau", 0x3c4 }, { "theta", 0x3b8 },
	{ "thinsp", 0x2009 }, { "thorn", 0xfe }, { "tilde", 0x2dc },
	{ "times", 0xd7 }, { "trade", 0x2122 }, { "uacute", 0xfa },
	{ "ucirc", 0xfb }, { "ugrave", 0xf9 }, { "uml", 0xa8 },
	{ "upsilon", 0x3c5 }, { "uuml", 0xfc }, { "verbar", 0x7c },
	{ "xi", 0x3be }, { "yacute", 0xfd }, { "yen", 0xa5 },
	{ "yuml", 0xff }, { "zeta", 0x3b6 }, { "zwj", 0x200d },
	{ "zwnj", 0x200c },
};
/* clang-format on */

#define ENTITY_MAX 16 /* longest name looked for */

static int
compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct entity *)row)->name);
}

static unsigned
find(const char *p, size_t n)
{
	const struct entity *e;
	char name[ENTITY_MAX];

	if (n == 0 || n >= sizeof(name))
		return 0;
	memcpy(name, p, n);
	name[n] = '\0';
	e = bsearch(name, entities, sizeof(entities) / sizeof(entities[0]),
		    sizeof(entities[0]), compare);
	return e != NULL ? e->cp : 0;
}

/* "#38;" or "#x26;" behind "&": bytes read, 0 when it is none. */
static size_t
numeric(const char *p, const char *end, unsigned *cp)
{
	bool is_hex = end - p > 1 && (p[1] == 'x' || p[1] == 'X');
	const char *from = p + (is_hex ? 2 : 1), *at;
	unsigned value = 0;

	for (at = from; at < end; at++) {
		int c = ascii_lower((unsigned char)*at);
		unsigned d;

		if (ascii_isdigit(c))
			d = (unsigned)(c - '0');
		else if (is_hex && c >= 'a' && c <= 'f')
			d = (unsigned)(c - 'a' + 10);
		else
			break;
		if (value <= 0x10ffff)
			value = value * (is_hex ? 16 : 10) + d;
	}
	if (at == from)
		return 0;
	/* HTML5 section 13.2.5.80: windows-1252 below U+00A0. */
	*cp = value;
	return (size_t)(at - p) + (at < end && *at == ';');
}

/* A name behind "&"; without ";" only where HTML 2 had it, in text. */
static size_t
named(const char *p, const char *end, bool is_attr, unsigned *cp)
{
	size_t n = 0;

	while (p + n < end && n < ENTITY_MAX &&
	       ascii_isalnum((unsigned char)p[n]))
		n++;
	if (p + n < end && p[n] == ';') {
		*cp = find(p, n);
		if (*cp != 0)
			return n + 1;
	}
	if (is_attr)
		return 0;
	for (; n >= 2; n--) {
		*cp = find(p, n);
		if (*cp != 0 && *cp < 0x100)
			return n;
	}
	return 0;
}

static void
put(unsigned cp, struct buf *out)
{
	char byte = (char)cp;

	if (cp >= 0x80 && cp < 0xa0)
		charset_decode("windows-1252", (struct span){ &byte, 1 }, out);
	else
		utf8_put(out, cp != 0 ? cp : 0xfffd);
}

void
html_unescape(struct span in, bool is_attr, struct buf *out)
{
	const char *p = in.p, *end = in.p + in.len, *at;
	unsigned cp = 0;
	size_t n;

	while (p < end && !out->overflowed) {
		at = memchr(p, '&', (size_t)(end - p));
		at = at != NULL ? at : end;
		buf_add(out, p, (size_t)(at - p));
		if (at == end)
			return;
		p = at + 1;
		if (p < end && *p == '#')
			n = numeric(p, end, &cp);
		else
			n = named(p, end, is_attr, &cp);
		if (n == 0)
			buf_add_char(out, '&');
		else
			put(cp, out);
		p += n;
	}
}
