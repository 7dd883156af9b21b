/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Intrusive lists: order, removal while walking, splicing.
 */
#include "list.h"

#include "check.h"

struct item {
	int n;
	struct list node;
};

/* The numbers on a list, in order, in a static buffer. */
static const char *
numbers(const struct list *head)
{
	static char text[128];
	const struct list *p, *prev = head;
	size_t len = 0;

	text[0] = '\0';
	list_for(p, head)
	{
		if (p->prev != prev)
			return "prev is broken";
		prev = p;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d ",
					list_entry(p, struct item, node)->n);
	}
	return head->prev == prev ? text : "the head's prev is broken";
}

int
main(void)
{
	struct item items[6] = { { 0 } };
	struct list a = LIST_INIT(a);
	struct list b, *p, *tmp;
	int i;

	list_init(&b);
	for (i = 0; i < 6; i++)
		items[i].n = i;
	CHECK(list_is_empty(&a), "a list of LIST_INIT is empty");
	CHECK(list_is_empty(&b), "a list of list_init() is empty");
	CHECK(list_pop(&a) == NULL, "nothing is popped from an empty list");
	CHECK(!list_is_on(&items[0].node), "a zeroed node is on no list");
	list_push(&a, &items[0].node);
	list_push(&a, &items[1].node);
	list_push_front(&a, &items[2].node);
	CHECK_STR(numbers(&a), "2 0 1 ", "pushed to both ends");
	CHECK(list_is_on(&items[0].node), "a pushed node is on a list");
	list_splice(&a, &b);
	CHECK_STR(numbers(&a), "2 0 1 ", "an empty list splices nothing");
	for (i = 3; i < 6; i++)
		list_push(&b, &items[i].node);
	list_splice(&a, &b);
	CHECK_STR(numbers(&a), "2 0 1 3 4 5 ", "spliced to the end");
	CHECK(list_is_empty(&b), "what was spliced is empty");
	list_splice(&b, &a);
	CHECK_STR(numbers(&b), "2 0 1 3 4 5 ", "spliced into an empty list");
	list_for_safe(p, tmp, &b) if (list_entry(p, struct item, node)->n % 2 ==
				      0) list_del(p);
	CHECK_STR(numbers(&b), "1 3 5 ", "removed while walking");
	CHECK(!list_is_on(&items[0].node), "a removed node is on no list");
	list_del(&items[0].node);
	CHECK_STR(numbers(&b), "1 3 5 ", "removed twice does no harm");
	p = list_pop(&b);
	CHECK_INT(list_entry(p, struct item, node)->n, 1, "popped in front");
	CHECK(!list_is_on(p), "a popped node is on no list");
	list_pop(&b);
	list_pop(&b);
	CHECK(list_is_empty(&b), "popped until empty");
	return check_done();
}
