/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Chained buckets addressed by the low bits of the number, which is given
 * in sequence: no hash is needed.
 */
#include "ids.h"

#include <stdlib.h>

#include "xalloc.h"

#define IDS_CAP_MIN 16

static struct id_node **
bucket(const struct ids *t, uint32_t id)
{
	return &t->buckets[id & (t->cap - 1)];
}

static void
grow(struct ids *t)
{
	struct ids wider = { .cap = t->cap ? t->cap * 2 : IDS_CAP_MIN };
	struct id_node *n, *next;
	size_t i;

	wider.buckets = xcalloc(wider.cap, sizeof(struct id_node *));
	for (i = 0; i < t->cap; i++) {
		for (n = t->buckets[i]; n != NULL; n = next) {
			next = n->next;
			ids_add(&wider, n);
		}
	}
	free(t->buckets);
	*t = wider;
}

void
ids_add(struct ids *t, struct id_node *n)
{
	struct id_node **b;

	if (t->count >= t->cap)
		grow(t);
	b = bucket(t, n->id);
	n->next = *b;
	*b = n;
	t->count++;
}

struct id_node *
ids_get(const struct ids *t, uint32_t id)
{
	struct id_node *n;

	if (t->cap == 0)
		return NULL;
	for (n = *bucket(t, id); n != NULL; n = n->next) {
		if (n->id == id)
			return n;
	}
	return NULL;
}

void
ids_del(struct ids *t, struct id_node *n)
{
	struct id_node **at;

	if (t->cap == 0)
		return;
	for (at = bucket(t, n->id); *at != NULL; at = &(*at)->next) {
		if (*at == n) {
			*at = n->next;
			n->next = NULL;
			t->count--;
			return;
		}
	}
}

uint32_t
ids_next(const struct ids *t, uint32_t *last)
{
	do {
		if (++*last == 0)
			*last = 1;
	} while (ids_get(t, *last) != NULL);
	return *last;
}

struct id_node *
ids_walk(const struct ids *t, size_t *at, struct id_node *n)
{
	if (n != NULL && n->next != NULL)
		return n->next;
	if (n != NULL)
		++*at;
	for (; *at < t->cap; ++*at) {
		if (t->buckets[*at] != NULL)
			return t->buckets[*at];
	}
	return NULL;
}
