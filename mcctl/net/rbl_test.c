/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl rbl test: what each list says of an address or a domain now, asked
 * by the running mcd, or by this process over a resolver.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "asking.h"
#include "clock.h"
#include "command.h"
#include "rbl_answer.h"
#include "log.h"
#include "psl.h"
#include "resolver.h"
#include "str.h"

#define ITEMS_MAX 2

/* One line for each thing that lists may be asked for. */
static int
make_items(struct ctx *c, const char *what, struct buf *out)
{
	char org[DNS_NAME_SIZE], host[DNS_NAME_SIZE], text[IP_TEXT_SIZE];
	struct ip ip;

	if (ip_parse(what, &ip, NULL) == 0) {
		(void)buf_printf(out, "a %s\n", ip_text(&ip, text));
		return EX_OK;
	}
	if (!dns_name_is_valid(what) || !str_copy(host, sizeof(host), what) ||
	    strchr(what, '.') == NULL || strchr(what, ' ') != NULL)
		return complain(c, EX_DATAERR,
				"%s: expected an address or a domain",
				log_text(what));
	str_lower(host);
	(void)psl_org_domain(host, org);
	(void)buf_printf(out, "d %s\nh %s\n", org, host);
	return EX_OK;
}

static int
ask_mcd(struct ctx *c, const char *items)
{
	struct asking_sink sink = { .row = out_encoded, .arg = &c->out };
	struct err e = { "" };
	int code = EX_OK;
	struct asking *a = asking_open(&c->conf, &code, &e);

	if (a != NULL) {
		code = asking_run(a, "rbl-test", items, &sink, &e);
		asking_close(a);
	}
	if (code == EX_UNAVAILABLE)
		return complain(c, code,
				"%s; --resolver ADDR@PORT asks "
				"without it",
				e.text);
	return code == EX_OK ? EX_OK : complain(c, code, "%s", e.text);
}

/* One test without mcd. */
struct test {
	struct ctx *c;
	struct dns_asker dns;
	struct rbl_answer_item items[ITEMS_MAX];
	size_t count;
};

static void
ask_one(struct test *t, const struct rbl *r, const char *query)
{
	struct rbl_answer_tale tale = { .r = r,
					.query = query,
					.state = r->is_on ? "on" : "off" };
	int64_t begin = clock_mono_us();
	struct record out = { 0 };
	struct dns_answer a;

	t->dns.ask(t->dns.arg, query, DNS_TYPE_A, &a);
	tale.answer = &a;
	tale.time_us = clock_mono_us() - begin;
	rbl_answer_tell(&tale, &out);
	out_row(&t->c->out, &out);
	record_release(&out);
}

static int
test_row(void *arg, const char *kind, const char *key, const char *value)
{
	char query[RBL_QUERY_SIZE];
	struct test *t = arg;
	struct rbl r;
	size_t i;

	(void)kind;
	if (rbl_read(&r, key, value, NULL) != 0)
		return 0;
	for (i = 0; i < t->count; i++)
		if (rbl_answer_query(&r, &t->items[i], query) != 0)
			ask_one(t, &r, query);
	return ferror(stdout);
}

static void
read_items(struct test *t, const char *lines)
{
	while (*lines != '\0' && t->count < ITEMS_MAX) {
		size_t len = strcspn(lines, "\n");

		if (rbl_answer_item_read((struct span){ lines, len },
					 &t->items[t->count]))
			t->count++;
		lines += len + (lines[len] == '\n');
	}
}

static int
ask_directly(struct ctx *c, const char *items)
{
	struct test t = { .c = c };
	enum db_result got;
	struct err e;

	if (resolver_open(option_value(c, "resolver"), &t.dns, &e) != 0)
		return complain(c, EX_USAGE, "--resolver: %s", e.text);
	read_items(&t, items);
	got = db_each(c->db, "rbl", test_row, &t, &e);
	return got == DB_OK ? EX_OK : complain_db(c, got, &e);
}

int
cmd_rbl_test(struct ctx *c)
{
	struct buf items = { .limit = 1024 };
	int code = make_items(c, c->args[0], &items);

	if (code == EX_OK)
		code = option_value(c, "resolver") != NULL
			       ? ask_directly(c, buf_str(&items))
			       : ask_mcd(c, buf_str(&items));
	buf_release(&items);
	return code;
}
