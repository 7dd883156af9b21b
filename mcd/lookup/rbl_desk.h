/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What roles and workers ask of the DNS lists: one question becomes many,
 * at most so many, and each list that is suspended is left out.
 */
#ifndef RBL_DESK_H
#define RBL_DESK_H

#include "peer.h"

#define RBL_QUESTIONS_MAX 300 /* that one rbl_ask becomes */
#define RBL_HITS_MAX 100 /* that are told of one */

void rbl_desk_row(peer_id from, struct frame *f);
void rbl_desk_ask(peer_id from, struct frame *f);
/* "rbl-test", for administrators: each list, whatever its health. */
void rbl_desk_ctl(peer_id from, struct frame *f);

#endif
