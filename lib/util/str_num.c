/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Numbers, durations and sizes: whole strings in, errors for people out,
 * nothing wraps.
 */
#include "str.h"

#include <string.h>

#define SHOWN 64 /* of a wrong value in an error, bytes with the NUL */

struct unit {
	const char *name;
	uint64_t ms;
};

/* The largest first. */
static const struct unit durations[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 },
	{ "s", 1000 },	   { "ms", 1 },
};

#define DURATIONS (sizeof(durations) / sizeof(durations[0]))

static int
wrong(struct err *e, const char *s, const char *what)
{
	char shown[SHOWN];

	str_printable(shown, sizeof(shown), s, strlen(s));
	return err_set(e, "\"%s\" %s", shown, what);
}

/*
 * Reads digits at p[0..len).  Returns how many; 0 also when the number is
 * too large, with *too_large set.
 */
static size_t
digits(const char *p, size_t len, uint64_t *out, bool *too_large)
{
	uint64_t n = 0;
	unsigned d;
	size_t i;

	*too_large = false;
	for (i = 0; i < len && ascii_isdigit(p[i]); i++) {
		d = (unsigned)(p[i] - '0');
		if (n > (UINT64_MAX - d) / 10) {
			*too_large = true;
			return 0;
		}
		n = n * 10 + d;
	}
	*out = n;
	return i;
}

int
span_to_u64(struct span s, uint64_t *out)
{
	bool too_large;
	uint64_t n;

	if (s.len == 0 || digits(s.p, s.len, &n, &too_large) != s.len)
		return -1;
	*out = n;
	return 0;
}

int
str_to_u64(const char *s, uint64_t *out, struct err *e)
{
	size_t len = strlen(s);
	bool too_large;
	uint64_t n;
	size_t used = digits(s, len, &n, &too_large);

	if (too_large)
		return wrong(e, s, "is too large");
	if (len == 0 || used != len)
		return wrong(e, s, "is not a whole number");
	*out = n;
	return 0;
}

int
str_to_i64(const char *s, int64_t *out, struct err *e)
{
	bool is_negative = *s == '-';
	const char *p = is_negative ? s + 1 : s;
	size_t len = strlen(p);
	bool too_large;
	uint64_t n = 0;
	size_t used = digits(p, len, &n, &too_large);

	if (too_large || n > (uint64_t)INT64_MAX + is_negative)
		return wrong(e, s, "is out of range");
	if (len == 0 || used != len)
		return wrong(e, s, "is not a whole number");
	/* Not -(int64_t)n: that has no INT64_MIN. */
	*out = is_negative && n > 0 ? -(int64_t)(n - 1) - 1 : (int64_t)n;
	return 0;
}

/* The unit that s starts with, from index first on; DURATIONS when none. */
static size_t
unit_at(const char *s, size_t first, size_t *len)
{
	size_t i;

	/* A unit ends where digits or the string go on: "ms" is not "m". */
	*len = 0;
	while (s[*len] != '\0' && !ascii_isdigit(s[*len]))
		(*len)++;
	for (i = first; i < DURATIONS; i++)
		if (strlen(durations[i].name) == *len &&
		    strncmp(durations[i].name, s, *len) == 0)
			break;
	return i;
}

int
str_to_duration_ms(const char *s, int64_t *out, struct err *e)
{
	static const char form[] = "is not a duration such as 250ms, 15s, 2m, "
				   "1h30m or 5d";
	static const char large[] = "is too long a duration";
	const char *p = s;
	size_t unit = 0;
	uint64_t sum = 0;
	uint64_t n;
	bool too_large;
	size_t len;

	do {
		len = digits(p, strlen(p), &n, &too_large);
		if (too_large)
			return wrong(e, s, large);
		if (len == 0)
			return wrong(e, s, form);
		/* A bare number. */
		if (p == s && p[len] == '\0') {
			if (n > INT64_MAX / 1000)
				return wrong(e, s, large);
			*out = (int64_t)n * 1000;
			return 0;
		}
		p += len;
		unit = unit_at(p, unit, &len);
		if (unit == DURATIONS)
			return wrong(e, s, form);
		if (n > (INT64_MAX - sum) / durations[unit].ms)
			return wrong(e, s, large);
		sum += n * durations[unit++].ms;
		p += len;
	} while (*p != '\0');
	*out = (int64_t)sum;
	return 0;
}

