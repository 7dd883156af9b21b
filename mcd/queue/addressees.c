/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A cache of very few entries, as one envelope may have megabytes.
 */
#include "addressees.h"

#include <string.h>

#include "keep.h"
#include "loop.h"
#include "spool.h"
#include "str.h"

#define KEPT 3
#define KEPT_GROUPS_MIN 16 /* fewer are as quickly read again */

static struct {
	struct addressees small; /* of one job */
	struct addressees kept[KEPT];
} self;

void
addressees_key(const char *address, char dst[ADDRESS_DOMAIN_MAX + 1])
{
	const char *at = strrchr(address, '@');

	if (at == NULL)
		at = "";
	else
		at++;
	if (address_domain_key(at, dst, NULL) == 0)
		return;
	(void)str_copy(dst, ADDRESS_DOMAIN_MAX + 1, at);
	str_lower(dst);
}

static void
forget(struct addressees *a)
{
	dict_release(&a->first, NULL);
	arena_release(&a->arena);
	memset(a, 0, sizeof(*a));
}

/* From the last to the first, so that each list is in order. */
static void
sort_by_domain(struct addressees *a)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	size_t i = a->env.rcpt_count;
	uintptr_t then;

	a->next = arena_array(&a->arena, i + 1, sizeof(*a->next));
	while (i-- > 0) {
		addressees_key(a->env.rcpts[i].address, key);
		then = (uintptr_t)dict_set(&a->first, key,
					   (void *)(uintptr_t)(i + 1));
		a->next[i] = then > 0 ? then - 1 : ADDRESSEES_END;
	}
}

/* Where m is kept, or the entry that has not been used for longest. */
static struct addressees *
place_of(const struct message *m)
{
	struct addressees *oldest = &self.kept[0], *a;
	size_t i;

	if (m->group_count < KEPT_GROUPS_MIN)
		return &self.small;
	for (i = 0; i < KEPT; i++) {
		a = &self.kept[i];
		if (str_eq(a->name, m->name))
			return a;
		if (a->used_ms < oldest->used_ms)
			oldest = a;
	}
	return oldest;
}

enum envelope_result
addressees_get(const struct message *m, const struct addressees **out,
	       struct err *e)
{
	struct addressees *a = place_of(m);
	enum envelope_result got;

	*out = a;
	if (str_eq(a->name, m->name) && a->generation == m->generation) {
		a->used_ms = loop_now_ms();
		return ENVELOPE_OK;
	}
	forget(a);
	got = spool_read_envelope(keep_fd(), STATE_OUTGOING, m->name, &a->arena,
				  &a->env, e);
	if (got != ENVELOPE_OK) {
		forget(a);
		return got;
	}
	sort_by_domain(a);
	if (a == &self.small)
		return got; /* valid, but not found again */
	(void)str_copy(a->name, sizeof(a->name), m->name);
	a->generation = m->generation;
	a->used_ms = loop_now_ms();
	return got;
}

size_t
addressees_first(const struct addressees *a, const char *domain)
{
	uintptr_t at = (uintptr_t)dict_get(&a->first, domain);

	return at > 0 ? at - 1 : ADDRESSEES_END;
}

void
addressees_release(void)
{
	size_t i;

	forget(&self.small);
	for (i = 0; i < KEPT; i++)
		forget(&self.kept[i]);
}
