/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The addresses of a header field such as From (RFC 5322 section 3.4):
 * mailboxes and groups, as they are really written.  Only what is behind
 * the last "@" of each is looked into.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

#define MAILBOX_DOMAIN_SIZE 256

/*
 * Takes the next mailbox off the front of a field's value: true, and its
 * domain in lower case, "" when it has none or one that is too long; false
 * at the end.  Comments, quotes and folds are understood; words without an
 * address are passed over.
 */
bool mailbox_next(struct span *value, char domain[MAILBOX_DOMAIN_SIZE]);

/* What the From fields of a message come to (RFC 7489 section 6.6.1). */
enum mailbox_from {
	MAILBOX_FROM_ONE, /* one field, all of one domain */
	MAILBOX_FROM_NONE, /* no field, or no domain in it */
	MAILBOX_FROM_MANY /* several fields or domains */
};

/* header is a message from its start on. */
enum mailbox_from mailbox_from(struct span header,
			       char domain[MAILBOX_DOMAIN_SIZE]);

#endif
