/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl user: what an address has of its own - settings, entries of lists,
 * points of rules - and what it comes to.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "dict.h"
#include "knob_put.h"
#include "lists.h"
#include "str.h"
#include "target.h"
#include "xalloc.h"

/* Rows of users, of all kinds that have a scope. */
struct walk {
	struct ctx *c;
	const char *subject; /* of one user, NULL: of all */
	const char *domain; /* of users there, NULL: of all */
	struct buf own[3]; /* lines: settings, lists, rules */
	struct dict users; /* seen, or "kind TAB key" to be removed */
	bool is_delete;
};

enum { OWN_SETTINGS, OWN_LISTS, OWN_RULES };

static void
add_line(struct buf *b, const char *fmt, const char *one, const char *two)
{
	if (b->len > 0)
		(void)buf_add_char(b, '\n');
	(void)buf_add_str(b, one);
	(void)buf_add_str(b, fmt);
	(void)buf_add_str(b, two);
}

static void
take_row(struct walk *w, const char *kind, const char *name, const char *value)
{
	if (str_eq(kind, "setting"))
		add_line(&w->own[OWN_SETTINGS], "=", name, value);
	else if (str_eq(kind, "rule"))
		add_line(&w->own[OWN_RULES], "=", name, value);
	else
		add_line(&w->own[OWN_LISTS], " ", value, name);
}

static int
look_at(void *arg, const char *kind, const char *key, const char *value)
{
	const char *level, *subject, *name, *at;
	char copy[DB_KEY_MAX + 1], full[DB_KEY_MAX + 40];
	struct walk *w = arg;

	str_copy(copy, sizeof(copy), key);
	lists_key(copy, &level, &subject, &name);
	at = strrchr(subject, '@');
	if (!str_eq(level, "user") || at == NULL ||
	    (w->subject != NULL && !str_eq(w->subject, subject)) ||
	    (w->domain != NULL && !str_eq(w->domain, at + 1)))
		return 0;
	if (w->is_delete) {
		str_fmt(full, sizeof(full), "%s\t%s", kind, key);
		(void)dict_set(&w->users, full, w);
	} else if (w->subject != NULL) {
		take_row(w, kind, name, value);
	} else if (dict_set(&w->users, subject, w) == NULL) {
		struct record r = { 0 };

		record_str(&r, "user", subject);
		out_row(&w->c->out, &r);
		record_release(&r);
	}
	return 0;
}

static int
walk_rows(struct walk *w)
{
	struct err e = { "" };
	enum db_result r = db_each(w->c->db, "setting", look_at, w, &e);

	for (size_t i = 0; r == DB_OK && lists_kinds[i] != NULL; i++)
		r = db_each(w->c->db, lists_kinds[i], look_at, w, &e);
	return r == DB_OK ? EX_OK : complain_db(w->c, r, &e);
}

static void
walk_end(struct walk *w)
{
	for (size_t i = 0; i < 3; i++)
		buf_release(&w->own[i]);
	dict_release(&w->users, NULL);
}

int
cmd_user_list(struct ctx *c)
{
	struct walk w = { .c = c };
	char domain[ADDRESS_DOMAIN_MAX + 1];
	int code = EX_OK;

	if (c->arg_count > 0) {
		code = domain_key(c, c->args[0], domain);
		w.domain = domain;
	}
	if (code == EX_OK)
		code = walk_rows(&w);
	walk_end(&w);
	return code;
}

static void
add_effective(const struct policy *p, const char *name, const struct target *t,
	      struct record *r)
{
	const struct knob *k = knob_find(name, NULL);
	char text[KNOB_TEXT_SIZE];
	struct policy_origin o = policy_effective(p, k, t->asked);

	knob_text(k, &o.value, text, sizeof(text));
	record_str(r, name, text);
}

int
cmd_user_show(struct ctx *c)
{
	struct walk w = { .c = c };
	struct record r = { 0 };
	struct policy *p;
	struct target t;
	struct err e;
	int code = target_of_user(c, c->args[0], &t);

	if (code != EX_OK)
		return code;
	p = policy_load(c->db, NULL, &e);
	if (p == NULL)
		return complain(c, EX_UNAVAILABLE, "%s", e.text);
	w.subject = t.subject;
	code = walk_rows(&w);
	if (code == EX_OK) {
		record_str(&r, "user", t.subject);
		add_effective(p, "threshold", &t, &r);
		add_effective(p, "spam_action", &t, &r);
		record_list(&r, "settings", buf_str(&w.own[OWN_SETTINGS]));
		record_list(&r, "lists", buf_str(&w.own[OWN_LISTS]));
		record_list(&r, "rules", buf_str(&w.own[OWN_RULES]));
		out_object(&c->out, &r);
	}
	record_release(&r);
	policy_free(p);
	walk_end(&w);
	return code;
}

int
cmd_user_set(struct ctx *c)
{
	struct target t;
	int code = target_of_user(c, c->args[0], &t);

	return code == EX_OK
		       ? knob_put_words(c, &t, c->args + 1, c->arg_count - 1)
		       : code;
}

int
cmd_user_delete(struct ctx *c)
{
	struct walk w = { .c = c, .is_delete = true };
	enum db_result r = DB_OK;
	struct err e = { "" };
	struct target t;
	const char *full;
	size_t it = 0;
	int code = target_of_user(c, c->args[0], &t);

	if (code != EX_OK)
		return code;
	w.subject = t.subject;
	code = walk_rows(&w);
	if (code == EX_OK && w.users.count == 0)
		code = complain(c, EX_DATAERR,
				"%s has nothing of its own; \"mcctl user "
				"list\" shows who has",
				t.subject);
	while (code == EX_OK && r == DB_OK &&
	       dict_next(&w.users, &it, &full, NULL)) {
		char *kind = xstrdup(full);
		char *key = strchr(kind, '\t');

		*key++ = '\0';
		r = db_put(c->db, kind, key, NULL, &e);
		free(kind);
	}
	walk_end(&w);
	return r == DB_OK ? code : complain_db(c, r, &e);
}
