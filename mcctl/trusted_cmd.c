/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl trusted: whom mail is taken from without further questions.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "str.h"
#include "trusted.h"

#define KIND "trusted"

static int
key_of(struct ctx *c, char key[TRUSTED_KEY_SIZE])
{
	struct err e;

	if (trusted_key(c->args[0], c->args[1], key, &e) == 0)
		return EX_OK;
	return complain(c, EX_DATAERR, "%s", e.text);
}

static int
put(struct ctx *c, const char *key, const char *value)
{
	struct err e;
	enum db_result r = db_put(c->db, KIND, key, value, &e);

	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

int
cmd_trusted_add(struct ctx *c)
{
	const char *note = option_value(c, "note");
	char key[TRUSTED_KEY_SIZE];
	int code = key_of(c, key);

	if (note != NULL && strpbrk(note, "\t\n") != NULL)
		return complain(c, EX_DATAERR,
				"--note: a tab or line end in it");
	return code == EX_OK ? put(c, key, note != NULL ? note : "") : code;
}

int
cmd_trusted_delete(struct ctx *c)
{
	char key[TRUSTED_KEY_SIZE];
	int code = key_of(c, key);

	if (code == EX_OK && db_get(c->db, KIND, key, NULL, NULL) == 0)
		return complain(c, EX_DATAERR, "%s is not in the list", key);
	return code == EX_OK ? put(c, key, NULL) : code;
}

static int
list_row(void *arg, const char *kind, const char *key, const char *value)
{
	const char *colon = strchr(key, ':');
	struct ctx *c = arg;
	struct record r = { 0 };
	char word[16];

	(void)kind;
	if (colon == NULL ||
	    !str_fmt(word, sizeof(word), "%.*s", (int)(colon - key), key))
		return 0;
	record_str(&r, "kind", word);
	record_str(&r, "what", colon + 1);
	record_str(&r, "note", value);
	out_row(&c->out, &r);
	record_release(&r);
	return ferror(stdout);
}

int
cmd_trusted_list(struct ctx *c)
{
	struct err e;
	enum db_result r = db_each(c->db, KIND, list_row, c, &e);

	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}
