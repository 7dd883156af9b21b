/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A circuit breaker: a filter whose server or engine fails again and again
 * is left out for a while, then tried with one message, and used again once
 * that succeeds.  Knows no clock of its own.
 */
#ifndef BREAKER_H
#define BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_HISTORY 32 /* calls that the share is of */

enum breaker_state { BREAKER_CLOSED, BREAKER_HALF, BREAKER_OPEN };

struct breaker_limits {
	int64_t failures; /* in a row that open it, 0: it never opens */
	int64_t share; /* percent of the last calls that do, 0: none */
	int64_t time_ms; /* it stays open */
};

/* Closed when zeroed. */
struct breaker {
	enum breaker_state state;
	int64_t row; /* failures since the last success */
	uint32_t history; /* a bit each call, the last lowest; 1 failed */
	unsigned seen;
	int64_t again_ms; /* when it may be tried, while it is open */
	bool is_tried; /* with a message under way, while it is half open */
};

/* Whether the next message may use it; *is_trial: as the one that tries. */
bool breaker_allows(struct breaker *b, int64_t now_ms, bool *is_trial);
/* A call has ended, as the trial or not. */
void breaker_result(struct breaker *b, const struct breaker_limits *l,
		    bool is_trial, bool failed, int64_t now_ms);
/* The message that was to try it has not come to it. */
void breaker_untried(struct breaker *b);

#endif
