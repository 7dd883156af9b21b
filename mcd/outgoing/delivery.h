/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Deliveries that queue has asked for: from its frames through the route
 * and the addresses to an outcome for each recipient.
 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer.h"

/* Handlers of the three frames of a question. */
void delivery_ask(peer_id from, struct frame *f);
void delivery_ask_rcpt(peer_id from, struct frame *f);
void delivery_ask_end(peer_id from, struct frame *f);

/* Queue is gone: nothing that it asked for is finished. */
void delivery_abandon_all(void);

/*
 * No new ones; those whose message is not being sent are given up without
 * an answer.  done is called when none is left or the time is over:
 * data_ms for messages that are being sent, reply_ms for those that wait
 * for the answer to their end.
 */
void delivery_stop(int64_t data_ms, int64_t reply_ms, void (*done)(void));
size_t delivery_count(void);

#endif
