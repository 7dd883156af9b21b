/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Folders with a settings.db each, for tests.
 */
#include "dbroom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buf.h"
#include "str.h"

struct err dbroom_err;
static char room[256];

void
dbroom_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	str_fmt(room, sizeof(room), "%s/db.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(room) == NULL || chmod(room, 0755) == -1)
		exit(EXIT_FAILURE);
}

int
dbroom_end(void)
{
	char command[400];

	str_fmt(command, sizeof(command), "rm -rf '%s'", room);
	return system(command);
}

/* A folder of its own for each test, below room. */
const char *
dbroom_new(void)
{
	static char dir[300];
	static int n;

	str_fmt(dir, sizeof(dir), "%s/%d", room, n++);
	if (mkdir(dir, 0777) == -1)
		exit(EXIT_FAILURE);
	return dir;
}

const char *
dbroom_path(const char *dir, const char *name)
{
	static char path[2][600];
	static int turn;

	turn = !turn;
	str_fmt(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

struct db *
dbroom_open(const char *dir)
{
	struct db *db = NULL;

	dbroom_err.text[0] = '\0';
	if (db_open(dir, true, 1, &db, &dbroom_err) != DB_OK) {
		printf("# %s\n", dbroom_err.text);
		exit(EXIT_FAILURE);
	}
	return db;
}

void
dbroom_put(struct db *db, const char *kind, const char *key, const char *value)
{
	if (db_begin(db, "test", &dbroom_err) != DB_OK ||
	    db_put(db, kind, key, value, &dbroom_err) != DB_OK ||
	    db_commit(db, &dbroom_err) != DB_OK) {
		printf("# %s\n", dbroom_err.text);
		exit(EXIT_FAILURE);
	}
}

const char *
dbroom_get(struct db *db, const char *kind, const char *key)
{
	static struct buf b;
	int rc;

	buf_clear(&b);
	rc = db_get(db, kind, key, &b, &dbroom_err);
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

const char *
dbroom_rows(struct db *db, const char *kind)
{
	static struct buf b;

	buf_clear(&b);
	if (db_each(db, kind, add_row, &b, &dbroom_err) != DB_OK)
		return "(error)";
	return buf_str(&b);
}

const char *
dbroom_changes(struct db *db, int64_t after)
{
	static struct buf b;

	buf_clear(&b);
	if (db_changes(db, after, add_change, &b, &dbroom_err) != DB_OK)
		return "(error)";
	return buf_str(&b);
}

/* Runs fn in a process of its own, with what it changes about itself. */
int
dbroom_apart(int (*fn)(const char *dir), const char *dir)
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
