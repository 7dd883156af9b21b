/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Points of filters: thousandths in memory, decimals for people.
 */
#ifndef POINTS_H
#define POINTS_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* "7.5" of 7500: one digit behind the point at least; size >= 32. */
void points_text(int64_t value, char *dst, size_t size);
/* "7.5" to 7500: at most three digits behind the point. */
int points_parse(const char *text, int64_t *out, struct err *e);

#endif
