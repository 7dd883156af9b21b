/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What panels have in common.
 */
#include "panel.h"

#include "units.h"

void
panel_count(struct table_row *r, int col, int64_t n)
{
	char text[UNITS_SIZE];

	table_number(r, col, n == 0 ? INK_DIM : INK_TEXT, n,
		     units_count(text, n));
}

void
panel_count_bad(struct table_row *r, int col, int64_t n)
{
	char text[UNITS_SIZE];

	table_number(r, col, n == 0 ? INK_DIM : INK_WARN, n,
		     units_count(text, n));
}

void
panel_rate(struct table_row *r, int col, int64_t milli)
{
	char text[UNITS_SIZE];

	table_number(r, col, milli <= 0 ? INK_DIM : INK_TEXT, milli,
		     units_rate(text, milli));
}
