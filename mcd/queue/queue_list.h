/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages as rows for people, in pages.
 */
#ifndef QUEUE_LIST_H
#define QUEUE_LIST_H

#include "queue_ctl.h"

/* ask->arg: the words of queue_view.h.  Rows as they show, or the members
 * matches and messages for each page. */
void queue_list(struct asker from, const struct frame_ctl_ask *ask);
/* The same words; the rows of queue_shape.h, without pages.  Where no state
 * is named it is of the three queues. */
void queue_shape(struct asker from, const struct frame_ctl_ask *ask);
/* ask->arg: ID (all of its envelopes) or ID.N. */
void queue_show(struct asker from, const struct frame_ctl_ask *ask);

#endif
