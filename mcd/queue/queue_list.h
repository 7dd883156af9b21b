/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages as rows for people, in pages.
 */
#ifndef QUEUE_LIST_H
#define QUEUE_LIST_H

#include "queue_ctl.h"

/* ask->arg: words that all hold of a row: a state or state:NAME,
 * from:TEXT, rcpt:TEXT, older:DURATION. */
void queue_list(struct asker from, const struct frame_ctl_ask *ask);
/* ask->arg: ID (all of its envelopes) or ID.N. */
void queue_show(struct asker from, const struct frame_ctl_ask *ask);

#endif
