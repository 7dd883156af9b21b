/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Labels beyond ASCII in ASCII: the encoder of RFC 3492 section 6.3.
 */
#include <string.h>

#include "str.h"
#include "url_impl.h"

#define BASE 36
#define T_MIN 1
#define T_MAX 26
#define SKEW 38
#define DAMP 700
#define LABEL_MAX 63 /* characters */

static uint32_t
adapt(uint32_t delta, uint32_t points, bool is_first)
{
	uint32_t k = 0;

	delta = is_first ? delta / DAMP : delta / 2;
	delta += delta / points;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static char
digit(uint32_t d)
{
	return (char)(d < 26 ? 'a' + d : '0' + d - 26);
}

static int
put_number(uint32_t delta, uint32_t bias, struct buf *out)
{
	uint32_t k, t;

	for (k = BASE;; k += BASE) {
		t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
		if (delta < t)
			return buf_add_char(out, digit(delta));
		if (buf_add_char(out, digit(t + (delta - t) % (BASE - t))) < 0)
			return -1;
		delta = (delta - t) / (BASE - t);
	}
}

static int
encode(const uint32_t *cp, size_t count, struct buf *out)
{
	uint32_t n = 128, bias = 72, delta = 0, next;
	uint32_t basic = 0, done;
	size_t i;

	for (i = 0; i < count; i++)
		if (cp[i] < 128) {
			buf_add_char(out, (char)cp[i]);
			basic++;
		}
	done = basic;
	if (basic > 0)
		buf_add_char(out, '-');
	for (; done < count; delta++, n++) {
		next = UINT32_MAX;
		for (i = 0; i < count; i++)
			if (cp[i] >= n && cp[i] < next)
				next = cp[i];
		delta += (next - n) * (done + 1);
		n = next;
		for (i = 0; i < count; i++) {
			if (cp[i] < n)
				delta++;
			if (cp[i] != n)
				continue;
			if (put_number(delta, bias, out) < 0)
				return -1;
			bias = adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
	}
	return out->overflowed ? -1 : 0;
}

/* One label, with "xn--" where it needs it. */
static int
put_label(struct span s, struct buf *out)
{
	uint32_t cp[LABEL_MAX];
	size_t count = 0, at, n;
	bool is_plain = true;

	for (at = 0; at < s.len; at += n) {
		if (count == LABEL_MAX)
			return -1;
		n = str_utf8_next(s.p + at, s.len - at, &cp[count]);
		if (n == 0)
			return -1;
		is_plain &= cp[count] < 128;
		count++;
	}
	if (is_plain)
		return buf_add_span(out, s);
	buf_add_str(out, "xn--");
	return encode(cp, count, out);
}

bool
url_punycode(const char *host, char *dst, size_t size)
{
	struct buf out = { .limit = size - 1 };
	const char *p = host, *dot;
	bool is_good;

	for (;; p = dot + 1) {
		dot = strchr(p, '.');
		if (put_label((struct span){ p, dot != NULL ? (size_t)(dot - p)
							    : strlen(p) },
			      &out) < 0)
			break;
		if (dot == NULL || buf_add_char(&out, '.') < 0)
			break;
	}
	is_good = dot == NULL && !out.overflowed && out.len > 0 &&
		  str_copy(dst, size, out.data);
	buf_release(&out);
	return is_good;
}
