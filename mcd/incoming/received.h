/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Our Received field (RFC 5321 section 4.4, RFC 3848, RFC 6531 section 4.3).
 */
#ifndef RECEIVED_H
#define RECEIVED_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "ip.h"

struct received {
	const char *helo; /* what the client called itself */
	const char *client_name; /* verified reverse name, NULL if none */
	const struct ip *client;
	const char *hostname;
	const char *id;
	const char *rcpt; /* NULL: not told, as there are several */
	bool is_esmtp;
	/* RFC 3848; NULL: in the clear. */
	const char *tls_version, *tls_cipher;
	int tls_bits;
	bool is_utf8; /* RFC 6531 section 4.3 */
	int64_t now_us; /* wall clock */
};

/* Appends the field with its CRLF. */
void received_write(const struct received *r, struct buf *out);

#endif
