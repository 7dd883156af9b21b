/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Encoded words (RFC 2047).  Words of one set side by side are joined as
 * bytes first, because many writers cut a character in two.
 */
#include "mime_word.h"

#include <string.h>

#include "charset.h"
#include "mime_code.h"
#include "str.h"

#define WORD_MAX 2048 /* bytes of one word; RFC 2047 allows 75 */

struct word {
	char charset[CHARSET_NAME_MAX];
	char coding; /* 'b' or 'q' */
	struct span text;
	size_t len; /* of all of it */
};

/* The part up to the next "?" within max bytes; false when there is none. */
static bool
take_part(const char **p, const char *end, size_t max, struct span *out)
{
	size_t n = (size_t)(end - *p) < max ? (size_t)(end - *p) : max;
	const char *q = n > 0 ? memchr(*p, '?', n) : NULL;

	if (q == NULL)
		return false;
	*out = (struct span){ *p, (size_t)(q - *p) };
	*p = q + 1;
	return true;
}

/* =?set*language?B?text?= at p. */
static bool
read_word(const char *p, const char *end, struct word *w)
{
	const char *from = p;
	struct span set, coding;
	const char *star;

	if (end - p < 8 || p[0] != '=' || p[1] != '?')
		return false;
	p += 2;
	if (!take_part(&p, end, CHARSET_NAME_MAX * 2, &set) ||
	    !take_part(&p, end, 2, &coding) || coding.len != 1)
		return false;
	w->coding = (char)ascii_lower((unsigned char)coding.p[0]);
	if (w->coding != 'b' && w->coding != 'q')
		return false;
	star = memchr(set.p, '*', set.len);
	if (star != NULL)
		set.len = (size_t)(star - set.p);
	if (set.len >= sizeof(w->charset))
		set.len = sizeof(w->charset) - 1;
	memcpy(w->charset, set.p, set.len);
	w->charset[set.len] = '\0';
	/* A "?" inside the text is wrong, but "?=" ends it. */
	w->text.p = p;
	for (;; p++) {
		size_t room = (size_t)(end - p) < WORD_MAX ? (size_t)(end - p)
							   : WORD_MAX;

		p = room > 0 ? memchr(p, '?', room) : NULL;
		if (p == NULL || p + 1 >= end)
			return false;
		if (p[1] == '=')
			break;
		if ((size_t)(p - w->text.p) > WORD_MAX)
			return false;
	}
	w->text.len = (size_t)(p - w->text.p);
	w->len = (size_t)(p + 2 - from);
	return true;
}

static size_t
blanks(const char *p, const char *end)
{
	const char *at = p;

	while (at < end && ascii_isspace((unsigned char)*at))
		at++;
	return (size_t)(at - p);
}

/* Words from p on, as far as they have one set; how much was read. */
static size_t
decode_run(const char *p, const char *end, const struct word *first,
	   struct buf *out, int *said)
{
	struct buf bytes = { 0 };
	struct word w = *first;
	const char *from = p;

	for (;;) {
		if (w.coding == 'b')
			base64_decode(w.text, BASE64_RESUME, &bytes);
		else
			quoted_decode(w.text, QUOTED_HEADER, &bytes);
		p += w.len;
		if (!read_word(p + blanks(p, end), end, &w) ||
		    !str_ieq(w.charset, first->charset))
			break;
		p += blanks(p, end);
	}
	if (charset_decode(first->charset, buf_span(&bytes), out) &
	    CHARSET_UNKNOWN)
		*said |= WORD_CHARSET;
	buf_release(&bytes);
	return (size_t)(p - from);
}

/* What is no encoded word, from p up to stop. */
static int
put_plain(const char *p, const char *stop, struct buf *out)
{
	int said = 0;
	const char *at;

	for (at = p; at < stop; at++)
		if ((unsigned char)*at >= 128)
			said = WORD_8BIT;
	charset_decode("", (struct span){ p, (size_t)(stop - p) }, out);
	return said;
}

/* Line ends go, other controls become blanks. */
static void
flatten(struct buf *out, size_t from)
{
	size_t to = from;
	size_t i;

	for (i = from; i < out->len; i++) {
		unsigned char c = (unsigned char)out->data[i];

		if (c == '\r' || c == '\n')
			continue;
		out->data[to++] = (char)(c < ' ' || c == 127 ? ' ' : c);
	}
	if (out->data != NULL) {
		out->len = to;
		out->data[to] = '\0';
	}
}

static const char *
next_word(const char *p, const char *end)
{
	for (; end - p >= 2; p++) {
		p = memchr(p, '=', (size_t)(end - p));
		if (p == NULL || end - p < 2)
			return end;
		if (p[1] == '?')
			return p;
	}
	return end;
}

int
mime_words(struct span value, struct buf *out)
{
	size_t from = out->len;
	bool was_word = false;
	const char *p, *end, *at;
	struct word w;
	int said = 0;

	if (value.len == 0)
		return 0;
	end = value.p + value.len;
	while (end > value.p && ascii_isspace((unsigned char)end[-1]))
		end--;
	p = value.p + blanks(value.p, end);
	while (p < end && !out->overflowed) {
		at = next_word(p, end);
		/* Blanks between two encoded words are not shown. */
		if (at > p &&
		    !(was_word && at < end && p + blanks(p, end) == at &&
		      read_word(at, end, &w)))
			said |= put_plain(p, at, out);
		was_word = false;
		p = at;
		if (p < end && read_word(p, end, &w)) {
			p += decode_run(p, end, &w, out, &said);
			was_word = true;
		} else if (p < end) {
			said |= WORD_BAD;
			buf_add_char(out, '=');
			p++;
		}
	}
	flatten(out, from);
	return said;
}
