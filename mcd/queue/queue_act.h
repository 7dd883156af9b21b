/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What administrators do with messages.  Each is durable before it is
 * answered OK; a message that is at work is taken when it is idle.
 */
#ifndef QUEUE_ACT_H
#define QUEUE_ACT_H

#include "message.h"
#include "queue_ctl.h"

void queue_act_init(void);
/* Nothing of m is under way: carries out what was wished meanwhile. */
void queue_act_idle(struct message *m);

/*
 * ask->arg: ID (all of its envelopes), ID.N, "all" but for delete, or several
 * of them parted by blanks.  Of several, and of all, a row tells how many were
 * changed; of several also how many were gone, which is no failure: mail goes
 * on while a list is made.
 */
void queue_retry(struct asker from, const struct frame_ctl_ask *ask);
void queue_hold(struct asker from, const struct frame_ctl_ask *ask);
void queue_unhold(struct asker from, const struct frame_ctl_ask *ask);
void queue_delete(struct asker from, const struct frame_ctl_ask *ask);

/* Of what is in quarantine; ask->arg: ID or ID.N, and behind blanks the
 * recipients that are meant. */
void queue_quar_release(struct asker from, const struct frame_ctl_ask *ask);
void queue_quar_delete(struct asker from, const struct frame_ctl_ask *ask);

#endif
