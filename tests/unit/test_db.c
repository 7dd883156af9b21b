/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * settings.db: rows, the log of their changes and its replay, migrations,
 * and what is said when the file is locked, foreign, damaged or the disk
 * full.
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
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "db_impl.h"
#include "file.h"
#include "str.h"

#define NOBODY 65534

static char room[256]; /* the test's own folder */
static struct err e;

/* A folder of its own for each test, below room. */
static const char *
new_dir(void)
{
	static char dir[300];
	static int n;

	str_fmt(dir, sizeof(dir), "%s/%d", room, n++);
	if (mkdir(dir, 0777) == -1)
		exit(EXIT_FAILURE);
	return dir;
}

static const char *
in_dir(const char *dir, const char *name)
{
	static char path[2][600];
	static int turn;

	turn = !turn;
	str_fmt(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static struct db *
open_new(const char *dir)
{
	struct db *db = NULL;

	e.text[0] = '\0';
	if (db_open(dir, true, 1, &db, &e) != DB_OK) {
		printf("# %s\n", e.text);
		exit(EXIT_FAILURE);
	}
	return db;
}

static void
put(struct db *db, const char *kind, const char *key, const char *value)
{
	if (db_begin(db, "test", &e) != DB_OK ||
	    db_put(db, kind, key, value, &e) != DB_OK ||
	    db_commit(db, &e) != DB_OK) {
		printf("# %s\n", e.text);
		exit(EXIT_FAILURE);
	}
}

static const char *
get(struct db *db, const char *kind, const char *key)
{
	static struct buf b;
	int rc;

	buf_clear(&b);
	rc = db_get(db, kind, key, &b, &e);
	return rc == 1 ? buf_str(&b) : rc == 0 ? "(none)" : "(error)";
}

static int
add_row(void *arg, const char *kind, const char *key, const char *value)
{
	return buf_printf(arg, "%s|%s|%s\n", kind, key, value);
}

static int
add_change(void *arg, const struct db_change *c)
{
	return buf_printf(arg, "%lld.%lld %s %s: %s -> %s by %s\n",
			  (long long)c->node, (long long)c->serial, c->kind,
			  c->key, c->old_value != NULL ? c->old_value : "-",
			  c->new_value != NULL ? c->new_value : "-", c->who);
}

static const char *
rows_of(struct db *db, const char *kind)
{
	static struct buf b;

	buf_clear(&b);
	if (db_each(db, kind, add_row, &b, &e) != DB_OK)
		return "(error)";
	return buf_str(&b);
}

static const char *
changes_of(struct db *db, int64_t after)
{
	static struct buf b;

	buf_clear(&b);
	if (db_changes(db, after, add_change, &b, &e) != DB_OK)
		return "(error)";
	return buf_str(&b);
}

static void
check_rows(void)
{
	struct db *db = open_new(new_dir());

	put(db, "domain", "b.example", "");
	put(db, "domain", "a.example", "b.example");
	put(db, "dest", "b.example 192.0.2.1:25", "0");
	CHECK_STR(get(db, "domain", "a.example"), "b.example", "a value");
	CHECK_STR(get(db, "domain", "b.example"), "", "an empty value");
	CHECK_STR(get(db, "domain", "c.example"), "(none)", "no value");
	CHECK_STR(get(db, "dest", "a.example"), "(none)", "of another kind");
	CHECK_INT(db_get(db, "domain", "a.example", NULL, &e), 1,
		  "whether it is there");
	CHECK_STR(rows_of(db, "domain"),
		  "domain|a.example|b.example\ndomain|b.example|\n",
		  "the rows of a kind in order");
	put(db, "domain", "a.example", NULL);
	CHECK_STR(rows_of(db, ""),
		  "dest|b.example 192.0.2.1:25|0\ndomain|b.example|\n",
		  "all rows, without a deleted one");
	CHECK_STR(rows_of(db, "none"), "", "a kind without rows");
	db_close(db);
	db_close(NULL);
}

static void
check_log(void)
{
	struct db *db = open_new(new_dir());

	put(db, "domain", "a.example", "");
	put(db, "domain", "a.example", "");
	put(db, "domain", "a.example", "b.example");
	put(db, "domain", "a.example", NULL);
	put(db, "domain", "a.example", NULL);
	CHECK_STR(changes_of(db, 0),
		  "1.1 domain a.example: - ->  by test\n"
		  "1.2 domain a.example:  -> b.example by test\n"
		  "1.3 domain a.example: b.example -> - by test\n",
		  "each change is logged, what changes nothing is not");
	CHECK_STR(changes_of(db, 2),
		  "1.3 domain a.example: b.example -> - by test\n",
		  "those above a serial");
	db_close(db);
}

static void
check_transactions(void)
{
	const char *dir = new_dir();
	struct db *db = open_new(dir);
	struct db *other = open_new(dir);
	int64_t v = db_data_version(db), w = db_data_version(other);

	CHECK(v == db_data_version(db), "the version stays");
	CHECK(db_begin(db, "test", &e) == DB_OK &&
		      db_put(db, "domain", "a.example", "", &e) == DB_OK,
	      "a write");
	CHECK_STR(get(other, "domain", "a.example"), "(none)",
		  "is not seen before it is committed");
	CHECK_STR(get(db, "domain", "a.example"), "", "but by itself");
	db_rollback(db);
	CHECK_STR(get(db, "domain", "a.example"), "(none)",
		  "and is gone when rolled back");
	CHECK_STR(changes_of(db, 0), "", "with its log");
	put(db, "domain", "a.example", "");
	CHECK(v != db_data_version(db), "the version changes by a commit");
	CHECK(w != db_data_version(other), "also for another handle");
	CHECK_STR(get(other, "domain", "a.example"), "", "which sees it");

	CHECK_INT(db_begin(db, "test", &e), DB_OK, "another transaction");
	CHECK_INT(db_put(db, "domain", "b.example", "", &e), DB_OK,
		  "a good write");
	CHECK_INT(db_put(db, "domain", "", "", &e), DB_FAIL, "a wrong one");
	CHECK_STR(e.text, "key of a setting: 0 bytes, expected 1 to 1024",
		  "which is said");
	CHECK_INT(db_put(db, "domain", "c.example", "", &e), DB_FAIL,
		  "spoils what follows");
	CHECK_INT(db_commit(db, &e), DB_FAIL, "and the commit");
	CHECK_STR(rows_of(db, "domain"), "domain|a.example|\n",
		  "nothing of it is there");
	put(db, "domain", "d.example", "");
	CHECK_STR(get(db, "domain", "d.example"), "", "the next one is well");
	db_close(other);
	db_close(db);
}

static void
check_limits(void)
{
	static const struct {
		const char *words;
		size_t kind, key, value;
		char fill;
		enum db_result want;
	} rows[] = {
		{ "all at their limits", 32, 1024, 65536, 'x', DB_OK },
		{ "a kind too long", 33, 1, 1, 'x', DB_FAIL },
		{ "no kind", 0, 1, 1, 'x', DB_FAIL },
		{ "a key too long", 1, 1025, 1, 'x', DB_FAIL },
		{ "a value too long", 1, 1, 65537, 'x', DB_FAIL },
		{ "a value that is not UTF-8", 1, 1, 1, '\xff', DB_FAIL },
	};
	struct db *db = open_new(new_dir());
	char kind[40], key[1100];
	static char value[65600];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(kind, 'k', sizeof(kind));
		kind[rows[i].kind] = '\0';
		memset(key, 'k', sizeof(key));
		key[rows[i].key] = '\0';
		memset(value, rows[i].fill, sizeof(value));
		value[rows[i].value] = '\0';
		db_begin(db, "test", &e);
		CHECK_INT(db_put(db, kind, key, value, &e), rows[i].want, "%s",
			  rows[i].words);
		CHECK_INT(db_commit(db, &e), rows[i].want, "%s: commit",
			  rows[i].words);
	}
	memset(value, 'w', sizeof(value));
	value[256] = '\0';
	CHECK_INT(db_begin(db, value, &e), DB_FAIL, "a name too long");
	db_close(db);
}

/* A row that no check has seen, as another program may write it. */
static void
check_foreign_rows(void)
{
	const char *dir = new_dir();
	struct db *db = open_new(dir);

	CHECK(sqlite3_exec(db->lib, "INSERT INTO row VALUES('a', '', 'x')",
			   NULL, NULL, NULL) == SQLITE_CONSTRAINT_CHECK,
	      "the file itself refuses an empty key");
	CHECK(sqlite3_exec(db->lib,
			   "PRAGMA ignore_check_constraints = ON;"
			   "INSERT INTO row VALUES('a', 'k', 'x' || char(0))",
			   NULL, NULL, NULL) == SQLITE_OK,
	      "a value with a NUL, forced in");
	CHECK_STR(get(db, "a", "k"), "(error)", "is not given");
	CHECK_STR(rows_of(db, ""), "(error)", "nor walked over");
	db_close(db);
}

/* Numbers that are the same in each run. */
static unsigned
next(unsigned *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

static void
put_at_random(struct db *db, unsigned *state, int count)
{
	static const char *const kinds[] = { "domain", "dest", "setting" };
	char key[32], value[32];
	int i, n;

	while (count > 0) {
		db_begin(db, "test", &e);
		n = 1 + (int)(next(state) % 7);
		for (i = 0; i < n; i++, count--) {
			str_fmt(key, sizeof(key), "k%u", next(state) % 40);
			str_fmt(value, sizeof(value), "v%u", next(state) % 4);
			db_put(db, kinds[next(state) % 3], key,
			       next(state) % 4 == 0 ? NULL : value, &e);
		}
		if (next(state) % 8 == 0)
			db_rollback(db);
		else
			db_commit(db, &e);
	}
}

static int
replay_into(void *arg, const struct db_change *c)
{
	return db_replay(arg, c, &e) == DB_OK ? 0 : 1;
}

/* All changes of from into to, in one transaction. */
static bool
replay_all(struct db *from, struct db *to)
{
	if (db_begin(to, "replay", &e) != DB_OK ||
	    db_changes(from, 0, replay_into, to, &e) != DB_OK)
		return false;
	return db_commit(to, &e) == DB_OK;
}

static bool
is_same(struct db *a, struct db *b, const char *(*what)(struct db *))
{
	char *first = strdup(what(a));
	bool same = first != NULL && str_eq(first, what(b));

	free(first);
	return same;
}

static const char *
all_rows(struct db *db)
{
	return rows_of(db, "");
}

static const char *
all_changes(struct db *db)
{
	return changes_of(db, 0);
}

static void
check_replay(void)
{
	struct db *a = open_new(new_dir());
	struct db *b = open_new(new_dir());
	unsigned state = 1;

	put_at_random(a, &state, 2000);
	CHECK(replay_all(a, b), "a log is replayed");
	CHECK(is_same(a, b, all_rows), "it gives the same rows");
	CHECK(is_same(a, b, all_changes), "and the same log");
	CHECK(replay_all(a, b) && is_same(a, b, all_changes),
	      "a second time does nothing");
	put(b, "domain", "k1", "after");
	CHECK(!is_same(a, b, all_rows), "a change of the copy");
	CHECK(replay_all(b, a) && is_same(a, b, all_rows), "goes back");
	db_close(a);
	db_close(b);
}

/* Two copies change the same rows and exchange their logs. */
static void
check_two_nodes(void)
{
	const char *dir = new_dir();
	struct db *a = open_new(dir);
	struct db *b = NULL;
	unsigned state = 7;
	int i;

	CHECK_INT(db_open(new_dir(), true, 2, &b, &e), DB_OK, "a second node");
	for (i = 0; i < 5; i++) {
		put_at_random(a, &state, 100);
		put_at_random(b, &state, 100);
		CHECK(replay_all(a, b) && replay_all(b, a), "an exchange, %d",
		      i);
		CHECK(is_same(a, b, all_rows), "the rows are the same, %d", i);
		CHECK(is_same(a, b, all_changes), "and the logs, %d", i);
	}
	db_close(a);
	db_close(b);
}

/* Changes in the wrong order, and with a clock that went back. */
static void
check_order(void)
{
	struct db_change c = { .node = 9,
			       .serial = 2,
			       .kind = "domain",
			       .key = "a.example",
			       .new_value = "later",
			       .who = "other",
			       .when_us = INT64_C(4102444800000000) };
	struct db *db = open_new(new_dir());

	CHECK_INT(db_replay(db, &c, &e), DB_OK, "a change of the year 2100");
	c.serial = 1;
	c.new_value = "earlier";
	c.when_us--;
	CHECK_INT(db_replay(db, &c, &e), DB_OK, "and the one before it");
	CHECK_STR(get(db, "domain", "a.example"), "later", "the later holds");
	put(db, "domain", "a.example", "now");
	CHECK_STR(get(db, "domain", "a.example"), "now",
		  "what is put here replaces it all the same");
	c.serial = 2;
	c.new_value = "later";
	c.when_us++;
	CHECK_INT(db_replay(db, &c, &e), DB_OK, "the first again");
	CHECK_STR(get(db, "domain", "a.example"), "now", "changes nothing");
	c.serial = 3;
	c.key = "";
	CHECK_INT(db_replay(db, &c, &e), DB_FAIL, "a wrong key is refused");
	db_close(db);
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

	str_fmt(dir, sizeof(dir), "%s/a/b", new_dir());
	db = open_new(dir);
	put(db, "domain", "a.example", "");
	CHECK_INT(mode_of(dir), 02770, "the folder, whatever the umask");
	CHECK_INT(mode_of(in_dir(dir, "settings.db")), 0660, "the file");
	CHECK_INT(mode_of(in_dir(dir, "settings.db-wal")), 0660, "its log");
	CHECK_INT(mode_of(in_dir(dir, "settings.db-shm")), 0660, "its index");
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
	const char *dir = new_dir();

	CHECK_INT(try_open(dir), DB_FAIL, "no file");
	CHECK(strstr(e.text, "settings.db: not there") != NULL,
	      "which is said: %s", e.text);
	CHECK_INT(access(in_dir(dir, "settings.db"), F_OK), -1,
		  "and none is made");
}

static void
check_garbage(void)
{
	const char *dir = new_dir();
	const char *path = in_dir(dir, "settings.db");
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
	const char *dir = new_dir();
	struct db *db = open_new(dir);
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
	CHECK_INT(truncate(in_dir(dir, "settings.db"), 20000), 0,
		  "loses its end");
	e.text[0] = '\0';
	rc = db_open(dir, false, 1, &db, &e);
	if (rc == DB_OK)
		rc = db_each(db, "", add_row, &(struct buf){ .limit = 1 }, &e);
	CHECK_INT(rc, DB_FAIL, "which is noticed");
	CHECK(strstr(e.text, "settings.db: damaged") != NULL, "and said: %s",
	      e.text);
	db_close(db);
}

static void
make_with(const char *dir, const char *sql)
{
	sqlite3 *lib = NULL;

	if (sqlite3_open(in_dir(dir, "settings.db"), &lib) != SQLITE_OK ||
	    sqlite3_exec(lib, sql, NULL, NULL, NULL) != SQLITE_OK)
		exit(EXIT_FAILURE);
	sqlite3_close(lib);
}

static void
check_foreign(void)
{
	const char *dir = new_dir();

	make_with(dir, "CREATE TABLE notes(x); INSERT INTO notes VALUES(1)");
	CHECK_INT(try_open(dir), DB_FAIL, "a database of somebody else");
	CHECK(strstr(e.text, "a database of some other program") != NULL,
	      "which is said: %s", e.text);
	dir = new_dir();
	make_with(dir, "PRAGMA application_id = 1; PRAGMA user_version = 1");
	CHECK_INT(try_open(dir), DB_FAIL, "one with another program's mark");
}

static void
check_newer(void)
{
	const char *dir = new_dir();
	struct db *db = open_new(dir);

	put(db, "domain", "a.example", "");
	db_close(db);
	make_with(dir, "PRAGMA user_version = 99");
	CHECK_INT(try_open(dir), DB_NEWER, "a newer file");
	CHECK(strstr(e.text, "version 99, made by a newer mcgate") != NULL,
	      "which is said: %s", e.text);
	make_with(dir, "PRAGMA user_version = 1");
	CHECK_INT(try_open(dir), DB_OK, "it was left as it was");
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
	const char *dir = new_dir();
	struct db *db = open_new(dir);

	put(db, "domain", "a.example", "old");
	db_close(db);
	CHECK_INT(db_open_with(dir, false, 1, broken, 2, &db, &e), DB_FAIL,
		  "a migration that fails");
	db = open_new(dir);
	CHECK_STR(get(db, "domain", "a.example"), "old",
		  "leaves the old version");
	db_close(db);
	CHECK_INT(db_open_with(dir, false, 1, two, 2, &db, &e), DB_OK,
		  "one that does not");
	CHECK_STR(get(db, "domain", "a.example"), "new", "is made");
	db_close(db);
	CHECK_INT(db_open_with(dir, false, 1, two, 2, &db, &e), DB_OK,
		  "and only once");
	db_close(db);
	CHECK_INT(try_open(dir), DB_NEWER, "an older mcgate refuses it");
	CHECK(strstr(e.text, "settings.db.v1") != NULL,
	      "and names the copy: %s", e.text);
	CHECK_INT(mode_of(in_dir(dir, "settings.db.v1")), 0660,
		  "which the group may write");
	CHECK_INT(rename(in_dir(dir, "settings.db.v1"),
			 in_dir(dir, "settings.db")),
		  0, "the copy, brought back");
	db = open_new(dir);
	CHECK_STR(get(db, "domain", "a.example"), "old", "has what it had");
	db_close(db);
}

/* A process that says on a pipe that it has the lock, and keeps it until
 * its other pipe is closed. */
static pid_t
hold_lock(const char *dir, int *release)
{
	int ready[2], go[2];
	char c = 0;
	pid_t pid;

	if (pipe(ready) == -1 || pipe(go) == -1)
		exit(EXIT_FAILURE);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct db *db = open_new(dir);

		close(go[1]);
		if (db_begin(db, "other", &e) == DB_OK &&
		    write(ready[1], "x", 1) == 1 && read(go[0], &c, 1) == 0)
			db_rollback(db);
		db_close(db);
		_exit(0);
	}
	close(ready[1]);
	close(go[0]);
	if (pid == -1 || read(ready[0], &c, 1) != 1)
		exit(EXIT_FAILURE);
	close(ready[0]);
	*release = go[1];
	return pid;
}

static void
check_locked(void)
{
	const char *dir = new_dir();
	struct db *db = open_new(dir);
	int release, status = -1;
	pid_t pid;

	db_close(db);
	pid = hold_lock(dir, &release);
	db = open_new(dir);
	CHECK_STR(rows_of(db, ""), "", "a lock does not keep from reading");
	sqlite3_busy_timeout(db->lib, 50);
	CHECK_INT(db_begin(db, "test", &e), DB_LATER, "but from writing");
	CHECK(strstr(e.text, "settings.db: locked") != NULL,
	      "which is said: %s", e.text);
	sqlite3_busy_timeout(db->lib, DB_BUSY_MS);
	close(release);
	CHECK_INT(db_begin(db, "test", &e), DB_OK, "until the other has ended");
	db_rollback(db);
	waitpid(pid, &status, 0);
	CHECK_INT(status, 0, "the other was well");
	db_close(db);
}

/* Several make the file at one time, and write. */
static void
check_many(void)
{
	const char *dir = new_dir();
	int i, status, good = 0;
	struct db *db;
	char key[32];

	fflush(stdout);
	for (i = 0; i < 8; i++) {
		if (fork() != 0)
			continue;
		db = open_new(dir);
		str_fmt(key, sizeof(key), "d%d.example", i);
		put(db, "domain", key, "");
		db_close(db);
		_exit(0);
	}
	while (wait(&status) > 0)
		good += status == 0;
	CHECK_INT(good, 8, "eight make the file and write");
	db = open_new(dir);
	CHECK(strstr(changes_of(db, 7), "1.8 domain ") != NULL,
	      "each has a serial of its own");
	db_close(db);
}

/* Runs fn in a process of its own, with what it changes about itself. */
static int
apart(int (*fn)(const char *dir), const char *dir)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int rc = fn(dir);

		fflush(stdout);
		_exit(rc);
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* No file may grow: to SQLite that is a disk that fails. */
static int
write_without_room(const char *dir)
{
	struct rlimit none = { 4096, 4096 };
	struct db *db = open_new(dir);
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
	if (!str_eq(get(db, "domain", "b.example"), "(none)"))
		return 101;
	db_close(db);
	return (int)rc;
}

static void
check_no_room(void)
{
	const char *dir = new_dir();
	struct db *db = open_new(dir);

	put(db, "domain", "a.example", "");
	CHECK_INT(apart(write_without_room, dir), DB_LATER,
		  "a write that the disk does not take may work later");
	CHECK_STR(rows_of(db, ""), "domain|a.example|\n",
		  "what was there is there");
	put(db, "domain", "c.example", "");
	CHECK_STR(get(db, "domain", "c.example"), "",
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
	db = open_new(dir);
	put(db, "domain", "a.example", "");
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
	if (!str_eq(get(db, "domain", "a.example"), "") ||
	    !str_eq(get(db, "domain", key), "(none)"))
		return 100;
	db_close(db);
	if (try_open(dir) == DB_FAIL || strstr(e.text, "damaged") != NULL)
		return 101;
	return (int)rc;
}

static void
check_full(void)
{
	struct db *db = open_new(new_dir());
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
	CHECK_STR(rows_of(db, ""), "", "and nothing is changed");
	put(db, "domain", "b.example", "");
	CHECK_STR(changes_of(db, 0), "1.1 domain b.example: - ->  by test\n",
		  "a smaller write is well");
	db_close(db);
	dir = new_dir();
	rc = geteuid() == 0 ? apart(fill_disk, dir) : 77;
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
	const char *dir = new_dir();
	struct db *db = open_new(dir);

	put(db, "domain", "a.example", "");
	db_close(db);
	chmod(in_dir(dir, "settings.db"), 0444);
	chmod(dir, 0755);
	CHECK_INT(apart(open_as_nobody, dir), DB_FAIL,
		  "a file that may only be read");
	chmod(in_dir(dir, "settings.db"), 0000);
	CHECK_INT(apart(open_as_nobody, dir), DB_FAIL,
		  "a file that may not be read");
	chmod(in_dir(dir, "settings.db"), 0666);
	chmod(dir, 0555);
	CHECK_INT(apart(open_as_nobody, dir), DB_FAIL,
		  "a folder that may not be written");
	chmod(dir, 0000);
	CHECK_INT(apart(open_as_nobody, dir), DB_FAIL,
		  "a folder that may not be entered");
	chmod(dir, 0755);
	dir = new_dir();
	chmod(dir, 0555);
	CHECK_INT(apart(make_as_nobody, dir), DB_FAIL,
		  "a folder where no file can be made");
	chmod(dir, 0755);
}

static void
remove_room(void)
{
	char command[400];

	str_fmt(command, sizeof(command), "rm -rf '%s'", room);
	CHECK_INT(system(command), 0, "the folder is removed");
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");

	str_fmt(room, sizeof(room), "%s/db.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(room) == NULL || chmod(room, 0755) == -1)
		return EXIT_FAILURE;
	check_rows();
	check_log();
	check_transactions();
	check_limits();
	check_foreign_rows();
	check_replay();
	check_two_nodes();
	check_order();
	check_modes();
	check_missing();
	check_garbage();
	check_truncated();
	check_foreign();
	check_newer();
	check_migration();
	check_locked();
	check_many();
	check_no_room();
	check_full();
	check_rights();
	remove_room();
	return check_done();
}
