/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of messages: order, kin, counts.
 */
#include "message.h"

#include <string.h>

#include "check.h"
#include "spool.h"

#define MANY 5000

static void
make_name(unsigned n, char *dst)
{
	struct id_parts parts = { .wall_us = 1000000 + n * 7 };

	id_make(&parts, dst);
}

static void
test_order(void)
{
	char name[ENVELOPE_NAME_SIZE], last[ENVELOPE_NAME_SIZE] = "";
	size_t i, count = 0, wrong = 0;
	struct message *m;

	/* 3571 is prime to 5000: each number once, in no order */
	for (i = 0; i < MANY; i++) {
		make_name((unsigned)(i * 3571 % MANY), name);
		(void)message_new(name, STATE_INCOMING);
	}
	for (m = message_after(""); m != NULL; m = message_after(m->name)) {
		wrong += strcmp(m->name, last) <= 0;
		memcpy(last, m->name, sizeof(last));
		count++;
	}
	CHECK_INT(count, MANY, "a walk sees each message once");
	CHECK_INT(wrong, 0, "in the order of names");
	for (i = 0; i < MANY; i += 2) {
		make_name((unsigned)i, name);
		message_free(message_find(name));
	}
	make_name(2, name);
	CHECK(message_find(name) == NULL, "one that was taken out is gone");
	make_name(3, name);
	CHECK(message_find(name) != NULL, "its neighbour is there");
	CHECK_INT(message_count(STATE_INCOMING), MANY / 2, "half is left");
	message_free_all();
	CHECK(message_after("") == NULL, "nothing is left");
}

static void
test_kin(void)
{
	struct message *parent, *first, *other;

	parent = message_new("0000000000000001", STATE_FILTERING);
	other = message_new("0000000000000002", STATE_FILTERING);
	CHECK(!message_has_kin(parent), "one alone has no kin");
	first = message_new("0000000000000001.1", STATE_OUTGOING);
	(void)message_new("0000000000000001.12", STATE_HOLD);
	CHECK(message_has_kin(parent), "a parent has its children");
	CHECK(message_has_kin(first), "a child has its parent");
	CHECK(!message_has_kin(other), "another ID is no kin");
	message_free(parent);
	CHECK(message_first_of("0000000000000001") == first,
	      "an ID stands for its first child");
	CHECK(message_next_of("0000000000000001", first) != NULL,
	      "and for the next one");
	CHECK(message_first_of("0000000000000001.1") == first,
	      "a child's name stands for the child");
	CHECK(message_next_of("0000000000000001.1", first) == NULL,
	      "and not for a longer number");
	CHECK(message_first_of("0000000000000003") == NULL,
	      "an unknown ID stands for nothing");
	message_free_all();
}

static void
test_counts(void)
{
	struct envelope env;
	struct message *m, *n;

	envelope_init(&env);
	env.size = 100;
	env.received_us = 5;
	m = message_new("0000000000000001", STATE_INCOMING);
	message_learn(m, &env);
	env.size = 30;
	env.received_us = 9;
	n = message_new("0000000000000002", STATE_OUTGOING);
	message_learn(n, &env);
	CHECK_INT(message_bytes(), 130, "bodies of the queues are added up");
	CHECK_INT(message_oldest_us(), 5, "the oldest is found");
	message_set_state(m, STATE_HOLD);
	CHECK_INT(message_bytes(), 30, "what is held is not in the queues");
	CHECK_INT(message_oldest_us(), 9, "the next is the oldest");
	message_set_state(m, STATE_OUTGOING);
	CHECK_INT(message_oldest_us(), 5, "one that comes back is older");
	message_set_gone(m);
	CHECK_INT(message_count(STATE_OUTGOING), 1, "one that goes counts not");
	CHECK_INT(message_oldest_us(), 9, "and is not the oldest");
	message_free(m);
	message_free(n);
	CHECK_INT(message_oldest_us(), 0, "of none there is no oldest");
	CHECK_INT(message_bytes(), 0, "nor any bytes");
	message_free_all();
}

static void
test_backoff(void)
{
	static const int64_t want[] = { 1000,  2000,  4000,  8000,
					16000, 32000, 60000, 60000 };
	struct message *m = message_new("0000000000000001", STATE_INCOMING);
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		CHECK_INT(message_backoff_ms(m), want[i], "wait %zu", i + 1);
	message_free_all();
}

int
main(void)
{
	test_order();
	test_kin();
	test_counts();
	test_backoff();
	return check_done();
}
