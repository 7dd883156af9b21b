/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Single values in the text form of an envelope.
 */
#include <string.h>

#include "envelope.h"
#include "envelope_field.h"
#include "str.h"

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The escape behind a "\\" at *p; -1 when it is none of ours. */
static int
unescape_one(const char **p, const char *end)
{
	const char *s = *p;
	int high, low;

	if (s == end)
		return -1;
	*p = s + 1;
	switch (*s) {
	case '\\':
		return '\\';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'x':
		if (end - s < 3)
			return -1;
		high = hex_digit(s[1]);
		low = hex_digit(s[2]);
		*p = s + 3;
		return high < 0 || low < 0 ? -1 : high * 16 + low;
	default:
		return -1;
	}
}

const char *
envelope_value_bytes(struct span value, struct arena *a, struct span *out)
{
	const char *p = value.p;
	const char *end = p + value.len;
	size_t n = 0;
	char *dst;
	int c;

	if (value.len == 0) {
		*out = (struct span){ "", 0 };
		return NULL;
	}
	if (memchr(p, '\\', value.len) == NULL) {
		dst = arena_strndup(a, p, value.len);
		*out = (struct span){ dst, value.len };
		return NULL;
	}
	dst = arena_alloc(a, value.len + 1);
	while (p < end) {
		c = (unsigned char)*p++;
		if (c == '\\')
			c = unescape_one(&p, end);
		if (c < 0)
			return "an escape that is not known";
		dst[n++] = (char)c;
	}
	*out = (struct span){ dst, n };
	return NULL;
}

const char *
envelope_value_text(struct span value, struct arena *a, const char **out)
{
	struct span s;
	const char *wrong = envelope_value_bytes(value, a, &s);

	if (wrong != NULL)
		return wrong;
	if (s.len > 0 && memchr(s.p, '\0', s.len) != NULL)
		return "a NUL in a text";
	*out = s.p;
	return NULL;
}

const char *
envelope_value_u64(struct span value, uint64_t *out)
{
	return span_to_u64(value, out) < 0 ? "not a number of 64 bits" : NULL;
}

const char *
envelope_value_u32(struct span value, uint32_t *out)
{
	uint64_t n;

	if (span_to_u64(value, &n) < 0 || n > UINT32_MAX)
		return "not a number of 32 bits";
	*out = (uint32_t)n;
	return NULL;
}

const char *
envelope_value_i64(struct span value, int64_t *out)
{
	bool is_minus = value.len > 0 && value.p[0] == '-';
	uint64_t max = (uint64_t)INT64_MAX + is_minus;
	uint64_t n;

	if (is_minus)
		value = (struct span){ value.p + 1, value.len - 1 };
	if (span_to_u64(value, &n) < 0 || n > max)
		return "not a whole number of 64 bits";
	if (!is_minus)
		*out = (int64_t)n;
	else
		*out = n == 0 ? 0 : -(int64_t)(n - 1) - 1;
	return NULL;
}

const char *
envelope_value_bool(struct span value, bool *out)
{
	*out = span_eq(value, SPAN_LIT("yes"));
	if (*out || span_eq(value, SPAN_LIT("no")))
		return NULL;
	return "yes or no was expected";
}

const char *
envelope_value_source(struct span value, enum source *out)
{
	int i;

	for (i = SOURCE_SMTP; i <= SOURCE_OWN; i++) {
		if (!span_eq(value, span_of(envelope_source_names[i])))
			continue;
		*out = (enum source)i;
		return NULL;
	}
	return "smtp or own was expected";
}

const char *
envelope_value_name(struct span value, char out[ENVELOPE_NAME_SIZE])
{
	if (value.len >= ENVELOPE_NAME_SIZE)
		return "the name is too long";
	memcpy(out, value.p, value.len);
	out[value.len] = '\0';
	return NULL;
}
