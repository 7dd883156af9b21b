/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rows with many members as a person wants to see them on a terminal.
 * JSON gets all members as they are.
 */
#ifndef PRESENT_H
#define PRESENT_H

#include "out.h"

/* A row of queue_row(): one line a message. */
void present_message(struct out *o, const struct record *r);
/* A row of quar_record(): one line a message. */
void present_quarantined(struct out *o, const struct record *r);
/* A row of queue_shape_rows(). */
void present_shape(struct out *o, const struct record *r);
void present_matches(struct out *o, int64_t matches, int64_t messages);
/* What was done to many messages. */
void present_changed(struct out *o, int64_t changed, int64_t gone);
/* A row of trace_record(): one line an event. */
void present_event(struct out *o, const struct record *r);

#endif
