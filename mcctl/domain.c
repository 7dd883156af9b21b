/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl domain: the domains that mail is taken for, and where it goes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "command.h"
#include "dict.h"
#include "ip.h"
#include "lists.h"
#include "log.h"
#include "policy.h"
#include "str.h"
#include "xalloc.h"

/* Strings that belong to the list, NULL behind the last. */
struct strings {
	char **list;
	size_t count, cap;
};

static void
strings_add(struct strings *s, const char *text)
{
	if (s->count + 2 > s->cap) {
		s->cap = s->cap == 0 ? 64 : s->cap * 2;
		s->list = xreallocarray(s->list, s->cap, sizeof(*s->list));
	}
	s->list[s->count++] = xstrdup(text);
	s->list[s->count] = NULL;
}

static void
strings_release(struct strings *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i]);
	free(s->list);
	memset(s, 0, sizeof(*s));
}

int
domain_key(struct ctx *c, const char *name, char *key)
{
	struct err e;

	if (address_domain_key(name, key, &e) == 0 && key[0] != '[' &&
	    address_is_domain(key))
		return EX_OK;
	return complain(c, EX_DATAERR, "%s is not a domain name",
			log_text(name));
}

static int
add_key(void *arg, const char *kind, const char *key, const char *value)
{
	(void)kind, (void)value;
	strings_add(arg, key);
	return 0;
}

int
domain_not_known(struct ctx *c, const char *name)
{
	struct strings known = { 0 };
	int code;

	strings_add(&known, "");
	(void)db_each(c->db, "domain", add_key, &known, NULL);
	code = complain_unknown(c, "domain", name,
				(const char *const *)known.list);
	strings_release(&known);
	return code;
}

/* 1 there, 0 not, -1 with *code when it cannot be told. */
static int
is_there(struct ctx *c, const char *key, struct buf *alias_of, int *code)
{
	struct err e;
	int got = db_get(c->db, "domain", key, alias_of, &e);

	if (got < 0)
		*code = complain(c, EX_UNAVAILABLE, "%s", e.text);
	return got;
}

/* The domain of an argument, which is one of ours. */
static int
own_key(struct ctx *c, const char *name, char *key, struct buf *alias_of)
{
	int code = domain_key(c, name, key);

	if (code != EX_OK)
		return code;
	switch (is_there(c, key, alias_of, &code)) {
	case 1:
		return EX_OK;
	case 0:
		return domain_not_known(c, key);
	default:
		return code;
	}
}

/* Rows of a kind whose key is chosen by a function. */
struct choice {
	bool (*is_chosen)(const char *key, const char *domain);
	const char *domain;
	struct strings keys;
};

static int
choose(void *arg, const char *kind, const char *key, const char *value)
{
	struct choice *ch = arg;

	(void)kind, (void)value;
	if (ch->is_chosen(key, ch->domain))
		strings_add(&ch->keys, key);
	return 0;
}

static bool
is_dest_of(const char *key, const char *domain)
{
	size_t len = strlen(domain);

	return strncmp(key, domain, len) == 0 && key[len] == ' ';
}

/* "domain NAME KNOB" and "user LOCAL@NAME KNOB", where LOCAL may be quoted
 * and hold anything. */
static bool
is_setting_of(const char *key, const char *domain)
{
	size_t len = strlen(domain);
	const char *end = strrchr(key, ' ');
	const char *at;

	if (end == NULL || (size_t)(end - key) < len)
		return false;
	at = end - len;
	if (strncmp(at, domain, len) != 0 || at == key)
		return false;
	return str_has_prefix(key, "user ")
		       ? at[-1] == '@'
		       : str_has_prefix(key, "domain ") && at[-1] == ' ';
}

static bool
is_rcpt_of(const char *key, const char *domain)
{
	const char *at = strrchr(key, '@');

	return at != NULL && str_eq(at + 1, domain);
}

static enum db_result
drop_rows(struct ctx *c, const char *kind, const char *domain,
	  bool (*is_chosen)(const char *key, const char *domain), struct err *e)
{
	struct choice ch = { .is_chosen = is_chosen, .domain = domain };
	enum db_result r = db_each(c->db, kind, choose, &ch, e);

	for (size_t i = 0; i < ch.keys.count && r == DB_OK; i++)
		r = db_put(c->db, kind, ch.keys.list[i], NULL, e);
	strings_release(&ch.keys);
	return r;
}

