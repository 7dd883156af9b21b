/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl undo: takes back what one command changed.  The rows of a command
 * follow each other in the log and have the same who and when.  Nothing is
 * put back over what has been changed since, and nothing that would leave
 * rows nobody could use.
 */
#include "undo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "dict.h"
#include "log.h"
#include "rights.h"
#include "str.h"
#include "xalloc.h"

#define RECENT_US (15 * 60 * INT64_C(1000000))
#define COMMAND_US 500
#define TOLD_MAX 5 /* rows */

struct change {
	int64_t serial, when_us;
	char *kind, *key;
	char *old_value, *new_value; /* NULL: absent */
};

/* The rows of one command, the last first. */
struct group {
	char who[256];
	struct change *list;
	size_t count, cap;
};

static char *
copy_of(const char *s)
{
	return s != NULL ? xstrdup(s) : NULL;
}

/* A row that a command writes twice gets a time of a microsecond later; the
 * next command is a process of its own and takes longer to begin. */
static bool
is_same_time(int64_t a_us, int64_t b_us)
{
	int64_t apart = a_us - b_us;

	return apart > -COMMAND_US && apart < COMMAND_US;
}

/* Stops at the first change that is not of the same command. */
static int
add_change(void *arg, const struct db_change *ch)
{
	struct group *g = arg;
	struct change *last;

	if (g->count == 0) {
		str_copy(g->who, sizeof(g->who), ch->who);
	} else {
		last = &g->list[g->count - 1];
		if (ch->serial + 1 != last->serial ||
		    !is_same_time(ch->when_us, last->when_us) ||
		    !str_eq(ch->who, g->who))
			return 1;
	}
	if (g->count == g->cap) {
		g->cap = g->cap == 0 ? 16 : g->cap * 2;
		g->list = xreallocarray(g->list, g->cap, sizeof(*g->list));
	}
	g->list[g->count++] = (struct change){
		.serial = ch->serial,
		.when_us = ch->when_us,
		.kind = xstrdup(ch->kind),
		.key = xstrdup(ch->key),
		.old_value = copy_of(ch->old_value),
		.new_value = copy_of(ch->new_value),
	};
	return 0;
}

static void
group_release(struct group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		free(g->list[i].kind);
		free(g->list[i].key);
		free(g->list[i].old_value);
		free(g->list[i].new_value);
	}
	free(g->list);
	memset(g, 0, sizeof(*g));
}

/* The serial behind the last row of the command that a serial is of. */
struct end_search {
	int64_t end, when_us;
	char who[256];
};

static int
find_end(void *arg, const struct db_change *ch)
{
	struct end_search *s = arg;

	if (s->who[0] == '\0') {
		str_copy(s->who, sizeof(s->who), ch->who);
		s->when_us = ch->when_us;
	} else if (ch->serial != s->end + 1 ||
		   !is_same_time(ch->when_us, s->when_us) ||
		   !str_eq(ch->who, s->who)) {
		return 1;
	}
	s->end = ch->serial;
	return 0;
}

/* All rows of the command that made change serial (0: of the last). */
static int
find_group(struct ctx *c, int64_t serial, struct group *g)
{
	struct end_search s = { 0 };
	enum db_result r = DB_OK;
	struct err e;

	if (serial > 0)
		r = db_changes(c->db, serial - 1, find_end, &s, &e);
	if (r == DB_OK && (serial == 0 || s.end >= serial))
		r = db_changes_down(c->db, s.end, add_change, g, &e);
	if (r != DB_OK)
		return complain_db(c, r, &e);
	if (g->count == 0 ||
	    (serial > 0 && g->list[g->count - 1].serial > serial))
		return complain(c, EX_DATAERR,
				serial > 0 ? "%lld: no change of this host "
					     "has that serial; see \"mcctl "
					     "log\""
					   : "nothing was changed yet",
				(long long)serial);
	return EX_OK;
}

/* The newest change of a row that is none of those to be left out. */
struct latest {
	int64_t node, after; /* left out: of this node, above this serial */
	char who[256];
	int64_t serial, when_us;
};

static int
take_latest(void *arg, const struct db_change *ch)
{
	struct latest *l = arg;

	if (ch->node == l->node && ch->serial > l->after)
		return 0;
	str_copy(l->who, sizeof(l->who), ch->who);
	l->serial = ch->serial;
	l->when_us = ch->when_us;
	return 1;
}

/* Whether a row is as the change has left it. */
static int
check_row(struct ctx *c, const struct change *ch)
{
	struct latest l = { .node = -1 };
	struct buf now = { 0 };
	char when[40];
	struct err e;
	int got = db_get(c->db, ch->kind, ch->key, &now, &e);
	bool is_same = (got == 1) == (ch->new_value != NULL) &&
		       (got == 0 || (ch->new_value != NULL &&
				     str_eq(buf_str(&now), ch->new_value)));

	buf_release(&now);
	if (got < 0)
		return complain(c, EX_UNAVAILABLE, "%s", e.text);
	if (is_same)
		return EX_OK;
	(void)db_changes_of(c->db, ch->kind, ch->key, take_latest, &l, &e);
	clock_iso8601(when, sizeof(when), l.when_us);
	return complain(c, EX_DATAERR,
			"%s %s was changed since by %s at %s (serial %lld): "
			"nothing is undone; undo that one first, or set it",
			ch->kind, log_text(ch->key), log_text(l.who), when,
			(long long)l.serial);
}

