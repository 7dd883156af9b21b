/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Compares the clocks every minute.  A new time that has stood for a day
 * is taken for true.
 */
#include "drift.h"

#include <stdint.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "loop.h"

#define LOOK_MS 60000
#define DRIFT_MAX_MS (10 * 60000)
#define WARN_MS 3600000
#define TRUST_MS 86400000

static struct {
	int64_t apart_ms; /* wall less monotonic, as trusted */
	int64_t since_ms; /* monotonic, 0: sane */
	int64_t warned_ms;
	struct timer timer;
} self;

static void
look(void)
{
	int64_t now = clock_mono_ms();
	int64_t drift = clock_wall_ms() - now - self.apart_ms;

	if (drift <= DRIFT_MAX_MS && drift >= -DRIFT_MAX_MS) {
		if (self.since_ms != 0)
			log_warn("clock sane: mail expires again");
		self.since_ms = 0;
		return;
	}
	if (self.since_ms == 0) {
		self.since_ms = now;
		self.warned_ms = 0;
	}
	if (now - self.since_ms > TRUST_MS) {
		log_warn("clock drift_ms=%lld trusted after a day",
			 (long long)drift);
		self.apart_ms += drift;
		self.since_ms = 0;
	} else if (self.warned_ms == 0 || now - self.warned_ms > WARN_MS) {
		self.warned_ms = now;
		log_warn("clock drift_ms=%lld: the wall clock has jumped, no "
			 "mail expires until it is right",
			 (long long)drift);
	}
}

static void
on_timer(void *arg)
{
	(void)arg;
	look();
	timer_set(&self.timer, LOOK_MS);
}

void
drift_init(void)
{
	memset(&self, 0, sizeof(self));
	self.apart_ms = clock_wall_ms() - clock_mono_ms();
	timer_init(&self.timer, on_timer, NULL);
	timer_set(&self.timer, LOOK_MS);
}

bool
drift_is_sane(void)
{
	look();
	return self.since_ms == 0;
}
