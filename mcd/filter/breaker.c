/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Results of messages that began before it opened change nothing: only
 * the trial closes it.
 */
#include "breaker.h"

#include <string.h>

bool
breaker_allows(struct breaker *b, int64_t now_ms, bool *is_trial)
{
	*is_trial = false;
	if (b->state == BREAKER_CLOSED)
		return true;
	if (b->state == BREAKER_OPEN && now_ms >= b->again_ms) {
		b->state = BREAKER_HALF;
		b->is_tried = false;
	}
	if (b->state != BREAKER_HALF || b->is_tried)
		return false;
	b->is_tried = *is_trial = true;
	return true;
}

static int64_t
percent_failed(uint32_t history)
{
	int64_t n = 0;

	for (; history != 0; history &= history - 1)
		n++;
	return n * 100 / BREAKER_HISTORY;
}

static bool
is_too_much(const struct breaker *b, const struct breaker_limits *l)
{
	if (l->failures <= 0)
		return false;
	return b->row >= l->failures ||
	       (l->share > 0 && b->seen >= BREAKER_HISTORY &&
		percent_failed(b->history) >= l->share);
}

static void
open_for(struct breaker *b, const struct breaker_limits *l, int64_t now_ms)
{
	b->state = BREAKER_OPEN;
	b->is_tried = false;
	b->again_ms = now_ms + l->time_ms;
}

void
breaker_result(struct breaker *b, const struct breaker_limits *l, bool is_trial,
	       bool failed, int64_t now_ms)
{
	if (b->state == BREAKER_HALF && is_trial) {
		if (failed)
			open_for(b, l, now_ms);
		else
			memset(b, 0, sizeof(*b));
		return;
	}
	if (b->state != BREAKER_CLOSED)
		return;
	b->row = failed ? b->row + 1 : 0;
	b->history = b->history << 1 | failed;
	if (b->seen < BREAKER_HISTORY)
		b->seen++;
	if (failed && is_too_much(b, l))
		open_for(b, l, now_ms);
}

void
breaker_untried(struct breaker *b)
{
	if (b->state == BREAKER_HALF)
		b->is_tried = false;
}
