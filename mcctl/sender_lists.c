/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl list: senders that are allowed, blocked or warned of, for all, a
 * domain or a user.  What an entry is, and which one counts, stands in
 * senders.h.
 */
#include "senders.h"

#include <string.h>
#include <sysexits.h>

#include "log.h"
#include "str.h"
#include "target.h"

static const char *
kind_of(bool is_pattern)
{
	return is_pattern ? "pattern" : "sender";
}

/* One entry in its usual form, and its key at the level that is meant. */
static int
entry_key(struct ctx *c, const struct target *t, const char *text,
	  const char **kind, char key[DB_KEY_MAX])
{
	char entry[SENDERS_ENTRY_SIZE];
	bool is_pattern;
	struct err e;

	if (senders_entry(text, entry, &is_pattern, &e) < 0)
		return complain(c, EX_DATAERR, "%s: %s", log_text(text),
				e.text);
	*kind = kind_of(is_pattern);
	if (!target_key(t, entry, key, DB_KEY_MAX))
		return complain(c, EX_DATAERR, "the address is too long");
	return EX_OK;
}

/* The list that a value belongs to. */
static bool
is_of(const char *value, enum sender_word word)
{
	const char *name = sender_word_name(word);
	size_t len = strlen(name);

	return strncmp(value, name, len) == 0 &&
	       (value[len] == '\0' || value[len] == ' ');
}

static int
add(struct ctx *c, const struct target *t, enum sender_word word,
    const char *text)
{
	char key[DB_KEY_MAX], value[32];
	struct buf old = { 0 };
	const char *kind;
	enum db_result r;
	struct err e;
	int code = entry_key(c, t, text, &kind, key);

	if (code != EX_OK)
		return code;
	if (db_get(c->db, kind, key, &old, NULL) == 1 &&
	    !is_of(buf_str(&old), word))
		code = complain(c, EX_DATAERR,
				"%s is on the list \"%.10s\" there: remove it "
				"from that first",
				log_text(text), buf_str(&old));
	buf_release(&old);
	if (code != EX_OK)
		return code;
	(void)str_fmt(value, sizeof(value), "%s%s", sender_word_name(word),
		      option_is_given(c, "auth") ? " auth" : "");
	r = db_put(c->db, kind, key, value, &e);
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

static int
drop(struct ctx *c, const struct target *t, enum sender_word word,
     const char *text)
{
	char key[DB_KEY_MAX];
	struct buf old = { 0 };
	const char *kind;
	enum db_result r;
	struct err e;
	bool is_there;
	int code = entry_key(c, t, text, &kind, key);

	if (code != EX_OK)
		return code;
	is_there = db_get(c->db, kind, key, &old, NULL) == 1 &&
		   is_of(buf_str(&old), word);
	buf_release(&old);
	if (!is_there)
		return complain(c, EX_DATAERR, "%s is not on this list there",
				log_text(text));
	r = db_put(c->db, kind, key, NULL, &e);
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

/* Showing. */

struct showing {
	struct ctx *c;
	bool has_word;
	enum sender_word word;
	const struct target *t; /* NULL: all levels */
	const char *entry; /* NULL: all, or the one in its usual form */
};

static int
show_row(void *arg, const char *kind, const char *key, const char *value)
{
	const char *level, *subject, *name;
	struct showing *s = arg;
	struct record r = { 0 };
	char copy[DB_KEY_MAX + 1], word[16];

	(void)kind;
	(void)str_copy(copy, sizeof(copy), key);
	lists_key(copy, &level, &subject, &name);
	if ((s->has_word && !is_of(value, s->word)) ||
	    (s->entry != NULL && !str_eq(s->entry, name)) ||
	    (s->t != NULL && (!str_eq(level, target_level_name(s->t->level)) ||
			      !str_eq(subject, s->t->subject))))
		return 0;
	(void)str_fmt(word, sizeof(word), "%.*s", (int)strcspn(value, " "),
		      value);
	record_str(&r, "list", word);
	record_str(&r, "entry", name);
	record_str(&r, "level", level);
	record_str(&r, "subject", subject);
	record_bool(&r, "auth", strchr(value, ' ') != NULL);
	out_row(&s->c->out, &r);
	record_release(&r);
	return 0;
}

static int
show(struct showing *s)
{
	struct err e;
	enum db_result r = db_each(s->c->db, "sender", show_row, s, &e);

	if (r == DB_OK)
		r = db_each(s->c->db, "pattern", show_row, s, &e);
	return r == DB_OK ? EX_OK : complain_db(s->c, r, &e);
}

static int
work(struct ctx *c, enum sender_word word)
{
	bool is_add = str_eq(c->args[0], "add");
	struct showing s = { .c = c, .has_word = true, .word = word };
	struct target t;
	int i, code;

	if (!is_add && !str_eq(c->args[0], "remove") &&
	    !str_eq(c->args[0], "show"))
		return complain(c, EX_USAGE,
				"\"%.60s\": expected add, remove or show",
				c->args[0]);
	if (option_is_given(c, "auth") && !is_add)
		return complain(c, EX_USAGE,
				"--auth is for entries that are added to the "
				"list of allowed senders");
	code = target_of(c, &t);
	if (code != EX_OK)
		return code;
	if (str_eq(c->args[0], "show")) {
		s.t = t.level != LEVEL_GLOBAL ? &t : NULL;
		return show(&s);
	}
	if (c->arg_count < 2)
		return complain(c, EX_USAGE, "%s: which entry?", c->args[0]);
	for (i = 1; i < c->arg_count && code == EX_OK; i++)
		code = is_add ? add(c, &t, word, c->args[i])
			      : drop(c, &t, word, c->args[i]);
	return code;
}

int
cmd_list_allow(struct ctx *c)
{
	return work(c, SENDER_ALLOW);
}

int
cmd_list_block(struct ctx *c)
{
	return work(c, SENDER_BLOCK);
}

int
cmd_list_warn(struct ctx *c)
{
	return work(c, SENDER_WARN);
}

int
cmd_list_show(struct ctx *c)
{
	struct showing s = { .c = c };
	char entry[SENDERS_ENTRY_SIZE];
	bool is_pattern;
	struct err e;

	if (c->arg_count > 0) {
		if (senders_entry(c->args[0], entry, &is_pattern, &e) < 0)
			return complain(c, EX_DATAERR, "%s: %s",
					log_text(c->args[0]), e.text);
		s.entry = entry;
	}
	return show(&s);
}
