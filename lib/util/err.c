/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The text of a failure.  Arguments may point into the text that is being
 * replaced; a text that does not fit ends in "...".
 */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "str.h"

static void
mark_cut(char *text, size_t size, int wanted)
{
	size_t end = size - sizeof("...");

	if (wanted >= 0 && (size_t)wanted < size)
		return;
	/* Not within a UTF-8 character. */
	while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	str_copy(text + end, size - end, "...");
}

__attribute__((format(printf, 2, 0))) static void
format(struct err *out, const char *fmt, va_list ap)
{
	int n = vsnprintf(out->text, sizeof(out->text), fmt, ap);

	if (n < 0)
		str_copy(out->text, sizeof(out->text), fmt);
	else
		mark_cut(out->text, sizeof(out->text), n);
}

/* "first: second" into e; either may be part of it. */
static void
join(struct err *e, const char *first, const char *second)
{
	struct err all;
	int n;

	n = snprintf(all.text, sizeof(all.text), "%s: %s", first, second);
	mark_cut(all.text, sizeof(all.text), n);
	*e = all;
}

int
err_set(struct err *e, const char *fmt, ...)
{
	struct err text;
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	format(&text, fmt, ap);
	va_end(ap);
	*e = text;
	return -1;
}

int
err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	struct err text;
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	format(&text, fmt, ap);
	va_end(ap);
	join(e, text.text, strerror(saved));
	errno = saved;
	return -1;
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
	struct err text;
	va_list ap;

	if (e == NULL)
		return -1;
	va_start(ap, fmt);
	format(&text, fmt, ap);
	va_end(ap);
	join(e, text.text, e->text);
	return -1;
}
