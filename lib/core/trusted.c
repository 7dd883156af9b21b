/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rows are few: they are walked.
 */
#include "trusted.h"

#include <string.h>

#include "address.h"
#include "str.h"

static bool
is_net_kind(const char *kind)
{
	return str_eq(kind, "host") || str_eq(kind, "relay");
}

int
trusted_key(const char *kind, const char *what, char dst[TRUSTED_KEY_SIZE],
	    struct err *e)
{
	char text[ADDRESS_DOMAIN_MAX + 1];
	struct ip_net net;

	if (is_net_kind(kind)) {
		if (ip_net_parse(what, &net, e) < 0)
			return -1;
		(void)ip_net_text(&net, text);
	} else if (!str_eq(kind, "spf")) {
		return err_set(e, "\"%.32s\": expected host, relay or spf",
			       kind);
	} else if (address_domain_key(what, text, e) < 0) {
		return -1;
	} else if (!address_is_domain(text) || strchr(text, '.') == NULL) {
		return err_set(e, "\"%.64s\": expected a domain", what);
	}
	(void)str_fmt(dst, TRUSTED_KEY_SIZE, "%s:%s", kind, text);
	return 0;
}

struct find {
	const char *kind;
	const struct ip *ip;
	const char *domain;
	const char *found;
};

/* What stands behind "KIND:", NULL for a row of another kind. */
static const char *
behind(const char *name, const char *kind)
{
	size_t n = strlen(kind);

	return strncmp(name, kind, n) == 0 && name[n] == ':' ? name + n + 1
							     : NULL;
}

static int
match_net(void *arg, const char *name, const char *value)
{
	struct find *f = arg;
	const char *text = behind(name, f->kind);
	struct ip_net net;

	(void)value;
	if (text == NULL || ip_net_parse(text, &net, NULL) < 0 ||
	    !ip_in_net(f->ip, &net))
		return 0;
	f->found = text;
	return 1;
}

const char *
trusted_net(const struct lists *l, const char *kind, const struct ip *ip)
{
	struct find f = { .kind = kind, .ip = ip };

	if (ip->family != 0)
		(void)lists_each(l, "trusted", "global", "", match_net, &f);
	return f.found;
}

static bool
is_below(const char *domain, const char *top)
{
	size_t n = strlen(domain), m = strlen(top);

	return n >= m && str_ieq(domain + n - m, top) &&
	       (n == m || domain[n - m - 1] == '.');
}

static int
match_domain(void *arg, const char *name, const char *value)
{
	struct find *f = arg;
	const char *text = behind(name, "spf");

	(void)value;
	if (text == NULL || !is_below(f->domain, text))
		return 0;
	f->found = text;
	return 1;
}

const char *
trusted_spf(const struct lists *l, const char *domain)
{
	struct find f = { .domain = domain };

	if (domain[0] != '\0')
		(void)lists_each(l, "trusted", "global", "", match_domain, &f);
	return f.found;
}
