/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The incoming role: SMTP sessions of stage 1.  It has neither spool nor
 * database: control answers what it asks, queue gives it descriptors.
 */
#ifndef INCOMING_H
#define INCOMING_H

#include "role.h"

extern const struct role_ops incoming_ops;

#endif