static int
put_dests(struct ctx *c, const char *key)
{
	const struct option_values *dests = option(c, "dest");
	struct err e;
	enum db_result r = drop_rows(c, "dest", key, is_dest_of, &e);

	for (size_t i = 0; i < dests->count && r == DB_OK; i++) {
		char row[DB_KEY_MAX];
		struct dest d;

		if (dest_parse(dests->value[i], &d, &e) < 0)
			return complain(c, EX_DATAERR, "%s", e.text);
		str_fmt(row, sizeof(row), "%s %s", key, d.endpoint);
		r = db_put(c->db, "dest", row, d.priority, &e);
	}
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

/* Whether key may become an alias of target, which is one of ours. */
static int
check_alias(struct ctx *c, const char *key, const char *target)
{
	struct buf next = { 0 };
	char at[ADDRESS_DOMAIN_MAX + 1];
	int code = EX_OK;
	int i;

	str_copy(at, sizeof(at), target);
	for (i = 0; i < POLICY_ALIASES_MAX && code == EX_OK; i++) {
		if (str_eq(at, key)) {
			code = complain(c, EX_DATAERR,
					"%s cannot be an alias of %s, which "
					"leads back to it",
					key, target);
			break;
		}
		buf_clear(&next);
		if (is_there(c, at, &next, &code) != 1 || next.len == 0)
			break;
		str_copy(at, sizeof(at), buf_str(&next));
	}
	if (i == POLICY_ALIASES_MAX)
		code = complain(c, EX_DATAERR,
				"%s: more than %d aliases one behind the other",
				target, POLICY_ALIASES_MAX);
	buf_release(&next);
	return code;
}

struct alias_search {
	const char *target;
	char found[ADDRESS_DOMAIN_MAX + 1];
};

static int
find_alias(void *arg, const char *kind, const char *key, const char *value)
{
	struct alias_search *s = arg;

	(void)kind;
	if (!str_eq(value, s->target))
		return 0;
	str_copy(s->found, sizeof(s->found), key);
	return 1;
}

/* All that only a domain of its own has. */
static enum db_result
drop_own(struct ctx *c, const char *key, struct err *e)
{
	enum db_result r = drop_rows(c, "setting", key, is_setting_of, e);
	size_t i;

	if (r == DB_OK)
		r = drop_rows(c, "rcpt", key, is_rcpt_of, e);
	for (i = 0; r == DB_OK && lists_kinds[i] != NULL; i++)
		r = drop_rows(c, lists_kinds[i], key, is_setting_of, e);
	return r;
}

static int
put_domain(struct ctx *c, const char *key)
{
	const char *alias = option_value(c, "alias-of");
	char target[ADDRESS_DOMAIN_MAX + 1] = "";
	enum db_result r;
	struct err e;
	int code;

	if ((alias != NULL) == (option(c, "dest")->count > 0))
		return complain(c, EX_USAGE,
				"expected --dest HOST:PORT (once or more), or "
				"--alias-of NAME");
	if (alias != NULL) {
		code = own_key(c, alias, target, NULL);
		if (code == EX_OK)
			code = check_alias(c, key, target);
		if (code != EX_OK)
			return code;
	}
	r = db_put(c->db, "domain", key, target, &e);
	if (r == DB_OK && alias != NULL)
		r = drop_own(c, key, &e);
	if (r != DB_OK)
		return complain_db(c, r, &e);
	return put_dests(c, key);
}

int
cmd_domain_add(struct ctx *c)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	int code = domain_key(c, c->args[0], key);

	if (code != EX_OK)
		return code;
	switch (is_there(c, key, NULL, &code)) {
	case 0:
		return put_domain(c, key);
	case 1:
		return complain(c, EX_DATAERR,
				"domain \"%s\" is there already; to change "
				"it: mcctl domain set",
				key);
	default:
		return code;
	}
}

int
cmd_domain_set(struct ctx *c)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	int code = own_key(c, c->args[0], key, NULL);

	return code == EX_OK ? put_domain(c, key) : code;
}

