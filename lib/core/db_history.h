/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * history.db for those who only read what it sums up.  For db_samples.c and
 * db_tally.c.
 */
#ifndef DB_HISTORY_H
#define DB_HISTORY_H

#include <sqlite3.h>

#include "err.h"

/*
 * Calls rows with history.db of a folder, open for reading, for a result
 * code of SQLite.  -1 with e when that is not SQLITE_OK; no history yet is no
 * error, and rows is not called.
 */
int db_history_read(const char *dir, int (*rows)(sqlite3 *db, void *arg),
		    void *arg, struct err *e);

#endif
