/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opens settings.db, makes it, brings it forward.  A file that is newer or
 * somebody else's is left as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "db_impl.h"
#include "file.h"
#include "str.h"
#include "xalloc.h"

/* A new version is one more row here, and DB_VERSION. */
static const struct db_migration migrations[] = {
	{ 1, "CREATE TABLE row(\n"
	     " kind TEXT NOT NULL\n"
	     "  CHECK(length(CAST(kind AS BLOB)) BETWEEN 1 AND 32),\n"
	     " key TEXT NOT NULL\n"
	     "  CHECK(length(CAST(key AS BLOB)) BETWEEN 1 AND 1024),\n"
	     " value TEXT NOT NULL\n"
	     "  CHECK(length(CAST(value AS BLOB)) <= 65536),\n"
	     " PRIMARY KEY(kind, key)) STRICT, WITHOUT ROWID;\n"
	     "CREATE TABLE change(\n"
	     " node INTEGER NOT NULL,\n"
	     " serial INTEGER NOT NULL,\n"
	     " kind TEXT NOT NULL,\n"
	     " key TEXT NOT NULL,\n"
	     " old TEXT,\n"
	     " new TEXT,\n"
	     " who TEXT NOT NULL,\n"
	     " at INTEGER NOT NULL,\n"
	     " PRIMARY KEY(node, serial)) STRICT, WITHOUT ROWID;\n"
	     "CREATE INDEX change_key ON change(kind, key, at);\n"
	     "CREATE INDEX change_serial ON change(serial);\n"
	     "CREATE TABLE meta(\n"
	     " key TEXT NOT NULL PRIMARY KEY,\n"
	     " value TEXT NOT NULL) STRICT, WITHOUT ROWID;\n"
	     "INSERT INTO meta VALUES('made', datetime('now'));\n" },
};

#define MIGRATIONS (sizeof(migrations) / sizeof(migrations[0]))

_Static_assert(MIGRATIONS == DB_VERSION, "a row for each version");

/* Before anything is read: what a file may make SQLite do. */
static const char connection_sql[] = "PRAGMA trusted_schema = OFF;"
				     "PRAGMA cell_size_check = ON;"
				     "PRAGMA mmap_size = 0;";

/* Once the file is known to be ours. */
static const char file_sql[] = "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = FULL;"
			       "PRAGMA journal_size_limit = 4194304;";

/* What cannot be opened: -1 with errno. */
static enum db_result
system_error(const char *path, const char *what, struct err *e)
{
	int saved = errno;

	err_sys(e, "%s: %s", path, what);
	switch (saved) {
	case EACCES:
	case EPERM:
	case EROFS:
	case ENOENT:
	case ENOTDIR:
	case EISDIR:
	case ELOOP:
	case ENAMETOOLONG:
		return DB_FAIL;
	default:
		return DB_LATER;
	}
}

/*
 * Makes an empty file with its mode, which the umask does not change;
 * SQLite gives -wal and -shm the same.  Never opens a file that is there:
 * closing it would take away the locks that this process has on it.
 */
static enum db_result
make_file(const char *path, struct err *e)
{
	int fd = file_open(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0600);
	enum db_result rc = DB_OK;

	if (fd == -1 && errno == EEXIST)
		return DB_OK;
	if (fd == -1)
		return system_error(path, "open", e);
	if (fchmod(fd, DB_MODE) == -1)
		rc = system_error(path, "chmod", e);
	else if (file_sync_dir_of(path, e) == -1)
		rc = DB_LATER;
	file_shut(&fd);
	return rc;
}

/* The file is there when it returns DB_OK. */
static enum db_result
find_file(const char *dir, const char *path, bool create, struct err *e)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return DB_OK;
	if (errno != ENOENT)
		return system_error(path, "stat", e);
	if (!create) {
		err_set(e, "%s: not there; mcd makes it when it starts", path);
		return DB_FAIL;
	}
	if (file_mkdirs(dir, DB_DIR_MODE, e) == -1)
		return errno == ENOSPC || errno == EDQUOT || errno == EIO
			       ? DB_LATER
			       : DB_FAIL;
	return make_file(path, e);
}

