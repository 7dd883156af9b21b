/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Checks of what a client calls itself (RFC 5321 section 4.1.1.1: a host's
 * full name, or an address literal), and of when it does.
 */
#include "check_impl.h"

#include <string.h>

#include "address.h"
#include "role.h"
#include "str.h"

/* The address in "[192.0.2.1]", "[IPv6:...]" or without brackets. */
static bool
read_address(const char *helo, struct ip *ip)
{
	char text[IP_TEXT_SIZE];
	size_t len = strlen(helo);

	if (len >= 2 && helo[0] == '[' && helo[len - 1] == ']') {
		helo++;
		len -= 2;
	}
	if (len > 5 && span_ieq((struct span){ helo, 5 }, SPAN_LIT("IPv6:"))) {
		helo += 5;
		len -= 5;
	}
	return str_fmt(text, sizeof(text), "%.*s", (int)len, helo) &&
	       ip_parse(text, ip, NULL) == 0;
}

enum check_result
check_early_talker(struct check_run *r)
{
	if (!r->knobs->early_talker_refuse)
		return CHECK_OFF;
	return r->client->is_early ? CHECK_REFUSE : CHECK_PASS;
}

enum check_result
check_helo_own(struct check_run *r)
{
	const struct check_client *c = r->client;
	struct ip ip;

	if (!r->knobs->helo_own_refuse)
		return CHECK_OFF;
	/* This host's own programs say its name, and may. */
	if (ip_is_loopback(&c->ip) || ip_eq(&c->ip, &c->local))
		return CHECK_PASS;
	check_detail(r, "HELO %.200s", c->helo);
	if (str_ieq(c->helo, role_hostname()))
		return CHECK_REFUSE;
	return read_address(c->helo, &ip) && ip_eq(&ip, &c->local)
		       ? CHECK_REFUSE
		       : CHECK_PASS;
}

static enum check_result
check_resolves(struct check_run *r)
{
	struct name_fact *n = &r->client->helo_name;

	if (n->fact.state == FACT_NEW)
		name_fact_ask(n, r->client->helo);
	if (n->fact.state != FACT_KNOWN)
		return fact_wait(&n->fact, r);
	check_detail(r, "HELO %.200s", r->client->helo);
	if (n->value == NAME_UNSURE)
		return CHECK_UNSURE;
	r->text = "HELO name is not in DNS";
	return n->value == NAME_NONE ? CHECK_REFUSE : CHECK_PASS;
}

enum check_result
check_helo(struct check_run *r)
{
	const char *helo = r->client->helo;
	struct ip ip;

	if (r->knobs->helo_check == HELO_CHECK_NONE)
		return CHECK_OFF;
	check_detail(r, "HELO %.200s", helo);
	if (helo[0] == '[')
		return read_address(helo, &ip) ? CHECK_PASS : CHECK_REFUSE;
	if (!address_is_domain(helo))
		return CHECK_REFUSE;
	if (r->knobs->helo_check == HELO_CHECK_SYNTAX)
		return CHECK_PASS;
	r->text = "HELO name is not a full name (with its domain)";
	/* An address without brackets is no name either. */
	if (strchr(helo, '.') == NULL || read_address(helo, &ip))
		return CHECK_REFUSE;
	r->text = NULL;
	if (r->knobs->helo_check == HELO_CHECK_FQDN)
		return CHECK_PASS;
	return check_resolves(r);
}
