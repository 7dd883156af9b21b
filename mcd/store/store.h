/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The store role: the ledger into history.db.
 */
#ifndef STORE_H
#define STORE_H

#include "role.h"

extern const struct role_ops store_ops;

#endif
