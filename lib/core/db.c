/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rows of settings.db and their transactions.  A transaction in which
 * something failed takes no more writes and is never committed: SQLite may
 * have rolled it back by itself, and what follows would commit alone.
 */
#include "db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_impl.h"
#include "log.h"
#include "str.h"

/* clang-format off */
static const char *const statement_sql[DB_STATEMENTS] = {
	[DB_BEGIN] = "BEGIN IMMEDIATE",
	[DB_COMMIT] = "COMMIT",
	[DB_ROLLBACK] = "ROLLBACK",
	[DB_DATA_VERSION] = "PRAGMA data_version",
	[DB_ROW_GET] = "SELECT value FROM row WHERE kind = ? AND key = ?",
	[DB_ROW_PUT] = "INSERT INTO row(kind, key, value) VALUES(?, ?, ?) "
		       "ON CONFLICT DO UPDATE SET value = excluded.value",
	[DB_ROW_DELETE] = "DELETE FROM row WHERE kind = ? AND key = ?",
	[DB_SERIAL_LAST] = "SELECT max(serial) FROM change WHERE node = ?",
	[DB_AT_LAST] = "SELECT max(at) FROM change WHERE kind = ? AND key = ?",
	[DB_CHANGE_ADD] = "INSERT INTO change"
			  "(kind, key, old, new, who, at, node, serial) "
			  "VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
	[DB_CHANGE_HAS] = "SELECT 1 FROM change "
			  "WHERE node = ? AND serial = ?",
	[DB_CHANGE_LATER] = "SELECT 1 FROM change "
			    "WHERE kind = ? AND key = ? AND "
			    "(at, node, serial) > (?, ?, ?) LIMIT 1",
};
/* clang-format on */

static enum db_result
cannot_open(sqlite3 *lib, const char *path, struct err *e)
{
	int number = lib != NULL ? sqlite3_system_errno(lib) : 0;

	if (number == EMFILE || number == ENFILE || number == ENOMEM ||
	    number == EIO || number == ENOSPC) {
		err_set(e, "%s: cannot be opened: %s", path, strerror(number));
		return DB_LATER;
	}
	err_set(e,
		"%s: cannot be opened%s%s: expected a file and a folder "
		"that may be written by its owner and group",
		path, number != 0 ? ": " : "",
		number != 0 ? strerror(number) : "");
	return DB_FAIL;
}

enum db_result
db_error(sqlite3 *lib, int code, const char *path, struct err *e)
{
	const char *said =
		lib != NULL ? sqlite3_errmsg(lib) : sqlite3_errstr(code);
	int number;

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		err_set(e,
			"%s: locked by another process for more than %d s: "
			"try again",
			path, DB_BUSY_MS / 1000);
		return DB_LATER;
	case SQLITE_FULL:
		err_set(e, "%s: the disk is full: make room and try again",
			path);
		return DB_LATER;
	case SQLITE_IOERR:
		number = lib != NULL ? sqlite3_system_errno(lib) : 0;
		err_set(e, "%s: cannot be read or written: %s", path,
			number > 0 ? strerror(number) : said);
		return DB_LATER;
	case SQLITE_NOMEM:
		err_set(e, "%s: out of memory: try again", path);
		return DB_LATER;
	case SQLITE_CANTOPEN:
		return cannot_open(lib, path, e);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		err_set(e,
			"%s: may not be written: expected root, or a member "
			"of the file's group",
			path);
		return DB_FAIL;
	case SQLITE_NOTADB:
		err_set(e,
			"%s: not a database: move it away and bring back a "
			"copy",
			path);
		return DB_FAIL;
	case SQLITE_CORRUPT:
		err_set(e, "%s: damaged (%s): bring back a copy", path, said);
		return DB_FAIL;
	default:
		err_set(e, "%s: %s", path, said);
		return DB_FAIL;
	}
}

enum db_result
db_spoil(struct db *db, int code, struct err *e)
{
	db->failed = db_error(db->lib, code, db->path, e);
	return db->failed;
}

/* A row that SQLite's own checks did not let in. */
static enum db_result
damaged(const struct db *db, struct err *e)
{
	err_set(e,
		"%s: holds a row beyond the limits: bring back a copy, or "
		"delete it",
		db->path);
	return DB_FAIL;
}

