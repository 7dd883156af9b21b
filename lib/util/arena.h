/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Memory of one owner that is given back in one go, such as all that
 * belongs to one message.  Nothing allocated here is freed singly.
 */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

struct arena_block;

/* A zeroed struct arena is empty and usable. */
struct arena {
	struct arena_block *head;
	size_t used; /* bytes handed out since the last clear */
};

/* Aligned for any type, zeroed. */
void *arena_alloc(struct arena *a, size_t size);
/* n * size, overflow checked. */
void *arena_array(struct arena *a, size_t n, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Forgets everything, keeps one block for reuse. */
void arena_clear(struct arena *a);
/* Gives everything back to the system; the arena is usable again. */
void arena_release(struct arena *a);

#endif