/* ms in the units whose bits are set in which, into dst; false when they
 * cannot say it. */
static bool
say_in(char *dst, size_t size, uint64_t ms, unsigned which)
{
	size_t len = 0;
	size_t i;

	dst[0] = '\0';
	for (i = 0; i < DURATIONS; i++) {
		if ((which & 1U << i) == 0 || ms < durations[i].ms)
			continue;
		str_fmt(dst + len, size - len, "%llu%s",
			(unsigned long long)(ms / durations[i].ms),
			durations[i].name);
		len += strlen(dst + len);
		ms %= durations[i].ms;
	}
	return ms == 0;
}

void
str_duration(char *dst, size_t size, int64_t ms)
{
	uint64_t n = ms < 0 ? -(uint64_t)ms : (uint64_t)ms;
	const char *sign = ms < 0 ? "-" : "";
	char best[64] = "0s";
	char text[64];
	size_t len = sizeof(best);
	unsigned which;

	for (which = 1; n > 0 && which < 1U << DURATIONS; which++) {
		if (!say_in(text, sizeof(text), n, which))
			continue;
		if (strlen(text) < len) {
			len = strlen(text);
			str_copy(best, sizeof(best), text);
		}
	}
	str_fmt(dst, size, "%s%s", sign, best);
}

int
str_to_bytes(const char *s, uint64_t *out, struct err *e)
{
	static const char units[] = "kmgt";
	size_t len = strlen(s);
	const char *unit = units;
	unsigned shift = 0;
	bool too_large;
	uint64_t n;
	size_t used = digits(s, len, &n, &too_large);

	if (too_large)
		return wrong(e, s, "is too large a size");
	if (used > 0 && used + 1 == len) {
		unit = strchr(units, ascii_lower(s[used]));
		if (unit != NULL)
			shift = 10 * (unsigned)(unit - units + 1);
	}
	if (used == 0 || used + (shift > 0) != len)
		return wrong(e, s, "is not a size such as 1500, 4k, 10M or 1G");
	if (n > UINT64_MAX >> shift)
		return wrong(e, s, "is too large a size");
	*out = n << shift;
	return 0;
}

void
str_bytes(char *dst, size_t size, uint64_t n)
{
	static const char units[][4] = { "B",	"KiB", "MiB", "GiB",
					 "TiB", "PiB", "EiB" };
	unsigned unit = 1;
	unsigned tenths, whole;

	if (n < 1024) {
		str_fmt(dst, size, "%u B", (unsigned)n);
		return;
	}
	/* From 1023.5 on it would be shown as 1024: the next unit. */
	while ((n >> (10 * unit - 1)) + 1 >= 2048)
		unit++;
	/* Ten bits of fraction are left. */
	n >>= 10 * (unit - 1);
	tenths = (unsigned)((n * 10 + 512) >> 10);
	whole = (unsigned)((n + 512) >> 10);
	if (tenths < 1000)
		str_fmt(dst, size, "%u.%u %s", tenths / 10, tenths % 10,
			units[unit]);
	else
		str_fmt(dst, size, "%u %s", whole, units[unit]);
}

int
str_to_bool(const char *s, bool *out, struct err *e)
{
	static const char *const words[] = { "no",  "off", "false", "0",
					     "yes", "on",  "true",  "1" };
	size_t i;

	for (i = 0; i < 8; i++) {
		if (str_ieq(s, words[i])) {
			*out = i >= 4;
			return 0;
		}
	}
	return wrong(e, s, "is neither yes nor no");
}
