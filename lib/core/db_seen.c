/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One table, one writer.  The owner's side only puts changes on a list;
 * the thread takes the whole list and writes it in a transaction.
 */
#include "db_seen.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "list.h"
#include "log.h"
#include "str.h"
#include "xalloc.h"

#define LEISURE_MS 1000 /* changes are gathered for so long */
#define RETRY_MS 10000 /* after a failure */
#define WAITING_MAX 200000 /* changes; beyond, the oldest are forgotten */
#define BUSY_MS 2000
#define MODE 0660

struct change {
	struct list node;
	char *kind, *key, *value; /* value NULL: it goes */
	int64_t at_ms;
};

struct db_seen {
	sqlite3 *lib;
	sqlite3_stmt *put, *del;
	char path[1100];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	bool is_started;
	/* under lock */
	struct list waiting;
	size_t count;
	bool is_stopping;
};

static const char schema[] =
	"PRAGMA journal_mode = WAL;"
	"PRAGMA synchronous = NORMAL;"
	"CREATE TABLE IF NOT EXISTS seen(kind TEXT NOT NULL, key TEXT NOT "
	"NULL, value TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY(kind, "
	"key)) WITHOUT ROWID;"
	"PRAGMA user_version = 1;";

static int
fail(struct db_seen *s, const char *what, struct err *e)
{
	return err_set(e, "%s: %s: %s", s->path, what, sqlite3_errmsg(s->lib));
}