/* Of a row that the command changed twice, its last change counts. */
static int
check_rows(struct ctx *c, const struct group *g)
{
	struct dict seen = { 0 };
	struct buf name = { 0 };
	int code = EX_OK;

	for (size_t i = 0; i < g->count && code == EX_OK; i++) {
		buf_clear(&name);
		(void)buf_printf(&name, "%s %s", g->list[i].kind,
				 g->list[i].key);
		if (dict_set(&seen, buf_str(&name), &g->list[i]) == NULL)
			code = check_row(c, &g->list[i]);
	}
	buf_release(&name);
	dict_release(&seen, NULL);
	return code;
}

/* Rows that policy_load() could not use, and the last of its words. */
static size_t unusable;
static char why_unusable[512];

static void
count_warning(const char *text)
{
	unusable++;
	str_copy(why_unusable, sizeof(why_unusable), text);
}

static int
count_unusable(struct ctx *c, size_t *count)
{
	struct policy *p;
	struct err e;

	unusable = 0;
	p = policy_load(c->db, count_warning, &e);
	if (p == NULL)
		return complain(c, EX_UNAVAILABLE, "%s", e.text);
	policy_free(p);
	*count = unusable;
	return EX_OK;
}

static int
put_back(struct ctx *c, const struct group *g)
{
	enum db_result r = DB_OK;
	struct err e;

	for (size_t i = 0; i < g->count && r == DB_OK; i++)
		r = db_put(c->db, g->list[i].kind, g->list[i].key,
			   g->list[i].old_value, &e);
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

static void
show_group(struct ctx *c, const struct group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct change *ch = &g->list[i];
		struct record r = { 0 };

		record_int(&r, "serial", ch->serial);
		record_str(&r, "kind", ch->kind);
		record_str(&r, "key", ch->key);
		record_str(&r, "was", ch->new_value);
		record_str(&r, "is", ch->old_value);
		out_row(&c->out, &r);
		record_release(&r);
	}
}

/* Nobody's change is taken back by mistake for one's own. */
static int
check_whose(struct ctx *c, const struct group *g)
{
	char who[64], when[40];

	rights_login_name(who, sizeof(who));
	if (c->arg_count > 0 || str_eq(who, g->who))
		return EX_OK;
	clock_iso8601(when, sizeof(when), g->list[0].when_us);
	return complain(c, EX_DATAERR,
			"the last change is not yours: %s, %s %s at %s; to "
			"undo it: mcctl undo %lld",
			log_text(g->who), g->list[0].kind, g->list[0].key, when,
			(long long)g->list[0].serial);
}

static int
undo_group(struct ctx *c, const struct group *g)
{
	size_t before, after;
	int code = check_whose(c, g);

	if (code == EX_OK)
		code = check_rows(c, g);
	if (code == EX_OK)
		code = count_unusable(c, &before);
	if (code == EX_OK)
		code = put_back(c, g);
	if (code == EX_OK)
		code = count_unusable(c, &after);
	if (code == EX_OK && after > before)
		code = complain(c, EX_DATAERR,
				"nothing is undone, as other rows depend on "
				"it: %s",
				why_unusable);
	if (code == EX_OK)
		show_group(c, g);
	return code;
}

int
cmd_undo(struct ctx *c)
{
	struct group g = { 0 };
	int64_t serial = 0;
	int code = EX_OK;

	if (c->arg_count > 0 &&
	    (str_to_i64(c->args[0], &serial, NULL) < 0 || serial < 1))
		return complain(c, EX_DATAERR,
				"%s: expected a serial of \"mcctl log\"",
				log_text(c->args[0]));
	code = find_group(c, serial, &g);
	if (code == EX_OK)
		code = undo_group(c, &g);
	group_release(&g);
	return code;
}

static int
take_serial(void *arg, const struct db_change *ch)
{
	*(int64_t *)arg = ch->serial;
	return 1;
}

int64_t
undo_last_serial(struct ctx *c)
{
	int64_t serial = 0;

	(void)db_changes_down(c->db, 0, take_serial, &serial, NULL);
	return serial;
}

static bool
tell_other(struct ctx *c, const char *who, int64_t before,
	   const struct change *ch)
{
	struct latest other = { .node = c->conf.node, .after = before };
	char when[40];

	(void)db_changes_of(c->db, ch->kind, ch->key, take_latest, &other,
			    NULL);
	if (other.who[0] == '\0' || str_eq(other.who, who) ||
	    ch->when_us - other.when_us > RECENT_US)
		return false;
	clock_iso8601(when, sizeof(when), other.when_us);
	caution(c,
		"%s %s had been changed by %s at %s, to %s; \"mcctl undo "
		"%lld\" goes back to that",
		ch->kind, log_text(ch->key), log_text(other.who), when,
		log_text(ch->old_value), (long long)ch->serial);
	return true;
}

void
undo_tell_others(struct ctx *c, const char *who, int64_t before)
{
	struct group g = { 0 };
	int told = 0;

	if (undo_last_serial(c) > before &&
	    db_changes_down(c->db, 0, add_change, &g, NULL) == DB_OK &&
	    str_eq(g.who, who))
		for (size_t i = 0; i < g.count && told < TOLD_MAX; i++)
			told += tell_other(c, who, before, &g.list[i]);
	group_release(&g);
}
