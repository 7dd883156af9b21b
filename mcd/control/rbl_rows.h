/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The DNS lists of settings.db, for lookup.
 */
#ifndef RBL_ROWS_H
#define RBL_ROWS_H

#include "peer.h"
#include "policy.h"

/* Sends all of them; 0 is nobody. */
void rbl_rows_tell(peer_id lookup, const struct policy *p);

#endif
