/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl setting: the knobs of one level, and where a value comes from.
 */
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "command.h"
#include "knob_put.h"
#include "log.h"
#include "policy.h"
#include "setting.h"
#include "str.h"
#include "target.h"

static int
knob_of(struct ctx *c, const char *name, const struct knob **k)
{
	struct err e;

	*k = knob_find(name, &e);
	return *k != NULL ? EX_OK : complain(c, EX_DATAERR, "%s", e.text);
}

/* Knob and target of a command that names both. */
static int
both_of(struct ctx *c, const struct knob **k, struct target *t)
{
	int code = knob_of(c, c->args[0], k);

	if (code == EX_OK)
		code = target_of(c, t);
	return code;
}

static int
put_value(struct ctx *c, const struct knob *k, const struct target *t,
	  const char *value)
{
	char key[DB_KEY_MAX];
	enum db_result r;
	struct err e;

	if ((k->levels & t->level) == 0)
		return complain(c, EX_DATAERR,
				"setting \"%s\" has no value per %s", k->name,
				target_level_name(t->level));
	if (!target_key(t, k->name, key, sizeof(key)))
		return complain(c, EX_DATAERR, "the address is too long");
	r = db_put(c->db, "setting", key, value, &e);
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

int
knob_put(struct ctx *c, const struct knob *k, const struct target *t,
	 const char *value)
{
	char text[KNOB_TEXT_SIZE];
	struct knob_value parsed;
	struct err e;

	if (knob_parse(k, value, &parsed, &e) < 0)
		return complain(c, EX_DATAERR, "%s", e.text);
	knob_text(k, &parsed, text, sizeof(text));
	return put_value(c, k, t, text);
}

/* All of them or none: they share a transaction. */
int
knob_put_words(struct ctx *c, const struct target *t, char *const *words,
	       int count)
{
	const struct knob *k;
	int code = EX_OK;

	if (count % 2 != 0)
		return complain(c, EX_USAGE, "setting \"%s\" has no value",
				words[count - 1]);
	for (int i = 0; code == EX_OK && i < count; i += 2) {
		code = knob_of(c, words[i], &k);
		if (code == EX_OK)
			code = knob_put(c, k, t, words[i + 1]);
	}
	return code;
}

int
cmd_setting_set(struct ctx *c)
{
	struct target t;
	int code = target_of(c, &t);

	return code == EX_OK ? knob_put_words(c, &t, c->args, c->arg_count)
			     : code;
}

int
cmd_setting_unset(struct ctx *c)
{
	const struct knob *k;
	struct target t;
	int code = both_of(c, &k, &t);

	return code == EX_OK ? put_value(c, k, &t, NULL) : code;
}

/* What is written at one level for a subject, as a line of a list. */
static void
add_written(struct ctx *c, const struct knob *k, enum knob_level level,
	    const char *subject, struct buf *out)
{
	char key[DB_KEY_MAX];
	struct buf value = { 0 };

	if ((k->levels & level) == 0)
		return;
	str_fmt(key, sizeof(key), "%s %s%s%s", target_level_name(level),
		subject, subject[0] != '\0' ? " " : "", k->name);
	(void)db_get(c->db, "setting", key, &value, NULL);
	(void)buf_printf(out, "%s%s%s%s: %s", out->len > 0 ? "\n" : "",
			 target_level_name(level),
			 subject[0] != '\0' ? " " : "", subject,
			 value.len > 0 ? buf_str(&value) : "-");
	buf_release(&value);
}

/* From the nearest level on: the first that has a value counts. */
static void
add_levels(struct ctx *c, const struct knob *k, const struct target *t,
	   struct record *r)
{
	struct knob_value dflt = knob_default(k);
	struct buf lines = { 0 };
	char text[KNOB_TEXT_SIZE];

	if (t->level == LEVEL_USER)
		add_written(c, k, LEVEL_USER, t->subject, &lines);
	if (t->level != LEVEL_GLOBAL)
		add_written(c, k, LEVEL_DOMAIN, strrchr(t->asked, '@') + 1,
			    &lines);
	add_written(c, k, LEVEL_GLOBAL, "", &lines);
	knob_text(k, &dflt, text, sizeof(text));
	(void)buf_printf(&lines, "%sdefault: %s", lines.len > 0 ? "\n" : "",
			 text);
	record_list(r, "written", buf_str(&lines));
	buf_release(&lines);
}

void
knob_record(const struct policy *p, const struct knob *k,
	    const struct target *t, struct record *r)
{
	struct policy_origin o = policy_effective(p, k, t->asked);
	char text[KNOB_TEXT_SIZE];

	knob_text(k, &o.value, text, sizeof(text));
	record_str(r, "name", k->name);
	record_str(r, "value", text);
	record_str(r, "from", target_level_name(o.level));
	record_str(r, "subject", o.subject);
}

static void
add_explanation(struct ctx *c, const struct knob *k, const struct target *t,
		struct record *r)
{
	struct knob_value dflt = knob_default(k);
	char text[2 * KNOB_TEXT_SIZE];

	add_levels(c, k, t, r);
	knob_text(k, &dflt, text, sizeof(text));
	record_str(r, "default", text);
	knob_range(k, text, sizeof(text));
	record_str(r, "range", text);
	record_str(r, "unit", k->unit);
	str_fmt(text, sizeof(text), "global%s%s",
		(k->levels & LEVEL_DOMAIN) != 0 ? " domain" : "",
		(k->levels & LEVEL_USER) != 0 ? " user" : "");
	record_str(r, "levels", text);
	record_str(r, "help", k->help);
}

int
cmd_setting_get(struct ctx *c)
{
	struct record r = { 0 };
	const struct knob *k;
	struct policy *p;
	struct target t;
	struct err e;
	int code = both_of(c, &k, &t);

	if (code != EX_OK)
		return code;
	p = policy_load(c->db, NULL, &e);
	if (p == NULL)
		return complain(c, EX_UNAVAILABLE, "%s", e.text);
	knob_record(p, k, &t, &r);
	if (str_eq(c->command->verb, "explain"))
		add_explanation(c, k, &t, &r);
	out_object(&c->out, &r);
	record_release(&r);
	policy_free(p);
	return EX_OK;
}

int
cmd_setting_explain(struct ctx *c)
{
	return cmd_setting_get(c);
}

int
knobs_show(struct ctx *c, knob_word_fn *is_one)
{
	char word[64];
	struct policy *p;
	struct target t;
	struct err e;
	int code = target_of(c, &t);

	if (code != EX_OK)
		return code;
	p = policy_load(c->db, NULL, &e);
	if (p == NULL)
		return complain(c, EX_UNAVAILABLE, "%s", e.text);
	for (size_t i = 0; i < knob_count; i++) {
		const struct knob *k = &knob_table[i];
		struct record r = { 0 };

		if ((k->levels & t.level) == 0 ||
		    (is_one != NULL && !is_one(k, word, sizeof(word))))
			continue;
		knob_record(p, k, &t, &r);
		out_row(&c->out, &r);
		record_release(&r);
	}
	policy_free(p);
	return EX_OK;
}

int
cmd_setting_list(struct ctx *c)
{
	return knobs_show(c, NULL);
}
