/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Ours or not ours, in or out.
 */
#include "direction.h"

#include <string.h>

#include "role.h"
#include "str.h"

enum direction
direction_of(bool is_relay, const struct policy_domain *d)
{
	if (d != NULL)
		return DIRECTION_IN;
	return is_relay ? DIRECTION_OUT : DIRECTION_NONE;
}

/*
 * <Postmaster> without a domain (RFC 5321 section 4.5.1) is the one of our
 * own name's domain, or the nearest above it that is ours.
 */
const struct policy_domain *
direction_postmaster(const struct policy *p)
{
	const char *name = role_hostname();

	while (name != NULL && *name != '\0') {
		const struct policy_domain *d = policy_domain(p, name);

		if (d != NULL)
			return d;
		name = strchr(name, '.');
		if (name != NULL)
			name++;
	}
	return policy_first_domain(p);
}

int
direction_domain(const struct policy *p, const char *rcpt, struct address *a,
		 const struct policy_domain **d)
{
	char key[ADDRESS_DOMAIN_MAX + 1];

	if (str_ieq(rcpt, "postmaster")) {
		*d = direction_postmaster(p);
		memset(a, 0, sizeof(*a));
		str_copy(a->text, sizeof(a->text), "postmaster");
		a->local_len = strlen(a->text);
		return 0;
	}
	if (address_parse(span_of(rcpt), ADDRESS_ALLOW_UTF8, a, NULL) < 0 ||
	    address_domain_key(address_domain(a), key, NULL) < 0)
		return -1;
	*d = policy_domain(p, key);
	return 0;
}
