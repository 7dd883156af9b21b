/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading samples out of history.db.
 */
#include "db_samples.h"

#include <sqlite3.h>

#include "db_history.h"

struct reading {
	int64_t early_s, since_s;
	db_sample_fn *fn;
	void *arg;
};

static int
read_rows(sqlite3 *db, void *arg)
{
	const struct reading *g = arg;
	sqlite3_stmt *st;
	int r;

	if (sqlite3_prepare_v2(db,
			       "SELECT name, at, value FROM sample WHERE at >="
			       " ?1 AND (at >= ?2 OR at % 600 = 0)"
			       " ORDER BY name, at",
			       -1, &st, NULL) != SQLITE_OK)
		return SQLITE_OK; /* an mcd that kept none */
	sqlite3_bind_int64(st, 1, g->early_s);
	sqlite3_bind_int64(st, 2, g->since_s);
	while ((r = sqlite3_step(st)) == SQLITE_ROW)
		g->fn(g->arg, (const char *)sqlite3_column_text(st, 0),
		      sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2));
	sqlite3_finalize(st);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

int
db_samples_read(const char *dir, int64_t early_s, int64_t since_s,
		db_sample_fn *fn, void *arg, struct err *e)
{
	struct reading g = { early_s, since_s, fn, arg };

	return db_history_read(dir, read_rows, &g, e);
}
