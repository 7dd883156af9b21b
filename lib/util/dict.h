/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A hash table from strings to pointers: SipHash-1-3 keyed at random once
 * per process, so that a peer cannot choose collisions; open addressing.
 */
#ifndef DICT_H
#define DICT_H

#include <stddef.h>
#include <stdint.h>

struct dict_slot {
	char *key; /* owned copy; NULL: never used */
	void *value; /* borrowed */
	uint64_t hash;
};

/* A zeroed struct dict is empty and usable. */
struct dict {
	struct dict_slot *slots;
	size_t count;
	size_t used; /* count and tombstones */
	size_t cap;
};

/* NULL when absent. */
void *dict_get(const struct dict *d, const char *key);
/* Sets or replaces; returns the value that was there, or NULL. */
void *dict_set(struct dict *d, const char *key, void *value);
/* Returns the value that was there, or NULL. */
void *dict_del(struct dict *d, const char *key);
/*
 * Walks in no order: start with *it = 0; returns 0 at the end.  The dict
 * may lose the entry just returned during a walk, but gain none.  value
 * may be NULL.
 */
int dict_next(const struct dict *d, size_t *it, const char **key, void **value);
/* free_value may be NULL. */
void dict_release(struct dict *d, void (*free_value)(void *));
/* The process-wide keyed hash, for other tables. */
uint64_t hash_bytes(const void *p, size_t len);
/* The same with a key of the caller's, for tests. */
uint64_t hash_keyed(const uint64_t key[2], const void *p, size_t len);

#endif
