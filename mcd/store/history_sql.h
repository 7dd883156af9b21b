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
#include "ledger.h"

struct history {
	sqlite3 *db;
	sqlite3_stmt *insert;
	sqlite3_stmt *word, *sender, *tally; /* of history_index.c */
	bool is_damaged;
};

/* Sets e from what SQLite says; returns -1. */
int history_error(struct history *h, struct err *e, const char *what);
/* Commits what history_begin() has begun. */
int history_finish(struct history *h, struct err *e);
/* The verb that is called so. */
enum ledger_verb history_verb(const char *name);

#endif
