/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "check.h"
#include "smtp_xclient.h"
#include "str.h"

static struct smtp_xclient x;
static struct smtp_fault fault;

static int
parse(const char *arg)
{
	return smtp_parse_xclient(span_of(arg), &x, &fault);
}

static void
test_right(void)
{
	char text[IP_TEXT_SIZE];

	CHECK_INT(parse("NAME=c.example addr=192.0.2.1 PORT=1025 PROTO=ESMTP "
			"HELO=h+20h LOGIN=user DESTADDR=IPV6:2001:db8::1 "
			"DESTPORT=25"),
		  0, "all attributes");
	CHECK_STR(x.name, "c.example", "NAME");
	CHECK_STR(ip_text(&x.addr, text), "192.0.2.1", "ADDR");
	CHECK_INT(x.port, 1025, "PORT");
	CHECK(x.is_esmtp, "PROTO");
	CHECK_STR(x.helo, "h h", "HELO, decoded");
	CHECK_STR(x.login, "user", "LOGIN");
	CHECK_STR(ip_text(&x.destaddr, text), "2001:db8::1", "DESTADDR");
	CHECK_INT(x.destport, 25, "DESTPORT");
	CHECK_INT(parse("NAME=[UNAVAILABLE] ADDR=[tempunavail] PROTO=smtp"), 0,
		  "words for nothing");
	CHECK_INT(x.state[XCLIENT_NAME], XCLIENT_UNAVAILABLE, "there is none");
	CHECK_INT(x.state[XCLIENT_ADDR], XCLIENT_TEMPUNAVAIL, "none now");
	CHECK_INT(x.state[XCLIENT_PORT], XCLIENT_NOT_GIVEN, "not given");
	CHECK(!x.is_esmtp, "PROTO=SMTP");
}

static void
test_wrong(void)
{
	static const char *const rows[] = {
		"NAME",
		"NAME=",
		"FOO=1",
		"NAME=a NAME=b",
		"NAME=a/b",
		"ADDR=1.2.3",
		"ADDR=2001:db8::1::",
		"ADDR=IPV6:192.0.2.1",
		"PORT=65536",
		"PORT=x",
		"PROTO=LMTP",
		"HELO=a+0",
		"HELO=a+0Ab",
		"HELO=a+00",
		"LOGIN=+zz",
		"=x",
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(parse(rows[i]) == -1 && fault.code == 501,
		      "refused: %s: %s", rows[i], fault.text.text);
}

int
main(void)
{
	test_right();
	test_wrong();
	return check_done();
}
