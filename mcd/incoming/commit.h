/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The mail of a session: recipients are asked of control, the body goes
 * into a descriptor of queue's, and its commit decides the answer.
 * Whatever a peer does or fails to do ends in an answer within a bounded
 * time.
 */
#ifndef COMMIT_H
#define COMMIT_H

#include "connection.h"
#include "peer.h"

/* What a session asks; arg is its connection. */
extern const struct session_ops commit_session_ops;

/* Frames of queue's that nobody asked for. */
void commit_intake(peer_id from, struct frame *f);
void commit_peer_up(enum role r);

/* Before the greeting: NULL when the client is welcome, else what it is told
 * (valid until the next call). */
const struct session_reply *commit_connect(struct connection *c);
/* What is kept for a client between its mails, none of which is under way. */
void commit_release(struct connection *c);

/* An answer of queue's about this mail is due. */
bool commit_is_due(const struct connection *c);

#endif
