/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * In mcctl-net alone.
 */
#include "other.h"

bool
other_is_this(void)
{
	return true;
}
