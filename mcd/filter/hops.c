/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The first Received field of the message is the one that the connecting
 * host has put there: ours is not in it yet.  Each further one counts only
 * as long as its writer is believed.
 */
#include "hops.h"

#include <string.h>

#include "header.h"
#include "received_hop.h"
#include "trusted.h"

static bool
next_received(struct span header, size_t *at, struct received_hop *hop)
{
	struct header_field f;

	while (header_next(header, at, &f))
		if (span_ieq(f.name, SPAN_LIT("Received"))) {
			received_hop_read(f.value, hop);
			return true;
		}
	return false;
}

void
hops_read(const struct filter_mail *m, struct hops *out)
{
	struct received_hop hop;
	const char *row;
	size_t at = 0;
	int i;

	memset(out, 0, sizeof(*out));
	if (ip_parse(m->client_ip, &out->client, NULL) < 0)
		out->client.family = 0;
	out->first = out->client;
	for (i = 0; i < HOPS_MAX; i++) {
		row = trusted_net(m->lists, "relay", &out->first);
		if (row == NULL)
			return;
		out->is_relayed = true;
		out->relay = row;
		out->is_authenticated = false;
		out->first.family = 0;
		if (!next_received(m->header, &at, &hop))
			return;
		out->first = hop.ip;
		out->is_authenticated = hop.is_authenticated;
	}
}
