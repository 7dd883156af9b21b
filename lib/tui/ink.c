/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of colours by role.
 */
#include "ink.h"

/* clang-format off */
const struct ink_row ink_rows[INK_COUNT] = {
#define INK(name, dark, dark_bg, light, light_bg, c16, c16_bg, look, help) \
	[INK_##name] = { dark, dark_bg, light, light_bg, c16, c16_bg, look },
#include "ink.def"
#undef INK
};
/* clang-format on */
