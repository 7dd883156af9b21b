/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Allocation that does not return NULL.  Running out of memory ends the
 * process; it must itself need none.
 */
#include "xalloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"

void
xalloc_failed(size_t n, size_t size)
{
	static int is_dying;

	/* An exit handler that allocates must not bring us back here. */
	if (is_dying)
		_exit(EX_OSERR);
	is_dying = 1;
	fatal(EX_OSERR, "out of memory: no %zu * %zu bytes", n, size);
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size > 0 ? size : 1);

	if (p == NULL)
		xalloc_failed(1, size);
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = n > 0 && size > 0 ? calloc(n, size) : calloc(1, 1);

	if (p == NULL)
		xalloc_failed(n, size);
	return p;
}

void *
xrealloc(void *p, size_t size)
{
	void *q = realloc(p, size > 0 ? size : 1);

	if (q == NULL)
		xalloc_failed(1, size);
	return q;
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	if (size > 0 && n > SIZE_MAX / size)
		xalloc_failed(n, size);
	return xrealloc(p, n * size);
}

char *
xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *
xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = xmalloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

void *
xmemdup(const void *p, size_t size)
{
	void *q = xmalloc(size);

	if (size > 0)
		memcpy(q, p, size);
	return q;
}
