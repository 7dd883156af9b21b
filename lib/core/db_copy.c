/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * VACUUM INTO for the way out.  On the way back rows are replaced, never
 * the file: a process that has it open sees a transaction and nothing else.
 */
#include "db_copy.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#define BUSY_MS 10000

static int
failed(sqlite3 *lib, const char *path, struct err *e)
{
	return err_set(e, "%s: %s", path, sqlite3_errmsg(lib));
}

static int
open_path(const char *path, sqlite3 **lib, struct err *e)
{
	int code = sqlite3_open_v2(
		path, lib, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(*lib, BUSY_MS);
	if (code == SQLITE_OK)
		code = sqlite3_exec(*lib,
				    "PRAGMA trusted_schema = OFF;"
				    "PRAGMA cell_size_check = ON;",
				    NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return 0;
	failed(*lib, path, e);
	sqlite3_close(*lib);
	*lib = NULL;
	return -1;
}

/* Runs a statement with a text, as ATTACH takes it. */
static int
run_with(sqlite3 *lib, const char *sql, const char *text)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(lib, sql, -1, &st, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_bind_text(st, 1, text, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	sqlite3_finalize(st);
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : -1;
}

int
db_copy_out(const char *from, const char *to, struct err *e)
{
	sqlite3 *lib;
	int rc;

	if (open_path(from, &lib, e) < 0)
		return -1;
	rc = run_with(lib, "VACUUM INTO ?1", to);
	if (rc < 0)
		failed(lib, from, e);
	sqlite3_close(lib);
	return rc;
}

/* The first column of the first row as text or number. */
static int
check_sound(sqlite3 *lib, const char *path, struct err *e)
{
	sqlite3_stmt *st = NULL;
	const char *said = NULL;
	int rc = 0;

	if (sqlite3_prepare_v2(lib, "PRAGMA integrity_check(1)", -1, &st,
			       NULL) != SQLITE_OK)
		return failed(lib, path, e);
	if (sqlite3_step(st) == SQLITE_ROW)
		said = (const char *)sqlite3_column_text(st, 0);
	if (said == NULL || strcmp(said, "ok") != 0)
		rc = err_set(e, "%s: damaged: %s", path,
			     said != NULL ? said : sqlite3_errmsg(lib));
	sqlite3_finalize(st);
	return rc;
}

static int
read_version(sqlite3 *lib, const char *path, int64_t *version, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = 0;

	*version = 0;
	if (sqlite3_prepare_v2(lib, "PRAGMA user_version", -1, &st, NULL) ==
		    SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		*version = sqlite3_column_int64(st, 0);
	else
		rc = failed(lib, path, e);
	sqlite3_finalize(st);
	return rc;
}

int
db_copy_check(const char *path, int64_t *version, struct err *e)
{
	sqlite3 *lib;
	int rc;

	if (open_path(path, &lib, e) < 0)
		return -1;
	rc = check_sound(lib, path, e);
	if (rc == 0)
		rc = read_version(lib, path, version, e);
	sqlite3_close(lib);
	return rc;
}

/* Whether both have the same tables, made by the same words. */
static int
check_tables(sqlite3 *lib, const char *from, struct err *e)
{
	static const char sql[] =
		"SELECT 1 FROM (SELECT name, sql FROM main.sqlite_master"
		" WHERE type = 'table' EXCEPT"
		" SELECT name, sql FROM copy.sqlite_master) UNION ALL"
		" SELECT 1 FROM (SELECT name, sql FROM copy.sqlite_master"
		" WHERE type = 'table' EXCEPT"
		" SELECT name, sql FROM main.sqlite_master) LIMIT 1";
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(lib, sql, -1, &st, NULL);
	int rc = 0;

	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		rc = err_set(e, "%s: has other tables than this mcgate", from);
	else if (code != SQLITE_DONE)
		rc = failed(lib, from, e);
	sqlite3_finalize(st);
	return rc;
}

static int
replace_table(sqlite3 *lib, const char *name)
{
	char *sql = sqlite3_mprintf("DELETE FROM main.\"%w\";"
				    "INSERT INTO main.\"%w\" "
				    "SELECT * FROM copy.\"%w\";",
				    name, name, name);
	int code = sql != NULL ? sqlite3_exec(lib, sql, NULL, NULL, NULL)
			       : SQLITE_NOMEM;

	sqlite3_free(sql);
	return code == SQLITE_OK ? 0 : -1;
}

static int
replace_tables(sqlite3 *lib, const char *to, struct err *e)
{
	static const char sql[] =
		"SELECT name FROM main.sqlite_master WHERE type = 'table'"
		" AND name NOT LIKE 'sqlite!_%' ESCAPE '!'";
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(lib, sql, -1, &st, NULL);
	int rc = 0;

	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	for (; code == SQLITE_ROW && rc == 0; code = sqlite3_step(st))
		rc = replace_table(lib,
				   (const char *)sqlite3_column_text(st, 0));
	if (rc < 0 || code != SQLITE_DONE)
		rc = failed(lib, to, e);
	sqlite3_finalize(st);
	return rc;
}

int
db_copy_in(const char *from, const char *to, struct err *e)
{
	sqlite3 *lib;
	int rc;

	if (open_path(to, &lib, e) < 0)
		return -1;
	rc = run_with(lib, "ATTACH ?1 AS copy", from);
	if (rc == 0 &&
	    sqlite3_exec(lib, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		rc = -1;
	if (rc < 0)
		failed(lib, to, e);
	if (rc == 0)
		rc = check_tables(lib, from, e);
	if (rc == 0)
		rc = replace_tables(lib, to, e);
	if (rc == 0 &&
	    sqlite3_exec(lib, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		rc = failed(lib, to, e);
	/* What was begun and not committed ends with the connection. */
	sqlite3_close(lib);
	return rc;
}
