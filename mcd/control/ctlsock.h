/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The control socket: mcctl's questions, answered here or passed on to
 * the role that knows, with the asker's name from the kernel.
 */
#ifndef CTLSOCK_H
#define CTLSOCK_H

#include "conf.h"
#include "peer.h"

/* Takes the listening socket; replaces an older one. */
void ctlsock_listen(int fd);
/* ctl_ask of an mcctl. */
void ctlsock_ask(peer_id from, struct frame *f);
/* trial_ask of one. */
void ctlsock_trial(peer_id from, struct frame *f);
/* An mcctl has gone: what it had asked is forgotten. */
void ctlsock_gone(peer_id p);
/* snapshot.h: answers those who have waited for a load. */
void ctlsock_looked(uint64_t number);
void ctlsock_stop(void);

#endif
