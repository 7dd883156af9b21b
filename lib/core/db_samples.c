/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading samples out of history.db.
 */
#include "db_samples.h"

#include <sqlite3.h>
#include <unistd.h>

#include "buf.h"
#include "str.h"

#define WAIT_MS 200

static int
read_rows(sqlite3 *db, int64_t early_s, int64_t since_s, db_sample_fn *fn,
	  void *arg)
{
	sqlite3_stmt *st;
	int r;

	if (sqlite3_prepare_v2(db,
			       "SELECT name, at, value FROM sample WHERE at >="
			       " ?1 AND (at >= ?2 OR at % 600 = 0)"
			       " ORDER BY name, at",
			       -1, &st, NULL) != SQLITE_OK)
		return SQLITE_OK; /* an mcd that kept none */
	sqlite3_bind_int64(st, 1, early_s);
	sqlite3_bind_int64(st, 2, since_s);
	while ((r = sqlite3_step(st)) == SQLITE_ROW)
		fn(arg, (const char *)sqlite3_column_text(st, 0),
		   sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2));
	sqlite3_finalize(st);
	return r == SQLITE_DONE ? SQLITE_OK : r;
}

int
db_samples_read(const char *dir, int64_t early_s, int64_t since_s,
		db_sample_fn *fn, void *arg, struct err *e)
{
	sqlite3 *db = NULL;
	char path[1024];
	int r;

	if (!str_fmt(path, sizeof(path), "%s/history.db", dir))
		return err_set(e, "paths are too long");
	if (access(path, F_OK) != 0)
		return 0;
	r = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
	if (r == SQLITE_OK) {
		sqlite3_busy_timeout(db, WAIT_MS);
		r = read_rows(db, early_s, since_s, fn, arg);
	}
	if (r != SQLITE_OK)
		err_set(e, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_close(db);
	return r == SQLITE_OK ? 0 : -1;
}
