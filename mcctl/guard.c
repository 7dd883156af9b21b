/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The log of changes knows it all: what others have written lies between
 * the serial that was looked at and the one at the begin of this
 * transaction, what we have written behind that.
 */
#include "guard.h"

#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "str.h"
#include "units.h"

#define NOTE_SIZE (DB_KEY_MAX + 256)

struct looking {
	struct ctx *c;
	const struct guard *guard;
	const struct db_change *own; /* a row that we have written */
	char note[NOTE_SIZE]; /* who was there first, "" nobody */
};

static int
take_last(void *arg, const struct db_change *ch)
{
	struct guard *g = arg;

	g->last = ch->serial;
	return 0;
}

int
guard_begin(struct guard *g, struct ctx *c)
{
	enum db_result r;
	struct err e;

	g->last = c->since;
	r = db_changes(c->db, c->since, take_last, g, &e);
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

/* A change of others to a row that we have written too: the last counts. */
static int
compare(void *arg, const struct db_change *ch)
{
	struct looking *l = arg;
	char when[UNITS_SIZE];

	if (ch->serial > l->guard->last)
		return 1; /* our own begin here */
	if (!str_eq(ch->kind, l->own->kind) || !str_eq(ch->key, l->own->key))
		return 0;
	units_clock(when, ch->when_us, clock_wall_us());
	(void)str_fmt(l->note, sizeof(l->note),
		      "changed meanwhile by %s at %s: %s %.300s: "
		      "%.100s became %.100s",
		      ch->who, when, ch->kind, ch->key,
		      ch->old_value != NULL ? ch->old_value : "nothing",
		      ch->new_value != NULL ? ch->new_value : "nothing");
	return 0;
}

static int
look(void *arg, const struct db_change *own)
{
	struct looking *l = arg;
	struct err e;

	l->own = own;
	if (db_changes(l->c->db, l->c->since, compare, l, &e) != DB_OK)
		(void)str_fmt(l->note, sizeof(l->note), "%s", e.text);
	return l->note[0] != '\0';
}

int
guard_check(const struct guard *g, struct ctx *c)
{
	struct looking l = { .c = c, .guard = g };
	char note[NOTE_SIZE];
	enum db_result r;
	struct err e;

	if (g->last == c->since)
		return EX_OK; /* nobody has changed anything */
	r = db_changes(c->db, g->last, look, &l, &e);
	if (r != DB_OK)
		return complain_db(c, r, &e);
	if (l.note[0] == '\0')
		return EX_OK;
	str_printable(note, sizeof(note), l.note, strlen(l.note));
	return complain(c, EX_PROTOCOL, "%s", note);
}