static enum db_result
run_sql(struct db *db, const char *sql, struct err *e)
{
	int code = sqlite3_exec(db->lib, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? DB_OK : db_error(db->lib, code, db->path, e);
}

/* The number that a statement gives in its first row and column. */
static enum db_result
ask_number(struct db *db, const char *sql, int64_t *out, struct err *e)
{
	sqlite3_stmt *st = NULL;
	enum db_result rc = DB_OK;
	int code = sqlite3_prepare_v2(db->lib, sql, -1, &st, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else
		rc = db_error(db->lib, code, db->path, e);
	sqlite3_finalize(st);
	return rc;
}

/* What tells whose file it is, as of one moment: another process may be
 * making it. */
static enum db_result
read_marks(struct db *db, int64_t *version, int64_t *id, int64_t *tables,
	   struct err *e)
{
	bool is_alone = sqlite3_get_autocommit(db->lib) != 0;
	enum db_result rc = is_alone ? run_sql(db, "BEGIN", e) : DB_OK;

	if (rc == DB_OK)
		rc = ask_number(db, "SELECT count(*) FROM sqlite_schema",
				tables, e);
	if (rc == DB_OK)
		rc = ask_number(db, "PRAGMA user_version", version, e);
	if (rc == DB_OK)
		rc = ask_number(db, "PRAGMA application_id", id, e);
	if (is_alone && sqlite3_get_autocommit(db->lib) == 0)
		sqlite3_exec(db->lib, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* Which version the file has; not DB_OK when it is none of ours. */
static enum db_result
read_version(struct db *db, int64_t newest, int64_t *version, struct err *e)
{
	int64_t id = 0, tables = 0;
	enum db_result rc = read_marks(db, version, &id, &tables, e);

	if (rc != DB_OK)
		return rc;
	if (id != DB_APPLICATION_ID &&
	    (id != 0 || *version != 0 || tables != 0)) {
		err_set(e,
			"%s: a database of some other program, left as "
			"it is",
			db->path);
		return DB_FAIL;
	}
	if (*version >= 0 && *version <= newest)
		return DB_OK;
	err_set(e,
		"%s: version %lld, made by a newer mcgate than this one, "
		"which knows up to %lld: run the newer one, or stop mcd and "
		"bring back the copy %s.v%lld",
		db->path, (long long)*version, (long long)newest, db->path,
		(long long)newest);
	return DB_NEWER;
}

static enum db_result
copy_pages(sqlite3 *from, sqlite3 *to, const char *to_path, struct err *e)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int code;

	if (b == NULL)
		return db_error(to, sqlite3_errcode(to), to_path, e);
	code = sqlite3_backup_step(b, -1);
	if (code != SQLITE_DONE) {
		sqlite3_backup_finish(b);
		return db_error(to, code, to_path, e);
	}
	code = sqlite3_backup_finish(b);
	return code == SQLITE_OK ? DB_OK : db_error(to, code, to_path, e);
}

static int
open_lib(const char *path, sqlite3 **out)
{
	int code = sqlite3_open_v2(
		path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(*out, DB_BUSY_MS);
	return code;
}

/*
 * Reads by a connection of its own: that of the caller is in a transaction,
 * which keeps everybody from writing, and which a backup refuses.
 */
static enum db_result
copy_to(const char *from_path, const char *to_path, struct err *e)
{
	sqlite3 *from = NULL, *to = NULL;
	enum db_result rc;
	int code;

	if (unlink(to_path) == -1 && errno != ENOENT)
		return system_error(to_path, "unlink", e);
	rc = make_file(to_path, e);
	if (rc != DB_OK)
		return rc;
	code = open_lib(from_path, &from);
	if (code != SQLITE_OK)
		rc = db_error(from, code, from_path, e);
	if (rc == DB_OK) {
		code = open_lib(to_path, &to);
		if (code != SQLITE_OK)
			rc = db_error(to, code, to_path, e);
	}
	if (rc == DB_OK)
		rc = copy_pages(from, to, to_path, e);
	sqlite3_close(from);
	code = sqlite3_close(to);
	if (rc == DB_OK && code != SQLITE_OK)
		rc = db_error(NULL, code, to_path, e);
	return rc;
}

static enum db_result
keep_copy(const struct db *db, int64_t version, struct err *e)
{
	struct buf name = { 0 }, temp = { 0 };
	enum db_result rc;

	buf_printf(&name, "%s.v%lld", db->path, (long long)version);
	buf_printf(&temp, "%s.new", buf_str(&name));
	rc = copy_to(db->path, buf_str(&temp), e);
	if (rc == DB_OK && rename(buf_str(&temp), buf_str(&name)) == -1)
		rc = system_error(buf_str(&name), "rename", e);
	if (rc == DB_OK && file_sync_dir_of(buf_str(&name), e) == -1)
		rc = DB_LATER;
	if (rc != DB_OK)
		unlink(buf_str(&temp));
	buf_release(&name);
	buf_release(&temp);
	return rc;
}

static enum db_result
run_migrations(struct db *db, const struct db_migration *m, size_t count,
	       int64_t version, struct err *e)
{
	enum db_result rc = DB_OK;
	char sql[128];
	size_t i;

	for (i = 0; rc == DB_OK && i < count; i++)
		if (m[i].version > version)
			rc = run_sql(db, m[i].sql, e);
	if (rc != DB_OK)
		return rc;
	str_fmt(sql, sizeof(sql),
		"PRAGMA application_id = %d; PRAGMA user_version = %d;",
		DB_APPLICATION_ID, m[count - 1].version);
	return run_sql(db, sql, e);
}

/* All in one transaction: another process may be at the same. */
static enum db_result
migrate(struct db *db, const struct db_migration *m, size_t count,
	struct err *e)
{
	int newest = m[count - 1].version;
	enum db_result rc = run_sql(db, "BEGIN IMMEDIATE", e);
	int64_t version;

	if (rc != DB_OK)
		return rc;
	rc = read_version(db, newest, &version, e);
	if (rc == DB_OK && version < newest) {
		if (version > 0)
			rc = keep_copy(db, version, e);
		if (rc == DB_OK)
			rc = run_migrations(db, m, count, version, e);
	}
	if (rc == DB_OK)
		rc = run_sql(db, "COMMIT", e);
	if (rc != DB_OK && sqlite3_get_autocommit(db->lib) == 0)
		sqlite3_exec(db->lib, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

static enum db_result
connect_file(struct db *db, struct err *e)
{
	int code = open_lib(db->path, &db->lib);

	if (code != SQLITE_OK)
		return db_error(db->lib, code, db->path, e);
	sqlite3_db_config(db->lib, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_limit(db->lib, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db->lib, SQLITE_LIMIT_LENGTH, 1024 * 1024);
	return run_sql(db, connection_sql, e);
}

/* SQLite opens a file that it may not write for reading, and says nothing. */
static enum db_result
check_writable(struct db *db, struct err *e)
{
	if (sqlite3_db_readonly(db->lib, "main") != 1)
		return DB_OK;
	return db_error(db->lib, SQLITE_READONLY, db->path, e);
}

/*
 * The change to WAL needs the file for itself, and SQLite does not wait
 * for that: of several that open a new file at one time only one gets it.
 */
static enum db_result
set_file_modes(struct db *db, struct err *e)
{
	int64_t until_ms = clock_mono_ms() + DB_BUSY_MS;
	enum db_result rc = run_sql(db, file_sql, e);

	while (rc == DB_LATER && clock_mono_ms() < until_ms) {
		poll(NULL, 0, 20);
		rc = run_sql(db, file_sql, e);
	}
	return rc;
}

static enum db_result
prepare_file(struct db *db, const struct db_migration *m, size_t count,
	     struct err *e)
{
	int newest = m[count - 1].version;
	enum db_result rc = connect_file(db, e);
	int64_t version;

	if (rc == DB_OK)
		rc = read_version(db, newest, &version, e);
	if (rc == DB_OK)
		rc = check_writable(db, e);
	if (rc == DB_OK)
		rc = set_file_modes(db, e);
	if (rc == DB_OK && version < newest)
		rc = migrate(db, m, count, e);
	/* Whether the tables are there. */
	if (rc == DB_OK && db_statement(db, DB_ROW_GET, e) == NULL)
		rc = DB_FAIL;
	return rc;
}

enum db_result
db_open_with(const char *dir, bool create, int64_t node,
	     const struct db_migration *m, size_t count, struct db **out,
	     struct err *e)
{
	struct db *db = xcalloc(1, sizeof(*db));
	struct buf path = { 0 };
	enum db_result rc;

	*out = NULL;
	buf_printf(&path, "%s/settings.db", dir);
	db->path = path.data;
	db->node = node;
	rc = find_file(dir, db->path, create, e);
	if (rc == DB_OK)
		rc = prepare_file(db, m, count, e);
	if (rc == DB_OK)
		*out = db;
	else
		db_close(db);
	return rc;
}

enum db_result
db_open(const char *dir, bool create, int64_t node, struct db **out,
	struct err *e)
{
	return db_open_with(dir, create, node, migrations, MIGRATIONS, out, e);
}

enum db_result
db_verify(struct db *db, struct err *e)
{
	int64_t version;

	return read_version(db, DB_VERSION, &version, e);
}
