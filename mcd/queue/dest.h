/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How many deliveries at a time a destination is given, from what became
 * of those before: few at first, more with each success that needed them,
 * half after a failure to reach it, and none but a probe now and then
 * when it is taken for dead.  No I/O and no clock.
 */
#ifndef DEST_H
#define DEST_H

#include <stdbool.h>
#include <stdint.h>

enum dest_result {
	DEST_TOOK, /* a message was delivered */
	DEST_ANSWERED, /* it talked to us, and refused or put off */
	DEST_UNREACHABLE, /* no next hop could be talked to */
	DEST_UNKNOWN /* nothing is to be learnt of it */
};

enum dest_change { DEST_SAME, DEST_DIED, DEST_REVIVED };

struct dest_rules {
	int64_t initial; /* deliveries at a time in the beginning */
	int64_t max;
	int64_t dead_after; /* failures in a row, 0: it never dies */
	int64_t probe_ms; /* from the death to the first probe */
	int64_t probe_max_ms; /* from one to the next */
};

/* A zeroed one is a destination that nothing is known of. */
struct dest_load {
	int64_t window; /* 0: what is initial */
	int64_t credit; /* successes towards the next step up */
	int64_t failures; /* in a row */
	int64_t failed_at; /* when the last of them was told */
	unsigned probes; /* failed ones since it died */
	bool is_proven; /* the last that was learnt is good */
	bool is_dead;
};

/* At least 1. */
int64_t dest_load_limit(const struct dest_load *l, const struct dest_rules *r);
/*
 * A delivery that began at started, one of active, has come to an end.
 * started and now count starts and ends: what is later is greater.
 * Those that ran side by side fail as one: what counts as a failure in a
 * row began after the one before was told.
 */
enum dest_change dest_load_take(struct dest_load *l, const struct dest_rules *r,
				enum dest_result result, int64_t active,
				int64_t started, int64_t now);
/* Until the next probe of a dead one: twice as long each time, up to
 * eight times the first, or to what is most. */
int64_t dest_load_probe_wait(const struct dest_load *l,
			     const struct dest_rules *r);
/* Nothing would be lost if it were forgotten. */
bool dest_load_is_blank(const struct dest_load *l);

#endif
