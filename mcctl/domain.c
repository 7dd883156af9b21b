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
#include "ip.h"
#include "log.h"
#include "str.h"
#include "xalloc.h"

#define KNOWN_MAX 100000

struct dest {
	char endpoint[300]; /* HOST:PORT as it is keyed */
	char priority[16];
};

/* The key of a domain argument, or an exit code. */
static int
domain_key(struct ctx *c, const char *name, char *key)
{
	struct err e;

	if (address_domain_key(name, key, &e) == 0 && key[0] != '[' &&
	    address_is_domain(key))
		return EX_OK;
	return complain(c, EX_DATAERR, "\"%s\" is not a domain name",
			log_text(name));
}

struct known {
	const char **names;
	size_t count;
};

static int
known_add(void *arg, const char *kind, const char *key, const char *value)
{
	struct known *k = arg;

	(void)kind, (void)value;
	if (k->count == KNOWN_MAX)
		return 1;
	k->names = xreallocarray(k->names, k->count + 2, sizeof(*k->names));
	k->names[k->count++] = xstrdup(key);
	k->names[k->count] = NULL;
	return 0;
}

static int
not_known(struct ctx *c, const char *name)
{
	static const char *const none[] = { NULL };
	struct known k = { 0 };
	int code;

	db_each(c->db, "domain", known_add, &k, NULL);
	code = complain_unknown(c, "domain", name,
				k.names != NULL ? k.names : none);
	for (size_t i = 0; i < k.count; i++)
		free((void *)(uintptr_t)k.names[i]);
	free(k.names);
	return code;
}

/* HOST:PORT[,PRIORITY]; the port may be left out. */
static int
dest_parse(const char *text, struct dest *d, struct err *e)
{
	char host[300];
	const char *comma = strrchr(text, ',');
	size_t len = comma != NULL ? (size_t)(comma - text) : strlen(text);
	struct ip_port ap;
	struct ip ip;
	uint64_t priority = 0;
	uint64_t port = 25;
	char *colon;

	if (len >= sizeof(host) || len == 0)
		return err_set(e, "destination \"%s\" is not HOST:PORT",
			       log_text(text));
	str_fmt(host, sizeof(host), "%.*s", (int)len, text);
	if (comma != NULL &&
	    (str_to_u64(comma + 1, &priority, e) < 0 || priority > 65535))
		return err_set(e, "destination \"%s\": priority is 0 to 65535",
			       log_text(text));
	str_fmt(d->priority, sizeof(d->priority), "%llu",
		(unsigned long long)priority);
	if (ip_port_parse(host, &ap, NULL) == 0) {
		ip_port_text(&ap, d->endpoint);
		return 0;
	}
	if (ip_parse(host, &ip, NULL) == 0) {
		ap = (struct ip_port){ .ip = ip, .port = 25 };
		ip_port_text(&ap, d->endpoint);
		return 0;
	}
	colon = strrchr(host, ':');
	if (colon != NULL) {
		*colon = '\0';
		if (str_to_u64(colon + 1, &port, e) < 0 || port == 0 ||
		    port > 65535)
			return err_set(e,
				       "destination \"%s\": port is 1 to "
				       "65535",
				       log_text(text));
	}
	str_lower(host);
	if (!address_is_domain(host))
		return err_set(e, "destination \"%s\" is not HOST:PORT",
			       log_text(text));
	str_fmt(d->endpoint, sizeof(d->endpoint), "%s:%llu", host,
		(unsigned long long)port);
	return 0;
}

struct drop {
	struct ctx *c;
	const char *prefix; /* "example.org " */
	char (*keys)[DB_KEY_MAX];
	size_t count;
};

static int
drop_collect(void *arg, const char *kind, const char *key, const char *value)
{
	struct drop *d = arg;

	(void)kind, (void)value;
	if (!str_has_prefix(key, d->prefix))
		return 0;
	d->keys = xreallocarray(d->keys, d->count + 1, sizeof(*d->keys));
	str_copy(d->keys[d->count++], DB_KEY_MAX, key);
	return 0;
}

/* Removes the rows of a kind whose keys begin with prefix. */
static enum db_result
drop_rows(struct ctx *c, const char *kind, const char *prefix, struct err *e)
{
	struct drop d = { .c = c, .prefix = prefix };
	enum db_result r = db_each(c->db, kind, drop_collect, &d, e);

	for (size_t i = 0; i < d.count && r == DB_OK; i++)
		r = db_put(c->db, kind, d.keys[i], NULL, e);
	free(d.keys);
	return r;
}

