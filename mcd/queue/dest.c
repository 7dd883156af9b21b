/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One success for each delivery of a round adds one to the next round; a
 * round that fails halves it.
 */
#include "dest.h"

#define PROBE_DOUBLINGS 3

int64_t
dest_load_limit(const struct dest_load *l, const struct dest_rules *r)
{
	int64_t limit = l->window > 0 ? l->window : r->initial;

	if (limit > r->max)
		limit = r->max;
	return limit > 1 ? limit : 1;
}

/* Only where more would have been used: what is never tried is unknown. */
static void
grow(struct dest_load *l, const struct dest_rules *r, int64_t active)
{
	int64_t limit = dest_load_limit(l, r);

	if (active + r->initial < limit || limit >= r->max)
		return;
	if (++l->credit < limit)
		return;
	l->credit = 0;
	l->window = limit + 1;
}

static enum dest_change
take_answer(struct dest_load *l, const struct dest_rules *r, bool is_success,
	    int64_t active)
{
	bool was_dead = l->is_dead;

	l->failures = 0;
	l->probes = 0;
	l->is_proven = true;
	l->is_dead = false;
	if (was_dead) {
		l->window = 0;
		l->credit = 0;
		return DEST_REVIVED;
	}
	if (is_success)
		grow(l, r, active);
	return DEST_SAME;
}

static enum dest_change
take_failure(struct dest_load *l, const struct dest_rules *r, int64_t started,
	     int64_t now)
{
	int64_t limit = dest_load_limit(l, r);

	l->is_proven = false;
	l->credit = 0;
	if (l->is_dead) {
		/* What was under way when it died is no probe. */
		if (started >= l->failed_at)
			l->probes++;
		return DEST_SAME;
	}
	if (l->failures > 0 && started < l->failed_at)
		return DEST_SAME;
	l->failures++;
	l->failed_at = now;
	l->window = limit / 2 > 1 ? limit / 2 : 1;
	if (r->dead_after == 0 || l->failures < r->dead_after)
		return DEST_SAME;
	l->is_dead = true;
	l->probes = 0;
	return DEST_DIED;
}

enum dest_change
dest_load_take(struct dest_load *l, const struct dest_rules *r,
	       enum dest_result result, int64_t active, int64_t started,
	       int64_t now)
{
	switch (result) {
	case DEST_TOOK:
		return take_answer(l, r, true, active);
	case DEST_ANSWERED:
		return take_answer(l, r, false, active);
	case DEST_UNREACHABLE:
		return take_failure(l, r, started, now);
	case DEST_UNKNOWN:
		break;
	}
	return DEST_SAME;
}

int64_t
dest_load_probe_wait(const struct dest_load *l, const struct dest_rules *r)
{
	unsigned n = l->probes;

	int64_t wait = r->probe_ms
		       << (n < PROBE_DOUBLINGS ? n : PROBE_DOUBLINGS);

	return wait < r->probe_max_ms ? wait : r->probe_max_ms;
}

bool
dest_load_is_blank(const struct dest_load *l)
{
	return l->window == 0 && l->credit == 0 && l->failures == 0 &&
	       !l->is_proven && !l->is_dead;
}
