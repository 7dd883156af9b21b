/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The event loop on libevent.  Each turn runs what was deferred, then
 * waits once; what is deferred during a turn makes the next wait a mere
 * look, so that nothing starves and nothing waits in vain.
 */
#include "loop.h"

#include <event2/event.h>
#include <signal.h>
#include <stddef.h>

#include "clock.h"
#include "log.h"

static struct {
	struct event_base *base;
	struct list defers;
	bool is_stopped;
	struct event *signals[NSIG];
	void (*signal_fns[NSIG])(int signo);
} loop;

void
loop_init(void)
{
	loop.base = event_base_new();
	if (loop.base == NULL)
		fatal(71, "event loop cannot be made");
	list_init(&loop.defers);
	loop.is_stopped = false;
}

static void
run_defers(void)
{
	struct list now, *n;
	struct defer *d;

	list_init(&now);
	list_splice(&now, &loop.defers);
	while ((n = list_pop(&now)) != NULL) {
		d = list_entry(n, struct defer, node);
		d->fn(d->arg);
	}
}

void
loop_run(void)
{
	int flags;

	loop.is_stopped = false;
	while (!loop.is_stopped) {
		run_defers();
		if (loop.is_stopped)
			break;
		flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;
		if (!list_is_empty(&loop.defers))
			flags |= EVLOOP_NONBLOCK;
		if (event_base_loop(loop.base, flags) < 0)
			fatal(71, "event loop failed");
	}
}

void
loop_stop(void)
{
	loop.is_stopped = true;
	event_base_loopbreak(loop.base);
}

int64_t
loop_now_ms(void)
{
	return clock_mono_ms();
}

void *
loop_base(void)
{
	return loop.base;
}

static void
timer_fired(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;

	(void)fd;
	(void)what;
	t->fn(t->arg);
}

void
timer_init(struct timer *t, loop_fn *fn, void *arg)
{
	t->fn = fn;
	t->arg = arg;
	t->ev = event_new(loop.base, -1, 0, timer_fired, t);
	if (t->ev == NULL)
		fatal(71, "out of memory for a timer");
}

void
timer_set(struct timer *t, int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (event_add(t->ev, &tv) != 0)
		fatal(71, "out of memory for a timer");
}

bool
timer_is_set(const struct timer *t)
{
	return t->ev != NULL && event_pending(t->ev, EV_TIMEOUT, NULL);
}

void
timer_clear(struct timer *t)
{
	if (t->ev != NULL)
		event_del(t->ev);
}

void
timer_release(struct timer *t)
{
	if (t->ev != NULL)
		event_free(t->ev);
	t->ev = NULL;
}

static void
watch_fired(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	w->fn(w->arg, (what & EV_READ ? WATCH_READ : 0) |
			      (what & EV_WRITE ? WATCH_WRITE : 0));
}

void
watch_init(struct watch *w, int fd, watch_fn *fn, void *arg)
{
	w->fd = fd;
	w->what = 0;
	w->fn = fn;
	w->arg = arg;
	w->ev = event_new(loop.base, fd, EV_PERSIST, watch_fired, w);
	if (w->ev == NULL)
		fatal(71, "out of memory for a watch");
}

void
watch_set(struct watch *w, int what)
{
	short flags = EV_PERSIST;

	if (what == w->what)
		return;
	if (w->what != 0)
		event_del(w->ev);
	w->what = what;
	if (what == 0)
		return;
	if (what & WATCH_READ)
		flags |= EV_READ;
	if (what & WATCH_WRITE)
		flags |= EV_WRITE;
	if (event_assign(w->ev, loop.base, w->fd, flags, watch_fired, w) != 0 ||
	    event_add(w->ev, NULL) != 0)
		fatal(71, "descriptor %d cannot be watched", w->fd);
}

void
watch_release(struct watch *w)
{
	if (w->ev != NULL)
		event_free(w->ev);
	w->ev = NULL;
	w->what = 0;
}

void
defer_init(struct defer *d, loop_fn *fn, void *arg)
{
	list_init(&d->node);
	d->fn = fn;
	d->arg = arg;
}

void
defer_add(struct defer *d)
{
	if (!list_is_on(&d->node))
		list_push(&loop.defers, &d->node);
}

void
defer_release(struct defer *d)
{
	if (d->node.next != NULL)
		list_del(&d->node);
}

static void
signal_fired(evutil_socket_t signo, short what, void *arg)
{
	(void)what;
	(void)arg;
	loop.signal_fns[signo]((int)signo);
}

void
loop_on_signal(int signo, void (*fn)(int signo))
{
	if (signo <= 0 || signo >= NSIG)
		bug("signal %d", signo);
	loop.signal_fns[signo] = fn;
	if (loop.signals[signo] != NULL)
		return;
	loop.signals[signo] =
		evsignal_new(loop.base, signo, signal_fired, NULL);
	if (loop.signals[signo] == NULL ||
	    evsignal_add(loop.signals[signo], NULL) != 0)
		fatal(71, "signal %d cannot be watched", signo);
}
