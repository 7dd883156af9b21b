/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The queue role: spool, envelopes, ledger and schedule.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "role.h"

extern const struct role_ops queue_ops;

#endif
