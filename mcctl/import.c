/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl import: domains and users of a CSV file, all of them or none.
 * Every wrong line is named, not only the first.
 *
 *   domain,example.org,HOST:PORT[,HOST:PORT...]
 *   alias,example.net,example.org
 *   rcpt,joe@example.org
 *   user,joe@example.org,SETTING=VALUE[,SETTING=VALUE...]
 */
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "command.h"
#include "file.h"
#include "log.h"
#include "setting.h"
#include "str.h"

#define FILE_MAX ((size_t)64 << 20)
#define FIELDS_MAX 66
#define LINE_MAX_SIZE 8192
#define WRONG_MAX 100 /* lines that are named */

struct import {
	struct ctx *c;
	struct policy *policy; /* with the domains of the file */
	size_t line, wrong;
	int64_t domains, users, rcpts;
	char text[LINE_MAX_SIZE];
	char *field[FIELDS_MAX];
	size_t count;
};

/* Cuts the line at its commas; "..." may hold them, and "" a quote. */
static int
split(struct import *im, struct err *e)
{
	char *from = im->text, *to;

	for (im->count = 0;; im->count++) {
		bool is_quoted = *from == '"';

		if (im->count == FIELDS_MAX)
			return err_set(e, "more than %d fields", FIELDS_MAX);
		from += is_quoted;
		im->field[im->count] = to = from;
		while (*from != '\0' && (is_quoted || *from != ',')) {
			if (is_quoted && *from == '"' && *++from != '"')
				break;
			*to++ = *from++;
		}
		if (*from != '\0' && *from != ',')
			return err_set(e, "text behind a quoted field");
		if (*from == '\0') {
			*to = '\0';
			im->count++;
			return 0;
		}
		from++;
		*to = '\0';
	}
}

static int
put(struct import *im, const char *kind, const char *key, const char *value,
    struct err *e)
{
	return db_put(im->c->db, kind, key, value, e) == DB_OK ? 0 : -1;
}

/* The key of a domain that is not there yet. */
static int
new_domain(struct import *im, char *key, struct err *e)
{
	if (im->count < 3)
		return err_set(e, "expected %s,NAME and where to",
			       im->field[0]);
	if (address_domain_key(im->field[1], key, NULL) < 0 || key[0] == '[' ||
	    !address_is_domain(key))
		return err_set(e, "%s is not a domain name",
			       log_text(im->field[1]));
	if (db_get(im->c->db, "domain", key, NULL, NULL) != 0)
		return err_set(e, "domain \"%s\" is there already", key);
	return 0;
}

static int
import_domain(struct import *im, struct err *e)
{
	char key[ADDRESS_DOMAIN_MAX + 1], row[DB_KEY_MAX];
	struct dest d;

	if (new_domain(im, key, e) < 0 || put(im, "domain", key, "", e) < 0)
		return -1;
	for (size_t i = 2; i < im->count; i++) {
		if (dest_parse(im->field[i], &d, e) < 0)
			return -1;
		str_fmt(row, sizeof(row), "%s %s", key, d.endpoint);
		if (put(im, "dest", row, d.priority, e) < 0)
			return -1;
	}
	im->domains++;
	return 0;
}

static int
import_alias(struct import *im, struct err *e)
{
	char key[ADDRESS_DOMAIN_MAX + 1], target[ADDRESS_DOMAIN_MAX + 1];
	struct buf value = { 0 };
	int got;

	if (new_domain(im, key, e) < 0)
		return -1;
	if (address_domain_key(im->field[2], target, NULL) < 0)
		return err_set(e, "%s is not a domain name",
			       log_text(im->field[2]));
	got = db_get(im->c->db, "domain", target, &value, e);
	if (got == 0 || value.len > 0)
		got = err_set(e, "%s is no domain of ours, or an alias itself",
			      log_text(target));
	buf_release(&value);
	if (got < 0 || put(im, "domain", key, target, e) < 0)
		return -1;
	im->domains++;
	return 0;
}

/* The key of an address of ours. */
static int
own_address(struct import *im, char *key, struct err *e)
{
	struct address a;

	if (im->policy == NULL)
		im->policy = policy_load(im->c->db, NULL, e);
	if (im->policy == NULL)
		return -1;
	if (im->count < 2 ||
	    address_parse(span_of(im->field[1]), ADDRESS_ALLOW_UTF8, &a, e) < 0)
		return err_set(e, "expected an address");
	if (policy_key(im->policy, a.text, key, e) < 0)
		return -1;
	if (policy_domain(im->policy, strrchr(key, '@') + 1) == NULL)
		return err_set(e, "%s is of no domain of ours", log_text(key));
	return 0;
}

static int
import_rcpt(struct import *im, struct err *e)
{
	char key[ADDRESS_TEXT_SIZE];

	if (own_address(im, key, e) < 0)
		return -1;
	if (im->count > 2)
		return err_set(e, "nothing is expected behind the address");
	im->rcpts++;
	return put(im, "rcpt", key, "", e);
}

