/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * settings.db as a file: its modes, migrations, and what is said when it is
 * missing, foreign, damaged or newer, and when the disk is full.
 */
#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "db_impl.h"
#include "dbroom.h"
#include "file.h"
#include "str.h"

#define NOBODY 65534

static struct err e;

static int
count_row(void *arg, const char *kind, const char *key, const char *value)
{
	(void)kind;
	(void)key;
	(void)value;
	++*(int *)arg;
	return 0;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void
check_modes(void)
{
	char dir[400];
	mode_t mask = umask(077);
	struct db *db;

	str_fmt(dir, sizeof(dir), "%s/a/b", dbroom_new());
	db = dbroom_open(dir);
	dbroom_put(db, "domain", "a.example", "");
	CHECK_INT(mode_of(dir), 02770, "the folder, whatever the umask");
	CHECK_INT(mode_of(dbroom_path(dir, "settings.db")), 0660, "the file");
	CHECK_INT(mode_of(dbroom_path(dir, "settings.db-wal")), 0660,
		  "its log");
	CHECK_INT(mode_of(dbroom_path(dir, "settings.db-shm")), 0660,
		  "its index");
	db_close(db);
	umask(mask);
}

/* What opening dir gives; the words are in e. */
static enum db_result
try_open(const char *dir)
{
	struct db *db = NULL;
	enum db_result rc;

	e.text[0] = '\0';
	rc = db_open(dir, false, 1, &db, &e);
	db_close(db);
	return rc;
}

static void
check_missing(void)
{
	const char *dir = dbroom_new();

	CHECK_INT(try_open(dir), DB_FAIL, "no file");
	CHECK(strstr(e.text, "settings.db: not there") != NULL,
	      "which is said: %s", e.text);
	CHECK_INT(access(dbroom_path(dir, "settings.db"), F_OK), -1,
		  "and none is made");
}

static void
check_garbage(void)
{
	const char *dir = dbroom_new();
	const char *path = dbroom_path(dir, "settings.db");
	char junk[9000];
	struct buf b = { 0 };

	memset(junk, 'j', sizeof(junk));
	file_replace(path, junk, sizeof(junk), 0660, &e);
	CHECK_INT(try_open(dir), DB_FAIL, "a file that is no database");
	CHECK(strstr(e.text, "settings.db: not a database") != NULL,
	      "which is said: %s", e.text);
	CHECK(file_read(path, &b, sizeof(junk), &e) == 0 &&
		      b.len == sizeof(junk) && memcmp(b.data, junk, b.len) == 0,
	      "and it is left as it is");
	buf_release(&b);
}

static void
check_truncated(void)
{
	const char *dir = dbroom_new();
	struct db *db = dbroom_open(dir);
	char key[32];
	enum db_result rc;
	int i;

	db_begin(db, "test", &e);
	for (i = 0; i < 2000; i++) {
		str_fmt(key, sizeof(key), "d%d.example", i);
		db_put(db, "domain", key, "", &e);
	}
	CHECK_INT(db_commit(db, &e), DB_OK, "a file of some pages");
	db_close(db);
	CHECK_INT(truncate(dbroom_path(dir, "settings.db"), 20000), 0,
		  "loses its end");
	e.text[0] = '\0';
	rc = db_open(dir, false, 1, &db, &e);
	if (rc == DB_OK)
		rc = db_each(db, "", count_row, &i, &e);
	CHECK_INT(rc, DB_FAIL, "which is noticed");
	CHECK(strstr(e.text, "settings.db: damaged") != NULL, "and said: %s",
	      e.text);
	db_close(db);
}

static void
make_with(const char *dir, const char *sql)
{
	sqlite3 *lib = NULL;

	if (sqlite3_open(dbroom_path(dir, "settings.db"), &lib) != SQLITE_OK ||
	    sqlite3_exec(lib, sql, NULL, NULL, NULL) != SQLITE_OK)
		exit(EXIT_FAILURE);
	sqlite3_close(lib);
}

static void
check_foreign(void)
{
	const char *dir = dbroom_new();

	make_with(dir, "CREATE TABLE notes(x); INSERT INTO notes VALUES(1)");
	CHECK_INT(try_open(dir), DB_FAIL, "a database of somebody else");
	CHECK(strstr(e.text, "a database of some other program") != NULL,
	      "which is said: %s", e.text);
	dir = dbroom_new();
	make_with(dir, "PRAGMA application_id = 1; PRAGMA user_version = 1");
	CHECK_INT(try_open(dir), DB_FAIL, "one with another program's mark");
}

static void
check_newer(void)
{
	const char *dir = dbroom_new();
	struct db *db = dbroom_open(dir);

	dbroom_put(db, "domain", "a.example", "");
	db_close(db);
	make_with(dir, "PRAGMA user_version = 99");
	CHECK_INT(try_open(dir), DB_NEWER, "a newer file");
	CHECK(strstr(e.text, "version 99, made by a newer mcgate") != NULL,
	      "which is said: %s", e.text);
	make_with(dir, "PRAGMA user_version = 1");
	CHECK_INT(try_open(dir), DB_OK, "it was left as it was");
	db = dbroom_open(dir);
	CHECK_INT(db_verify(db, &e), DB_OK, "one that is open is ours");
	make_with(dir, "PRAGMA user_version = 99");
	CHECK_INT(db_verify(db, &e), DB_NEWER,
		  "until a newer mcgate brings it forward");
	db_close(db);
}

static const struct db_migration two[] = {
	{ 1, "not run on a file of version 1" },
	{ 2, "ALTER TABLE meta ADD COLUMN note TEXT;"
	     "UPDATE row SET value = 'new' WHERE value = 'old';" },
};

static const struct db_migration broken[] = {
	{ 1, "not run on a file of version 1" },
	{ 2, "UPDATE row SET value = 'lost'; CREATE TABLE row(x);" },
};

static void
check_migration(void)
{
	const char *dir = dbroom_new();
	struct db *db = dbroom_open(dir);

	dbroom_put(db, "domain", "a.example", "old");
	db_close(db);
	CHECK_INT(db_open_with(dir, false, 1, broken, 2, &db, &e), DB_FAIL,
		  "a migration that fails");
	db = dbroom_open(dir);
	CHECK_STR(dbroom_get(db, "domain", "a.example"), "old",
		  "leaves the old version");
	db_close(db);
	CHECK_INT(db_open_with(dir, false, 1, two, 2, &db, &e), DB_OK,
		  "one that does not");
	CHECK_STR(dbroom_get(db, "domain", "a.example"), "new", "is made");
	db_close(db);
	CHECK_INT(db_open_with(dir, false, 1, two, 2, &db, &e), DB_OK,
		  "and only once");
	db_close(db);
	CHECK_INT(try_open(dir), DB_NEWER, "an older mcgate refuses it");
	CHECK(strstr(e.text, "settings.db.v1") != NULL,
	      "and names the copy: %s", e.text);
	CHECK_INT(mode_of(dbroom_path(dir, "settings.db.v1")), 0660,
		  "which the group may write");
	CHECK_INT(rename(dbroom_path(dir, "settings.db.v1"),
			 dbroom_path(dir, "settings.db")),
		  0, "the copy, brought back");
	db = dbroom_open(dir);
	CHECK_STR(dbroom_get(db, "domain", "a.example"), "old",
		  "has what it had");
	db_close(db);
}

/* No file may grow: to SQLite that is a disk that fails. */
static int
write_without_room(const char *dir)
{
	struct rlimit none = { 4096, 4096 };
	struct db *db = dbroom_open(dir);
	enum db_result rc;

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &none) == -1)
		return 100;
	rc = db_begin(db, "test", &e);
	if (rc == DB_OK)
		rc = db_put(db, "domain", "b.example", "", &e);
	if (rc == DB_OK)
		rc = db_commit(db, &e);
	printf("# %s\n", e.text);
	if (!str_eq(dbroom_get(db, "domain", "b.example"), "(none)"))
		return 101;
	db_close(db);
	return (int)rc;
}

