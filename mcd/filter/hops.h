/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How a message came to us: the connecting host, and behind hosts whose
 * Received fields are believed (rows "relay" of trusted) the first that is
 * none of these.
 */
#ifndef HOPS_H
#define HOPS_H

#include "filter.h"
#include "ip.h"

#define HOPS_MAX 30 /* Received fields that are followed */

struct hops {
	struct ip client; /* family 0: it is not known */
	struct ip first; /* the first untrusted one; the client's own where it
			    is no relay; family 0 when a relay does not say */
	bool is_relayed; /* client is a relay of ours */
	/* The host that gave it to the last relay had said who it is. */
	bool is_authenticated;
	const char *relay; /* row of that relay, NULL for none */
};

void hops_read(const struct filter_mail *m, struct hops *out);

#endif
