/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rows of settings.db, the log of their changes and its replay, and what
 * several processes see of each other.
 */
#include "db.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "db_impl.h"
#include "dbroom.h"
#include "str.h"

static struct err e;

static void
check_rows(void)
{
	struct db *db = dbroom_open(dbroom_new());

	dbroom_put(db, "domain", "b.example", "");
	dbroom_put(db, "domain", "a.example", "b.example");
	dbroom_put(db, "dest", "b.example 192.0.2.1:25", "0");
	CHECK_STR(dbroom_get(db, "domain", "a.example"), "b.example",
		  "a value");
	CHECK_STR(dbroom_get(db, "domain", "b.example"), "", "an empty value");
	CHECK_STR(dbroom_get(db, "domain", "c.example"), "(none)", "no value");
	CHECK_STR(dbroom_get(db, "dest", "a.example"), "(none)",
		  "of another kind");
	CHECK_INT(db_get(db, "domain", "a.example", NULL, &e), 1,
		  "whether it is there");
	CHECK_STR(dbroom_rows(db, "domain"),
		  "domain|a.example|b.example\ndomain|b.example|\n",
		  "the rows of a kind in order");
	dbroom_put(db, "domain", "a.example", NULL);
	CHECK_STR(dbroom_rows(db, ""),
		  "dest|b.example 192.0.2.1:25|0\ndomain|b.example|\n",
		  "all rows, without a deleted one");
	CHECK_STR(dbroom_rows(db, "none"), "", "a kind without rows");
	db_close(db);
	db_close(NULL);
}

static void
check_log(void)
{
	struct db *db = dbroom_open(dbroom_new());

	dbroom_put(db, "domain", "a.example", "");
	dbroom_put(db, "domain", "a.example", "");
	dbroom_put(db, "domain", "a.example", "b.example");
	dbroom_put(db, "domain", "a.example", NULL);
	dbroom_put(db, "domain", "a.example", NULL);
	CHECK_STR(dbroom_changes(db, 0),
		  "1.1 domain a.example: - ->  by test\n"
		  "1.2 domain a.example:  -> b.example by test\n"
		  "1.3 domain a.example: b.example -> - by test\n",
		  "each change is logged, what changes nothing is not");
	CHECK_STR(dbroom_changes(db, 2),
		  "1.3 domain a.example: b.example -> - by test\n",
		  "those above a serial");
	db_close(db);
}

static int
add_serial(void *arg, const struct db_change *ch)
{
	struct buf *b = arg;

	(void)buf_printf(b, "%lld %s\n", (long long)ch->serial, ch->key);
	return ch->serial == 2;
}

static void
check_log_backwards(void)
{
	struct db *db = dbroom_open(dbroom_new());
	struct buf b = { 0 };

	dbroom_put(db, "domain", "a.example", "");
	dbroom_put(db, "domain", "b.example", "");
	dbroom_put(db, "domain", "c.example", "");
	dbroom_put(db, "domain", "a.example", "b.example");
	CHECK(db_changes_down(db, 0, add_serial, &b, &e) == DB_OK,
	      "changes can be read backwards");
	CHECK_STR(buf_str(&b), "4 a.example\n3 c.example\n2 b.example\n",
		  "from the last, until somebody says stop");
	buf_clear(&b);
	(void)db_changes_down(db, 1, add_serial, &b, &e);
	CHECK_STR(buf_str(&b), "1 a.example\n", "or from a serial down");
	buf_clear(&b);
	(void)db_changes_of(db, "domain", "a.example", add_serial, &b, &e);
	CHECK_STR(buf_str(&b), "4 a.example\n1 a.example\n",
		  "those of one row, the newest first");
	buf_release(&b);
	db_close(db);
}

static void
check_transactions(void)
{
	const char *dir = dbroom_new();
	struct db *db = dbroom_open(dir);
	struct db *other = dbroom_open(dir);
	int64_t v = db_data_version(db), w = db_data_version(other);

	CHECK(v == db_data_version(db), "the version stays");
	CHECK(db_begin(db, "test", &e) == DB_OK &&
		      db_put(db, "domain", "a.example", "", &e) == DB_OK,
	      "a write");
	CHECK_STR(dbroom_get(other, "domain", "a.example"), "(none)",
		  "is not seen before it is committed");
	CHECK_STR(dbroom_get(db, "domain", "a.example"), "", "but by itself");
	db_rollback(db);
	CHECK_STR(dbroom_get(db, "domain", "a.example"), "(none)",
		  "and is gone when rolled back");
	CHECK_STR(dbroom_changes(db, 0), "", "with its log");
	dbroom_put(db, "domain", "a.example", "");
	CHECK(v != db_data_version(db), "the version changes by a commit");
	CHECK(w != db_data_version(other), "also for another handle");
	CHECK_STR(dbroom_get(other, "domain", "a.example"), "",
		  "which sees it");

	CHECK_INT(db_begin(db, "test", &e), DB_OK, "another transaction");
	CHECK_INT(db_put(db, "domain", "b.example", "", &e), DB_OK,
		  "a good write");
	CHECK_INT(db_put(db, "domain", "", "", &e), DB_FAIL, "a wrong one");
	CHECK_STR(e.text, "key of a setting: 0 bytes, expected 1 to 1024",
		  "which is said");
	CHECK_INT(db_put(db, "domain", "c.example", "", &e), DB_FAIL,
		  "spoils what follows");
	CHECK_INT(db_commit(db, &e), DB_FAIL, "and the commit");
	CHECK_STR(dbroom_rows(db, "domain"), "domain|a.example|\n",
		  "nothing of it is there");
	dbroom_put(db, "domain", "d.example", "");
	CHECK_STR(dbroom_get(db, "domain", "d.example"), "",
		  "the next one is well");
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
	struct db *db = dbroom_open(dbroom_new());
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
	const char *dir = dbroom_new();
	struct db *db = dbroom_open(dir);

	CHECK(sqlite3_exec(db->lib, "INSERT INTO row VALUES('a', '', 'x')",
			   NULL, NULL, NULL) == SQLITE_CONSTRAINT_CHECK,
	      "the file itself refuses an empty key");
	CHECK(sqlite3_exec(db->lib,
			   "PRAGMA ignore_check_constraints = ON;"
			   "INSERT INTO row VALUES('a', 'k', 'x' || char(0))",
			   NULL, NULL, NULL) == SQLITE_OK,
	      "a value with a NUL, forced in");
	CHECK_STR(dbroom_get(db, "a", "k"), "(error)", "is not given");
	CHECK_STR(dbroom_rows(db, ""), "(error)", "nor walked over");
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
	return dbroom_rows(db, "");
}

