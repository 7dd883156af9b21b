/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * New mail: incoming asks for a body to write into, writes it, and
 * commits it with its envelope; it is answered OK when all of it is
 * durable.
 */
#ifndef INTAKE_H
#define INTAKE_H

#include "message.h"
#include "peer.h"

/* accepted gets each new message, in state incoming. */
void intake_init(void (*accepted)(struct message *m));
/* What the peer had not committed goes away. */
void intake_peer_down(peer_id p);
/* Bodies that are open or being committed. */
size_t intake_open_count(void);

void intake_on_body_ask(peer_id from, struct frame *f);
void intake_on_body_drop(peer_id from, struct frame *f);
void intake_on_body_forget(peer_id from, struct frame *f);
void intake_on_commit(peer_id from, struct frame *f);
void intake_on_commit_rcpt(peer_id from, struct frame *f);
void intake_on_commit_end(peer_id from, struct frame *f);

/* The accepted lines of a message, one a recipient. */
void intake_ledger(const struct envelope *env, bool is_recovered);

#endif
