/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is written lazily is there after a restart, in the order it was
 * seen; a damaged file costs what was in it and nothing else.
 */
#include "db_seen.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "check.h"
#include "dbroom.h"
#include "file.h"
#include "str.h"

static struct buf said;

static void
on_row(void *arg, const char *kind, const char *key, const char *value,
       int64_t at_ms)
{
	(void)arg;
	(void)buf_printf(&said, "%s %s %s %lld\n", kind, key, value,
			 (long long)at_ms);
}

static const char *
rows_of(const char *dir)
{
	struct err e;
	struct db_seen *s = db_seen_open(dir, &e);

	buf_clear(&said);
	if (s == NULL || db_seen_each(s, on_row, NULL, &e) < 0)
		(void)buf_add_str(&said, e.text);
	db_seen_close(s);
	return buf_str(&said);
}

static struct db_seen *
start(const char *dir, struct err *e)
{
	struct db_seen *s = db_seen_open(dir, e);

	if (s != NULL && db_seen_start(s, e) < 0)
		(void)buf_add_str(&said, "not started");
	return s;
}

static void
test_kept(const char *dir)
{
	struct err e;
	struct db_seen *s = start(dir, &e);
	struct stat st;

	CHECK(s != NULL && e.text[0] == '\0', "a new file: %s", e.text);
	CHECK(stat(dbroom_path(dir, DB_SEEN_FILE), &st) == 0 &&
		      (st.st_mode & 0777) == 0660,
	      "is for our group");
	db_seen_put(s, "b", "k", "last", 30);
	db_seen_put(s, "a", "k", "old", 10);
	db_seen_put(s, "a", "k", "it's \xc3\xa4", 20);
	db_seen_put(s, "a", "gone", "x", 5);
	db_seen_del(s, "a", "gone");
	db_seen_del(s, "a", "never");
	db_seen_close(s);
	CHECK_STR(rows_of(dir), "a k it's \xc3\xa4 20\nb k last 30\n",
		  "what was put is there, what was deleted is not");
	s = db_seen_open(dir, &e);
	db_seen_del(s, "a", "k");
	CHECK(db_seen_start(s, &e) == 0, "changes before the start: %s",
	      e.text);
	db_seen_close(s);
	CHECK_STR(rows_of(dir), "b k last 30\n", "are written as well");
}

static void
test_many(const char *dir)
{
	struct err e;
	struct db_seen *s = start(dir, &e);
	char key[40];
	int n = 0;

	for (int i = 0; i < 20000; i++) {
		str_fmt(key, sizeof(key), "k%d", i);
		db_seen_put(s, "a", key, "v", i);
	}
	db_seen_close(s);
	for (const char *p = rows_of(dir); *p != '\0'; p++)
		n += *p == '\n';
	CHECK_INT(n, 20000, "an end writes all that waits");
}

static void
damage(const char *path, off_t at)
{
	char junk[3000];
	int fd = file_open(AT_FDCWD, path, O_RDWR, 0);

	memset(junk, 0x5a, sizeof(junk));
	if (pwrite(fd, junk, sizeof(junk), at) != (ssize_t)sizeof(junk))
		abort();
	file_shut(&fd);
}

static void
test_damage(const char *dir, off_t at)
{
	struct err e;
	struct db_seen *s = start(dir, &e);
	char key[40];

	for (int i = 0; i < 1000; i++) {
		str_fmt(key, sizeof(key), "k%d", i);
		db_seen_put(s, "a", key, "v", i);
	}
	db_seen_close(s);
	damage(dbroom_path(dir, DB_SEEN_FILE), at);
	s = start(dir, &e);
	CHECK(s != NULL && strstr(e.text, DB_SEEN_FILE) != NULL,
	      "damage at %lld is said: %s", (long long)at, e.text);
	CHECK(access(dbroom_path(dir, DB_SEEN_FILE ".bad"), F_OK) == 0,
	      "and the file put aside");
	db_seen_put(s, "a", "k", "v", 1);
	db_seen_close(s);
	CHECK_STR(rows_of(dir), "a k v 1\n", "the new one works");
}

static void
test_none(void)
{
	struct err e;
	struct db_seen *s = db_seen_open("/nonexistent/folder", &e);

	CHECK(s == NULL && e.text[0] != '\0', "no folder: %s", e.text);
	db_seen_put(s, "a", "k", "v", 1);
	db_seen_del(s, "a", "k");
	CHECK(db_seen_each(s, on_row, NULL, &e) == 0 &&
		      db_seen_start(s, &e) == 0,
	      "all is fine without one");
	db_seen_close(s);
}

int
main(void)
{
	char dir[4096];

	dbroom_begin();
	str_copy(dir, sizeof(dir), dbroom_new());
	test_kept(dir);
	str_copy(dir, sizeof(dir), dbroom_new());
	test_many(dir);
	str_copy(dir, sizeof(dir), dbroom_new());
	test_damage(dir, 0);
	str_copy(dir, sizeof(dir), dbroom_new());
	test_damage(dir, 4096);
	test_none();
	buf_release(&said);
	CHECK_INT(dbroom_end(), 0, "the folders go");
	return check_done();
}
