/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The window and the turns.  When control or the filters cannot answer a
 * message waits; nothing ever passes unfiltered.
 */
#include "stage.h"

#include <string.h>

#include "change.h"
#include "due.h"
#include "loop.h"
#include "role.h"
#include "scan.h"
#include "split.h"

#define AHEAD 8 /* messages made ready beyond the free slots */
#define JUDGED_MAX 64 /* whose verdicts are being made durable */
#define MOVE_WAIT_MS 1000 /* after a rename that failed */
#define MOVES_PER_TURN 256

static struct {
	struct list incoming; /* oldest first */
	struct list ready; /* in filtering, their turn is to come */
	struct due_heap delayed; /* in filtering, tried again later */
	size_t busy; /* their turn has come */
	size_t judged; /* of these: the filters have done with them */
	uint32_t slots;
	bool is_stopped;
	bool is_move_late;
	struct timer delay; /* of the first that is delayed */
	struct timer move;
	struct defer pump;
	void (*idle)(struct message *m);
} self;

static void
set_delay(void)
{
	struct due *first = due_first(&self.delayed);
	int64_t wait;

	if (first == NULL) {
		timer_clear(&self.delay);
		return;
	}
	wait = first->at_ms - loop_now_ms();
	timer_set(&self.delay, wait > 0 ? wait : 0);
}

static void
on_delay(void *arg)
{
	struct message *m;
	struct due *d;

	(void)arg;
	while ((d = due_first(&self.delayed)) != NULL &&
	       d->at_ms <= loop_now_ms()) {
		due_clear(&self.delayed, d);
		m = list_entry(d, struct message, due);
		list_push(&self.ready, &m->node);
	}
	set_delay();
	stage_wake();
}

static void
on_move(void *arg)
{
	(void)arg;
	self.is_move_late = false;
	stage_wake();
}

/* From incoming into the window. */
static void
fill_window(void)
{
	size_t window = (size_t)role_knobs()->filter_window;
	struct message *m;
	int i;

	for (i = 0; i < MOVES_PER_TURN && !self.is_move_late &&
		    message_count(STATE_FILTERING) < window &&
		    !list_is_empty(&self.incoming);
	     i++) {
		m = list_entry(self.incoming.next, struct message, node);
		if (change_move(m, STATE_FILTERING) != 0) {
			self.is_move_late = true;
			timer_set(&self.move, MOVE_WAIT_MS);
			return;
		}
		list_del(&m->node);
		list_push(&self.ready, &m->node);
	}
	if (i == MOVES_PER_TURN)
		timer_set(&self.move, 0);
}

/*
 * The disk is no reason to let workers wait: many verdicts become durable in
 * one batch, while the next messages are scanned.  Each is an envelope in
 * memory, so there is a limit.
 */
static bool
has_room(void)
{
	return self.slots > 0 && self.judged < JUDGED_MAX &&
	       self.busy - self.judged < self.slots + AHEAD;
}

static void
pump(void *arg)
{
	struct message *m;
	struct list *n;

	(void)arg;
	if (self.is_stopped)
		return;
	fill_window();
	while (has_room() && (n = list_pop(&self.ready)) != NULL) {
		m = list_entry(n, struct message, node);
		m->is_busy = true;
		self.busy++;
		scan_start(m);
	}
}

void
stage_init(void (*idle)(struct message *m))
{
	memset(&self, 0, sizeof(self));
	list_init(&self.incoming);
	list_init(&self.ready);
	timer_init(&self.delay, on_delay, NULL);
	timer_init(&self.move, on_move, NULL);
	defer_init(&self.pump, pump, NULL);
	self.idle = idle;
	scan_init();
}

void
stage_borrow(struct message *m)
{
	m->is_busy = true;
	self.busy++;
}

void
stage_enter(struct message *m)
{
	if (m->is_splitting) {
		stage_borrow(m);
		split_resume(m);
		return;
	}
	list_push(m->state == STATE_INCOMING ? &self.incoming : &self.ready,
		  &m->node);
	stage_wake();
}

void
stage_leave(struct message *m)
{
	list_del(&m->node);
	due_clear(&self.delayed, &m->due);
}

void
stage_slots(uint32_t slots)
{
	self.slots = slots;
	scan_slots(slots);
	stage_wake();
}

void
stage_stop(void)
{
	self.is_stopped = true;
}

void
stage_wake(void)
{
	defer_add(&self.pump);
}

void
stage_now(struct message *m)
{
	if (!due_is_set(&m->due))
		return;
	due_clear(&self.delayed, &m->due);
	list_push(&self.ready, &m->node);
	stage_wake();
}

size_t
stage_pending(void)
{
	return self.busy;
}

void
stage_judged(struct message *m)
{
	if (m->is_judged)
		return;
	m->is_judged = true;
	self.judged++;
	stage_wake();
}

void
stage_done(struct message *m, int64_t retry_ms)
{
	self.busy--;
	self.judged -= m->is_judged;
	m->is_judged = false;
	stage_wake();
	if (m->is_gone)
		return;
	m->is_busy = false;
	if (retry_ms > 0) {
		due_set(&self.delayed, &m->due, loop_now_ms() + retry_ms);
		set_delay();
	} else if (retry_ms == 0) {
		list_push_front(&self.ready, &m->node);
	}
	self.idle(m);
}

void
stage_release(void)
{
	timer_release(&self.delay);
	timer_release(&self.move);
	defer_release(&self.pump);
	due_release(&self.delayed);
	scan_release();
}
