/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The hash table: linear probing in a power of two of slots, at most three
 * quarters of them used.  Growing is the only thing that moves an entry.
 */
#include "dict.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#define DICT_MIN 16 /* slots of the smallest table */

/* The key of a slot whose entry was deleted: probing goes on past it. */
static char tombstone[1];

static int
is_live(const struct dict_slot *s)
{
	return s->key != NULL && s->key != tombstone;
}

/* The slot of key, or NULL. */
static struct dict_slot *
find(const struct dict *d, const char *key, uint64_t hash)
{
	struct dict_slot *s;
	size_t i;

	if (d->count == 0)
		return NULL;
	for (i = hash & (d->cap - 1);; i = (i + 1) & (d->cap - 1)) {
		s = &d->slots[i];
		if (s->key == NULL)
			return NULL;
		if (s->hash == hash && s->key != tombstone &&
		    strcmp(s->key, key) == 0)
			return s;
	}
}

/* The first free slot for hash, in a table that has one. */
static struct dict_slot *
find_free(const struct dict *d, uint64_t hash)
{
	size_t i = hash & (d->cap - 1);

	while (is_live(&d->slots[i]))
		i = (i + 1) & (d->cap - 1);
	return &d->slots[i];
}

/* Makes a table at most half full once one more is in; no tombstones. */
static void
rehash(struct dict *d)
{
	struct dict_slot *old = d->slots;
	size_t n = d->cap;
	size_t i;

	d->cap = DICT_MIN;
	while (d->cap / 2 < d->count + 1)
		d->cap *= 2;
	d->slots = xcalloc(d->cap, sizeof(*d->slots));
	d->used = d->count;
	for (i = 0; i < n; i++)
		if (is_live(&old[i]))
			*find_free(d, old[i].hash) = old[i];
	free(old);
}

void *
dict_get(const struct dict *d, const char *key)
{
	struct dict_slot *s;

	if (d->count == 0)
		return NULL;
	s = find(d, key, hash_bytes(key, strlen(key)));
	return s != NULL ? s->value : NULL;
}

void *
dict_set(struct dict *d, const char *key, void *value)
{
	size_t len = strlen(key);
	uint64_t hash = hash_bytes(key, len);
	struct dict_slot *s = find(d, key, hash);
	void *old;

	if (s != NULL) {
		old = s->value;
		s->value = value;
		return old;
	}
	if (d->used + 1 > d->cap - d->cap / 4)
		rehash(d);
	s = find_free(d, hash);
	if (s->key == NULL)
		d->used++;
	s->key = xmemdup(key, len + 1);
	s->value = value;
	s->hash = hash;
	d->count++;
	return NULL;
}

/* Frees slot i; tombstones that end a run of probes are not needed. */
static void
vacate(struct dict *d, size_t i)
{
	size_t mask = d->cap - 1;

	d->slots[i].key = tombstone;
	d->slots[i].value = NULL;
	d->slots[i].hash = 0;
	if (d->slots[(i + 1) & mask].key != NULL)
		return;
	while (d->slots[i].key == tombstone) {
		d->slots[i].key = NULL;
		d->used--;
		i = (i - 1) & mask;
	}
}

void *
dict_del(struct dict *d, const char *key)
{
	struct dict_slot *s = find(d, key, hash_bytes(key, strlen(key)));
	void *old;

	if (s == NULL)
		return NULL;
	old = s->value;
	free(s->key);
	d->count--;
	vacate(d, (size_t)(s - d->slots));
	return old;
}

int
dict_next(const struct dict *d, size_t *it, const char **key, void **value)
{
	const struct dict_slot *s;

	while (*it < d->cap) {
		s = &d->slots[(*it)++];
		if (!is_live(s))
			continue;
		*key = s->key;
		if (value != NULL)
			*value = s->value;
		return 1;
	}
	return 0;
}

void
dict_release(struct dict *d, void (*free_value)(void *))
{
	size_t i;

	for (i = 0; i < d->cap; i++) {
		if (!is_live(&d->slots[i]))
			continue;
		if (free_value != NULL)
			free_value(d->slots[i].value);
		free(d->slots[i].key);
	}
	free(d->slots);
	memset(d, 0, sizeof(*d));
}
