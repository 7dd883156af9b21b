/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Headers of the PROXY protocol, whole and byte by byte.
 */
#include "check.h"
#include "proxy.h"
#include "str.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\300\0\2\1\300\0\2\2\x04\x01\0\x19"
#define V6_FROM "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define V6_TO "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff\300\0\2\1"
#define B(s) s, sizeof(s) - 1

static const struct {
	const char *words;
	const char *in;
	size_t len;
	int want; /* length of the header, -1: refused, 0: more is needed */
	const char *client; /* "local": a health check */
} rows[] = {
	{ "version 1, IPv4",
	  B("PROXY TCP4 192.0.2.1 192.0.2.2 1025 25\r\nEHLO"), 40,
	  "192.0.2.1:1025" },
	{ "version 1, IPv6",
	  B("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), 44,
	  "[2001:db8::1]:1" },
	{ "version 1, UNKNOWN", B("PROXY UNKNOWN\r\n"), 15, "local" },
	{ "version 1, UNKNOWN and more", B("PROXY UNKNOWN ff ff 0 0\r\n"), 25,
	  "local" },
	{ "version 2, IPv4", B(V2 "\x21\x11\0\x0c" V4 "EHLO"), 28,
	  "192.0.2.1:1025" },
	{ "version 2, IPv4 and extras", B(V2 "\x21\x11\0\x11" V4 "\1\0\2ab"),
	  33, "192.0.2.1:1025" },
	{ "version 2, IPv6", B(V2 "\x21\x21\0\x24" V6_FROM V6_TO "\0\1\0\2"),
	  52, "[2001:db8::1]:1" },
	{ "version 2, IPv4 in IPv6",
	  B(V2 "\x21\x21\0\x24" MAPPED MAPPED "\0\1\0\2"), 52, "192.0.2.1:1" },
	{ "version 2, LOCAL", B(V2 "\x20\0\0\0"), 16, "local" },
	{ "version 2, LOCAL and more", B(V2 "\x20\x11\0\x0c" V4), 28, "local" },
	{ "version 2, UNSPEC", B(V2 "\x21\0\0\0"), 16, "local" },
	{ "nothing yet", B(""), 0, NULL },
	{ "a part of version 1", B("PROXY TCP4 192.0.2.1 "), 0, NULL },
	{ "a part of version 2", B(V2 "\x21\x11\0\x0c\300"), 0, NULL },
	{ "a session instead", B("EHLO c.example\r\n"), -1, NULL },
	{ "other words", B("PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n"), -1, NULL },
	{ "a family that is not told",
	  B("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"), -1, NULL },
	{ "no address", B("PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n"), -1, NULL },
	{ "a port too large", B("PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n"), -1,
	  NULL },
	{ "a word too many", B("PROXY TCP4 1.2.3.4 1.2.3.4 1 1 x\r\n"), -1,
	  NULL },
	{ "a word too few", B("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), -1, NULL },
	{ "two spaces", B("PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n"), -1, NULL },
	{ "a bare LF", B("PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n"), -1, NULL },
	{ "an endless line",
	  B("PROXY TCP4 1.2.3.4 1.2.3.4 1 111111111111111111111111111111111111"
	    "11111111111111111111111111111111111111111111111111111111111"),
	  -1, NULL },
	{ "version 3", B(V2 "\x31\x11\0\x0c" V4), -1, NULL },
	{ "an unknown command", B(V2 "\x22\x11\0\x0c" V4), -1, NULL },
	{ "UDP", B(V2 "\x21\x12\0\x0c" V4), -1, NULL },
	{ "addresses too short", B(V2 "\x21\x11\0\x04\1\2\3\4"), -1, NULL },
	{ "extras that do not fit", B(V2 "\x21\x11\0\x11" V4 "\1\0\3ab"), -1,
	  NULL },
	{ "a header far too long", B(V2 "\x21\x11\xff\xff" V4), -1, NULL },
};

static const char *
client_of(const struct proxy *p)
{
	static char text[IP_TEXT_SIZE];

	return p->is_local ? "local" : ip_port_text(&p->client, text);
}

int
main(void)
{
	struct proxy p;
	struct err e;
	size_t i, len;
	int got;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		got = proxy_parse((struct span){ rows[i].in, rows[i].len }, &p,
				  &e);
		CHECK_INT(got, rows[i].want, "%s%s%s", rows[i].words,
			  got < 0 ? ": " : "", got < 0 ? e.text : "");
		if (rows[i].client != NULL)
			CHECK_STR(client_of(&p), rows[i].client, "its client");
		for (len = 0, got = 0; len < rows[i].len && got == 0; len++)
			got = proxy_parse((struct span){ rows[i].in, len + 1 },
					  &p, &e);
		CHECK_INT(got, rows[i].want, "%s, byte by byte", rows[i].words);
	}
	return check_done();
}
