/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl log: who changed what in settings.db, and when; the last ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "command.h"
#include "str.h"
#include "xalloc.h"

#define LAST_DEFAULT 50
#define LAST_MAX 100000

/* The last rows, oldest at `at` once it is full. */
struct ring {
	struct record *rows;
	size_t size, at, count;
	const char *word; /* of a key, NULL: all */
};

static void
value_or_null(struct record *r, const char *name, const char *value)
{
	if (value != NULL)
		record_str(r, name, value);
	else
		record_null(r, name);
}

static int
keep(void *arg, const struct db_change *ch)
{
	struct ring *ring = arg;
	struct record *r = &ring->rows[ring->at];
	char when[40];

	if (ring->word != NULL && strstr(ch->key, ring->word) == NULL)
		return 0;
	clock_iso8601(when, sizeof(when), ch->when_us);
	record_clear(r);
	record_int(r, "node", ch->node);
	record_int(r, "serial", ch->serial);
	record_str(r, "time", when);
	record_str(r, "who", ch->who);
	record_str(r, "kind", ch->kind);
	record_str(r, "key", ch->key);
	value_or_null(r, "old", ch->old_value);
	value_or_null(r, "new", ch->new_value);
	ring->at = (ring->at + 1) % ring->size;
	if (ring->count < ring->size)
		ring->count++;
	return 0;
}

int
cmd_log(struct ctx *c)
{
	struct ring ring = { .word = c->arg_count > 0 ? c->args[0] : NULL };
	enum db_result got;
	struct err e;
	int code = option_count(c, "last", LAST_DEFAULT, LAST_MAX, &ring.size);

	if (code != EX_OK)
		return code;
	ring.rows = xcalloc(ring.size, sizeof(*ring.rows));
	got = db_changes(c->db, 0, keep, &ring, &e);
	for (size_t i = 0; i < ring.count && got == DB_OK; i++)
		out_row(&c->out,
			&ring.rows[(ring.at + ring.size - ring.count + i) %
				   ring.size]);
	for (size_t i = 0; i < ring.size; i++)
		record_release(&ring.rows[i]);
	free(ring.rows);
	return got == DB_OK ? EX_OK : complain_db(c, got, &e);
}
