/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The filter role: takes messages from queue, gives each to a free
 * worker, and answers for those whose worker dies.
 */
#ifndef POOL_H
#define POOL_H

#include "role.h"

extern const struct role_ops filter_ops;

#endif