static const char *
all_changes(struct db *db)
{
	return dbroom_changes(db, 0);
}

static void
check_replay(void)
{
	struct db *a = dbroom_open(dbroom_new());
	struct db *b = dbroom_open(dbroom_new());
	unsigned state = 1;

	put_at_random(a, &state, 2000);
	CHECK(replay_all(a, b), "a log is replayed");
	CHECK(is_same(a, b, all_rows), "it gives the same rows");
	CHECK(is_same(a, b, all_changes), "and the same log");
	CHECK(replay_all(a, b) && is_same(a, b, all_changes),
	      "a second time does nothing");
	dbroom_put(b, "domain", "k1", "after");
	CHECK(!is_same(a, b, all_rows), "a change of the copy");
	CHECK(replay_all(b, a) && is_same(a, b, all_rows), "goes back");
	db_close(a);
	db_close(b);
}

/* Two copies change the same rows and exchange their logs. */
static void
check_two_nodes(void)
{
	const char *dir = dbroom_new();
	struct db *a = dbroom_open(dir);
	struct db *b = NULL;
	unsigned state = 7;
	int i;

	CHECK_INT(db_open(dbroom_new(), true, 2, &b, &e), DB_OK,
		  "a second node");
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
	struct db *db = dbroom_open(dbroom_new());

	CHECK_INT(db_replay(db, &c, &e), DB_OK, "a change of the year 2100");
	c.serial = 1;
	c.new_value = "earlier";
	c.when_us--;
	CHECK_INT(db_replay(db, &c, &e), DB_OK, "and the one before it");
	CHECK_STR(dbroom_get(db, "domain", "a.example"), "later",
		  "the later holds");
	dbroom_put(db, "domain", "a.example", "now");
	CHECK_STR(dbroom_get(db, "domain", "a.example"), "now",
		  "what is put here replaces it all the same");
	c.serial = 2;
	c.new_value = "later";
	c.when_us++;
	CHECK_INT(db_replay(db, &c, &e), DB_OK, "the first again");
	CHECK_STR(dbroom_get(db, "domain", "a.example"), "now",
		  "changes nothing");
	c.serial = 3;
	c.key = "";
	CHECK_INT(db_replay(db, &c, &e), DB_FAIL, "a wrong key is refused");
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
		struct db *db = dbroom_open(dir);

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
	const char *dir = dbroom_new();
	struct db *db = dbroom_open(dir);
	int release, status = -1;
	pid_t pid;

	db_close(db);
	pid = hold_lock(dir, &release);
	db = dbroom_open(dir);
	CHECK_STR(dbroom_rows(db, ""), "", "a lock does not keep from reading");
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
	const char *dir = dbroom_new();
	int i, status, good = 0;
	struct db *db;
	char key[32];

	fflush(stdout);
	for (i = 0; i < 8; i++) {
		if (fork() != 0)
			continue;
		db = dbroom_open(dir);
		str_fmt(key, sizeof(key), "d%d.example", i);
		dbroom_put(db, "domain", key, "");
		db_close(db);
		_exit(0);
	}
	while (wait(&status) > 0)
		good += status == 0;
	CHECK_INT(good, 8, "eight make the file and write");
	db = dbroom_open(dir);
	CHECK(strstr(dbroom_changes(db, 7), "1.8 domain ") != NULL,
	      "each has a serial of its own");
	db_close(db);
}

int
main(void)
{
	dbroom_begin();
	check_rows();
	check_log();
	check_log_backwards();
	check_transactions();
	check_limits();
	check_foreign_rows();
	check_replay();
	check_two_nodes();
	check_order();
	check_locked();
	check_many();
	CHECK_INT(dbroom_end(), 0, "the folders are removed");
	return check_done();
}
