/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which way mail goes, and so whose policy counts.  It is said by the
 * recipient alone: mail to a domain of ours comes in and has the
 * recipient's policy, whoever sends it, our own hosts too.  Mail to others
 * goes out and has the sender's; only relay hosts may send it.
 */
#ifndef DIRECTION_H
#define DIRECTION_H

#include "address.h"
#include "policy.h"

enum direction {
	DIRECTION_IN,
	DIRECTION_OUT,
	DIRECTION_NONE /* neither: it is not ours and may not be sent out */
};

/* is_relay: the client may send outwards.  d is the domain of ours that the
 * recipient is in, NULL for another's. */
enum direction direction_of(bool is_relay, const struct policy_domain *d);

/*
 * The address and the domain of ours it is in, NULL for another's; -1 when
 * it is no address.  "postmaster" alone is ours.
 */
int direction_domain(const struct policy *p, const char *rcpt,
		     struct address *a, const struct policy_domain **d);
/* Of <Postmaster> without a domain; NULL while no domain is set up. */
const struct policy_domain *direction_postmaster(const struct policy *p);

#endif
