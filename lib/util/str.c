/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Comparison without locale and bounded copies.
 */
#include "str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool
str_ieq(const char *a, const char *b)
{
	while (*a != '\0' && ascii_lower(*a) == ascii_lower(*b)) {
		a++;
		b++;
	}
	return ascii_lower(*a) == ascii_lower(*b);
}

bool
str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
str_copy(char *dst, size_t size, const char *src)
{
	size_t len;

	if (size == 0)
		return false;
	len = strnlen(src, size);
	if (len < size) {
		memcpy(dst, src, len + 1);
		return true;
	}
	memcpy(dst, src, size - 1);
	dst[size - 1] = '\0';
	return false;
}

bool
str_fmt(char *dst, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(dst, size, fmt, ap);
	va_end(ap);
	if (n < 0 && size > 0)
		dst[0] = '\0';
	return n >= 0 && (size_t)n < size;
}

void
str_lower(char *s)
{
	for (; *s != '\0'; s++)
		*s = (char)ascii_lower(*s);
}
