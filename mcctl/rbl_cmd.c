/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl rbl: the DNS lists that are asked, and what each says of an address
 * or a domain.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "command.h"
#include "log.h"
#include "rbl.h"
#include "show.h"
#include "stats.h"
#include "str.h"

static int
put_list(struct ctx *c, const struct rbl *r)
{
	struct buf value = { .limit = RBL_VALUE_MAX };
	enum db_result got;
	struct err e;
	int code = EX_OK;

	rbl_write(r, &value);
	if (value.overflowed)
		code = complain(c, EX_DATAERR, "list %s: longer than %d bytes",
				r->name, RBL_VALUE_MAX);
	if (code == EX_OK) {
		got = db_put(c->db, "rbl", r->name, buf_str(&value), &e);
		code = got == DB_OK ? EX_OK : complain_db(c, got, &e);
	}
	buf_release(&value);
	return code;
}

/* Takes what the options say. */
static int
apply_options(struct ctx *c, struct rbl *r)
{
	const char *value;
	struct err e;
	size_t i;

	for (i = 0; rbl_keys[i] != NULL; i++) {
		value = option_value(c, rbl_keys[i]);
		if (value != NULL && rbl_set(r, rbl_keys[i], value, &e) != 0)
			return complain(c, EX_DATAERR, "--%s: %s", rbl_keys[i],
					e.text);
	}
	if (rbl_check(r, &e) != 0)
		return complain(c, EX_DATAERR, "list %s: %s", r->name, e.text);
	return EX_OK;
}

/* 1 and the list, 0 when there is none; -1 has complained into *code. */
static int
load_list(struct ctx *c, const char *name, struct rbl *r, int *code)
{
	struct buf value = { 0 };
	struct err e;
	int got = db_get(c->db, "rbl", name, &value, &e);

	if (got < 0)
		*code = complain(c, EX_UNAVAILABLE, "%s", e.text);
	if (got == 1 && rbl_read(r, name, buf_str(&value), &e) != 0) {
		*code = complain(c, EX_DATAERR, "list %s: %s", log_text(name),
				 e.text);
		got = -1;
	}
	buf_release(&value);
	return got;
}

static int
need_list(struct ctx *c, struct rbl *r)
{
	int code = EX_OK;

	switch (load_list(c, c->args[0], r, &code)) {
	case 1:
		return EX_OK;
	case 0:
		return complain(c, EX_DATAERR,
				"list \"%s\": there is none of this name; "
				"\"mcctl rbl list\" shows all",
				log_text(c->args[0]));
	default:
		return code;
	}
}

static int
count_row(void *arg, const char *kind, const char *key, const char *value)
{
	size_t *count = arg;

	(void)kind, (void)key, (void)value;
	return ++*count >= RBL_LISTS_MAX;
}

/* What a new list begins as: one that is known, or an empty one. */
static int
begin_list(struct ctx *c, const char *name, struct rbl *r)
{
	const struct rbl_preset *p = rbl_preset(name);
	struct err e;

	if (!rbl_init(r, name))
		return complain(c, EX_DATAERR,
				"list %s: expected a name of at most %d of "
				"a-z, 0-9 and -",
				log_text(name), RBL_NAME_SIZE - 1);
	if (p != NULL && option_value(c, "zone") == NULL &&
	    rbl_read(r, name, p->value, &e) != 0)
		return complain(c, EX_SOFTWARE, "list %s: %s", name, e.text);
	if (p == NULL && option_value(c, "zone") == NULL)
		return complain(c, EX_DATAERR,
				"list %s: expected --zone ZONE; only those of "
				"\"mcctl rbl presets\" are known without",
				name);
	return EX_OK;
}

int
cmd_rbl_add(struct ctx *c)
{
	size_t count = 0;
	struct rbl r;
	struct err e;
	int code = EX_OK;

	switch (load_list(c, c->args[0], &r, &code)) {
	case 1:
		return complain(c, EX_DATAERR,
				"list %s: is there already; \"mcctl rbl set\" "
				"changes it",
				c->args[0]);
	case 0:
		break;
	default:
		return code;
	}
	(void)db_each(c->db, "rbl", count_row, &count, &e);
	if (count >= RBL_LISTS_MAX)
		return complain(c, EX_DATAERR, "there are %d lists already",
				RBL_LISTS_MAX);
	code = begin_list(c, c->args[0], &r);
	if (code == EX_OK)
		code = apply_options(c, &r);
	return code == EX_OK ? put_list(c, &r) : code;
}

int
cmd_rbl_set(struct ctx *c)
{
	struct rbl r;
	int code = need_list(c, &r);

	if (code == EX_OK)
		code = apply_options(c, &r);
	return code == EX_OK ? put_list(c, &r) : code;
}

