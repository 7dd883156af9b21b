/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The outgoing role: routing and deliveries to next hops.
 */
#ifndef OUTGOING_H
#define OUTGOING_H

#include "role.h"

extern const struct role_ops outgoing_ops;

#endif