static void
check_no_room(void)
{
	const char *dir = dbroom_new();
	struct db *db = dbroom_open(dir);

	dbroom_put(db, "domain", "a.example", "");
	CHECK_INT(dbroom_apart(write_without_room, dir), DB_LATER,
		  "a write that the disk does not take may work later");
	CHECK_STR(dbroom_rows(db, ""), "domain|a.example|\n",
		  "what was there is there");
	dbroom_put(db, "domain", "c.example", "");
	CHECK_STR(dbroom_get(db, "domain", "c.example"), "",
		  "with room again it does");
	db_close(db);
}

/* Writes until the disk of a few hundred kilobytes is full; a mount that
 * only this process has. */
static int
fill_disk(const char *dir)
{
	enum db_result rc = DB_OK;
	char value[5000];
	struct db *db;
	char key[32];
	int i;

	if (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=400k") == -1)
		return 77;
	db = dbroom_open(dir);
	dbroom_put(db, "domain", "a.example", "");
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (i = 0; rc == DB_OK && i < 200; i++) {
		str_fmt(key, sizeof(key), "d%d.example", i);
		rc = db_begin(db, "test", &e);
		if (rc == DB_OK)
			rc = db_put(db, "domain", key, value, &e);
		if (rc == DB_OK)
			rc = db_commit(db, &e);
		else
			db_rollback(db);
	}
	printf("# row %d: %s\n", i, e.text);
	if (!str_eq(dbroom_get(db, "domain", "a.example"), "") ||
	    !str_eq(dbroom_get(db, "domain", key), "(none)"))
		return 100;
	db_close(db);
	if (try_open(dir) == DB_FAIL || strstr(e.text, "damaged") != NULL)
		return 101;
	return (int)rc;
}

static void
check_full(void)
{
	struct db *db = dbroom_open(dbroom_new());
	static char value[60000];
	const char *dir;
	int rc;

	memset(value, 'x', sizeof(value) - 1);
	sqlite3_exec(db->lib, "PRAGMA max_page_count = 12", NULL, NULL, NULL);
	db_begin(db, "test", &e);
	CHECK_INT(db_put(db, "domain", "a.example", value, &e), DB_LATER,
		  "a file that may not grow");
	CHECK(strstr(e.text, "settings.db: the disk is full") != NULL,
	      "which is said: %s", e.text);
	CHECK_INT(db_commit(db, &e), DB_LATER, "the commit fails as well");
	CHECK_STR(dbroom_rows(db, ""), "", "and nothing is changed");
	dbroom_put(db, "domain", "b.example", "");
	CHECK_STR(dbroom_changes(db, 0),
		  "1.1 domain b.example: - ->  by test\n",
		  "a smaller write is well");
	db_close(db);
	dir = dbroom_new();
	rc = geteuid() == 0 ? dbroom_apart(fill_disk, dir) : 77;
	/* Containers may forbid mounts to root, too. */
	if (rc != 77)
		CHECK_INT(rc, DB_LATER, "a full disk: later, nothing harmed");
}

/* What opening dir gives to somebody without rights on it. */
static int
open_as_nobody(const char *dir)
{
	enum db_result rc;

	if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
			       setgid(NOBODY) == -1 || setuid(NOBODY) == -1))
		return 100;
	rc = try_open(dir);
	printf("# %s\n", e.text);
	return (int)rc;
}