int
cmd_rbl_delete(struct ctx *c)
{
	enum db_result got;
	struct rbl r;
	struct err e;
	int code = EX_OK;

	/* One that cannot be read can go. */
	if (db_get(c->db, "rbl", c->args[0], NULL, NULL) != 1)
		code = need_list(c, &r);
	if (code != EX_OK)
		return code;
	got = db_put(c->db, "rbl", c->args[0], NULL, &e);
	return got == DB_OK ? EX_OK : complain_db(c, got, &e);
}

static void
add_word(struct record *out, const struct rbl *r, const char *key)
{
	struct buf text = { 0 };

	rbl_word(r, key, &text);
	record_str(out, key, buf_str(&text));
	buf_release(&text);
}

/* How a list is doing, as lookup counts it. */
struct lists_view {
	struct ctx *c;
	struct stats_row_copy rows[STATS_ROWS_LIMIT];
	size_t count;
};

static void
read_health(struct lists_view *v)
{
	struct stats *s = NULL;
	char path[1100];

	if (str_fmt(path, sizeof(path), "%s/stats", v->c->conf.run_dir))
		s = stats_open(path, NULL);
	if (s == NULL)
		return;
	v->count = stats_rows(s, TABLE_RBL, v->rows, STATS_ROWS_LIMIT);
	stats_unmap(s);
}

static void
add_health(const struct lists_view *v, const struct rbl *r, struct record *out)
{
	static const struct stats_row_copy none;
	const struct stats_row_copy *s = &none;
	size_t i;

	for (i = 0; i < v->count; i++)
		if (str_eq(v->rows[i].key, r->name))
			s = &v->rows[i];
	record_str(out, "state",
		   !r->is_on		      ? "off"
		   : s->n[RBL_SUSPENDED] != 0 ? "suspended"
					      : "on");
	record_int(out, "hits", s->n[RBL_HITS]);
	record_int(out, "misses", s->n[RBL_MISSES]);
	record_int(out, "errors", s->n[RBL_ERRORS]);
	record_int(
		out, "ms",
		s->n[RBL_TIME_US] / 1000 /
			(s->n[RBL_HITS] + s->n[RBL_MISSES] + s->n[RBL_ERRORS] >
					 0
				 ? s->n[RBL_HITS] + s->n[RBL_MISSES] +
					   s->n[RBL_ERRORS]
				 : 1));
	record_str(out, "why", r->is_on ? s->text : "");
}

static int
list_row(void *arg, const char *kind, const char *key, const char *value)
{
	struct lists_view *v = arg;
	struct record out = { 0 };
	struct rbl r;
	struct err e;

	(void)kind;
	if (rbl_read(&r, key, value, &e) != 0) {
		caution(v->c, "list %s is not used: %s", log_text(key), e.text);
		return 0;
	}
	record_str(&out, "name", r.name);
	add_word(&out, &r, "zone");
	add_word(&out, &r, "lists");
	add_word(&out, &r, "use");
	add_word(&out, &r, "points");
	add_health(v, &r, &out);
	out_row(&v->c->out, &out);
	record_release(&out);
	return ferror(stdout);
}

int
cmd_rbl_list(struct ctx *c)
{
	static struct lists_view v;
	enum db_result got;
	struct err e;

	v.c = c;
	read_health(&v);
	got = db_each(c->db, "rbl", list_row, &v, &e);
	return got == DB_OK ? EX_OK : complain_db(c, got, &e);
}

int
cmd_rbl_show(struct ctx *c)
{
	static struct lists_view v;
	const struct rbl_preset *p;
	struct record out = { 0 };
	struct rbl r;
	size_t i;
	int code = need_list(c, &r);

	if (code != EX_OK)
		return code;
	v.c = c;
	read_health(&v);
	record_str(&out, "name", r.name);
	for (i = 0; rbl_keys[i] != NULL; i++)
		add_word(&out, &r, rbl_keys[i]);
	p = rbl_preset(r.name);
	record_str(&out, "terms", p != NULL ? p->terms : "");
	add_health(&v, &r, &out);
	out_object(&c->out, &out);
	record_release(&out);
	return EX_OK;
}

int
cmd_rbl_presets(struct ctx *c)
{
	struct record out = { 0 };
	struct rbl r;
	size_t i;

	for (i = 0; i < rbl_preset_count; i++) {
		const struct rbl_preset *p = &rbl_presets[i];

		if (rbl_read(&r, p->name, p->value, NULL) != 0)
			continue;
		record_str(&out, "name", r.name);
		add_word(&out, &r, "zone");
		add_word(&out, &r, "use");
		record_str(&out, "terms", p->terms);
		out_row(&c->out, &out);
		record_clear(&out);
	}
	record_release(&out);
	return EX_OK;
}
