/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The thread only ever writes what filters keep aside for it, and is waited
 * for before that is looked at.
 */
#include "renew.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "filter.h"
#include "log.h"
#include "loop.h"
#include "slot.h"

#define LOOK_MS 60000 /* between looks for new signatures */
#define DONE_MS 50 /* between looks at the thread */

static struct {
	struct timer look;
	pthread_t thread;
	bool is_loading;
	bool is_asked; /* for another look, after this load */
	atomic_bool is_done;
	uint64_t stale, loaded; /* filters, bits */
	void (*adopted)(void);
} self;

static void *
run(void *arg)
{
	(void)arg;
	self.loaded = filters_load_set(self.stale);
	atomic_store(&self.is_done, true);
	return NULL;
}

/* Signals are the loop's. */
static int
start_thread(void)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&self.thread, NULL, run, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

static void
end(void)
{
	self.is_loading = false;
	slots_hold(false);
	if (self.loaded == 0)
		return;
	filters_adopt_set(self.loaded);
	self.adopted();
}

static void
look(void *arg)
{
	int failed;

	(void)arg;
	if (self.is_loading && !atomic_load(&self.is_done)) {
		timer_set(&self.look, DONE_MS);
		return;
	}
	timer_set(&self.look, self.is_asked ? 0 : LOOK_MS);
	self.is_asked = false;
	if (self.is_loading) {
		(void)pthread_join(self.thread, NULL);
		end();
		return;
	}
	self.stale = filters_stale();
	if (self.stale == 0)
		return;
	atomic_store(&self.is_done, false);
	slots_hold(true);
	failed = start_thread();
	self.is_loading = failed == 0;
	if (self.is_loading) {
		timer_set(&self.look, DONE_MS);
		return;
	}
	log_warn("- no thread for new signatures: %s", strerror(failed));
	slots_hold(false);
}

void
renew_start(void (*adopted)(void))
{
	self.adopted = adopted;
	timer_init(&self.look, look, NULL);
	timer_set(&self.look, LOOK_MS);
}

void
renew_now(void)
{
	self.is_asked = self.is_loading;
	if (!self.is_loading)
		timer_set(&self.look, 0);
}

bool
renew_is_loading(void)
{
	return self.is_loading;
}

void
renew_stop(void)
{
	timer_clear(&self.look);
}
