/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What roles ask control, answered from the snapshot in memory.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "peer.h"

void answer_rcpt(peer_id from, struct frame *f);
void answer_policy(peer_id from, struct frame *f);
void answer_report(peer_id from, struct frame *f);
void answer_route(peer_id from, struct frame *f);

#endif
