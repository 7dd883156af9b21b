/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl rbl test: the questions that a filter or stage 1 would ask, each
 * with its answer.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "dns.h"
#include "rbl_desk.h"
#include "rbl_list.h"
#include "str.h"
#include "xalloc.h"

#define ASK_MS 10000
#define ITEMS_MAX 4

struct test {
	peer_id from;
	uint32_t token;
	unsigned due;
};

struct one {
	struct test *test;
	struct rbl_list *list;
	unsigned what;
	int64_t begin_us;
	char query[RBL_QUERY_SIZE];
};

static void
test_let_go(struct test *t)
{
	struct frame_ctl_done done = { .exit_code = EX_OK,
				       .text = "",
				       .cursor = "" };

	if (--t->due > 0)
		return;
	(void)peer_answer(t->from, t->token, FRAME_ctl_done, &done, -1);
	free(t);
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct one *o = arg;
	const char *why;
	enum health h = rbl_list_health(o->list, o->what, &why);
	struct rbl_answer_tale tale = { .r = rbl_list_row_of(o->list),
					.query = o->query,
					.answer = a,
					.time_us =
						clock_mono_us() - o->begin_us };
	struct frame_ctl_row row;
	struct record r = { 0 };

	tale.state = !tale.r->is_on	     ? "off"
		     : h == HEALTH_SUSPENDED ? "suspended"
		     : h == HEALTH_NEW	     ? "being tested"
					     : "on";
	rbl_answer_tell(&tale, &r);
	row.record = buf_span(&r.b);
	(void)peer_answer(o->test->from, o->test->token, FRAME_ctl_row, &row,
			  -1);
	record_release(&r);
	rbl_list_let_go(o->list);
	test_let_go(o->test);
	free(o);
}

static void
test_item(struct test *t, const struct rbl_answer_item *item)
{
	char query[RBL_QUERY_SIZE];
	struct rbl_list *l;
	struct one *o;
	unsigned what;
	size_t i;

	for (i = 0; (l = rbl_list_at(i)) != NULL; i++) {
		what = rbl_answer_query(rbl_list_row_of(l), item, query);
		if (what == 0)
			continue;
		o = xcalloc(1, sizeof(*o));
		o->test = t;
		o->list = rbl_list_hold(l);
		o->what = what;
		o->begin_us = clock_mono_us();
		(void)str_copy(o->query, sizeof(o->query), query);
		t->due++;
		dns_ask(query, DNS_TYPE_A, ASK_MS, on_answer, o);
	}
}

void
rbl_desk_ctl(peer_id from, struct frame *f)
{
	const char *at = FRAME_BODY(f, ctl_ask)->arg;
	struct test *t = xcalloc(1, sizeof(*t));
	struct rbl_answer_item item;
	unsigned count = 0;

	t->from = from;
	t->token = f->token;
	t->due = 1;
	while (*at != '\0' && count < ITEMS_MAX) {
		size_t len = strcspn(at, "\n");

		if (rbl_answer_item_read((struct span){ at, len }, &item)) {
			test_item(t, &item);
			count++;
		}
		at += len + (at[len] == '\n');
	}
	test_let_go(t);
}
