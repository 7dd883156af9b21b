/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Authentication-Results fields (RFC 8601): whose one is, and one of ours
 * put together.
 */
#ifndef AUTHRES_H
#define AUTHRES_H

#include <stdbool.h>

#include "buf.h"

/*
 * Whether a field with this value claims to be of the host id: its
 * authserv-id is id, without regard to case.  One whose authserv-id cannot
 * be made out is, when id stands anywhere in it.
 */
bool authres_claims(struct span value, const char *id);

/* Appends "id;", in quotes where it must be. */
void authres_begin(struct buf *out, const char *id);

/*
 * Appends one result, " method=result" with a reason and properties: pairs
 * "ptype.property", value; the last name is NULL.  A value that is "" is
 * left out with its name; what is no value (section 2.2) is quoted, and
 * nothing of it can end the field or begin another.
 */
void authres_add(struct buf *out, const char *method, const char *result,
		 const char *reason, const char *const *properties);

#endif