int
cmd_domain_delete(struct ctx *c)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	struct alias_search s = { .target = key };
	int code = own_key(c, c->args[0], key, NULL);
	enum db_result r;
	struct err e;

	if (code != EX_OK)
		return code;
	r = db_each(c->db, "domain", find_alias, &s, &e);
	if (r == DB_OK && s.found[0] != '\0')
		return complain(c, EX_DATAERR,
				"domain \"%s\": %s is an alias of it; delete "
				"or change that one first",
				key, s.found);
	if (r == DB_OK)
		r = drop_rows(c, "dest", key, is_dest_of, &e);
	if (r == DB_OK)
		r = drop_own(c, key, &e);
	if (r == DB_OK)
		r = db_put(c->db, "domain", key, NULL, &e);
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

/* Lines "HOST:PORT,PRIORITY" in the order they are tried. */
static void
dest_lines(const struct policy *p, const char *key, struct buf *out)
{
	const struct policy_domain *d = policy_domain(p, key);

	for (size_t i = 0; d != NULL && i < d->dest_count; i++)
		(void)buf_printf(
			out,
			strchr(d->dests[i].host, ':') != NULL ? "%s[%s]:%u,%lld"
							      : "%s%s:%u,%lld",
			out->len > 0 ? "\n" : "", d->dests[i].host,
			d->dests[i].port, (long long)d->dests[i].priority);
}

static void
domain_record(const struct policy *p, const char *key, const char *alias_of,
	      struct record *r)
{
	struct buf text = { 0 };

	/* Those of an alias are its target's. */
	dest_lines(p, key, &text);
	record_str(r, "domain", key);
	record_str(r, "alias_of", alias_of);
	record_list(r, "dests", buf_str(&text));
	buf_release(&text);
}

static int
add_setting(void *arg, const char *kind, const char *key, const char *value)
{
	struct choice *ch = arg;
	char line[DB_KEY_MAX + 128];
	char subject[DB_KEY_MAX];
	const char *knob = strrchr(key, ' ');

	(void)kind;
	if (!is_setting_of(key, ch->domain))
		return 0;
	str_fmt(subject, sizeof(subject), "%.*s", (int)(knob - key), key);
	if (str_has_prefix(key, "domain "))
		str_fmt(line, sizeof(line), "%s=%s", knob + 1, value);
	else
		str_fmt(line, sizeof(line), "%s=%s (%s)", knob + 1, value,
			subject);
	strings_add(&ch->keys, line);
	return 0;
}

static int
add_settings(struct ctx *c, const char *key, struct record *r)
{
	struct choice ch = { .domain = key };
	struct buf text = { 0 };
	struct err e;
	enum db_result got = db_each(c->db, "setting", add_setting, &ch, &e);

	for (size_t i = 0; i < ch.keys.count; i++)
		(void)buf_printf(&text, "%s%s", i > 0 ? "\n" : "",
				 ch.keys.list[i]);
	record_list(r, "settings", buf_str(&text));
	buf_release(&text);
	strings_release(&ch.keys);
	return got == DB_OK ? EX_OK : complain_db(c, got, &e);
}

int
cmd_domain_show(struct ctx *c)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	struct record r = { 0 };
	struct buf alias = { 0 };
	struct policy *p = NULL;
	struct err e;
	int code = own_key(c, c->args[0], key, &alias);

	if (code == EX_OK) {
		p = policy_load(c->db, NULL, &e);
		if (p == NULL)
			code = complain(c, EX_UNAVAILABLE, "%s", e.text);
	}
	if (code == EX_OK) {
		domain_record(p, key, buf_str(&alias), &r);
		code = add_settings(c, key, &r);
	}
	if (code == EX_OK)
		out_object(&c->out, &r);
	policy_free(p);
	record_release(&r);
	buf_release(&alias);
	return code;
}

struct listing {
	struct ctx *c;
	const struct policy *policy;
};

static int
list_one(void *arg, const char *kind, const char *key, const char *value)
{
	struct listing *l = arg;
	struct record r = { 0 };

	(void)kind;
	domain_record(l->policy, key, value, &r);
	out_row(&l->c->out, &r);
	record_release(&r);
	return ferror(stdout);
}

int
cmd_domain_list(struct ctx *c)
{
	struct err e;
	struct policy *p = policy_load(c->db, NULL, &e);
	struct listing l = { .c = c, .policy = p };
	enum db_result got;

	if (p == NULL)
		return complain(c, EX_UNAVAILABLE, "%s", e.text);
	got = db_each(c->db, "domain", list_one, &l, &e);
	policy_free(p);
	return got == DB_OK ? EX_OK : complain_db(c, got, &e);
}
