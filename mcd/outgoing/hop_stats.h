/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a next hop did, in the table of the stats file: a row for each name
 * and port, for all addresses of it.
 */
#ifndef HOP_STATS_H
#define HOP_STATS_H

#include <stdint.h>

#include "client.h"

/* Embedded in a connection. */
struct hop_stats {
	size_t row;
};

/* From the first attempt to connect until hop_stats_close(). */
void hop_stats_open(struct hop_stats *s, const char *name, uint16_t port);
void hop_stats_close(struct hop_stats *s);
void hop_stats_connected(struct hop_stats *s);
/* Of one recipient. */
void hop_stats_result(struct hop_stats *s, const struct client_result *r);
/* Of the session. */
void hop_stats_failed(struct hop_stats *s, const struct client_result *why);

#endif