static int
run(struct db_seen *s, const char *sql, struct err *e)
{
	if (sqlite3_exec(s->lib, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(s, "cannot be used", e);
	return 0;
}

static int
prepare(struct db_seen *s, const char *sql, sqlite3_stmt **out, struct err *e)
{
	if (sqlite3_prepare_v2(s->lib, sql, -1, out, NULL) != SQLITE_OK)
		return fail(s, "not as expected", e);
	return 0;
}

static void
close_lib(struct db_seen *s)
{
	sqlite3_finalize(s->put);
	sqlite3_finalize(s->del);
	sqlite3_close(s->lib);
	s->put = s->del = NULL;
	s->lib = NULL;
}

static int
check_version(struct db_seen *s, struct err *e)
{
	sqlite3_stmt *st;
	int version;

	if (prepare(s, "PRAGMA user_version", &st, e) < 0)
		return -1;
	version =
		sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int(st, 0) : -1;
	sqlite3_finalize(st);
	if (version < 0)
		return fail(s, "cannot be read", e);
	if (version > DB_SEEN_VERSION)
		return err_set(e, "%s: of a newer mcgate", s->path);
	return 0;
}

static int
open_lib(struct db_seen *s, struct err *e)
{
	/* So that the mode is ours, whatever the umask. */
	int fd = file_open(AT_FDCWD, s->path, O_RDWR | O_CREAT, MODE);
	struct err ignored;

	if (fd < 0)
		return err_sys(e, "%s", s->path);
	(void)fchmod(fd, MODE);
	if (file_close(fd, s->path, e) < 0)
		return -1;
	if (sqlite3_open_v2(s->path, &s->lib, SQLITE_OPEN_READWRITE, NULL) !=
	    SQLITE_OK)
		return fail(s, "cannot be opened", e);
	sqlite3_busy_timeout(s->lib, BUSY_MS);
	if (check_version(s, e) < 0 || run(s, schema, e) < 0 ||
	    prepare(s, "INSERT OR REPLACE INTO seen VALUES(?1, ?2, ?3, ?4)",
		    &s->put, e) < 0 ||
	    prepare(s, "DELETE FROM seen WHERE kind = ?1 AND key = ?2", &s->del,
		    e) < 0)
		return -1;
	(void)run(s, "PRAGMA cache_size = -4096", &ignored);
	return 0;
}

/* A name behind the path; false when that is too long. */
static bool
path_with(const struct db_seen *s, const char *end, char *dst, size_t size)
{
	return str_fmt(dst, size, "%s%s", s->path, end);
}

/* What is damaged is kept for whoever wants to look at it. */
static int
put_aside(struct db_seen *s)
{
	static const char *const logs[] = { "-wal", "-shm" };
	char name[1200];

	for (size_t i = 0; i < 2; i++)
		if (path_with(s, logs[i], name, sizeof(name)))
			(void)unlink(name);
	if (!path_with(s, ".bad", name, sizeof(name)))
		return -1;
	return rename(s->path, name);
}

static bool
is_damaged(const struct db_seen *s)
{
	int code = s->lib != NULL ? sqlite3_errcode(s->lib) : SQLITE_OK;

	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/* Damage shows when all of it is read. */
static int
look_through(struct db_seen *s, struct err *e)
{
	sqlite3_stmt *st;
	const unsigned char *text = NULL;
	bool is_good;

	if (prepare(s, "PRAGMA quick_check(1)", &st, e) < 0)
		return -1;
	if (sqlite3_step(st) == SQLITE_ROW)
		text = sqlite3_column_text(st, 0);
	is_good = text != NULL && str_eq((const char *)text, "ok");
	if (!is_good)
		(void)err_set(e, "%s: damaged", s->path);
	sqlite3_finalize(st);
	return is_good ? 0 : 1;
}

static struct db_seen *
seen_new(void)
{
	struct db_seen *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;

	list_init(&s->waiting);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &attr);
	pthread_condattr_destroy(&attr);
	return s;
}

static void
seen_free(struct db_seen *s)
{
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct db_seen *
db_seen_open(const char *dir, struct err *e)
{
	struct db_seen *s = seen_new();
	struct err again;
	int rc;

	e->text[0] = '\0';
	if (!str_fmt(s->path, sizeof(s->path), "%s/%s", dir, DB_SEEN_FILE)) {
		(void)err_set(e, "%s: name too long", dir);
		seen_free(s);
		return NULL;
	}
	rc = open_lib(s, e);
	if (rc == 0)
		rc = look_through(s, e);
	if (rc == 1 || (rc < 0 && is_damaged(s))) {
		close_lib(s);
		rc = put_aside(s) == 0 ? open_lib(s, &again) : -1;
	}
	if (rc == 0)
		return s;
	close_lib(s);
	seen_free(s);
	return NULL;
}

static const char *
column(sqlite3_stmt *st, int index)
{
	const unsigned char *text = sqlite3_column_text(st, index);

	return text != NULL ? (const char *)text : "";
}

int
db_seen_each(struct db_seen *s, db_seen_fn *fn, void *arg, struct err *e)
{
	sqlite3_stmt *st;
	int rc = 0;

	if (s == NULL)
		return 0;
	if (prepare(s,
		    "SELECT kind, key, value, at_ms FROM seen ORDER BY at_ms",
		    &st, e) < 0)
		return -1;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		fn(arg, column(st, 0), column(st, 1), column(st, 2),
		   sqlite3_column_int64(st, 3));
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? 0 : fail(s, "cannot be read", e);
}

static void
change_free(struct change *c)
{
	free(c->kind);
	free(c->key);
	free(c->value);
	free(c);
}

static int
write_change(struct db_seen *s, const struct change *c, struct err *e)
{
	sqlite3_stmt *st = c->value != NULL ? s->put : s->del;
	int rc;

	(void)sqlite3_bind_text(st, 1, c->kind, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(st, 2, c->key, -1, SQLITE_STATIC);
	if (c->value != NULL) {
		(void)sqlite3_bind_text(st, 3, c->value, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(st, 4, c->at_ms);
	}
	rc = sqlite3_step(st);
	if (rc != SQLITE_DONE)
		(void)fail(s, "cannot be written", e);
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

static int
write_batch(struct db_seen *s, const struct list *batch, struct err *e)
{
	struct err ignored;
	struct list *n;

	if (run(s, "BEGIN IMMEDIATE", e) < 0)
		return -1;
	list_for(n, batch)
	{
		if (write_change(s, list_entry(n, struct change, node), e) <
		    0) {
			(void)run(s, "ROLLBACK", &ignored);
			return -1;
		}
	}
	if (run(s, "COMMIT", e) < 0) {
		(void)run(s, "ROLLBACK", &ignored);
		return -1;
	}
	return 0;
}

static void
batch_free(struct list *batch)
{
	struct list *n;

	while ((n = list_pop(batch)) != NULL)
		change_free(list_entry(n, struct change, node));
}

/* lock is held; ends early at a stop. */
static void
wait_ms(struct db_seen *s, int64_t ms)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (rc == 0 && !s->is_stopping)
		rc = pthread_cond_timedwait(&s->work, &s->lock, &until);
}

/* Writes all that waits; lock is held, and given back meanwhile.  What
 * could not be written waits again. */
static int
write_waiting(struct db_seen *s, struct err *e)
{
	struct list batch;
	size_t count = s->count;
	int rc;

	list_init(&batch);
	list_splice(&batch, &s->waiting);
	s->count = 0;
	pthread_mutex_unlock(&s->lock);
	rc = write_batch(s, &batch, e);
	if (rc == 0)
		batch_free(&batch);
	pthread_mutex_lock(&s->lock);
	if (rc == 0)
		return 0;
	list_splice(&batch, &s->waiting);
	list_splice(&s->waiting, &batch);
	s->count += count;
	return -1;
}

static void *
thread_run(void *arg)
{
	struct db_seen *s = arg;
	struct err e, said = { "" };

	pthread_mutex_lock(&s->lock);
	for (;;) {
		if (s->count == 0 && s->is_stopping)
			break;
		if (s->count == 0) {
			pthread_cond_wait(&s->work, &s->lock);
			continue;
		}
		wait_ms(s, LEISURE_MS);
		if (write_waiting(s, &e) == 0) {
			said.text[0] = '\0';
			continue;
		}
		if (!str_eq(said.text, e.text))
			log_warn("%s; it is tried again", e.text);
		said = e;
		if (s->is_stopping)
			break;
		wait_ms(s, RETRY_MS);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int
db_seen_start(struct db_seen *s, struct err *e)
{
	sigset_t all, before;
	int failed;

	if (s == NULL)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(&s->thread, NULL, thread_run, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed != 0)
		return err_set(e, "%s: thread: %s", s->path, strerror(failed));
	s->is_started = true;
	return 0;
}

static void
add_change(struct db_seen *s, struct change *c)
{
	struct list *oldest = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->count >= WAITING_MAX)
		oldest = list_pop(&s->waiting);
	else
		s->count++;
	list_push(&s->waiting, &c->node);
	if (s->count == 1)
		pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	if (oldest != NULL)
		change_free(list_entry(oldest, struct change, node));
}

void
db_seen_put(struct db_seen *s, const char *kind, const char *key,
	    const char *value, int64_t at_ms)
{
	struct change *c;

	if (s == NULL)
		return;
	c = xcalloc(1, sizeof(*c));
	c->kind = xstrdup(kind);
	c->key = xstrdup(key);
	c->value = xstrdup(value);
	c->at_ms = at_ms;
	add_change(s, c);
}

void
db_seen_del(struct db_seen *s, const char *kind, const char *key)
{
	struct change *c;

	if (s == NULL)
		return;
	c = xcalloc(1, sizeof(*c));
	c->kind = xstrdup(kind);
	c->key = xstrdup(key);
	add_change(s, c);
}

void
db_seen_close(struct db_seen *s)
{
	if (s == NULL)
		return;
	if (s->is_started) {
		pthread_mutex_lock(&s->lock);
		s->is_stopping = true;
		pthread_cond_broadcast(&s->work);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
	}
	batch_free(&s->waiting);
	close_lib(s);
	seen_free(s);
}
