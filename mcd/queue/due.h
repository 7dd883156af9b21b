/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is to be done later, the earliest first: a heap of nodes that live
 * in their owners.
 */
#ifndef DUE_H
#define DUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed node is in no heap. */
struct due {
	int64_t at_ms;
	size_t pos; /* in the heap, from 1 */
};

/* A zeroed heap is empty. */
struct due_heap {
	struct due **list;
	size_t count, cap;
};

/* Puts it in, or moves it when it is there. */
void due_set(struct due_heap *h, struct due *d, int64_t at_ms);
/* Takes it out; nothing when it is not in. */
void due_clear(struct due_heap *h, struct due *d);
static inline bool
due_is_set(const struct due *d)
{
	return d->pos != 0;
}
/* The earliest, NULL when there is none. */
struct due *due_first(const struct due_heap *h);
void due_release(struct due_heap *h);

#endif
