/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A binary heap whose nodes know their place.
 */
#include "due.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

static void
place(struct due_heap *h, size_t pos, struct due *d)
{
	h->list[pos - 1] = d;
	d->pos = pos;
}

static void
sift_up(struct due_heap *h, struct due *d)
{
	size_t pos = d->pos;

	while (pos > 1 && h->list[pos / 2 - 1]->at_ms > d->at_ms) {
		place(h, pos, h->list[pos / 2 - 1]);
		pos /= 2;
	}
	place(h, pos, d);
}

static void
sift_down(struct due_heap *h, struct due *d)
{
	size_t pos = d->pos, child;

	while ((child = pos * 2) <= h->count) {
		if (child < h->count &&
		    h->list[child]->at_ms < h->list[child - 1]->at_ms)
			child++;
		if (h->list[child - 1]->at_ms >= d->at_ms)
			break;
		place(h, pos, h->list[child - 1]);
		pos = child;
	}
	place(h, pos, d);
}

void
due_set(struct due_heap *h, struct due *d, int64_t at_ms)
{
	due_clear(h, d);
	d->at_ms = at_ms;
	if (h->count == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 64;
		h->list = xreallocarray(h->list, h->cap, sizeof(*h->list));
	}
	d->pos = ++h->count;
	sift_up(h, d);
}

void
due_clear(struct due_heap *h, struct due *d)
{
	size_t pos = d->pos;
	struct due *last;

	if (pos == 0)
		return;
	d->pos = 0;
	last = h->list[--h->count];
	if (last == d)
		return;
	last->pos = pos;
	sift_up(h, last);
	sift_down(h, last);
}

struct due *
due_first(const struct due_heap *h)
{
	return h->count > 0 ? h->list[0] : NULL;
}

void
due_release(struct due_heap *h)
{
	free(h->list);
	memset(h, 0, sizeof(*h));
}
