/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl relay, peer and rcpt: lists of hosts by network, and the local list
 * of recipients.  The family is the kind of the rows.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "command.h"
#include "ip.h"
#include "log.h"
#include "policy.h"
#include "str.h"

#define LINE_SIZE 1024
#define COMPLAINTS_MAX 10 /* lines of a file told one by one */

static int
net_key(struct ctx *c, const char *text, char key[IP_TEXT_SIZE])
{
	struct ip_net net;
	struct err e;

	if (ip_net_parse(text, &net, &e) < 0)
		return complain(c, EX_DATAERR, "%s", e.text);
	ip_net_text(&net, key);
	return EX_OK;
}

static int
put(struct ctx *c, const char *key, const char *value)
{
	struct err e;
	enum db_result r = db_put(c->db, c->command->family, key, value, &e);

	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

/* Removes a row that is there. */
static int
drop(struct ctx *c, const char *key)
{
	struct err e;

	switch (db_get(c->db, c->command->family, key, NULL, &e)) {
	case 1:
		return put(c, key, NULL);
	case 0:
		return complain(c, EX_DATAERR, "%s is not in the list",
				log_text(key));
	default:
		return complain(c, EX_UNAVAILABLE, "%s", e.text);
	}
}

int
cmd_host_add(struct ctx *c)
{
	const char *note = option_value(c, "note");
	char key[IP_TEXT_SIZE];
	int code = net_key(c, c->args[0], key);

	return code == EX_OK ? put(c, key, note != NULL ? note : "") : code;
}

int
cmd_host_delete(struct ctx *c)
{
	char key[IP_TEXT_SIZE];
	int code = net_key(c, c->args[0], key);

	return code == EX_OK ? drop(c, key) : code;
}

static int
list_host(void *arg, const char *kind, const char *key, const char *value)
{
	struct ctx *c = arg;
	struct record r = { 0 };

	(void)kind;
	record_str(&r, "network", key);
	record_str(&r, "note", value);
	out_row(&c->out, &r);
	record_release(&r);
	return ferror(stdout);
}

int
cmd_host_list(struct ctx *c)
{
	struct err e;
	enum db_result r = db_each(c->db, c->command->family, list_host, c, &e);

	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

/* The key of a recipient; what is wrong is in e. */
static int
rcpt_key(const struct policy *p, const char *text, char *key, struct err *e)
{
	char domain[ADDRESS_DOMAIN_MAX + 1];
	struct address a;

	if (address_parse(span_of(text), ADDRESS_ALLOW_UTF8, &a, e) < 0 ||
	    address_domain_key(address_domain(&a), domain, e) < 0)
		return -1;
	if (policy_domain(p, domain) == NULL)
		return err_set(e, "%s is not a domain of ours", domain);
	return policy_key(p, a.text, key, e);
}

static struct policy *
load_policy(struct ctx *c, int *code)
{
	struct err e;
	struct policy *p = policy_load(c->db, NULL, &e);

	*code = EX_OK;
	if (p == NULL)
		*code = complain(c, EX_UNAVAILABLE, "%s", e.text);
	return p;
}

/* Puts or removes one address. */
static int
change_rcpt(struct ctx *c, int (*change)(struct ctx *c, const char *key))
{
	char key[ADDRESS_TEXT_SIZE];
	struct err e;
	int code;
	struct policy *p = load_policy(c, &code);

	if (p == NULL)
		return code;
	if (rcpt_key(p, c->args[0], key, &e) < 0)
		code = complain(c, EX_DATAERR, "%s: %s", log_text(c->args[0]),
				e.text);
	else
		code = change(c, key);
	policy_free(p);
	return code;
}

static int
add_rcpt(struct ctx *c, const char *key)
{
	return put(c, key, "");
}

int
cmd_rcpt_add(struct ctx *c)
{
	return change_rcpt(c, add_rcpt);
}

int
cmd_rcpt_delete(struct ctx *c)
{
	return change_rcpt(c, drop);
}

static int
list_rcpt(void *arg, const char *kind, const char *key, const char *value)
{
	struct ctx *c = arg;
	const char *at = strrchr(key, '@');
	struct record r = { 0 };

	(void)kind, (void)value;
	if (c->arg_count > 0 && (at == NULL || !str_ieq(at + 1, c->args[0])))
		return 0;
	record_str(&r, "address", key);
	out_row(&c->out, &r);
	record_release(&r);
	return ferror(stdout);
}

int
cmd_rcpt_list(struct ctx *c)
{
	struct err e;
	enum db_result r = db_each(c->db, "rcpt", list_rcpt, c, &e);

	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

/* One address a line; empty lines and those with # are skipped.  Nothing is
 * put unless all of it is right. */
static int
import(struct ctx *c, const struct policy *p, FILE *in)
{
	char line[LINE_SIZE];
	char key[ADDRESS_TEXT_SIZE];
	unsigned number = 0, wrong = 0;
	int code = EX_OK;
	struct err e;

	while (code == EX_OK && fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		number++;
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (rcpt_key(p, line, key, &e) == 0)
			code = put(c, key, "");
		else if (wrong++ < COMPLAINTS_MAX)
			caution(c, "%s:%u: %s", c->args[0], number, e.text);
	}
	if (code == EX_OK && ferror(in))
		code = complain(c, EX_IOERR, "%s: %s", c->args[0],
				strerror(errno));
	if (code == EX_OK && wrong > 0)
		code = complain(c, EX_DATAERR,
				"%s: %u lines are no addresses of ours; "
				"nothing was taken over",
				c->args[0], wrong);
	return code;
}

int
cmd_rcpt_import(struct ctx *c)
{
	int code;
	struct policy *p;
	FILE *in = fopen(c->args[0], "re");

	if (in == NULL)
		return complain(c, EX_NOINPUT, "%s: %s", c->args[0],
				strerror(errno));
	p = load_policy(c, &code);
	if (p != NULL)
		code = import(c, p, in);
	policy_free(p);
	(void)fclose(in);
	return code;
}
