/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What administrators ask of the queue, passed on by control: counts,
 * lists, single messages, retry, hold, unhold, delete.
 */
#ifndef QUEUE_CTL_H
#define QUEUE_CTL_H

#include "message.h"
#include "peer.h"

void queue_ctl_init(void);
void queue_ctl_on_ask(peer_id from, struct frame *f);
/* Nothing of m is under way: carries out what was wished meanwhile. */
void queue_ctl_idle(struct message *m);

#endif
