/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of tallies, and sums of it.
 */
#include "tally.h"

#include <sqlite3.h>

#include "db_history.h"

#define ALL_HOURS INT64_C(100000000)

#define TALLY(name, help) ", " #name " INTEGER NOT NULL"
const char tally_table_sql[] =
	"CREATE TABLE IF NOT EXISTS tally(side INTEGER NOT NULL,"
	" hour INTEGER NOT NULL, domain TEXT NOT NULL"
#include "tally.def"
	", PRIMARY KEY(side, hour, domain)) WITHOUT ROWID;";
#undef TALLY

/* A ? without a number is one more than the one before it. */
#define TALLY(name, help) ", ?"
#define ADD_VALUES "INSERT INTO tally VALUES(?1, ?2, ?3"
const char tally_add_sql[] = ADD_VALUES
#include "tally.def"
#undef TALLY
#define TALLY(name, help) ", " #name " = " #name " + excluded." #name
	") ON CONFLICT DO UPDATE SET side = side"
#include "tally.def"
	;
#undef TALLY

#define TALLY(name, help) ", sum(" #name ")"
static const char by_domain_sql[] =
	"SELECT min(hour), domain"
#include "tally.def"
	" FROM tally WHERE side = ?1 AND hour >= ?2"
	" AND (?3 IS NULL OR domain = ?3)"
	" GROUP BY domain ORDER BY sum(accepted) DESC, domain LIMIT ?4";
#undef TALLY

#define TALLY(name, help) ", sum(" #name ")"
static const char by_hour_sql[] =
	"SELECT hour, ''"
#include "tally.def"
	" FROM tally WHERE side = ?1 AND hour >= ?2"
	" AND (?3 IS NULL OR domain = ?3) GROUP BY hour ORDER BY hour LIMIT ?4";
#undef TALLY

const char *
tally_column_name(enum tally_column c)
{
	static const char *const names[] = {
#define TALLY(name, help) #name,
#include "tally.def"
#undef TALLY
	};

	return names[c];
}

const char *
tally_side_name(enum tally_side s)
{
	static const char *const names[] = { "all", "recipients", "senders" };

	return names[s];
}

struct reading {
	const struct tally_query *q;
	tally_fn *fn;
	void *arg;
};

static int
read_rows(sqlite3 *db, void *arg)
{
	const struct reading *g = arg;
	const struct tally_query *q = g->q;
	struct tally_row row;
	sqlite3_stmt *st;
	int r;

	if (sqlite3_prepare_v2(db, q->top > 0 ? by_domain_sql : by_hour_sql, -1,
			       &st, NULL) != SQLITE_OK)
		return SQLITE_OK; /* an mcd that kept none */
	sqlite3_bind_int(st, 1, (int)q->side);
	sqlite3_bind_int64(st, 2, q->since_hour);
	sqlite3_bind_text(st, 3, q->domain, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, q->top > 0 ? (int64_t)q->top : ALL_HOURS);
	while ((r = sqlite3_step(st)) == SQLITE_ROW) {
		row.hour = sqlite3_column_int64(st, 0);
		row.domain = (const char *)sqlite3_column_text(st, 1);
		for (int i = 0; i < TALLY_COLUMNS; i++)
			row.n[i] = sqlite3_column_int64(st, 2 + i);
		if (g->fn(g->arg, &row) != 0)
			break;
	}
	sqlite3_finalize(st);
	return r == SQLITE_DONE || r == SQLITE_ROW ? SQLITE_OK : r;
}

int
tally_read(const char *dir, const struct tally_query *q, tally_fn *fn,
	   void *arg, struct err *e)
{
	struct reading g = { q, fn, arg };

	return db_history_read(dir, read_rows, &g, e);
}
