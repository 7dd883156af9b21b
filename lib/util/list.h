/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An intrusive doubly linked list.  The node lives in the element; one
 * element can be on as many lists as it has nodes.
 */
#ifndef LIST_H
#define LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(l)       \
	{                  \
		&(l), &(l) \
	}

/* The element that holds node n in its member m. */
#define list_entry(n, type, m) ((type *)(void *)((char *)(n)-offsetof(type, m)))

#define list_for(pos, head) \
	for (pos = (head)->next; pos != (head); pos = pos->next)

/* As list_for, where the element at pos may be removed. */
#define list_for_safe(pos, tmp, head)                            \
	for (pos = (head)->next, tmp = pos->next; pos != (head); \
	     pos = tmp, tmp = pos->next)

static inline void
list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool
list_is_empty(const struct list *l)
{
	return l->next == l;
}

/* True for a node that is on a list (initialised nodes are not). */
static inline bool
list_is_on(const struct list *n)
{
	return n->next != NULL && n->next != n;
}

static inline void
list_add_between(struct list *n, struct list *prev, struct list *next)
{
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}

static inline void
list_push(struct list *head, struct list *n)
{
	list_add_between(n, head->prev, head);
}

static inline void
list_push_front(struct list *head, struct list *n)
{
	list_add_between(n, head, head->next);
}

/* Safe on an initialised node that is on no list. */
static inline void
list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	n->next = n->prev = n;
}

/* The first node, taken off; NULL when empty. */
static inline struct list *
list_pop(struct list *head)
{
	struct list *n = head->next;

	if (n == head)
		return NULL;
	list_del(n);
	return n;
}

/* Moves all of from to the end of to; from is empty afterwards. */
static inline void
list_splice(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = to->prev;
	from->prev->next = to;
	to->prev->next = from->next;
	to->prev = from->prev;
	list_init(from);
}

#endif
