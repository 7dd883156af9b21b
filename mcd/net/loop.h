/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The event loop of a role: timers, descriptors, signals, and work to be
 * done before the next wait.  libevent stands behind it; the timers,
 * watches and defers belong to their owners and are embedded in their
 * structs.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "list.h"

struct event;

void loop_init(void);
void loop_run(void);
/* loop_run() returns after the current callback. */
void loop_stop(void);
/* Monotonic milliseconds. */
int64_t loop_now_ms(void);

typedef void loop_fn(void *arg);

/*
 * One shot.  A zeroed timer may be cleared.  The clock behind it is coarse:
 * it may fire some 4 ms early.
 */
struct timer {
	struct event *ev;
	loop_fn *fn;
	void *arg;
};
void timer_init(struct timer *t, loop_fn *fn, void *arg);
/* (Re)starts it; 0: at the next turn of the loop. */
void timer_set(struct timer *t, int64_t ms);
bool timer_is_set(const struct timer *t);
void timer_clear(struct timer *t);
/* Clears and gives back what timer_init() took. */
void timer_release(struct timer *t);

#define WATCH_READ 1
#define WATCH_WRITE 2
typedef void watch_fn(void *arg, int what);
/* Level triggered, stays until changed. */
struct watch {
	struct event *ev;
	int fd;
	int what;
	watch_fn *fn;
	void *arg;
};
void watch_init(struct watch *w, int fd, watch_fn *fn, void *arg);
/* what 0: neither. */
void watch_set(struct watch *w, int what);
void watch_release(struct watch *w);

/* Runs fn once before the loop waits again; adding twice is once. */
struct defer {
	struct list node;
	loop_fn *fn;
	void *arg;
};
void defer_init(struct defer *d, loop_fn *fn, void *arg);
void defer_add(struct defer *d);
void defer_release(struct defer *d);

/* fn(signo as pointer-sized integer) in the loop. */
void loop_on_signal(int signo, void (*fn)(int signo));
/* For vendors that bring their own events (libunbound): event_base. */
void *loop_base(void);

#endif
