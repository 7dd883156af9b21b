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
static struct group *active[256];
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

	(void)str_fmt(started + at, sizeof(started) - at, "%s ",
		      schedule_domain(g));
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
rules(int64_t all, int64_t initial, int64_t each)
{
	struct schedule_rules r = {
		.all = all,
		.each = { .initial = initial,
			  .max = each,
			  .dead_after = 2,
			  .probe_ms = 20,
			  .probe_max_ms = 30 },
	};

	schedule_set_rules(&r);
}

/* Half of all are for destinations that nothing is known of. */
static void
begin(int64_t all, int64_t each)
{
	started[0] = '\0';
	active_count = 0;
	schedule_init(start, on_ask);
	rules(all, each, each);
	schedule_open(true);
}

/* Deliveries that end so, by the order of their start. */
static void
finish_as(size_t at, enum dest_result result, int64_t wait_ms)
{
	struct group *g = active[at];

	memmove(&active[at], &active[at + 1],
		(--active_count - at) * sizeof(struct group *));
	schedule_result(g, result, "no route");
	schedule_done(g, wait_ms);
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

	begin(8, 10);
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

	begin(20, 2);
	for (i = 0; i < 5; i++)
		add(new_message(), "a.example", 0, false);
	add(new_message(), "b.example", 0, false);
	turn();
	CHECK_STR(started, "a.example b.example a.example ",
		  "a destination has its own limit");
	rules(20, 3, 3);
	turn();
	CHECK_INT(schedule_active(), 4, "a limit that is raised holds at once");
	finish_all();
}

