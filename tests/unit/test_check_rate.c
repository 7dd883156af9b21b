/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rates of clients: what a minute holds, how it fills, and who is one
 * client.
 */
#include "check.h"
#include "check_impl.h"

static void
test_rate(void)
{
	struct ip a, b, c;
	unsigned i, n = 0;

	rate_clear();
	(void)ip_parse("192.0.2.1", &a, NULL);
	(void)ip_parse("2001:db8::1", &b, NULL);
	(void)ip_parse("2001:db8::ffff:1", &c, NULL);
	for (i = 0; i < 20; i++)
		n += !rate_is_over(&a, RATE_MESSAGES, 10, 1000, false);
	CHECK_INT(n, 10, "a minute's worth at once, and no more");
	CHECK(rate_is_over(&a, RATE_MESSAGES, 10, 6900, false),
	      "none before its time");
	CHECK(!rate_is_over(&a, RATE_MESSAGES, 10, 7000, false),
	      "the next after a tenth of a minute");
	CHECK(rate_is_over(&a, RATE_MESSAGES, 10, 7001, false), "and one only");
	CHECK(!rate_is_over(&a, RATE_RCPTS, 10, 7001, false),
	      "other things count for themselves");
	for (i = 0, n = 0; i < 20; i++)
		n += !rate_is_over(&a, RATE_MESSAGES, 10, 1000000, false);
	CHECK_INT(n, 10, "after a pause a minute's worth again");
	CHECK(!rate_is_over(&b, RATE_MESSAGES, 1, 1000, false) &&
		      rate_is_over(&c, RATE_MESSAGES, 1, 1000, false),
	      "a /64 is one client");
	CHECK(!rate_is_over(&a, RATE_CONNECTIONS, 1, 1000, true) &&
		      !rate_is_over(&a, RATE_CONNECTIONS, 1, 1000, false) &&
		      rate_is_over(&a, RATE_CONNECTIONS, 1, 1000, true),
	      "who only looks takes nothing");
	rate_clear();
}

int
main(void)
{
	test_rate();
	return check_done();
}
