/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Decimals without a float, so that what is written is what was meant.
 */
#include "points.h"

#include <stdbool.h>
#include <string.h>

#include "str.h"

int
points_parse(const char *text, int64_t *out, struct err *e)
{
	bool is_negative = *text == '-';
	const char *p = text + (is_negative || *text == '+');
	int64_t unit = 1000, value = 0;
	char shown[80];

	for (; *p >= '0' && *p <= '9' && value < 1000000000; p++)
		value = value * 10 + (*p - '0');
	value *= 1000;
	if (*p == '.' && p[1] != '\0')
		for (p++; *p >= '0' && *p <= '9' && unit > 1; p++)
			value += (*p - '0') * (unit /= 10);
	if (*p != '\0' || p == text || p[-1] < '0' || p[-1] > '9') {
		str_printable(shown, sizeof(shown), text, strlen(text));
		return err_set(e, "\"%s\" is not a number such as 2.5", shown);
	}
	*out = is_negative ? -value : value;
	return 0;
}

/* One digit behind the point at least, no more than are needed. */
void
points_text(int64_t value, char *dst, size_t size)
{
	unsigned long long n = (unsigned long long)(value < 0 ? -value : value);
	size_t len;

	str_fmt(dst, size, "%s%llu.%03llu", value < 0 ? "-" : "", n / 1000,
		n % 1000);
	for (len = strlen(dst); dst[len - 1] == '0' && dst[len - 2] != '.';
	     len--)
		dst[len - 1] = '\0';
}
