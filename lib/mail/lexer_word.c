/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Cuts text into words.  Letters of every script count; scripts without
 * blanks between words give pairs of characters.
 */
#include <stdint.h>
#include <string.h>

#include "lexer_impl.h"
#include "str.h"

#define WORD_MIN 2
#define WORD_MAX 30 /* characters; longer ones are no words */

void
lexer_put(struct lexer *x, const char *tag, const char *p, size_t len)
{
	char word[LEXER_WORD_MAX];
	size_t n = strlen(tag);
	unsigned high = 0;
	size_t i;

	memcpy(word, tag, n);
	for (i = 0; i < len && n < sizeof(word); i++) {
		high |= (unsigned char)p[i];
		word[n++] = (unsigned char)p[i] <= ' ' ? '_' : p[i];
	}
	/* No character cut in two. */
	if (i < len)
		while (n > 0 && ((unsigned char)p[i] & 0xc0) == 0x80) {
			i--;
			n--;
		}
	/* Types and sets of characters come as a stranger wrote them. */
	if (high >= 0x80 && !str_is_utf8(word, n))
		for (i = 0; i < n; i++)
			if ((unsigned char)word[i] >= 0x80)
				word[i] = '?';
	if (n > 0)
		x->fn(x->arg, word, n);
}

void
lexer_count(struct lexer *x, const char *tag, size_t n)
{
	char word[32];
	int order = 0;

	while (n > 0) {
		n /= 4;
		order++;
	}
	if (str_fmt(word, sizeof(word), "%d", order))
		lexer_put(x, tag, word, strlen(word));
}

/* Lower case of Latin, Greek and Cyrillic letters. */
static uint32_t
fold(uint32_t c)
{
	if (c < 0x80)
		return (uint32_t)ascii_lower((int)c);
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
		return c | 1;
	if (c >= 0xff21 && c <= 0xff3a) /* full width */
		return c - 0xff21 + 'a';
	return c;
}

