/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The log of changes, and changes of other copies.  Of several changes to
 * one row the one with the highest (when, node, serial) holds: copies that
 * have the same log have the same rows, in whatever order they came.
 */
#include <string.h>

#include "db.h"
#include "db_impl.h"
#include "log.h"

/* Steps a statement that gives a row or none: 1, 0, -1 (spoiled). */
static int
step_row(struct db *db, sqlite3_stmt *st, struct err *e)
{
	int code = sqlite3_step(st);

	if (code == SQLITE_ROW)
		return 1;
	if (code == SQLITE_DONE)
		return 0;
	db_spoil(db, code, e);
	return -1;
}

enum db_result
db_log_add(struct db *db, const struct db_change *c, struct err *e)
{
	sqlite3_stmt *st = db_statement(db, DB_CHANGE_ADD, e);
	int code;

	if (st == NULL)
		return db->failed;
	db_bind_text(st, 1, c->kind);
	db_bind_text(st, 2, c->key);
	db_bind_text(st, 3, c->old_value);
	db_bind_text(st, 4, c->new_value);
	db_bind_text(st, 5, c->who);
	sqlite3_bind_int64(st, 6, c->when_us);
	sqlite3_bind_int64(st, 7, c->node);
	sqlite3_bind_int64(st, 8, c->serial);
	code = sqlite3_step(st);
	sqlite3_reset(st);
	return code == SQLITE_DONE ? DB_OK : db_spoil(db, code, e);
}

/* A number that may be NULL: 0 then. */
static int
last_number(struct db *db, sqlite3_stmt *st, int64_t *out, struct err *e)
{
	int got = step_row(db, st, e);

	*out = got == 1 ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	return got == -1 ? -1 : 0;
}

enum db_result
db_log_own(struct db *db, const char *kind, const char *key,
	   const char *old_value, const char *new_value, struct err *e)
{
	struct db_change c = { .node = db->node,
			       .kind = kind,
			       .key = key,
			       .old_value = old_value,
			       .new_value = new_value,
			       .who = db->who };
	sqlite3_stmt *st = db_statement(db, DB_SERIAL_LAST, e);

	if (st == NULL)
		return db->failed;
	sqlite3_bind_int64(st, 1, db->node);
	if (last_number(db, st, &c.serial, e) == -1)
		return db->failed;
	st = db_statement(db, DB_AT_LAST, e);
	if (st == NULL)
		return db->failed;
	db_bind_text(st, 1, kind);
	db_bind_text(st, 2, key);
	if (last_number(db, st, &c.when_us, e) == -1)
		return db->failed;
	c.serial++;
	/* Later than what it replaces, also when the clock went back. */
	c.when_us = c.when_us < db->now_us ? db->now_us : c.when_us + 1;
	return db_log_add(db, &c, e);
}

#define CHANGE_COLUMNS "SELECT node, serial, kind, key, old, new, who, at "

static void
read_change(sqlite3_stmt *st, struct db_change *c)
{
	c->node = sqlite3_column_int64(st, 0);
	c->serial = sqlite3_column_int64(st, 1);
	c->kind = (const char *)sqlite3_column_text(st, 2);
	c->key = (const char *)sqlite3_column_text(st, 3);
	c->old_value = (const char *)sqlite3_column_text(st, 4);
	c->new_value = (const char *)sqlite3_column_text(st, 5);
	c->who = (const char *)sqlite3_column_text(st, 6);
	c->when_us = sqlite3_column_int64(st, 7);
}

/* Each row of a statement that selects CHANGE_COLUMNS; finalizes it.  code
 * is that of preparing it. */
static enum db_result
each_change(struct db *db, sqlite3_stmt *st, int code, db_change_fn *fn,
	    void *arg, struct err *e)
{
	enum db_result rc = DB_OK;
	struct db_change c;

	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	for (; code == SQLITE_ROW; code = sqlite3_step(st)) {
		read_change(st, &c);
		if (c.kind == NULL || c.key == NULL || c.who == NULL) {
			code = SQLITE_NOMEM;
			break;
		}
		if (fn(arg, &c) != 0)
			break;
	}
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		rc = db_error(db->lib, code, db->path, e);
	sqlite3_finalize(st);
	return rc;
}

