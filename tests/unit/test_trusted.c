/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whom mail is taken from unasked: keys as they are typed, and who matches.
 */
#include "trusted.h"

#include "check.h"

static void
check_keys(void)
{
	static const struct {
		const char *kind, *what, *want; /* NULL: refused */
	} rows[] = {
		{ "host", "192.0.2.77/24", "host:192.0.2.0/24" },
		{ "relay", "2001:DB8::1", "relay:2001:db8::1/128" },
		{ "spf", "Example.ORG.", "spf:example.org" },
		{ "spf", "org", NULL },
		{ "spf", "exam ple.org", NULL },
		{ "spf", "192.0.2.0/24", NULL },
		{ "host", "example.org", NULL },
		{ "hosts", "192.0.2.1", NULL },
	};
	char key[TRUSTED_KEY_SIZE];
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_STR(trusted_key(rows[i].kind, rows[i].what, key, &e) == 0
				  ? key
				  : NULL,
			  rows[i].want, "%s %s", rows[i].kind, rows[i].what);
}

static void
check_matches(void)
{
	static const char text[] = "trusted\thost:192.0.2.0/24\tnote\n"
				   "trusted\trelay:2001:db8::/32\t\n"
				   "trusted\tspf:example.org\t\n";
	struct err e = { "" };
	struct lists *l = lists_read(span_of(text), &e);
	struct ip four, six, none = { 0 };

	CHECK(l != NULL && ip_parse("192.0.2.9", &four, NULL) == 0 &&
		      ip_parse("2001:db8::9", &six, NULL) == 0,
	      "rows and addresses: %s", e.text);
	CHECK_STR(trusted_net(l, "host", &four), "192.0.2.0/24", "a host");
	CHECK_STR(trusted_net(l, "relay", &four), NULL, "is no relay");
	CHECK_STR(trusted_net(l, "relay", &six), "2001:db8::/32", "a relay");
	CHECK_STR(trusted_net(l, "host", &none), NULL, "nobody");
	CHECK_STR(trusted_spf(l, "example.org"), "example.org", "a domain");
	CHECK_STR(trusted_spf(l, "a.Example.org"), "example.org",
		  "one below it");
	CHECK_STR(trusted_spf(l, "notexample.org"), NULL, "but not beside it");
	CHECK_STR(trusted_spf(l, "org"), NULL, "nor above it");
	CHECK_STR(trusted_spf(l, ""), NULL, "nor none");
	CHECK_STR(trusted_spf(NULL, "example.org"), NULL, "no lists, no rows");
	lists_free(l);
}

int
main(void)
{
	check_keys();
	check_matches();
	return check_done();
}
