/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The event loop: timers, deferred work, descriptors, signals.
 */
#include <signal.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "file.h"
#include "loop.h"

#define DEADLINE_MS 10000

static char order[64];
static char name_a[] = "a", name_b[] = "b", name_c[] = "c";

static void
note(void *arg)
{
	const char *text = arg;
	size_t used = strlen(order);

	snprintf(order + used, sizeof(order) - used, "%s", text);
}

static void
stop(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
give_up(void *arg)
{
	(void)arg;
	printf("# deadline\n");
	loop_stop();
}

/* Runs until somebody stops the loop. */
static void
run(void)
{
	struct timer t;

	timer_init(&t, give_up, NULL);
	timer_set(&t, DEADLINE_MS);
	loop_run();
	timer_release(&t);
}

static void
test_timers(void)
{
	struct timer a, b, c, end, zero = { 0 };
	int64_t start = clock_mono_ms();

	order[0] = '\0';
	timer_clear(&zero);
	CHECK(!timer_is_set(&zero), "a zeroed timer is not set");
	timer_release(&zero);
	timer_init(&a, note, name_a);
	timer_init(&b, note, name_b);
	timer_init(&c, note, name_c);
	timer_init(&end, stop, NULL);
	timer_set(&end, 80);
	timer_set(&b, 40);
	timer_set(&a, 1000);
	timer_set(&a, 10);
	timer_set(&c, 20);
	CHECK(timer_is_set(&c), "a timer that runs is set");
	timer_clear(&c);
	CHECK(!timer_is_set(&c), "a cleared timer is not set");
	run();
	CHECK_STR(order, "ab",
		  "timers fire in their order, restarted ones once, cleared "
		  "ones never");
	CHECK(clock_mono_ms() - start >= 75, "no timer is early");
	CHECK(!timer_is_set(&a), "a timer fires once");
	timer_release(&a);
	timer_release(&b);
	timer_release(&c);
	timer_release(&end);
	CHECK(!timer_is_set(&a), "a released timer is not set");
}

static struct timer own;

static void
release_own(void *arg)
{
	(void)arg;
	timer_release(&own);
	loop_stop();
}

static void
test_release_inside(void)
{
	timer_init(&own, release_own, NULL);
	timer_set(&own, 0);
	run();
	CHECK(!timer_is_set(&own), "a timer may be released by its own call");
}

static struct defer again;
static int turns;

static void
add_again(void *arg)
{
	(void)arg;
	turns++;
	defer_add(&again);
}

static void
test_defer(void)
{
	struct defer a, b, zero = { 0 };
	struct timer end;

	order[0] = '\0';
	defer_release(&zero);
	defer_init(&a, note, name_a);
	defer_init(&b, note, name_b);
	timer_init(&end, stop, NULL);
	timer_set(&end, 0);
	defer_add(&a);
	defer_add(&b);
	defer_add(&a);
	run();
	CHECK_STR(order, "ab", "what is deferred runs once, in order");
	defer_add(&a);
	defer_release(&a);
	defer_init(&again, add_again, NULL);
	defer_add(&again);
	turns = 0;
	timer_set(&end, 20);
	run();
	CHECK_STR(order, "ab", "what is released does not run");
	CHECK(turns > 1, "work that defers itself does not stop timers");
	defer_release(&again);
	timer_release(&end);
}

struct pipe_test {
	struct watch watch;
	int fd[2];
	int seen;
};

static void
on_ready(void *arg, int what)
{
	struct pipe_test *t = arg;
	char c;

	t->seen |= what;
	if (what & WATCH_READ && read(t->fd[0], &c, 1) != 1)
		t->seen = -1;
	loop_stop();
}

static void
test_watch(void)
{
	struct pipe_test in = { .seen = 0 }, out = { .seen = 0 };
	struct timer end;

	if (pipe(in.fd) != 0)
		exit(EXIT_FAILURE);
	out.fd[0] = in.fd[0];
	watch_init(&in.watch, in.fd[0], on_ready, &in);
	watch_init(&out.watch, in.fd[1], on_ready, &out);
	watch_set(&out.watch, WATCH_WRITE);
	run();
	CHECK_INT(out.seen, WATCH_WRITE, "an empty pipe can be written");
	watch_set(&out.watch, 0);
	watch_set(&in.watch, WATCH_READ);
	CHECK(write(in.fd[1], "x", 1) == 1, "a byte is written");
	run();
	CHECK_INT(in.seen, WATCH_READ, "a pipe with a byte can be read");
	in.seen = out.seen = 0;
	timer_init(&end, stop, NULL);
	timer_set(&end, 20);
	run();
	CHECK(in.seen == 0 && out.seen == 0,
	      "nothing is said without a reason or after 0 was set");
	timer_release(&end);
	watch_release(&in.watch);
	watch_release(&out.watch);
	close(in.fd[0]);
	close(in.fd[1]);
}

static int caught;

static void
on_signal(int signo)
{
	caught = signo;
	loop_stop();
}

static void
test_signal(void)
{
	loop_on_signal(SIGUSR1, on_signal);
	kill(getpid(), SIGUSR1);
	run();
	CHECK_INT(caught, SIGUSR1, "a signal is handled in the loop");
}

int
main(void)
{
	loop_init();
	test_timers();
	test_release_inside();
	test_defer();
	test_watch();
	test_signal();
	return check_done();
}
