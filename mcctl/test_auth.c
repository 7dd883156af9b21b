/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl test spf, dkim, dmarc: sender authentication as mcd does it, asked
 * for by hand or by a suite.  The first word on standard output is the
 * verdict, what is behind it is for people.
 */
#include <stdio.h>
#include <sysexits.h>

#include "command.h"
#include "ip.h"
#include "log.h"
#include "resolver.h"
#include "spf.h"
#include "str.h"

static const char *
option_or(const struct ctx *c, const char *name, const char *otherwise)
{
	const char *value = option_value(c, name);

	return value != NULL ? value : otherwise;
}

/* An exit code, EX_OK when the resolver is there. */
static int
open_resolver(struct ctx *c, struct dns_asker *dns)
{
	struct err e;

	if (resolver_open(option_value(c, "resolver"), dns, &e) == 0)
		return EX_OK;
	return complain(c, EX_USAGE, "--resolver: %s", e.text);
}

static int
run_spf(struct ctx *c, const struct dns_asker *dns, struct spf *s)
{
	const char *client = option_value(c, "ip");
	struct ip ip;
	struct err e;

	if (ip_parse(client, &ip, &e) < 0)
		return complain(c, EX_USAGE, "--ip: %s", e.text);
	spf_check(&ip, option_or(c, "helo", ""), option_or(c, "from", ""), dns,
		  s);
	return EX_OK;
}

int
cmd_test_spf(struct ctx *c)
{
	char text[SPF_TEXT_SIZE];
	struct dns_asker dns;
	struct spf s;
	int code;

	if (option_value(c, "ip") == NULL)
		return complain(c, EX_USAGE, "--ip: expected an address");
	code = open_resolver(c, &dns);
	if (code == EX_OK)
		code = run_spf(c, &dns, &s);
	if (code != EX_OK)
		return code;
	spf_explain(&s, option_value(c, "ip"), text, sizeof(text));
	printf("%s %s\n", spf_name(s.result), log_text(text));
	return EX_OK;
}