sqlite3_stmt *
db_statement(struct db *db, enum db_statement which, struct err *e)
{
	sqlite3_stmt **st = &db->statements[which];
	int code;

	if (*st != NULL) {
		sqlite3_reset(*st);
		sqlite3_clear_bindings(*st);
		return *st;
	}
	code = sqlite3_prepare_v3(db->lib, statement_sql[which], -1,
				  SQLITE_PREPARE_PERSISTENT, st, NULL);
	if (code == SQLITE_OK)
		return *st;
	db_spoil(db, code, e);
	return NULL;
}

/* text stays where it is until the statement is reset; NULL is NULL. */
void
db_bind_text(sqlite3_stmt *st, int index, const char *text)
{
	if (text != NULL)
		sqlite3_bind_text(st, index, text, -1, SQLITE_STATIC);
}

/* Runs a statement that gives no rows. */
static enum db_result
run(struct db *db, enum db_statement which, struct err *e)
{
	sqlite3_stmt *st = db_statement(db, which, e);
	int code;

	if (st == NULL)
		return db->failed;
	code = sqlite3_step(st);
	sqlite3_reset(st);
	return code == SQLITE_DONE ? DB_OK
				   : db_error(db->lib, code, db->path, e);
}

/*
 * Another file has been put in the place of ours, or none: what is written
 * to ours then would be lost.
 */
static bool
has_moved(struct db *db)
{
	int moved = 0;

	return sqlite3_file_control(db->lib, "main", SQLITE_FCNTL_HAS_MOVED,
				    &moved) == SQLITE_OK &&
	       moved != 0;
}

static enum db_result
replaced(const struct db *db, struct err *e)
{
	err_set(e, "%s: another file has taken its place: open it again",
		db->path);
	return DB_LATER;
}

void
db_close(struct db *db)
{
	size_t i;

	if (db == NULL)
		return;
	for (i = 0; i < DB_STATEMENTS; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->lib);
	free(db->path);
	free(db);
}

/* SQLite's own number leaves out what this very handle commits. */
int64_t
db_data_version(struct db *db)
{
	sqlite3_stmt *st = db_statement(db, DB_DATA_VERSION, NULL);
	int64_t version = -1;

	if (st == NULL || has_moved(db))
		return -1;
	if (sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int64(st, 0) + db->commits;
	sqlite3_reset(st);
	return version;
}

enum db_result
db_begin(struct db *db, const char *who, struct err *e)
{
	enum db_result rc;

	if (db->is_in_transaction)
		bug("a transaction within another");
	if (!str_copy(db->who, sizeof(db->who), who) ||
	    !str_is_utf8(who, strlen(who))) {
		err_set(e,
			"name of who changes settings: not UTF-8, or "
			"longer than %d bytes",
			DB_WHO_MAX);
		return DB_FAIL;
	}
	if (has_moved(db))
		return replaced(db, e);
	rc = run(db, DB_BEGIN, e);
	if (rc != DB_OK)
		return rc;
	db->is_in_transaction = true;
	db->failed = DB_OK;
	db->now_us = clock_wall_us();
	return DB_OK;
}

enum db_result
db_commit(struct db *db, struct err *e)
{
	enum db_result rc = db->failed;

	if (!db->is_in_transaction)
		bug("no transaction to commit");
	if (rc != DB_OK)
		err_set(e, "%s: nothing was changed, as a part of it failed",
			db->path);
	else
		rc = run(db, DB_COMMIT, e);
	if (rc != DB_OK) {
		db_rollback(db);
		return rc;
	}
	db->is_in_transaction = false;
	db->commits++;
	return DB_OK;
}

void
db_rollback(struct db *db)
{
	if (!db->is_in_transaction)
		return;
	db->is_in_transaction = false;
	/* After some errors SQLite has done it already. */
	if (sqlite3_get_autocommit(db->lib) == 0)
		run(db, DB_ROLLBACK, NULL);
	db->failed = DB_OK;
}

static int
check_text(const char *what, const char *text, size_t min, size_t max,
	   struct err *e)
{
	size_t len = strlen(text);

	if (len < min || len > max)
		return err_set(e,
			       "%s of a setting: %zu bytes, expected %zu "
			       "to %zu",
			       what, len, min, max);
	if (!str_is_utf8(text, len))
		return err_set(e, "%s of a setting: not UTF-8", what);
	return 0;
}

int
db_check(const char *kind, const char *key, const char *value, struct err *e)
{
	if (check_text("kind", kind, 1, DB_KIND_MAX, e) == -1 ||
	    check_text("key", key, 1, DB_KEY_MAX, e) == -1)
		return -1;
	if (value == NULL)
		return 0;
	return check_text("value", value, 0, DB_VALUE_MAX, e);
}

/* A column as text, NULL when it is NULL or has a NUL within or is larger
 * than max. */
static const char *
column_text(sqlite3_stmt *st, int column, size_t max)
{
	const char *text = (const char *)sqlite3_column_text(st, column);
	size_t len = (size_t)sqlite3_column_bytes(st, column);

	if (text == NULL || len > max || strlen(text) != len)
		return NULL;
	return text;
}

int
db_get(struct db *db, const char *kind, const char *key, struct buf *out,
       struct err *e)
{
	sqlite3_stmt *st = db_statement(db, DB_ROW_GET, e);
	const char *value;
	int code, rc = 0;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, kind);
	db_bind_text(st, 2, key);
	code = sqlite3_step(st);
	if (code == SQLITE_ROW) {
		rc = 1;
		value = column_text(st, 0, DB_VALUE_MAX);
		if (value == NULL) {
			damaged(db, e);
			rc = -1;
		} else if (out != NULL && buf_add_str(out, value) == -1) {
			rc = err_set(e, "%s: value of \"%s\" too large",
				     db->path, key);
		}
	} else if (code != SQLITE_DONE) {
		db_spoil(db, code, e);
		rc = -1;
	}
	sqlite3_reset(st);
	return rc;
}

