/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rings of moments.  A slot belongs to a step of time; a later moment of
 * the same step replaces an earlier one.
 */
#include "trend.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#define SECOND 1000000LL
#define FINE_SLOTS 128
#define HOUR_STEP (5 * SECOND)
#define HOUR_SLOTS 736
#define DAY_STEP (60 * SECOND)
#define DAY_SLOTS 1448

struct moment {
	int64_t at_us; /* 0: empty */
	int64_t values[STAT_COUNT];
};

struct ring {
	int64_t step_us;
	int slots;
	struct moment *moments;
};

enum { FINE, HOUR, DAY, RINGS };

struct trend {
	struct ring rings[RINGS];
	struct moment now, first;
	int64_t end_us;
};

static void
ring_init(struct ring *r, int64_t step_us, int slots)
{
	r->step_us = step_us;
	r->slots = slots;
	r->moments = xcalloc((size_t)slots, sizeof(*r->moments));
}

struct trend *
trend_new(void)
{
	struct trend *t = xcalloc(1, sizeof(*t));

	ring_init(&t->rings[FINE], SECOND, FINE_SLOTS);
	ring_init(&t->rings[HOUR], HOUR_STEP, HOUR_SLOTS);
	ring_init(&t->rings[DAY], DAY_STEP, DAY_SLOTS);
	return t;
}

void
trend_free(struct trend *t)
{
	if (t == NULL)
		return;
	for (int i = 0; i < RINGS; i++)
		free(t->rings[i].moments);
	free(t);
}

/* The slot of a time; what it holds may be of another. */
static struct moment *
slot_of(const struct ring *r, int64_t at_us)
{
	return &r->moments[at_us / r->step_us % r->slots];
}

/* What is known of the step that a time is in, or NULL. */
static const struct moment *
moment_at(const struct ring *r, int64_t at_us)
{
	const struct moment *m;

	if (at_us <= 0)
		return NULL;
	m = slot_of(r, at_us);
	return m->at_us != 0 && m->at_us / r->step_us == at_us / r->step_us
		       ? m
		       : NULL;
}

void
trend_add(struct trend *t, int64_t wall_us, const int64_t values[STAT_COUNT])
{
	if (wall_us <= 0)
		return;
	t->now.at_us = t->end_us = wall_us;
	memcpy(t->now.values, values, sizeof(t->now.values));
	if (t->first.at_us == 0)
		t->first = t->now;
	for (int i = 0; i < RINGS; i++)
		*slot_of(&t->rings[i], wall_us) = t->now;
}

void
trend_end(struct trend *t, int64_t wall_us)
{
	t->end_us = wall_us;
}

static void
add_past(struct ring *r, enum stat_id st, int64_t at_us, int64_t value)
{
	struct moment *m = slot_of(r, at_us);

	if (m->at_us / r->step_us != at_us / r->step_us) {
		if (m->at_us > at_us)
			return; /* later ones have this slot */
		memset(m, 0, sizeof(*m));
		m->at_us = at_us;
	}
	m->values[st] = value;
}

void
trend_add_past(struct trend *t, enum stat_id st, int64_t from_us, int64_t from,
	       int64_t to_us, int64_t to)
{
	int i, steps = 0;
	int64_t at;

	if (from_us <= 0 || to_us <= from_us)
		return;
	for (i = HOUR; i < RINGS; i++) {
		struct ring *r = &t->rings[i];

		for (at = from_us; at <= to_us && steps < DAY_SLOTS;
		     at += r->step_us, steps++)
			add_past(r, st, at,
				 from + (int64_t)((double)(to - from) *
						  (double)(at - from_us) /
						  (double)(to_us - from_us)));
	}
}

static const struct ring *
ring_for(const struct trend *t, int64_t last_us)
{
	int i = last_us <= (FINE_SLOTS - 8) * SECOND	   ? FINE
		: last_us <= (HOUR_SLOTS - 16) * HOUR_STEP ? HOUR
							   : DAY;

	return &t->rings[i];
}

/* The oldest that is known from a time on, the present at the latest. */
static const struct moment *
oldest_from(const struct trend *t, const struct ring *r, int64_t from_us)
{
	int64_t start_us = from_us;
	const struct moment *m;
	int i;

	for (i = 0; i < r->slots; i++, from_us += r->step_us) {
		if (from_us >= t->now.at_us)
			break;
		m = moment_at(r, from_us);
		if (m != NULL && m->at_us < t->now.at_us)
			return t->first.at_us >= start_us &&
					       t->first.at_us < m->at_us
				       ? &t->first
				       : m;
	}
	return t->first.at_us >= start_us ? &t->first : &t->now;
}

int64_t
trend_growth(const struct trend *t, enum stat_id st, int64_t last_us,
	     int64_t *span_us)
{
	const struct ring *r = ring_for(t, last_us);
	const struct moment *m = oldest_from(t, r, t->now.at_us - last_us);
	int64_t grown = t->now.values[st] - m->values[st];

	*span_us = t->now.at_us - m->at_us;
	if (*span_us <= 0)
		return TREND_UNKNOWN;
	return grown < 0 ? 0 : grown; /* totals of a crash may be lost */
}

int64_t
trend_rate(const struct trend *t, enum stat_id st, int64_t last_us)
{
	int64_t span_us, grown = trend_growth(t, st, last_us, &span_us);

	if (grown < 0)
		return TREND_UNKNOWN;
	return (int64_t)((double)grown * 1e9 / (double)span_us + 0.5);
}

/* The largest of a gauge between two times. */
static int64_t
largest_in(const struct ring *r, enum stat_id st, int64_t from_us,
	   int64_t to_us)
{
	int64_t largest = TREND_UNKNOWN, at;
	const struct moment *m;

	for (at = from_us; at < to_us; at += r->step_us) {
		m = moment_at(r, at);
		if (m != NULL && m->values[st] > largest)
			largest = m->values[st];
	}
	return largest;
}

static const struct moment *
last_in(const struct ring *r, int64_t from_us, int64_t to_us)
{
	const struct moment *m, *last = NULL;
	int64_t at;

	for (at = from_us; at < to_us; at += r->step_us) {
		m = moment_at(r, at);
		if (m != NULL)
			last = m;
	}
	return last;
}

void
trend_values(const struct trend *t, enum stat_id st, int64_t last_us,
	     int64_t *values, int count)
{
	const struct ring *r = ring_for(t, last_us);
	int64_t start = t->end_us - last_us, from, to;
	const struct moment *m, *before = NULL;
	int i;

	for (i = 0; i < count; i++) {
		from = start + last_us / count * i;
		to = start + last_us / count * (i + 1);
		/* Parts shorter than a step share its moment. */
		if (to - from < r->step_us)
			from = to - r->step_us + 1;
		if (!stats_is_counter(st)) {
			values[i] = largest_in(r, st, from + 1, to + 1);
			continue;
		}
		values[i] = TREND_UNKNOWN;
		m = last_in(r, from + 1, to + 1);
		if (m == NULL)
			continue;
		if (before != NULL && m->at_us > before->at_us)
			values[i] =
				(int64_t)((double)(m->values[st] -
						   before->values[st]) *
					  1e9 /
					  (double)(m->at_us - before->at_us));
		else if (before != NULL && i > 0)
			values[i] = values[i - 1];
		if (values[i] < 0 && before != NULL)
			values[i] = 0;
		before = m;
	}
}
