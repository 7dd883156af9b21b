/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What db.c, db_open.c and db_log.c share.  For them and their tests only.
 */
#ifndef DB_IMPL_H
#define DB_IMPL_H

#include <sqlite3.h>

#include "db.h"

#define DB_KIND_MAX 32 /* bytes */
#define DB_WHO_MAX 255 /* bytes */
#define DB_BUSY_MS 5000
#define DB_MODE 0660
#define DB_DIR_MODE 02770
#define DB_APPLICATION_ID 0x6d636774 /* "mcgt", for file(1) and us */

/* Each is prepared when it is first needed, and kept. */
enum db_statement {
	DB_BEGIN,
	DB_COMMIT,
	DB_ROLLBACK,
	DB_DATA_VERSION,
	DB_ROW_GET,
	DB_ROW_PUT,
	DB_ROW_DELETE,
	DB_SERIAL_LAST,
	DB_AT_LAST,
	DB_CHANGE_ADD,
	DB_CHANGE_HAS,
	DB_CHANGE_LATER,
	DB_STATEMENTS
};

struct db {
	sqlite3 *lib;
	char *path;
	int64_t node;
	int64_t commits; /* made by this handle */
	sqlite3_stmt *statements[DB_STATEMENTS];
	bool is_in_transaction;
	enum db_result failed; /* what made this transaction worthless */
	char who[DB_WHO_MAX + 1];
	int64_t now_us;
};

/* What a result code of SQLite means here, with words for people. */
enum db_result db_error(sqlite3 *lib, int code, const char *path,
			struct err *e);
/* The same within an open transaction, which it spoils. */
enum db_result db_spoil(struct db *db, int code, struct err *e);
/* A kept statement, without bindings and at its start; NULL on failure. */
sqlite3_stmt *db_statement(struct db *db, enum db_statement which,
			   struct err *e);
void db_bind_text(sqlite3_stmt *st, int index, const char *text);
/* The limits of kind, key and value (may be NULL), and UTF-8. */
int db_check(const char *kind, const char *key, const char *value,
	     struct err *e);
/* Puts or, value NULL, deletes; no log. */
enum db_result db_row_write(struct db *db, const char *kind, const char *key,
			    const char *value, struct err *e);
/* Adds a row to the log. */
enum db_result db_log_add(struct db *db, const struct db_change *c,
			  struct err *e);
/* The log row of a change made here and now. */
enum db_result db_log_own(struct db *db, const char *kind, const char *key,
			  const char *old_value, const char *new_value,
			  struct err *e);

/* From the version before to this one. */
struct db_migration {
	int version;
	const char *sql;
};

/* As db_open() with other migrations than those there are: for tests. */
enum db_result db_open_with(const char *dir, bool create, int64_t node,
			    const struct db_migration *m, size_t count,
			    struct db **out, struct err *e);

#endif
