/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * --domain and --user, as settings and lists have them.
 */
#include "target.h"

#include <string.h>
#include <sysexits.h>

#include "log.h"
#include "policy.h"
#include "str.h"

const char *
target_level_name(unsigned level)
{
	return level == LEVEL_GLOBAL   ? "global"
	       : level == LEVEL_DOMAIN ? "domain"
	       : level == LEVEL_USER   ? "user"
				       : "default";
}

/* A domain that is ours and no alias: an alias has its target's values. */
static int
check_domain(struct ctx *c, const char *key)
{
	struct buf alias = { 0 };
	struct err e;
	int code = EX_OK;

	switch (db_get(c->db, "domain", key, &alias, &e)) {
	case 1:
		if (alias.len > 0)
			code = complain(c, EX_DATAERR,
					"domain \"%s\" is an alias of %s: the "
					"settings are that one's",
					key, buf_str(&alias));
		break;
	case 0:
		code = domain_not_known(c, key);
		break;
	default:
		code = complain(c, EX_UNAVAILABLE, "%s", e.text);
	}
	buf_release(&alias);
	return code;
}

static int
target_domain(struct ctx *c, const char *name, struct target *t)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	int code = domain_key(c, name, key);

	if (code == EX_OK)
		code = check_domain(c, key);
	if (code != EX_OK)
		return code;
	t->level = LEVEL_DOMAIN;
	str_copy(t->subject, sizeof(t->subject), key);
	str_fmt(t->asked, sizeof(t->asked), "@%s", key);
	return EX_OK;
}

int
target_of_user(struct ctx *c, const char *address, struct target *t)
{
	struct policy *p;
	struct address a;
	struct err e;
	int r;

	memset(t, 0, sizeof(*t));
	t->level = LEVEL_USER;
	if (address_parse(span_of(address), ADDRESS_ALLOW_UTF8, &a, &e) < 0)
		return complain(c, EX_DATAERR, "%s is not an address: %s",
				log_text(address), e.text);
	p = policy_load(c->db, NULL, &e);
	if (p == NULL)
		return complain(c, EX_UNAVAILABLE, "%s", e.text);
	r = policy_key(p, a.text, t->subject, &e);
	policy_free(p);
	if (r < 0)
		return complain(c, EX_DATAERR, "%s", e.text);
	str_copy(t->asked, sizeof(t->asked), t->subject);
	/* The key's domain is behind all aliases. */
	return check_domain(c, strrchr(t->subject, '@') + 1);
}

int
target_of(struct ctx *c, struct target *t)
{
	const char *domain = option_value(c, "domain");
	const char *user = option_value(c, "user");

	memset(t, 0, sizeof(*t));
	t->level = LEVEL_GLOBAL;
	if (domain != NULL && user != NULL)
		return complain(c, EX_USAGE,
				"expected --domain or --user, not both");
	if (domain != NULL)
		return target_domain(c, domain, t);
	if (user != NULL)
		return target_of_user(c, user, t);
	return EX_OK;
}

bool
target_key(const struct target *t, const char *name, char *dst, size_t size)
{
	return str_fmt(dst, size, "%s %s%s%s", target_level_name(t->level),
		       t->subject, t->subject[0] != '\0' ? " " : "", name);
}
