/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The heap of what is to be done later.
 */
#include "due.h"

#include "check.h"

#define COUNT 500

static struct due nodes[COUNT];

/* The least of all that are set, in the plainest way. */
static struct due *
least(void)
{
	struct due *best = NULL;
	size_t i;

	for (i = 0; i < COUNT; i++) {
		if (due_is_set(&nodes[i]) &&
		    (best == NULL || nodes[i].at_ms < best->at_ms))
			best = &nodes[i];
	}
	return best;
}

int
main(void)
{
	struct due_heap h = { 0 };
	unsigned seed = 1;
	size_t i, wrong = 0, left = 0;
	struct due *d;

	CHECK(due_first(&h) == NULL, "an empty heap has no first");
	for (i = 0; i < 20000; i++) {
		seed = seed * 1103515245u + 12345u;
		d = &nodes[(seed >> 16) % COUNT];
		if ((seed >> 8) % 3 == 0)
			due_clear(&h, d);
		else
			due_set(&h, d, (seed >> 4) % 1000);
		if (least() == NULL)
			wrong += due_first(&h) != NULL;
		else
			wrong += due_first(&h)->at_ms != least()->at_ms;
	}
	CHECK_INT(wrong, 0, "the first is the least after each change");
	for (i = 0; i < COUNT; i++)
		left += due_is_set(&nodes[i]);
	CHECK_INT(h.count, left, "all that are set are in it");
	for (i = 0; (d = due_first(&h)) != NULL; i++)
		due_clear(&h, d);
	CHECK_INT(i, left, "each comes out once");
	due_release(&h);
	return check_done();
}
