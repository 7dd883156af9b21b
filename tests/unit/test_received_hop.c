/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Received fields as servers write them, and as clients would like them to
 * be read.
 */
#include "received_hop.h"

#include "check.h"

int
main(void)
{
	static const struct {
		const char *words, *value, *ip;
		bool is_authenticated;
	} rows[] = {
		{ "Postfix",
		  " from helo.example (name.example [192.0.2.1])\r\n"
		  "\tby mx.example (Postfix) with ESMTPS id 1",
		  "192.0.2.1", false },
		{ "Postfix, authenticated",
		  "from pc (unknown [IPv6:2001:db8::1]) (using TLSv1.3 with "
		  "cipher X (256/256 bits))\r\n (Authenticated sender: joe) by "
		  "mx.example with ESMTPSA id 1; date",
		  "2001:db8::1", true },
		{ "Exim",
		  "from name.example ([192.0.2.1] helo=[192.0.2.9]) "
		  "by mx.example with esmtpa (Exim 4.96)",
		  "192.0.2.1", true },
		{ "Exim without a name",
		  "from [192.0.2.1] (helo=[192.0.2.9]) by mx.example with smtp",
		  "192.0.2.1", false },
		{ "Sendmail",
		  "from h (n.example [192.0.2.1] (may be forged)) "
		  "by mx.example (8.17) with ESMTP",
		  "192.0.2.1", false },
		{ "Exchange",
		  "from a.example (192.0.2.1) by b.example "
		  "(198.51.100.7) with Microsoft SMTP Server id 15",
		  "192.0.2.1", false },
		{ "qmail", "from unknown (HELO x) (192.0.2.1) by 0 with SMTP",
		  "192.0.2.1", false },
		{ "qmail, and HELO is an address",
		  "from unknown (HELO [192.0.2.9]) (192.0.2.1) by 0 with SMTP",
		  "192.0.2.1", false },
		{ "an address with a port", "from a ([192.0.2.1]:4711) by b",
		  "192.0.2.1", false },
		{ "HELO is an address: what was seen counts",
		  "from [192.0.2.9] (x [192.0.2.1]) by b with ESMTP",
		  "192.0.2.1", false },
		{ "who received it is not who sent it",
		  "from x by b (b [192.0.2.1]) with ESMTPSA", "-", true },
		{ "no address at all", "by b with LMTP; date", "-", false },
		{ "the word with in HELO",
		  "from with (x [192.0.2.1]) by b with SMTP", "192.0.2.1",
		  false },
		{ "a protocol only behind by",
		  "from x with ESMTPA (x [192.0.2.1]) by b with SMTP",
		  "192.0.2.1", false },
		{ "a protocol in a comment",
		  "from x (x [192.0.2.1]) by b (b with ESMTPA) with SMTP",
		  "192.0.2.1", false },
		{ "behind the date nothing counts",
		  "from x by b; date (x [192.0.2.1]) with ESMTPA", "-", false },
		{ "a bracket that is not closed", "from x ([192.0.2.1 by b",
		  "-", false },
		{ "nothing", "", "-", false },
	};
	char text[IP_TEXT_SIZE];
	struct received_hop hop;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		received_hop_read(span_of(rows[i].value), &hop);
		CHECK_STR(ip_text(&hop.ip, text), rows[i].ip, "%s",
			  rows[i].words);
		CHECK_INT(hop.is_authenticated, rows[i].is_authenticated,
			  "%s: authenticated or not", rows[i].words);
	}
	return check_done();
}