enum db_result
db_row_write(struct db *db, const char *kind, const char *key,
	     const char *value, struct err *e)
{
	sqlite3_stmt *st;
	int code;

	st = db_statement(db, value != NULL ? DB_ROW_PUT : DB_ROW_DELETE, e);
	if (st == NULL)
		return db->failed;
	db_bind_text(st, 1, kind);
	db_bind_text(st, 2, key);
	if (value != NULL)
		db_bind_text(st, 3, value);
	code = sqlite3_step(st);
	sqlite3_reset(st);
	return code == SQLITE_DONE ? DB_OK : db_spoil(db, code, e);
}

static enum db_result
put_changed(struct db *db, const char *kind, const char *key,
	    const char *old_value, const char *value, struct err *e)
{
	enum db_result rc = db_row_write(db, kind, key, value, e);

	if (rc != DB_OK)
		return rc;
	return db_log_own(db, kind, key, old_value, value, e);
}

enum db_result
db_put(struct db *db, const char *kind, const char *key, const char *value,
       struct err *e)
{
	struct buf old = { 0 };
	enum db_result rc = DB_OK;
	const char *was;
	int had;

	if (!db->is_in_transaction)
		bug("a write outside of a transaction");
	if (db->failed != DB_OK) {
		err_set(e, "%s: an earlier part of the change failed",
			db->path);
		return db->failed;
	}
	if (db_check(kind, key, value, e) == -1) {
		db->failed = DB_FAIL;
		return DB_FAIL;
	}
	had = db_get(db, kind, key, &old, e);
	was = had == 1 ? buf_str(&old) : NULL;
	if (had == -1) {
		if (db->failed == DB_OK)
			db->failed = DB_FAIL;
		rc = db->failed;
	} else if ((was == NULL) != (value == NULL) ||
		   (was != NULL && !str_eq(was, value))) {
		rc = put_changed(db, kind, key, was, value, e);
	}
	buf_release(&old);
	return rc;
}

/* A statement of its own: fn may ask for other rows meanwhile. */
enum db_result
db_each(struct db *db, const char *kind, db_row_fn *fn, void *arg,
	struct err *e)
{
	static const char all[] = "SELECT kind, key, value FROM row "
				  "ORDER BY kind, key";
	static const char some[] = "SELECT kind, key, value FROM row "
				   "WHERE kind = ? ORDER BY key";
	bool is_all = *kind == '\0';
	const char *k, *key, *value;
	sqlite3_stmt *st = NULL;
	enum db_result rc = DB_OK;
	int code;

	if (has_moved(db))
		return replaced(db, e);
	code = sqlite3_prepare_v2(db->lib, is_all ? all : some, -1, &st, NULL);
	if (code == SQLITE_OK) {
		if (!is_all)
			db_bind_text(st, 1, kind);
		code = sqlite3_step(st);
	}
	for (; code == SQLITE_ROW; code = sqlite3_step(st)) {
		k = column_text(st, 0, DB_KIND_MAX);
		key = column_text(st, 1, DB_KEY_MAX);
		value = column_text(st, 2, DB_VALUE_MAX);
		if (k == NULL || key == NULL || value == NULL) {
			rc = damaged(db, e);
			break;
		}
		if (fn(arg, k, key, value) != 0)
			break;
	}
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		rc = db_error(db->lib, code, db->path, e);
	sqlite3_finalize(st);
	return rc;
}