enum db_result
db_changes(struct db *db, int64_t after, db_change_fn *fn, void *arg,
	   struct err *e)
{
	static const char sql[] = CHANGE_COLUMNS
		"FROM change WHERE serial > ? ORDER BY serial, node";
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(db->lib, sql, -1, &st, NULL);

	if (code == SQLITE_OK)
		sqlite3_bind_int64(st, 1, after);
	return each_change(db, st, code, fn, arg, e);
}

enum db_result
db_changes_down(struct db *db, int64_t from, db_change_fn *fn, void *arg,
		struct err *e)
{
	static const char sql[] =
		CHANGE_COLUMNS "FROM change WHERE node = ? AND serial <= ? "
			       "ORDER BY serial DESC";
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(db->lib, sql, -1, &st, NULL);

	if (code == SQLITE_OK) {
		sqlite3_bind_int64(st, 1, db->node);
		sqlite3_bind_int64(st, 2, from == 0 ? INT64_MAX : from);
	}
	return each_change(db, st, code, fn, arg, e);
}

enum db_result
db_changes_of(struct db *db, const char *kind, const char *key,
	      db_change_fn *fn, void *arg, struct err *e)
{
	static const char sql[] =
		CHANGE_COLUMNS "FROM change WHERE kind = ? AND key = ? "
			       "ORDER BY at DESC, node DESC, serial DESC";
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(db->lib, sql, -1, &st, NULL);

	if (code == SQLITE_OK) {
		db_bind_text(st, 1, kind);
		db_bind_text(st, 2, key);
	}
	return each_change(db, st, code, fn, arg, e);
}

static int
is_known(struct db *db, const struct db_change *c, struct err *e)
{
	sqlite3_stmt *st = db_statement(db, DB_CHANGE_HAS, e);
	int rc;

	if (st == NULL)
		return -1;
	sqlite3_bind_int64(st, 1, c->node);
	sqlite3_bind_int64(st, 2, c->serial);
	rc = step_row(db, st, e);
	sqlite3_reset(st);
	return rc;
}

/* Whether the row has been changed later than by c. */
static int
is_outdated(struct db *db, const struct db_change *c, struct err *e)
{
	sqlite3_stmt *st = db_statement(db, DB_CHANGE_LATER, e);
	int rc;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, c->kind);
	db_bind_text(st, 2, c->key);
	sqlite3_bind_int64(st, 3, c->when_us);
	sqlite3_bind_int64(st, 4, c->node);
	sqlite3_bind_int64(st, 5, c->serial);
	rc = step_row(db, st, e);
	sqlite3_reset(st);
	return rc;
}

static enum db_result
replay(struct db *db, const struct db_change *c, struct err *e)
{
	int is_done = is_known(db, c, e);
	enum db_result rc;

	if (is_done == 1)
		return DB_OK;
	if (is_done == 0)
		is_done = is_outdated(db, c, e);
	if (is_done == -1)
		return db->failed;
	rc = db_log_add(db, c, e);
	if (rc == DB_OK && is_done == 0)
		rc = db_row_write(db, c->kind, c->key, c->new_value, e);
	return rc;
}

enum db_result
db_replay(struct db *db, const struct db_change *c, struct err *e)
{
	bool is_own = !db->is_in_transaction;
	enum db_result rc;

	if (db_check(c->kind, c->key, c->new_value, e) == -1 ||
	    (c->old_value != NULL &&
	     db_check(c->kind, c->key, c->old_value, e) == -1)) {
		db->failed = DB_FAIL;
		return DB_FAIL;
	}
	if (is_own) {
		rc = db_begin(db, c->who, e);
		if (rc != DB_OK)
			return rc;
	}
	rc = db->failed != DB_OK ? db->failed : replay(db, c, e);
	if (!is_own)
		return rc;
	if (rc == DB_OK)
		return db_commit(db, e);
	db_rollback(db);
	return rc;
}
