/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An eventfd that the loop watches.
 */
#include "wake.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "file.h"

#define LOOK_MS 250

static void
on_event(void *arg, int what)
{
	struct wake *w = arg;
	uint64_t n;

	(void)what;
	while (read(w->fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
	w->fn(w->arg);
}

static void
on_look(void *arg)
{
	struct wake *w = arg;

	timer_set(&w->look, LOOK_MS);
	w->fn(w->arg);
}

int
wake_init(struct wake *w, loop_fn *fn, void *arg)
{
	w->fn = fn;
	w->arg = arg;
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0)
		return -1;
	watch_init(&w->watch, w->fd, on_event, w);
	watch_set(&w->watch, WATCH_READ);
	timer_init(&w->look, on_look, w);
	return 0;
}

void
wake_release(struct wake *w)
{
	watch_release(&w->watch);
	timer_release(&w->look);
	file_shut(&w->fd);
}

void
wake_send(struct wake *w)
{
	uint64_t one = 1;
	ssize_t n;

	do {
		n = write(w->fd, &one, sizeof(one));
	} while (n < 0 && errno == EINTR);
}

void
wake_expect(struct wake *w, bool is_expected)
{
	if (!is_expected)
		timer_clear(&w->look);
	else if (!timer_is_set(&w->look))
		timer_set(&w->look, LOOK_MS);
}
