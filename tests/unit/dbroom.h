/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Folders with a settings.db each, for tests.  What cannot be set up ends
 * the test program.
 */
#ifndef DBROOM_H
#define DBROOM_H

#include "db.h"

extern struct err dbroom_err; /* of the last call that failed */

/* All folders are below one, which is removed at the end: 0. */
void dbroom_begin(void);
int dbroom_end(void);
/* A folder of its own; good until the next call. */
const char *dbroom_new(void);
/* dir/name; good until the call after the next. */
const char *dbroom_path(const char *dir, const char *name);
/* A handle of node 1 on what is in dir, or a new file. */
struct db *dbroom_open(const char *dir);
/* A transaction with one write. */
void dbroom_put(struct db *db, const char *kind, const char *key,
		const char *value);
/* The value, "(none)" or "(error)". */
const char *dbroom_get(struct db *db, const char *kind, const char *key);
/* A line for each row or change: good until the next call. */
const char *dbroom_rows(struct db *db, const char *kind);
const char *dbroom_changes(struct db *db, int64_t after);
/* What fn returns in a process of its own, -1 when that dies. */
int dbroom_apart(int (*fn)(const char *dir), const char *dir);

#endif
