/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The pool's book of its filters: how often each was asked, what came of
 * it, how long it took (the table "filter" of the stats), and its breaker.
 * Filters are numbers in filter_table; sets of them are bits.
 */
#ifndef FIGURES_H
#define FIGURES_H

#include <stdint.h>

#include "proto.h"

/* Rows of all filters, closed. */
void figures_start(void);
/* What was broken may be mended: all breakers are closed. */
void figures_reset(void);
/* A message is about to begin: the filters that it must leave out, and in
 * *trials those whose breaker it tries. */
uint64_t figures_left_out(uint64_t *trials);
/* What a worker says of one call; *trials loses it. */
void figures_call(const struct frame_filter_call *call, uint64_t *trials);
/* The message is over: what it was to try and has not come to, or, with a
 * worker that died, not come back from. */
void figures_end(uint64_t trials, bool has_died);

#endif
