/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opening history.db beside the store role, which writes it.
 */
#include "db_history.h"

#include <unistd.h>

#include "str.h"

#define WAIT_MS 200

int
db_history_read(const char *dir, int (*rows)(sqlite3 *db, void *arg), void *arg,
		struct err *e)
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
		r = rows(db, arg);
	}
	if (r != SQLITE_OK)
		err_set(e, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_close(db);
	return r == SQLITE_OK ? 0 : -1;
}