static int
put_dests(struct ctx *c, const char *key)
{
	const struct option_values *dests = option(c, "dest");
	char prefix[ADDRESS_DOMAIN_MAX + 2];
	struct err e;
	enum db_result r;

	str_fmt(prefix, sizeof(prefix), "%s ", key);
	r = drop_rows(c, "dest", prefix, &e);
	for (size_t i = 0; i < dests->count && r == DB_OK; i++) {
		char row[DB_KEY_MAX];
		struct dest d;

		if (dest_parse(dests->value[i], &d, &e) < 0)
			return complain(c, EX_DATAERR, "%s", e.text);
		str_fmt(row, sizeof(row), "%s%s", prefix, d.endpoint);
		r = db_put(c->db, "dest", row, d.priority, &e);
	}
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

static int
put_domain(struct ctx *c, const char *key)
{
	const char *alias = option_value(c, "alias-of");
	char target[ADDRESS_DOMAIN_MAX + 1] = "";
	enum db_result r;
	struct err e;

	if ((alias != NULL) == (option(c, "dest")->count > 0))
		return complain(c, EX_USAGE,
				"give --dest HOST:PORT (once or "
				"more) or --alias-of NAME");
	if (alias != NULL) {
		int code = domain_key(c, alias, target);

		if (code != EX_OK)
			return code;
		if (str_eq(target, key))
			return complain(c, EX_DATAERR,
					"%s cannot be an alias of itself", key);
		if (db_get(c->db, "domain", target, NULL, NULL) != 1)
			return not_known(c, target);
	}
	r = db_put(c->db, "domain", key, target, &e);
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
	if (db_get(c->db, "domain", key, NULL, NULL) == 1)
		return complain(c, EX_DATAERR,
				"domain \"%s\" is there "
				"already; change it with: mcctl domain set",
				key);
	return put_domain(c, key);
}

int
cmd_domain_set(struct ctx *c)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	int code = domain_key(c, c->args[0], key);

	if (code != EX_OK)
		return code;
	if (db_get(c->db, "domain", key, NULL, NULL) != 1)
		return not_known(c, key);
	return put_domain(c, key);
}

int
cmd_domain_delete(struct ctx *c)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	char prefix[DB_KEY_MAX];
	int code = domain_key(c, c->args[0], key);
	enum db_result r;
	struct err e;

	if (code != EX_OK)
		return code;
	if (db_get(c->db, "domain", key, NULL, NULL) != 1)
		return not_known(c, key);
	str_fmt(prefix, sizeof(prefix), "%s ", key);
	r = drop_rows(c, "dest", prefix, &e);
	str_fmt(prefix, sizeof(prefix), "domain %s ", key);
	if (r == DB_OK)
		r = drop_rows(c, "setting", prefix, &e);
	if (r == DB_OK)
		r = db_put(c->db, "domain", key, NULL, &e);
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

struct dest_list {
	const char *prefix;
	struct buf text;
};

static int
dest_list_add(void *arg, const char *kind, const char *key, const char *value)
{
	struct dest_list *d = arg;

	(void)kind;
	if (!str_has_prefix(key, d->prefix))
		return 0;
	return buf_printf(&d->text, "%s%s,%s", d->text.len > 0 ? "\n" : "",
			  key + strlen(d->prefix), value);
}

static int
domain_record(struct ctx *c, const char *key, const char *alias,
	      struct record *r)
{
	char prefix[ADDRESS_DOMAIN_MAX + 2];
	struct dest_list d = { .prefix = prefix };
	struct err e;
	enum db_result got;

	str_fmt(prefix, sizeof(prefix), "%s ", key);
	got = db_each(c->db, "dest", dest_list_add, &d, &e);
	record_str(r, "domain", key);
	record_str(r, "alias_of", alias);
	record_list(r, "dests", buf_str(&d.text));
	buf_release(&d.text);
	return got == DB_OK ? EX_OK : complain_db(c, got, &e);
}

int
cmd_domain_show(struct ctx *c)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	struct record r = { 0 };
	struct buf alias = { 0 };
	int code = domain_key(c, c->args[0], key);

	if (code != EX_OK)
		return code;
	if (db_get(c->db, "domain", key, &alias, NULL) != 1)
		return not_known(c, key);
	code = domain_record(c, key, buf_str(&alias), &r);
	if (code == EX_OK)
		out_object(&c->out, &r);
	record_release(&r);
	buf_release(&alias);
	return code;
}

/* Rows are kept until the walk is over: one query at a time. */
static int
keep_row(void *arg, const char *kind, const char *key, const char *value)
{
	struct known *k = arg;

	return known_add(k, kind, key, value) ||
	       known_add(k, kind, value, value);
}

int
cmd_domain_list(struct ctx *c)
{
	struct known k = { 0 };
	struct err e;
	enum db_result got = db_each(c->db, "domain", keep_row, &k, &e);
	int code = got == DB_OK ? EX_OK : complain_db(c, got, &e);

	for (size_t i = 0; i + 1 < k.count; i += 2) {
		struct record r = { 0 };

		if (code == EX_OK)
			code = domain_record(c, k.names[i], k.names[i + 1], &r);
		if (code == EX_OK)
			out_row(&c->out, &r);
		record_release(&r);
	}
	for (size_t i = 0; i < k.count; i++)
		free((void *)(uintptr_t)k.names[i]);
	free(k.names);
	return code;
}
