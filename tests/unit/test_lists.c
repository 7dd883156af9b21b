/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rows for the filters: the nearest scope counts, damage is refused.
 */
#include "lists.h"

#include "check.h"
#include "str.h"

static struct lists *
make(void)
{
	static const struct {
		const char *kind, *key, *value;
	} rows[] = {
		{ "rule", "global FUZZY", "1.0" },
		{ "rule", "domain a.example FUZZY", "0.5" },
		{ "rule", "user joe@a.example FUZZY", "0.1" },
		{ "rule", "user \"jo e\"@a.example FUZZY", "0.2" },
		{ "rule", "BARE", "3.0" },
		{ "rbl", "zone.example", "mask=127.0.0.2" },
		{ "rbl", "other.example", "" },
	};
	struct buf text = { 0 };
	struct lists *l;
	struct err e = { "" };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_INT(lists_write(&text, rows[i].kind, rows[i].key,
				      rows[i].value),
			  0, "row %zu is written", i);
	CHECK_INT(lists_write(&text, "rule", "a\tb", "1"), -1,
		  "a tab in a key is refused");
	CHECK_INT(lists_write(&text, "rule", "a", "1\n2"), -1,
		  "as is a line end in a value");
	l = lists_read(buf_span(&text), &e);
	CHECK(l != NULL, "they are read: %s", e.text);
	buf_release(&text);
	return l;
}

static void
check_scopes(const struct lists *l)
{
	static const struct {
		const char *words, *user, *domain, *name, *want;
	} rows[] = {
		{ "nobody has the global one", "", "", "FUZZY", "1.0" },
		{ "a domain's own", "", "a.example", "FUZZY", "0.5" },
		{ "a user's own", "joe@a.example", "a.example", "FUZZY",
		  "0.1" },
		{ "a quoted user's", "\"jo e\"@a.example", "", "FUZZY", "0.2" },
		{ "another domain has the global one", "", "b.example", "FUZZY",
		  "1.0" },
		{ "a key without a scope is global", "joe@a.example",
		  "a.example", "BARE", "3.0" },
		{ "one that is not there", "", "a.example", "OTHER", NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lists_scope scope = { rows[i].user, rows[i].domain };

		CHECK_STR(lists_get(l, "rule", &scope, rows[i].name),
			  rows[i].want, "%s", rows[i].words);
	}
	CHECK(lists_get(NULL, "rule", &(struct lists_scope){ "", "" }, "X") ==
		      NULL,
	      "no lists, no rows");
}

static int
add_name(void *arg, const char *name, const char *value)
{
	(void)buf_printf(arg, "%s=%s;", name, value);
	return str_eq(name, "stop");
}

static void
check_each(const struct lists *l)
{
	struct buf out = { 0 };

	CHECK_INT(lists_each(l, "rbl", "global", "", add_name, &out), 0,
		  "all of a kind");
	CHECK_STR(buf_str(&out), "zone.example=mask=127.0.0.2;other.example=;",
		  "in their order");
	buf_clear(&out);
	(void)lists_each(l, "rule", "domain", "a.example", add_name, &out);
	CHECK_STR(buf_str(&out), "FUZZY=0.5;", "those of one scope");
	buf_release(&out);
}

static void
check_damage(void)
{
	static const struct {
		const char *words;
		struct span text;
	} rows[] = {
		{ "a line without its end", SPAN_LIT("rule\tX\t1") },
		{ "a line of two words", SPAN_LIT("rule\tX\n") },
		{ "a NUL", SPAN_LIT("rule\tX\t\0\n") },
		{ "an empty line", SPAN_LIT("\n") },
	};
	struct lists *l;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(lists_read(rows[i].text, &e) == NULL, "%s is refused",
		      rows[i].words);
	l = lists_read(SPAN_LIT(""), &e);
	CHECK(l != NULL, "no rows at all are fine");
	lists_free(l);
}

int
main(void)
{
	struct lists *l = make();

	check_scopes(l);
	check_each(l);
	check_damage();
	lists_free(l);
	return check_done();
}
