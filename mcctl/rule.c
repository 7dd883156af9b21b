/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl rule: points of a finding (a rule of SpamAssassin, a DNS list, a
 * symptom of a filter) replaced for all, a domain or a user.
 */
#include <string.h>
#include <sysexits.h>

#include "lists.h"
#include "log.h"
#include "points.h"
#include "str.h"
#include "target.h"

#define RULE_POINTS_MAX 1000000 /* thousandths, either way */

/* What filters call their findings; nothing else can ever match. */
static int
check_name(struct ctx *c, const char *name)
{
	size_t len = strlen(name);
	size_t i;

	for (i = 0; i < len; i++)
		if (!ascii_isalnum((unsigned char)name[i]) &&
		    strchr("_.-", name[i]) == NULL)
			break;
	if (len == 0 || len > 100 || i < len)
		return complain(c, EX_DATAERR,
				"rule %s: expected a name of letters, digits, "
				"_, . and -, as `mcctl explain` shows it",
				log_text(name));
	return EX_OK;
}

/* Puts a row; value NULL takes it away. */
static int
put_rule(struct ctx *c, const char *value)
{
	char key[DB_KEY_MAX];
	enum db_result r;
	struct target t;
	struct err e;
	int code = check_name(c, c->args[0]);

	if (code == EX_OK)
		code = target_of(c, &t);
	if (code != EX_OK)
		return code;
	if (!target_key(&t, c->args[0], key, sizeof(key)))
		return complain(c, EX_DATAERR, "the address is too long");
	if (value == NULL && db_get(c->db, "rule", key, NULL, NULL) == 0)
		return complain(c, EX_DATAERR,
				"rule %s: has no points of its own there; "
				"\"mcctl rule list\" shows all that have",
				c->args[0]);
	r = db_put(c->db, "rule", key, value, &e);
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

int
cmd_rule_set(struct ctx *c)
{
	char text[32];
	int64_t points;
	struct err e;

	if (points_parse(c->args[1], &points, &e) != 0)
		return complain(c, EX_DATAERR, "points: %s", e.text);
	if (points > RULE_POINTS_MAX || points < -RULE_POINTS_MAX)
		return complain(c, EX_DATAERR,
				"points: %s is out of range: expected -1000.0 "
				"to 1000.0",
				c->args[1]);
	points_text(points, text, sizeof(text));
	return put_rule(c, text);
}

int
cmd_rule_reset(struct ctx *c)
{
	return put_rule(c, NULL);
}

static int
list_row(void *arg, const char *kind, const char *key, const char *value)
{
	const char *level, *subject, *name;
	struct record r = { 0 };
	struct ctx *c = arg;
	char copy[DB_KEY_MAX + 1];

	(void)kind;
	str_copy(copy, sizeof(copy), key);
	lists_key(copy, &level, &subject, &name);
	record_str(&r, "name", name);
	record_str(&r, "points", value);
	record_str(&r, "level", level);
	record_str(&r, "subject", subject);
	out_row(&c->out, &r);
	record_release(&r);
	return 0;
}

int
cmd_rule_list(struct ctx *c)
{
	struct err e;
	enum db_result r = db_each(c->db, "rule", list_row, c, &e);

	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

/* 1 when there is a row for this level: it counts. */
static int
show_level(struct ctx *c, const struct target *t, struct record *r)
{
	struct buf value = { 0 };
	char key[DB_KEY_MAX];
	int got = 0;

	if (target_key(t, c->args[0], key, sizeof(key)))
		got = db_get(c->db, "rule", key, &value, NULL);
	if (got == 1) {
		record_str(r, "points", buf_str(&value));
		record_str(r, "from", target_level_name(t->level));
		record_str(r, "subject", t->subject);
	}
	buf_release(&value);
	return got == 1;
}

int
cmd_rule_show(struct ctx *c)
{
	struct record r = { 0 };
	struct target t;
	char *at;
	int code = check_name(c, c->args[0]);
	int found;

	if (code == EX_OK)
		code = target_of(c, &t);
	if (code != EX_OK)
		return code;
	record_str(&r, "name", c->args[0]);
	found = show_level(c, &t, &r);
	if (!found && t.level == LEVEL_USER) {
		at = strrchr(t.subject, '@');
		memmove(t.subject, at + 1, strlen(at));
		t.level = LEVEL_DOMAIN;
		found = show_level(c, &t, &r);
	}
	if (!found && t.level == LEVEL_DOMAIN) {
		t.level = LEVEL_GLOBAL;
		t.subject[0] = '\0';
		found = show_level(c, &t, &r);
	}
	if (!found) {
		record_null(&r, "points");
		record_str(&r, "from", "filter");
		record_str(&r, "subject", "");
	}
	out_object(&c->out, &r);
	record_release(&r);
	return EX_OK;
}
