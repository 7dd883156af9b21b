/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl smarthost, dest, test addr: where mail goes to.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "asking.h"
#include "command.h"
#include "ip.h"
#include "log.h"
#include "str.h"

#define PORT_DEFAULT 25
#define PRIORITY_MAX 65535
#define SESSION_WAIT_MS 330000 /* a server may take minutes for a reply */

int
dest_endpoint(const char *text, struct dest *d, struct err *e)
{
	char host[POLICY_HOST_SIZE];
	char full[POLICY_HOST_SIZE + 16];
	struct ip ip;
	uint16_t port;

	if (ip_parse(text, &ip, NULL) == 0 && strchr(text, ':') != NULL)
		str_fmt(full, sizeof(full), "[%s]:%d", text, PORT_DEFAULT);
	else if (strchr(text, ':') == NULL || text[strlen(text) - 1] == ']')
		str_fmt(full, sizeof(full), "%.270s:%d", text, PORT_DEFAULT);
	else
		str_copy(full, sizeof(full), text);
	if (policy_dest_parse(full, host, &port, e) < 0)
		return -1;
	str_fmt(d->endpoint, sizeof(d->endpoint),
		strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
	return 0;
}

int
dest_parse(const char *text, struct dest *d, struct err *e)
{
	char shown[128];
	char endpoint[POLICY_HOST_SIZE + 16];
	const char *comma = strrchr(text, ',');
	size_t len = comma != NULL ? (size_t)(comma - text) : strlen(text);
	uint64_t priority = 0;

	str_printable(shown, sizeof(shown), text, strlen(text));
	if (len == 0 || len >= sizeof(endpoint))
		return err_set(e,
			       "destination \"%s\": expected HOST:PORT or "
			       "HOST:PORT,PRIORITY",
			       shown);
	if (comma != NULL && (str_to_u64(comma + 1, &priority, NULL) < 0 ||
			      priority > PRIORITY_MAX))
		return err_set(e,
			       "destination \"%s\": expected a priority from "
			       "0 to %d behind the comma",
			       shown, PRIORITY_MAX);
	str_fmt(d->priority, sizeof(d->priority), "%llu",
		(unsigned long long)priority);
	str_fmt(endpoint, sizeof(endpoint), "%.*s", (int)len, text);
	return dest_endpoint(endpoint, d, e);
}

int
cmd_smarthost_add(struct ctx *c)
{
	enum db_result r;
	struct dest d;
	struct err e;

	if (dest_parse(c->args[0], &d, &e) < 0)
		return complain(c, EX_DATAERR, "%s", e.text);
	r = db_put(c->db, "smarthost", d.endpoint, d.priority, &e);
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

int
cmd_smarthost_delete(struct ctx *c)
{
	enum db_result r;
	struct dest d;
	struct err e;
	int got;

	if (dest_endpoint(c->args[0], &d, &e) < 0)
		return complain(c, EX_DATAERR, "%s", e.text);
	got = db_get(c->db, "smarthost", d.endpoint, NULL, &e);
	if (got < 0)
		return complain(c, EX_UNAVAILABLE, "%s", e.text);
	if (got == 0)
		return complain(c, EX_DATAERR,
				"%s is no smarthost; to see them: mcctl "
				"smarthost list",
				d.endpoint);
	r = db_put(c->db, "smarthost", d.endpoint, NULL, &e);
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

static void
host_text(const struct policy_dest *d, char *dst, size_t size)
{
	str_fmt(dst, size, strchr(d->host, ':') != NULL ? "[%s]:%u" : "%s:%u",
		d->host, (unsigned)d->port);
}

int
cmd_smarthost_list(struct ctx *c)
{
	const struct policy_dest *hosts;
	struct record r = { 0 };
	struct policy *p;
	size_t count, i;
	char text[300];
	struct err e;

	p = policy_load(c->db, NULL, &e);
	if (p == NULL)
		return complain(c, EX_UNAVAILABLE, "%s", e.text);
	hosts = policy_smarthosts(p, &count);
	for (i = 0; i < count; i++) {
		record_clear(&r);
		host_text(&hosts[i], text, sizeof(text));
		record_str(&r, "host", text);
		record_int(&r, "priority", hosts[i].priority);
		out_row(&c->out, &r);
	}
	record_release(&r);
	policy_free(p);
	return EX_OK;
}

/* A session, row by row. */

int
cmd_dest_test(struct ctx *c)
{
	struct asking_sink sink = { .row = out_encoded, .arg = &c->out };
	const char *arg = c->args[0];
	char key[ADDRESS_DOMAIN_MAX + 1];
	struct err e = { "" };
	struct asking *a;
	struct dest d;
	int code;

	if (strchr(arg, ':') != NULL && arg[0] != '[') {
		if (dest_endpoint(arg, &d, &e) < 0)
			return complain(c, EX_DATAERR, "%s", e.text);
		arg = d.endpoint;
	} else if (arg[0] != '[') {
		code = domain_key(c, arg, key);
		if (code != EX_OK)
			return code;
		arg = key;
	}
	a = asking_open(&c->conf, &code, &e);
	if (a == NULL)
		return complain(c, code, "%s", e.text);
	asking_set_wait(a, SESSION_WAIT_MS);
	code = asking_run(a, "dest-test", arg, &sink, &e);
	asking_close(a);
	out_end(&c->out);
	return code == EX_OK ? code : complain(c, code, "%s", e.text);
}

/* An address. */

struct route_rows {
	struct buf addresses, left_out;
};

static const char *
text_of(const struct value *values, size_t count, const char *name)
{
	const struct value *v = record_find(values, count, name);

	return v != NULL && v->str != NULL ? v->str : "";
}

static int
take_row(void *arg, const struct value *values, size_t count,
	 struct span encoded)
{
	struct route_rows *rows = arg;
	bool is_address = str_eq(text_of(values, count, "step"), "address");
	struct buf *b = is_address ? &rows->addresses : &rows->left_out;

	(void)encoded;
	(void)buf_printf(b, "%s%s", b->len > 0 ? "\n" : "",
			 text_of(values, count, is_address ? "relay" : "text"));
	return 0;
}

/* What mcd would do now; without it only that it is not known. */
static void
add_route(struct ctx *c, const char *domain, struct record *r)
{
	struct route_rows rows = { .addresses = { .limit = 16000 },
				   .left_out = { .limit = 16000 } };
	struct asking_sink sink = { .row = take_row, .arg = &rows };
	struct err e = { "" };
	int code;
	struct asking *a = asking_open(&c->conf, &code, &e);

	if (a != NULL) {
		(void)asking_run(a, "dest-route", domain, &sink, &e);
		asking_close(a);
	}
	record_list(r, "route", buf_str(&rows.addresses));
	record_list(r, "left_out", buf_str(&rows.left_out));
	record_str(r, "trouble", e.text);
	buf_release(&rows.addresses);
	buf_release(&rows.left_out);
}

/* What differs for this one from what holds for all. */
static void
add_own_settings(const struct policy *p, const char *address, struct record *r)
{
	struct buf text = { .limit = 16000 };
	size_t i;

	for (i = 0; i < knob_count; i++) {
		const struct knob *k = &knob_table[i];
		struct policy_origin o = policy_effective(p, k, address);
		char value[KNOB_TEXT_SIZE];

		if (o.level != LEVEL_DOMAIN && o.level != LEVEL_USER)
			continue;
		knob_text(k, &o.value, value, sizeof(value));
		(void)buf_printf(&text, "%s%s=%s (%s)",
				 text.len > 0 ? "\n" : "", k->name, value,
				 o.subject);
	}
	record_list(r, "settings", buf_str(&text));
	buf_release(&text);
}

static void
add_knob(const struct policy *p, const char *name, const char *address,
	 struct record *r)
{
	const struct knob *k = knob_find(name, NULL);
	struct policy_origin o = policy_effective(p, k, address);
	char value[KNOB_TEXT_SIZE];

	knob_text(k, &o.value, value, sizeof(value));
	record_str(r, name, value);
}

/* Why there and not elsewhere, in words. */
static const char *
why_of(const struct policy *p, const struct policy_domain *d, bool is_alias)
{
	size_t smarthosts;

	(void)policy_smarthosts(p, &smarthosts);
	if (d != NULL && d->dest_count == 0)
		return "a domain of ours without a destination: mail waits";
	if (d != NULL && is_alias)
		return "an alias: the destinations of its target";
	if (d != NULL)
		return "a domain of ours: its destinations";
	return smarthosts > 0
		       ? "not ours: from relay hosts alone, by a smarthost"
		       : "not ours: from relay hosts alone, by its MX records";
}

int
cmd_test_addr(struct ctx *c)
{
	const struct policy_domain *d;
	char key[ADDRESS_DOMAIN_MAX + 1], address[ADDRESS_TEXT_SIZE];
	struct record r = { 0 };
	struct policy *p;
	struct address a;
	struct err e;

	if (address_parse(span_of(c->args[0]), ADDRESS_ALLOW_UTF8, &a, &e) < 0)
		return complain(c, EX_DATAERR, "%s: %s", log_text(c->args[0]),
				e.text);
	if (address_domain_key(address_domain(&a), key, &e) < 0)
		return complain(c, EX_DATAERR, "%s: %s", log_text(c->args[0]),
				e.text);
	p = policy_load(c->db, NULL, &e);
	if (p == NULL)
		return complain(c, EX_UNAVAILABLE, "%s", e.text);
	d = policy_domain(p, key);
	if (policy_key(p, c->args[0], address, &e) < 0)
		str_copy(address, sizeof(address), c->args[0]);
	record_str(&r, "address", a.text);
	record_bool(&r, "ours", d != NULL);
	record_str(&r, "domain", d != NULL ? d->name : key);
	record_str(&r, "settings_of", address);
	record_str(&r, "why", why_of(p, d, d != NULL && !str_eq(d->name, key)));
	add_knob(p, "dest_mode", d != NULL ? address : "", &r);
	add_knob(p, "dest_tls", d != NULL ? address : "", &r);
	add_knob(p, "dest_8bit", d != NULL ? address : "", &r);
	add_own_settings(p, address, &r);
	add_route(c, key, &r);
	out_object(&c->out, &r);
	record_release(&r);
	policy_free(p);
	return EX_OK;
}
