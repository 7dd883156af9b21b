/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Asks a domain's own servers whether they take a recipient, in a session
 * that ends after RCPT: MAIL FROM:<>, the recipient, and perhaps an address
 * of nobody, which shows whether the domain takes all.
 */
#ifndef CALLOUT_H
#define CALLOUT_H

#include "peer.h"

/* A callout_ask of control's. */
void callout_ask(peer_id from, struct frame *f);
/* Without answers: control is gone, or we are going. */
void callout_abandon_all(void);

#endif
