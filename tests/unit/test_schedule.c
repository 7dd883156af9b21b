/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The order of deliveries: turns of destinations, limits, new before
 * retried, times.
 */
#include "schedule.h"

#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "loop.h"
#include "spool.h"
#include "str.h"

#define DEADLINE_MS 10000

static char started[4096]; /* "m:domain " of each start, in order */
static struct group *active[64];
static size_t active_count;
static unsigned numbers;
static struct timer end;
static bool is_late;

static struct message *
new_message(void)
{
	struct id_parts parts = { .wall_us = ++numbers };
	char name[ENVELOPE_NAME_SIZE];

	id_make(&parts, name);
	return message_new(name, STATE_OUTGOING);
}

static void
add(struct message *m, const char *domain, int64_t wait_ms, bool is_retry)
{
	schedule_add(m, &domain, 1, wait_ms, is_retry);
}

static void
start(struct group *g)
{
	size_t at = strlen(started);

	snprintf(started + at, sizeof(started) - at, "%s ", schedule_domain(g));
	active[active_count++] = g;
}

static void
stop_loop(void *arg)
{
	(void)arg;
	loop_stop();
}

/* One turn, in which all that is due starts. */
static void
turn(void)
{
	struct timer t;

	timer_init(&t, stop_loop, NULL);
	timer_set(&t, 0);
	loop_run();
	timer_set(&t, 0);
	loop_run();
	timer_release(&t);
}

static void
on_end(void *arg)
{
	(void)arg;
	is_late = true;
	loop_stop();
}

static void
finish(size_t at, int64_t wait_ms)
{
	struct group *g = active[at];

	active[at] = active[--active_count];
	schedule_done(g, wait_ms);
}

static char asked[64];
static bool is_mute; /* control does not answer */

static void
on_ask(const char *domain)
{
	(void)str_copy(asked, sizeof(asked), domain);
	if (!is_mute)
		schedule_limit_of(domain, 0);
}

static void
begin(int64_t all, int64_t each)
{
	started[0] = '\0';
	active_count = 0;
	schedule_init(start, on_ask);
	schedule_limits(all, each);
	schedule_open(true);
}

static void
finish_all(void)
{
	while (active_count > 0)
		finish(0, -1);
	schedule_open(false);
	turn();
	while (message_after("") != NULL) {
		schedule_drop(message_after(""));
		message_free(message_after(""));
	}
	schedule_release();
}

static void
test_turns(void)
{
	int i;

	begin(4, 10);
	for (i = 0; i < 4; i++)
		add(new_message(), "a.example", 0, false);
	add(new_message(), "b.example", 0, false);
	add(new_message(), "c.example", 0, false);
	turn();
	CHECK_STR(started, "a.example b.example c.example a.example ",
		  "destinations take turns");
	CHECK_INT(schedule_active(), 4, "no more than the limit are active");
	finish(0, -1);
	turn();
	CHECK_STR(started, "a.example b.example c.example a.example a.example ",
		  "one that ends lets the next begin");
	finish_all();
}

static void
test_limit_each(void)
{
	int i;

	begin(10, 2);
	for (i = 0; i < 5; i++)
		add(new_message(), "a.example", 0, false);
	add(new_message(), "b.example", 0, false);
	turn();
	CHECK_STR(started, "a.example b.example a.example ",
		  "a destination has its own limit");
	schedule_limits(10, 3);
	turn();
	CHECK_INT(schedule_active(), 4, "a limit that is raised holds at once");
	finish_all();
}

static void
test_limit_own(void)
{
	int i;

	is_mute = true;
	begin(10, 2);
	for (i = 0; i < 5; i++)
		add(new_message(), "a.example", 0, false);
	turn();
	CHECK_STR(asked, "a.example", "the own limit of a domain is asked for");
	CHECK_INT(schedule_active(), 1, "before it is known one goes there");
	is_mute = false;
	schedule_limit_of("a.example", 4);
	schedule_limit_of("not-there.example", 4);
	turn();
	CHECK_INT(schedule_active(), 4, "and holds instead of that of all");
	schedule_limits(10, 1);
	finish(0, 3600000);
	turn();
	CHECK_INT(schedule_active(), 4, "whatever that becomes");
	finish_all();
}

static void
test_new_first(void)
{
	size_t retries = 0, i;

	begin(1, 10);
	schedule_open(false);
	for (i = 0; i < 8; i++)
		add(new_message(), "a.example", 0, true);
	for (i = 0; i < 8; i++)
		add(new_message(), "a.example", 0, false);
	schedule_open(true);
	for (i = 0; i < 8; i++) {
		turn();
		retries += active[0]->is_retry;
		finish(0, -1);
	}
	CHECK_INT(retries, 2, "of eight starts two are retries");
	finish_all();
}

static void
test_times(void)
{
	struct message *m, *n;

	begin(10, 10);
	m = new_message();
	n = new_message();
	add(m, "a.example", 3600000, true);
	add(n, "b.example", 20, true);
	turn();
	CHECK_STR(started, "", "what waits does not start");
	CHECK(schedule_wait_ms(m) > 3500000, "its wait is known");
	timer_init(&end, on_end, NULL);
	timer_set(&end, DEADLINE_MS);
	while (started[0] == '\0' && !is_late)
		turn();
	CHECK_STR(started, "b.example ", "what is due starts");
	schedule_now(m);
	turn();
	CHECK_STR(started, "b.example a.example ", "unless it is told to");
	CHECK_INT(schedule_wait_ms(m), 0, "one that is active waits for none");
	finish(0, 50000);
	CHECK_INT(schedule_active(), 1, "one deferred is not active");
	CHECK(schedule_rest_ms(n) > 40000, "and waits again");
	finish_all();
	timer_release(&end);
}

static void
test_closed(void)
{
	begin(10, 10);
	schedule_open(false);
	add(new_message(), "a.example", 0, false);
	turn();
	CHECK_STR(started, "", "nothing starts while outgoing is down");
	schedule_open(true);
	turn();
	CHECK_STR(started, "a.example ", "all starts when it is up");
	finish_all();
}

static void
test_groups(void)
{
	static const char *const domains[] = { "a.example", "b.example" };
	struct message *m;

	begin(10, 10);
	m = new_message();
	schedule_add(m, domains, 2, 0, false);
	turn();
	CHECK_STR(started, "a.example b.example ",
		  "a message has a group for each domain");
	finish(0, -1);
	CHECK_INT(schedule_rest_ms(m), -1, "one that ended does not wait");
	finish(0, 0);
	turn();
	CHECK_INT(schedule_active(), 1, "the other comes again at once");
	finish_all();
}

int
main(void)
{
	loop_init();
	test_turns();
	test_limit_each();
	test_limit_own();
	test_new_first();
	test_times();
	test_closed();
	test_groups();
	return check_done();
}
