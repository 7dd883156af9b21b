/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a thread tells the loop that something is done.
 */
#ifndef WAKE_H
#define WAKE_H

#include <stdbool.h>

#include "loop.h"

struct wake {
	int fd;
	struct watch watch;
	struct timer look;
	loop_fn *fn;
	void *arg;
};

/* fn is called in the loop after each wake_send(), several at once being
 * one.  -1 with errno. */
int wake_init(struct wake *w, loop_fn *fn, void *arg);
void wake_release(struct wake *w);
/* From any thread. */
void wake_send(struct wake *w);
/* While something is expected fn is called every so often, should a
 * wake-up be lost. */
void wake_expect(struct wake *w, bool is_expected);

#endif
