/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The open database, for the files of this module only.
 */
#ifndef HISTORY_SQL_H
#define HISTORY_SQL_H

#include <sqlite3.h>
#include <stdbool.h>

#include "err.h"

struct history {
	sqlite3 *db;
	sqlite3_stmt *insert;
	bool is_damaged;
};

/* Sets e from what SQLite says; returns -1. */
int history_error(struct history *h, struct err *e, const char *what);

#endif
