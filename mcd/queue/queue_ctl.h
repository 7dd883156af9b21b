/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What administrators ask of the queue, passed on by control: counts,
 * lists, single messages, retry, hold, unhold, delete.
 */
#ifndef QUEUE_CTL_H
#define QUEUE_CTL_H

#include <stdint.h>

#include "peer.h"
#include "record.h"

void queue_ctl_on_ask(peer_id from, struct frame *f);

/* Whom to answer. */
struct asker {
	peer_id peer;
	uint32_t token;
};

/* For queue_list.c and queue_act.c.  exit_code is of sysexits(3). */
void queue_ctl_row(struct asker to, const struct record *r);
void queue_ctl_done(struct asker to, uint32_t exit_code, const char *text,
		    const char *cursor);

#endif
