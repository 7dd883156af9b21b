/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One queued message with its recipients: an object and a table, or one
 * object of JSON.
 */
#ifndef SHOW_H
#define SHOW_H

#include "out.h"

struct show {
	struct out *out;
	struct buf json; /* begun, not closed */
	bool has_rcpt;
};

/* A message; what was shown before is complete. */
void show_message(struct show *s, const struct record *r);
/* A recipient of the last message. */
void show_rcpt(struct show *s, const struct record *r);
/* Nothing more comes. */
void show_end(struct show *s);

#endif
