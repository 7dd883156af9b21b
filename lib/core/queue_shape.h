/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How old queued mail is, by the domain of its recipients or by sender, as
 * Postfix' qshape shows it: what piles up, and where.
 */
#ifndef QUEUE_SHAPE_H
#define QUEUE_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "envelope.h"
#include "record.h"

/* Below 5, 10, 20 ... 1280 minutes, and all that is older. */
#define QUEUE_SHAPE_AGES 10
/* Rows that are given: the largest; the rest is one row. */
#define QUEUE_SHAPE_ROWS 500

struct queue_shape;

/* Recipients by their domain, or messages by their sender. */
struct queue_shape *queue_shape_new(bool is_by_sender);
/* NULL is allowed. */
void queue_shape_free(struct queue_shape *s);
void queue_shape_add(struct queue_shape *s, const struct envelope *env,
		     int64_t now_us);
/*
 * Members name, total, below_5m, below_10m ... below_1280m, above_1280m.
 * First TOTAL, then the largest, then "(others)" if there are more.
 */
void queue_shape_rows(const struct queue_shape *s,
		      void (*row)(void *arg, const struct record *r),
		      void *arg);

#endif
