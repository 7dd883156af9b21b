/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The pool's second kind of workers: they check SPF for stage 1, so that
 * incoming never waits for DNS.  Every question of incoming is answered
 * once; one whose worker is gone, late or missing gets a temperror.
 */
#ifndef SPF_DESK_H
#define SPF_DESK_H

#include "slot.h"

void spf_desk_init(void);
/* How many workers there are to be; 0: none. */
void spf_desk_set(unsigned wanted);
/* Handler of spf_ask. */
void spf_desk_ask(peer_id from, struct frame *f);
/* Incoming is gone: what it asked is void. */
void spf_desk_forget(void);
/* No more workers; what waits is answered. */
void spf_desk_stop(void);

/* What the pool hears and does not know: a worker here, perhaps. */
void spf_desk_ready(peer_id from);
void spf_desk_child(pid_t pid, int status);
/* NULL when it is none of these. */
struct slot *spf_desk_slot(peer_id p);

#endif
