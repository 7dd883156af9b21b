/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an administrator asks of outgoing: where mail of a domain would go,
 * and how its next hop answers, without any mail.
 *
 * dest-route DOMAIN  rows of the addresses in the order of a delivery
 * dest-test DOMAIN | HOST:PORT  rows of a session, up to MAIL FROM:<>
 */
#ifndef PROBE_H
#define PROBE_H

#include "peer.h"

/* ctl_ask, passed on by control. */
void probe_ask(peer_id from, struct frame *f);
/* Control is gone, or we stop: nobody waits any more. */
void probe_abandon_all(void);

#endif