/* Chinese, Japanese: no blanks between words. */
static bool
is_dense(uint32_t c)
{
	return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) ||
	       (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

static bool
is_letter(uint32_t c)
{
	if (c < 0x80)
		return ascii_isalnum((int)c);
	if (c < 0xc0)
		return c == 0xaa || c == 0xb5 || c == 0xba;
	if (c == 0xd7 || c == 0xf7)
		return false;
	/* Punctuation, symbols, private use, replacement. */
	if ((c >= 0x2000 && c <= 0x2bff) || (c >= 0x3000 && c <= 0x303f) ||
	    (c >= 0xe000 && c <= 0xf8ff) || (c >= 0xfe00 && c <= 0xff20) ||
	    c == 0xfffd)
		return false;
	return true;
}

/* What may stand inside of a word, and at its start. */
static bool
is_inside(uint32_t c)
{
	return c == '\'' || c == '-' || c == '.' || c == '_' || c == 0x2019;
}

/* One word while it is read: what goes on behind len is not of it. */
struct taken {
	size_t len;
	size_t chars;
	size_t dots, digits, uppers;
	char text[LEXER_WORD_MAX];
};

/* All but the text, which only ever grows. */
#define TAKEN_COUNTS offsetof(struct taken, text)

static void
take(struct taken *w, uint32_t c, const char *p, size_t n)
{
	uint32_t low = fold(c);
	char b[4];

	w->chars++;
	w->digits += c >= '0' && c <= '9';
	w->uppers += low != c;
	if (w->len + 4 >= sizeof(w->text))
		return;
	if (low == c) {
		memcpy(w->text + w->len, p, n);
		w->len += n;
		return;
	}
	if (low < 0x80) {
		b[0] = (char)low;
		n = 1;
	} else if (low < 0x800) {
		b[0] = (char)(0xc0 | low >> 6);
		b[1] = (char)(0x80 | (low & 63));
		n = 2;
	} else {
		b[0] = (char)(0xe0 | low >> 12);
		b[1] = (char)(0x80 | (low >> 6 & 63));
		b[2] = (char)(0x80 | (low & 63));
		n = 3;
	}
	memcpy(w->text + w->len, b, n);
	w->len += n;
}

/* The same for the letters and digits of ASCII from p on; behind them. */
static const char *
take_ascii(struct taken *w, const char *p, const char *end)
{
	for (; p < end && ascii_isalnum((unsigned char)*p); p++) {
		int c = (unsigned char)*p, low = ascii_lower(c);

		w->chars++;
		w->digits += c <= '9';
		w->uppers += low != c;
		if (w->len + 4 < sizeof(w->text))
			w->text[w->len++] = (char)low;
	}
	return p;
}

static void
pair(struct lexer *x, const char *tag, const char *p, size_t len)
{
	char both[2 * LEXER_WORD_MAX];
	size_t n = x->last_len;

	if (n > 0) {
		memcpy(both, x->last, n);
		both[n++] = '*';
		memcpy(both + n, p, len);
		lexer_put(x, tag, both, n + len);
	}
	memcpy(x->last, p, len);
	x->last_len = len;
}

/* A host or address, whole and by what it ends in. */
static void
host(struct lexer *x, const char *tag, const char *p, size_t len)
{
	size_t dots = 0;
	size_t i;

	lexer_put(x, tag, p, len);
	for (i = len; i > 0; i--)
		if (p[i - 1] == '.' && ++dots >= 1 && dots <= 3)
			lexer_put(x, tag, p + i - 1, len - i + 1);
}

static void
word(struct lexer *x, const char *tag, const struct taken *w, bool is_hosts)
{
	if (w->chars > WORD_MAX) {
		lexer_count(x, tag[0] != '\0' ? tag : "long:", w->chars);
		x->last_len = 0;
		return;
	}
	if (is_hosts && w->dots > 0) {
		host(x, tag, w->text, w->len);
		return;
	}
	if (w->chars >= WORD_MIN)
		lexer_put(x, tag, w->text, w->len);
	/* Loud words are words of their own besides. */
	if (w->uppers >= 4 && w->uppers + w->digits == w->chars)
		lexer_put(x, "loud:", w->text, w->len);
	if (!is_hosts)
		pair(x, tag, w->text, w->len);
}

/* Characters of scripts without blanks, two by two. */
static void
dense(struct lexer *x, const char *tag, const char *p, const char *end)
{
	uint32_t a, b;
	size_t n, k;

	while (p < end) {
		n = str_utf8_next(p, (size_t)(end - p), &a);
		k = n > 0 ? str_utf8_next(p + n, (size_t)(end - p) - n, &b) : 0;
		if (n == 0 || !is_dense(a))
			return;
		if (k > 0 && is_dense(b))
			lexer_put(x, tag, p, n + k);
		p += n;
	}
	x->last_len = 0;
}

static bool
is_url_at(const char *p, const char *end)
{
	if (((unsigned char)*p | 0x20) != 'h' &&
	    ((unsigned char)*p | 0x20) != 'w')
		return false;
	return (end - p > 8 && (strncasecmp(p, "http://", 7) == 0 ||
				strncasecmp(p, "https://", 8) == 0)) ||
	       (end - p > 4 && strncasecmp(p, "www.", 4) == 0);
}

static const char *
url_end(const char *p, const char *end)
{
	while (p < end && (unsigned char)*p > ' ' && *p != '"' && *p != '<' &&
	       *p != '>' && *p != '\'')
		p++;
	return p;
}

/* The characters of one word from p on; behind it. */
static const char *
read_word(const char *p, const char *end, struct taken *w)
{
	const char *good = p;
	struct taken kept;
	uint32_t c;
	size_t n;

	memset(w, 0, TAKEN_COUNTS);
	memcpy(&kept, w, TAKEN_COUNTS);
	while (p < end) {
		if (ascii_isalnum((unsigned char)*p)) {
			p = take_ascii(w, p, end);
			good = p;
			memcpy(&kept, w, TAKEN_COUNTS);
			continue;
		}
		n = str_utf8_next(p, (size_t)(end - p), &c);
		if (n == 0)
			break;
		if (is_letter(c) && !is_dense(c)) {
			take(w, c, p, n);
			p += n;
			good = p;
			memcpy(&kept, w, TAKEN_COUNTS);
			continue;
		}
		if (!is_inside(c))
			break;
		w->dots += c == '.';
		take(w, c == 0x2019 ? '\'' : c, c == 0x2019 ? "'" : p,
		     c == 0x2019 ? 1 : n);
		p += n;
	}
	memcpy(w, &kept, TAKEN_COUNTS);
	return good;
}

void
lexer_text(struct lexer *x, const char *tag, struct span text, bool is_hosts)
{
	const char *p = text.p, *end = text.p + text.len, *next;
	struct taken w;
	uint32_t c;
	size_t n;

	x->last_len = 0;
	while (p < end) {
		n = str_utf8_next(p, (size_t)(end - p), &c);
		if (n == 0) {
			p++;
			continue;
		}
		if (is_url_at(p, end)) {
			next = url_end(p, end);
			lexer_url(x, (struct span){ p, (size_t)(next - p) },
				  "url:");
			p = next;
		} else if (is_dense(c)) {
			next = p;
			while (next < end &&
			       (n = str_utf8_next(next, (size_t)(end - next),
						  &c)) > 0 &&
			       is_dense(c))
				next += n;
			dense(x, tag, p, next);
			p = next;
		} else if (is_letter(c) || c == '$') {
			const char *from = c == '$' ? p + 1 : p;

			next = read_word(from, end, &w);
			if (next > from)
				word(x, c == '$' ? "$" : tag, &w, is_hosts);
			p = next > p ? next : p + n;
		} else {
			p += n;
		}
	}
	x->last_len = 0;
}

void
lexer_url(struct lexer *x, struct span url, const char *tag)
{
	const char *p = url.p, *end = url.p + url.len, *at;
	char name[LEXER_WORD_MAX];
	size_t n = 0;

	for (at = p; at < end && *at != ':' && *at != '/'; at++)
		;
	if (end - at >= 3 && strncmp(at, "://", 3) == 0)
		p = at + 3;
	else if (at < end && *at == ':') {
		lexer_put(x, tag, p, (size_t)(at + 1 - p));
		return;
	}
	for (at = p; at < end && *at != '/' && *at != '?' && *at != '#'; at++)
		if (*at == '@') {
			lexer_put(x, tag, "user@", 5);
			n = 0;
		} else if (n < sizeof(name)) {
			name[n++] = (char)ascii_lower((unsigned char)*at);
		}
	if (n > 0)
		host(x, tag, name, n);
	lexer_text(x, tag, (struct span){ at, (size_t)(end - at) }, true);
}
