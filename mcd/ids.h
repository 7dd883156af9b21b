/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A table of elements by a number that is never 0.  The node lives in the
 * element; numbers that follow each other do not collide.
 */
#ifndef IDS_H
#define IDS_H

#include <stddef.h>
#include <stdint.h>

struct id_node {
	uint32_t id;
	struct id_node *next;
};

/* A zeroed struct ids is empty and usable. */
struct ids {
	struct id_node **buckets;
	size_t cap; /* a power of two, or 0 */
	size_t count;
};

/* n->id is set and not in the table. */
void ids_add(struct ids *t, struct id_node *n);
/* NULL when absent. */
struct id_node *ids_get(const struct ids *t, uint32_t id);
/* Takes it off; fine when it is not there. */
void ids_del(struct ids *t, struct id_node *n);
/* The next free number behind *last, which it becomes. */
uint32_t ids_next(const struct ids *t, uint32_t *last);
/* Walks in no order: any element of bucket *at or behind, NULL at the end.
 * Start with *at = 0 and n NULL; n is the one returned before. */
struct id_node *ids_walk(const struct ids *t, size_t *at, struct id_node *n);

#endif
