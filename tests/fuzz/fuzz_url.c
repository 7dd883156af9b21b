/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes addresses in text: what comes out has a host that is one.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* As with a list of suffixes: everything ends in one. */
static const char *
registrable(const char *host, bool *is_known)
{
	const char *dot = strchr(host, '.');

	*is_known = dot != NULL;
	return dot != NULL ? host : NULL;
}

static void
check_set(const struct url_set *s)
{
	size_t i;

	must(s->count <= URL_SET_MAX);
	for (i = 0; i < s->count; i++) {
		const struct url *u = &s->items[i];
		size_t n = strlen(u->host);

		must(n > 0 && n < URL_HOST_MAX);
		must(strspn(u->host, "abcdefghijklmnopqrstuvwxyz0123456789"
				     "-._:") == n);
		if (!(u->flags & URL_MAIL))
			must(strstr(u->text, "://") != NULL);
		must(u->domain >= u->host && u->domain <= u->host + n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct url_hooks hooks = { NULL, registrable };
	static struct url_set s;
	struct arena arena = { 0 };
	struct span in = { (const char *)data, size };
	char host[URL_HOST_MAX];
	uint32_t flags = 0;

	url_set_init(&s, &arena, size % 2 ? &hooks : NULL);
	url_find(&s, in);
	check_set(&s);
	url_add(&s, in, 0);
	check_set(&s);
	url_host(&hooks, in, host, &flags);
	must(strlen(host) < URL_HOST_MAX);
	arena_release(&arena);
	return 0;
}
