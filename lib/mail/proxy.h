/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The header of the PROXY protocol, versions 1 and 2, by which a balancer
 * says whose connection it passes on (HAProxy's proxy-protocol.txt).
 * Parsing only; who may send one is the caller's.
 */
#ifndef PROXY_H
#define PROXY_H

#include <stdbool.h>

#include "buf.h"
#include "err.h"
#include "ip.h"

#define PROXY_V1_MAX 107 /* its CRLF included */
#define PROXY_HEADER_MAX 4000 /* of ours: version 2 allows 64 kB of extras */

struct proxy {
	/* The balancer's own connection (LOCAL, UNKNOWN): a health check. */
	bool is_local;
	struct ip_port client, server; /* else */
};

/*
 * The length of the header at the start of in, 0 when more of it has to
 * come, -1 when this is none or it is damaged; at the first byte that does
 * not fit.
 */
int proxy_parse(struct span in, struct proxy *out, struct err *e);

#endif
