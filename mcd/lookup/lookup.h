/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The lookup role: DNS for everyone.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "role.h"

extern const struct role_ops lookup_ops;

#endif