static void
test_limit_own(void)
{
	int i;

	is_mute = true;
	begin(20, 4);
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
	rules(20, 4, 1);
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

/* Runs until so many have been started. */
static bool
starts(size_t n)
{
	is_late = false;
	timer_init(&end, on_end, NULL);
	timer_set(&end, DEADLINE_MS);
	while (active_count < n && !is_late)
		turn();
	timer_release(&end);
	return active_count >= n;
}

static void
test_growth(void)
{
	size_t most = 0;
	int i;

	begin(100, 8);
	rules(100, 2, 8);
	for (i = 0; i < 150; i++)
		add(new_message(), "a.example", 0, false);
	turn();
	CHECK_INT(schedule_active(), 2, "an unknown destination gets few");
	while (active_count > 0) {
		finish_as(0, DEST_TOOK, -1);
		turn();
		if (schedule_active() > most)
			most = schedule_active();
	}
	CHECK_INT(most, 8, "more with each success, up to its limit");
	for (i = 0; i < 20; i++)
		add(new_message(), "a.example", 0, false);
	turn();
	CHECK_INT(schedule_active(), 8, "which is remembered for a while");
	while (active_count > 0)
		finish_as(0, DEST_UNREACHABLE, 3600000);
	turn();
	CHECK_INT(schedule_active(), 4,
		  "deliveries side by side that fail are one failure: half");
	finish_all();
}

/* What could not be reached has half of the slots, in all. */
static void
test_share(void)
{
	char name[32];
	int i;

	begin(20, 5);
	for (i = 0; i < 50; i++) {
		(void)str_fmt(name, sizeof(name), "hangs%d.example", i);
		add(new_message(), name, 0, false);
	}
	turn();
	CHECK_INT(schedule_active(), 15,
		  "the first of each unknown one, up to three quarters");
	for (i = 0; i < 30; i++)
		add(new_message(), "good.example", 0, false);
	finish_as(0, DEST_ANSWERED, -1); /* hangs0 is known to answer */
	add(new_message(), "hangs0.example", 0, false);
	turn();
	CHECK(strstr(started, "hangs0.example hangs1.example") != NULL &&
		      schedule_active() == 16,
	      "one that answers has room beside them");
	finish_all();
}

/* Few that hang, with much mail each, leave room for a first try. */
static void
test_first_try(void)
{
	char name[32];
	int i;

	begin(20, 5);
	for (i = 0; i < 60; i++) {
		(void)str_fmt(name, sizeof(name), "hangs%d.example", i % 6);
		add(new_message(), name, 0, false);
	}
	turn();
	CHECK_INT(schedule_active(), 10, "six that hang have half");
	add(new_message(), "new.example", 0, false);
	add(new_message(), "new.example", 0, false);
	turn();
	CHECK_INT(schedule_active(), 11, "one to a new destination begins");
	finish_as(10, DEST_TOOK, -1);
	turn();
	CHECK(schedule_active() == 11 &&
		      str_eq(schedule_domain(active[10]), "new.example"),
	      "and it goes on when that is taken");
	finish_all();
}

static void
test_dead(void)
{
	struct message *m[4];
	size_t i;

	begin(20, 5);
	m[0] = new_message();
	add(m[0], "a.example", 0, false);
	turn();
	finish_as(0, DEST_UNREACHABLE, 3600000);
	m[1] = new_message();
	add(m[1], "a.example", 0, false);
	turn();
	CHECK(active_count == 1 && !active[0]->is_untried,
	      "one failure is no death");
	finish_as(0, DEST_UNREACHABLE, 3600000);
	m[2] = new_message();
	add(m[2], "a.example", 0, false);
	turn();
	if (CHECK(active_count == 1 && active[0]->is_untried,
		  "two in a row are: mail is deferred without a try")) {
		char why[300];

		schedule_why(active[0], why, sizeof(why));
		CHECK(strstr(why, "a.example could not be reached the last 2 "
				  "times: no route; next probe in ") != NULL,
		      "it is said why");
		CHECK_INT(schedule_active(), 0, "and takes no slot");
		finish(0, 3600000);
	}
	CHECK(starts(1) && !active[0]->is_untried, "then there is a probe");
	m[3] = new_message();
	add(m[3], "a.example", 0, false);
	turn();
	CHECK(active_count == 2 && active[1]->is_untried, "one at a time");
	finish_as(0, DEST_UNREACHABLE, 3600000);
	CHECK(starts(2) && !active[1]->is_untried, "and another");
	finish_as(1, DEST_TOOK, -1);
	turn();
	CHECK_INT(schedule_active(), 2,
		  "what is answered revives it: all that waited is due");
	finish(0, 3600000); /* it was being settled meanwhile */
	turn();
	CHECK_INT(schedule_active(), 3, "what is told of later too");
	for (i = 0; i < active_count; i++)
		CHECK(!active[i]->is_untried, "and is tried");
	finish_all();
}

static void
test_dead_asked(void)
{
	struct message *m;

	begin(20, 5);
	rules(20, 5, 5);
	m = new_message();
	add(m, "a.example", 0, false);
	turn();
	finish_as(0, DEST_UNREACHABLE, 1);
	CHECK(starts(1), "another try");
	finish_as(0, DEST_UNREACHABLE, 3600000);
	schedule_now(m);
	turn();
	CHECK(active_count == 1 && !active[0]->is_untried,
	      "an administrator may have a dead destination tried");
	finish_all();
}

/* A list of many domains and one message behind it. */
static void
test_big_list(void)
{
	static char names[5000][24];
	static const char *domains[5000];
	struct message *small;
	size_t i, before = 0;

	for (i = 0; i < 5000; i++) {
		(void)str_fmt(names[i], sizeof(names[i]), "d%zu.example", i);
		domains[i] = names[i];
	}
	begin(40, 5);
	started[0] = '\0';
	schedule_add(new_message(), domains, 5000, 0, false);
	small = new_message();
	add(small, "small.example", 0, false);
	turn();
	while (active_count > 0) {
		started[0] = '\0';
		if (active[0]->m == small)
			break;
		before++;
		finish_as(0, DEST_TOOK, -1);
		turn();
	}
	CHECK(active_count > 0 && before <= 2 * SCHEDULE_SHARE,
	      "a small message is behind %zu of 5,000", before);
	while (active_count > 0 && before < 6000) {
		started[0] = '\0';
		before++;
		finish_as(0, DEST_TOOK, -1);
		turn();
	}
	CHECK_INT(before, 5001, "all of the list is started in its time");
	finish_all();
}

/* Ten thousand recipients of one domain are a job after the other. */
static void
test_big_domain(void)
{
	struct message *big, *small;

	begin(1, 1);
	big = new_message();
	add(big, "a.example", 0, false);
	turn();
	small = new_message();
	add(small, "a.example", 0, false);
	finish(0, 0);
	turn();
	CHECK(active_count == 1 && active[0]->m == small,
	      "a message comes between the jobs of another");
	finish(0, -1);
	turn();
	CHECK(active_count == 1 && active[0]->m == big && !active[0]->is_retry,
	      "whose next one is no retry");
	finish_all();
}

static void
test_retry_times(void)
{
	int64_t first = 300000, max = 14400000, wait, last = 0;
	uint32_t i;

	for (i = 1; i < 40; i++) {
		wait = schedule_retry_ms(i, first, max, 0);
		CHECK(wait >= last && wait <= max, "wait %u grows", i);
		last = wait;
	}
	CHECK_INT(schedule_retry_ms(1, first, max, 0), 270000,
		  "the first is a tenth less");
	CHECK_INT(schedule_retry_ms(1, first, max, 60000), 330000,
		  "to a tenth more");
	CHECK_INT(schedule_retry_ms(2, first, max, 45000), 450000,
		  "the second is 1.5 times the first");
	CHECK_INT(last, max - max / 10, "the last is as long as may be");
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
	test_growth();
	test_share();
	test_first_try();
	test_dead();
	test_dead_asked();
	test_big_list();
	test_big_domain();
	test_retry_times();
	return check_done();
}