static int
import_setting(struct import *im, const char *user, char *pair, struct err *e)
{
	char key[DB_KEY_MAX], text[KNOB_TEXT_SIZE];
	char *value = strchr(pair, '=');
	const struct knob *k;
	struct knob_value v;

	if (value == NULL)
		return err_set(e, "%s: expected SETTING=VALUE", log_text(pair));
	*value++ = '\0';
	k = knob_find(pair, e);
	if (k == NULL || knob_parse(k, value, &v, e) < 0)
		return -1;
	if ((k->levels & LEVEL_USER) == 0)
		return err_set(e, "setting \"%s\" has no value per user",
			       k->name);
	knob_text(k, &v, text, sizeof(text));
	if (!str_fmt(key, sizeof(key), "user %s %s", user, k->name))
		return err_set(e, "the address is too long");
	return put(im, "setting", key, text, e);
}

static int
import_user(struct import *im, struct err *e)
{
	char key[ADDRESS_TEXT_SIZE];

	if (own_address(im, key, e) < 0)
		return -1;
	if (im->count < 3)
		return err_set(e, "expected user,ADDRESS,SETTING=VALUE");
	for (size_t i = 2; i < im->count; i++)
		if (import_setting(im, key, im->field[i], e) < 0)
			return -1;
	im->users++;
	return 0;
}

/* In the order they are done: what others need comes first. */
static const struct import_word {
	const char *name;
	int pass;
	int (*fn)(struct import *im, struct err *e);
} words[] = {
	{ "domain", 0, import_domain },
	{ "alias", 1, import_alias },
	{ "rcpt", 2, import_rcpt },
	{ "user", 2, import_user },
};
#define WORDS (sizeof(words) / sizeof(words[0]))
#define PASSES 3

static int
run_line(struct import *im, int pass, struct err *e)
{
	const char *names[WORDS + 1] = { NULL };
	const char *near;

	if (split(im, e) < 0)
		return pass == 0 ? -1 : 0;
	for (size_t i = 0; i < WORDS; i++) {
		names[i] = words[i].name;
		if (str_eq(words[i].name, im->field[0]))
			return words[i].pass == pass ? words[i].fn(im, e) : 0;
	}
	if (pass > 0)
		return 0;
	near = str_nearest(im->field[0], names);
	return err_set(e, "%s: expected domain, alias, rcpt or user%s%s%s",
		       log_text(im->field[0]),
		       near != NULL ? "; did you mean " : "",
		       near != NULL ? near : "", near != NULL ? "?" : "");
}

static void
take_line(struct import *im, int pass, const char *line, size_t len)
{
	struct err e = { "" };
	int rc;

	im->line++;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0 || line[0] == '#')
		return;
	if (len >= sizeof(im->text) || memchr(line, '\0', len) != NULL) {
		rc = pass == 0 ? err_set(&e, "too long, or no text") : 0;
	} else {
		memcpy(im->text, line, len);
		im->text[len] = '\0';
		rc = run_line(im, pass, &e);
	}
	if (rc < 0 && im->wrong++ < WRONG_MAX)
		(void)complain(im->c, EX_DATAERR, "%s:%zu: %s", im->c->args[0],
			       im->line, e.text);
}

static void
take_lines(struct import *im, const struct buf *text)
{
	for (int pass = 0; pass < PASSES; pass++) {
		const char *at = text->data;
		size_t left = text->len;

		im->line = 0;
		while (left > 0) {
			const char *end = memchr(at, '\n', left);
			size_t len = end != NULL ? (size_t)(end - at) : left;

			take_line(im, pass, at, len);
			len += end != NULL;
			at += len;
			left -= len;
		}
	}
}

static int
finish(struct import *im)
{
	struct record r = { 0 };

	if (im->wrong > 0)
		return complain(im->c, EX_DATAERR,
				"%zu lines are wrong: nothing was changed",
				im->wrong);
	record_int(&r, "domains", im->domains);
	record_int(&r, "users", im->users);
	record_int(&r, "rcpts", im->rcpts);
	record_bool(&r, "imported", !im->c->is_dry_run);
	out_object(&im->c->out, &r);
	record_release(&r);
	return EX_OK;
}

int
cmd_import(struct ctx *c)
{
	static struct import im;
	struct buf text = { 0 };
	struct err e = { "" };
	int code;

	im.c = c;
	c->is_dry_run = option_is_given(c, "dry-run");
	if (file_read_fd(c->file, &text, FILE_MAX, &e) < 0)
		return complain(c, EX_IOERR, "%s: %s", c->args[0], e.text);
	take_lines(&im, &text);
	code = finish(&im);
	buf_release(&text);
	policy_free(im.policy);
	return code;
}
