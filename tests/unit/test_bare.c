/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * What is remembered of next hops whose TLS fails.
 */
#include <stdlib.h>

#include "bare.h"
#include "check.h"

static struct ip_port
at(const char *text)
{
	struct ip_port to;

	if (ip_port_parse(text, &to, NULL) != 0)
		abort();
	return to;
}

static void
test_time(void)
{
	struct ip_port one = at("192.0.2.1:25"), two = at("192.0.2.1:26");
	struct ip_port six = at("[2001:db8::1]:25");

	CHECK(!bare_is_known(&one, 0), "nothing is known");
	bare_forget(&one);
	bare_note("mx.example", &one, "no", 1000, 1000);
	CHECK(!bare_is_known(&one, 999), "a time of nothing is not kept");
	bare_note("mx.example", &one, "no", 1000, 2000);
	bare_note("mx.example", &six, "no", 1000, 3000);
	CHECK(bare_is_known(&one, 1999), "known until its time is over");
	CHECK(!bare_is_known(&one, 2000), "and not from then on");
	CHECK(!bare_is_known(&two, 1999), "another port is another server");
	CHECK(bare_is_known(&six, 2999), "IPv6 as well");
	bare_note("mx.example", &one, "again", 1500, 4000);
	CHECK(bare_is_known(&one, 3999), "a new failure counts anew");
	bare_forget(&one);
	CHECK(!bare_is_known(&one, 1999), "forgotten when its TLS works");
	CHECK(bare_is_known(&six, 2999), "that one alone");
}

static void
test_flush(void)
{
	struct ip_port one = at("192.0.2.1:25"), two = at("192.0.2.2:25");

	bare_note("a.example", &one, "no", 1000, 2000);
	bare_note("b.example", &two, "no", 1000, 2000);
	CHECK_INT(bare_flush("c.example"), 0, "a word that nobody has");
	CHECK_INT(bare_flush("b.exam"), 1, "by a part of the name");
	CHECK(bare_is_known(&one, 1999), "the others stay");
	CHECK_INT(bare_flush("192.0.2.1:"), 1, "by the address");
	bare_note("a.example", &one, "no", 1000, 2000);
	bare_note("b.example", &two, "no", 1000, 2000);
	CHECK_INT(bare_flush(""), 3, "all of them");
	CHECK_INT(bare_flush(""), 0, "once");
}

static void
test_limit(void)
{
	struct ip_port to = at("192.0.2.1:25");
	struct ip_port other = at("192.0.2.2:25");
	unsigned i;

	for (i = 1; i <= BARE_MAX; i++) {
		to.port = (uint16_t)i;
		bare_note("x.example", &to, "no", 1000, 2000);
	}
	CHECK(bare_is_known(&to, 1500), "as many as may be");
	bare_note("y.example", &other, "no", 1500, 3000);
	CHECK(!bare_is_known(&other, 1600), "and no more");
	bare_note("y.example", &other, "no", 2000, 3000);
	CHECK(bare_is_known(&other, 2500), "those whose time is over go");
	CHECK_INT(bare_flush(""), 1, "all of them");
}

int
main(void)
{
	test_time();
	test_flush();
	test_limit();
	return check_done();
}
