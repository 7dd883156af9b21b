/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Connections to spamd for the workers, who have no network: made here, at
 * most so many at a time, and counted until they are given back.
 */
#ifndef SPAMD_DESK_H
#define SPAMD_DESK_H

#include "conf.h"
#include "peer.h"

void spamd_desk_init(void);
/* At start and at a reload. */
void spamd_desk_conf(const struct conf *conf);
/* f is a spamd_ask; answered once. */
void spamd_desk_ask(peer_id from, struct frame *f);
void spamd_desk_done(peer_id from, struct frame *f);
/* Whoever had asked is gone: what it held and waited for is free. */
void spamd_desk_down(peer_id p);

#endif
