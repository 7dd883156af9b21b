/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Our Received field.  What a client says about itself goes in only as far
 * as it cannot break the field's grammar.
 */
#include <string.h>

#include "clock.h"
#include "received.h"
#include "str.h"

#define HELO_SHOWN 255

/* Bytes that are no part of a domain or address literal become '?'. */
static void
add_helo(struct buf *out, const char *helo)
{
	size_t i;

	for (i = 0; helo[i] != '\0' && i < HELO_SHOWN; i++) {
		char c = helo[i];
		bool ok = ascii_isalnum((unsigned char)c) ||
			  strchr(".-_:[]", c) != NULL;

		buf_add_char(out, ok ? c : '?');
	}
	if (i == 0)
		buf_add_str(out, "unknown");
}

void
received_write(const struct received *r, struct buf *out)
{
	char literal[IP_TEXT_SIZE];
	char date[40];
	bool is_tls = r->tls_version != NULL;
	const char *with = "SMTP";

	/* TLS without EHLO has no word of its own (RFC 3848). */
	if (r->is_utf8)
		with = is_tls ? "UTF8SMTPS" : "UTF8SMTP";
	else if (r->is_esmtp)
		with = is_tls ? "ESMTPS" : "ESMTP";
	ip_literal(r->client, literal);
	clock_rfc5322(date, sizeof(date), r->now_us);
	buf_add_str(out, "Received: from ");
	add_helo(out, r->helo);
	if (r->client_name != NULL && r->client_name[0] != '\0')
		buf_printf(out, " (%s %s)", r->client_name, literal);
	else
		buf_printf(out, " (%s)", literal);
	if (is_tls)
		buf_printf(out, "\r\n\t(using %s with cipher %s, %d bits)",
			   r->tls_version, r->tls_cipher, r->tls_bits);
	buf_printf(out, "\r\n\tby %s with %s id %s", r->hostname, with, r->id);
	if (r->rcpt != NULL)
		buf_printf(out, "\r\n\tfor <%s>", r->rcpt);
	buf_printf(out, ";\r\n\t%s\r\n", date);
}
