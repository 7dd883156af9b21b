/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Events (events.def) with hysteresis and a rate limit, worked out of
 * glances.  Has no clock and sends nothing: who calls says what time it is
 * and gets told.
 */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "glance.h"

enum event_id {
#define EVENT(name, number, reader, help) EVENT_##name,
#include "events.def"
#undef EVENT
	EVENT_COUNT
};

struct event {
	const char *name, *help;
	uint32_t number;
	bool is_raised;
	bool is_told; /* that it was raised */
	bool is_low; /* little is bad */
	bool is_known; /* value and limit are of the last look */
	int64_t value, limit;
	int64_t since_us; /* wall clock of the last change, 0: none yet */
	int64_t turn_ms; /* since when it ought to change, -1: it ought not */
	int64_t told_ms; /* when it was last told to be raised, -1: never */
};

typedef void events_tell_fn(const struct event *e, void *arg);

/* conf is borrowed for good. */
void events_init(const struct conf *conf);
/* now_ms never goes back; tell is called for each change to be told. */
void events_look(const struct glance *g, int64_t now_ms, events_tell_fn *tell,
		 void *arg);
const struct event *events_get(enum event_id id);
/* "raised: HELP: 7, limit 5", or "over: ...". */
void events_text(const struct event *e, char *dst, size_t size);

#endif