static int
make_as_nobody(const char *dir)
{
	struct db *db = NULL;

	if (geteuid() == 0 && (setgroups(0, NULL) == -1 ||
			       setgid(NOBODY) == -1 || setuid(NOBODY) == -1))
		return 100;
	return (int)db_open(dir, true, 1, &db, &e);
}

static void
check_rights(void)
{
	const char *dir = dbroom_new();
	struct db *db = dbroom_open(dir);

	dbroom_put(db, "domain", "a.example", "");
	db_close(db);
	chmod(dbroom_path(dir, "settings.db"), 0444);
	chmod(dir, 0755);
	CHECK_INT(dbroom_apart(open_as_nobody, dir), DB_FAIL,
		  "a file that may only be read");
	chmod(dbroom_path(dir, "settings.db"), 0000);
	CHECK_INT(dbroom_apart(open_as_nobody, dir), DB_FAIL,
		  "a file that may not be read");
	chmod(dbroom_path(dir, "settings.db"), 0666);
	chmod(dir, 0555);
	CHECK_INT(dbroom_apart(open_as_nobody, dir), DB_FAIL,
		  "a folder that may not be written");
	chmod(dir, 0000);
	CHECK_INT(dbroom_apart(open_as_nobody, dir), DB_FAIL,
		  "a folder that may not be entered");
	chmod(dir, 0755);
	dir = dbroom_new();
	chmod(dir, 0555);
	CHECK_INT(dbroom_apart(make_as_nobody, dir), DB_FAIL,
		  "a folder where no file can be made");
	chmod(dir, 0755);
}

/* As when an administrator brings back a copy. */
static void
check_replaced(void)
{
	const char *dir = dbroom_new();
	struct db *db = dbroom_open(dir);
	struct db *fresh;
	struct buf copy = { 0 };
	int n = 0;

	dbroom_put(db, "domain", "a.example", "");
	db_close(db);
	file_read(dbroom_path(dir, "settings.db"), &copy, 1 << 20, &e);
	db = dbroom_open(dir);
	CHECK(db_data_version(db) >= 0, "a handle on a file");
	CHECK_INT(file_replace(dbroom_path(dir, "settings.db"), copy.data,
			       copy.len, 0660, &e),
		  0, "another file takes its place");
	CHECK_INT(db_data_version(db), -1, "the handle notices");
	CHECK_INT(db_begin(db, "test", &e), DB_LATER, "does not write");
	CHECK_INT(db_each(db, "", count_row, &n, &e), DB_LATER,
		  "nor read rows");
	CHECK(strstr(e.text, "another file has taken its place") != NULL,
	      "and says so: %s", e.text);
	fresh = dbroom_open(dir);
	dbroom_put(fresh, "domain", "b.example", "");
	db_close(db);
	CHECK_STR(dbroom_rows(fresh, ""),
		  "domain|a.example|\ndomain|b.example|\n",
		  "closing it leaves the new one alone");
	db_close(fresh);
	fresh = dbroom_open(dir);
	CHECK_STR(dbroom_rows(fresh, ""),
		  "domain|a.example|\ndomain|b.example|\n", "also on the disk");
	db_close(fresh);
	buf_release(&copy);
}

int
main(void)
{
	dbroom_begin();
	check_modes();
	check_missing();
	check_garbage();
	check_truncated();
	check_foreign();
	check_newer();
	check_migration();
	check_replaced();
	check_no_room();
	check_full();
	check_rights();
	CHECK_INT(dbroom_end(), 0, "the folders are removed");
	return check_done();
}
