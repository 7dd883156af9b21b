/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Everything here comes from workers, who read hostile mail: numbers are
 * bounded before they count.
 */
#include "figures.h"

#include "breaker.h"
#include "clock.h"
#include "filter.h"
#include "log.h"
#include "role.h"
#include "stats.h"

#define FILTERS_MAX 64
#define CALL_US_MAX ((uint64_t)4000000000) /* longer than any may take */

static struct {
	struct breaker breaker[FILTERS_MAX];
	size_t row[FILTERS_MAX];
} self;

static size_t
count_of(void)
{
	return filter_count < FILTERS_MAX ? filter_count : FILTERS_MAX;
}

static void
add(size_t i, int column, int64_t n)
{
	stats_row_add(role_stats(), TABLE_FILTER, self.row[i], column, n);
}

static void
show_state(size_t i)
{
	stats_row_set(role_stats(), TABLE_FILTER, self.row[i],
		      FILTER_ROW_BREAKER, self.breaker[i].state);
}

static struct breaker_limits
limits(void)
{
	const struct knobs *k = role_knobs();

	return (struct breaker_limits){ k->breaker_failures, k->breaker_share,
					k->breaker_time };
}

void
figures_start(void)
{
	size_t i;

	for (i = 0; i < count_of(); i++) {
		self.row[i] = stats_row(role_stats(), TABLE_FILTER,
					filter_table[i]->name);
		show_state(i);
	}
}

void
figures_reset(void)
{
	size_t i;

	for (i = 0; i < count_of(); i++) {
		self.breaker[i] = (struct breaker){ .state = BREAKER_CLOSED };
		show_state(i);
	}
}

uint64_t
figures_left_out(uint64_t *trials)
{
	int64_t now_ms = clock_mono_ms();
	uint64_t out = 0;
	bool is_trial;
	size_t i;

	*trials = 0;
	for (i = 0; i < count_of(); i++) {
		if (!breaker_allows(&self.breaker[i], now_ms, &is_trial))
			out |= (uint64_t)1 << i;
		if (is_trial) {
			*trials |= (uint64_t)1 << i;
			show_state(i);
		}
	}
	return out;
}

/* A change of state is what somebody may have to act on. */
static void
take_result(size_t i, bool is_trial, bool failed, const char *why)
{
	struct breaker *b = &self.breaker[i];
	enum breaker_state was = b->state;
	struct breaker_limits l = limits();

	breaker_result(b, &l, is_trial, failed, clock_mono_ms());
	if (b->state == was)
		return;
	show_state(i);
	if (b->state == BREAKER_OPEN)
		log_warn("- filter=%s left out for %lld ms: %s",
			 filter_table[i]->name, (long long)l.time_ms, why);
	else
		log_info("- filter=%s is used again", filter_table[i]->name);
}

static void
count_call(size_t i, const struct frame_filter_call *call)
{
	static const int columns[] = {
		[CALL_HAM] = FILTER_ROW_HAM,
		[CALL_SPAM] = FILTER_ROW_SPAM,
		[CALL_UNKNOWN] = FILTER_ROW_UNKNOWN,
		[CALL_FAULT] = FILTER_ROW_ERRORS,
		[CALL_LEFT_OUT] = FILTER_ROW_LEFT_OUT,
	};
	uint64_t us = call->time_us < CALL_US_MAX ? call->time_us : CALL_US_MAX;

	if (call->outcome != CALL_LEFT_OUT)
		add(i, FILTER_ROW_CALLS, 1);
	if (call->outcome != CALL_NOTHING)
		add(i, columns[call->outcome], 1);
	add(i, FILTER_ROW_TIME_US, (int64_t)us);
	if (call->outcome == CALL_FAULT || call->outcome == CALL_UNKNOWN)
		stats_row_text(role_stats(), TABLE_FILTER, self.row[i],
			       call->why);
}

void
figures_call(const struct frame_filter_call *call, uint64_t *trials)
{
	uint64_t bit;

	if (call->filter >= count_of() || call->outcome > CALL_LEFT_OUT)
		return;
	count_call(call->filter, call);
	if (call->outcome == CALL_LEFT_OUT)
		return;
	bit = (uint64_t)1 << call->filter;
	take_result(call->filter, (*trials & bit) != 0,
		    call->outcome == CALL_FAULT, call->why);
	*trials &= ~bit;
}

void
figures_end(uint64_t trials, bool has_died)
{
	size_t i;

	for (i = 0; i < count_of(); i++) {
		if (!(trials >> i & 1))
			continue;
		if (has_died)
			take_result(i, true, true, "its worker died");
		else
			breaker_untried(&self.breaker[i]);
	}
}
