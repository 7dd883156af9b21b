/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The control role: policy from memory and the control socket.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "role.h"

extern const struct role_ops control_ops;

#endif
