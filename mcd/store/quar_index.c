/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The index in SQLite, ordered by name, which is the order of time.  Each
 * transaction has a number; what a page has not renewed is swept by it.
 */
#include "quar_index.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "str.h"
#include "xalloc.h"

#define VERSION "1"
#define LOOKS_MAX 200000 /* rows looked at for one page */

struct quar_index {
	sqlite3 *db;
	sqlite3_stmt *put, *sweep, *forget;
	int64_t turn; /* number of the transaction */
};

static const char schema[] =
	"CREATE TABLE quar(name TEXT PRIMARY KEY NOT NULL, at INTEGER NOT NULL,"
	" kind INTEGER NOT NULL, size INTEGER NOT NULL, sender TEXT NOT NULL,"
	" client TEXT NOT NULL, message_id TEXT NOT NULL,"
	" subject TEXT NOT NULL, reason TEXT NOT NULL,"
	" rcpt_count INTEGER NOT NULL, rcpts TEXT NOT NULL,"
	" turn INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX quar_kind ON quar(kind, name);"
	"PRAGMA user_version = " VERSION ";";

static int
failed(struct quar_index *x, struct err *e, const char *what)
{
	return err_set(e, "quarantine.db: %s: %s", what, sqlite3_errmsg(x->db));
}

static int
run(struct quar_index *x, const char *sql, struct err *e)
{
	if (sqlite3_exec(x->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return failed(x, e, sql);
	return 0;
}

void
quar_index_close(struct quar_index *x)
{
	if (x == NULL)
		return;
	sqlite3_finalize(x->put);
	sqlite3_finalize(x->sweep);
	sqlite3_finalize(x->forget);
	sqlite3_close(x->db);
	free(x);
}

/* A number of the database, -1 when it cannot be read. */
static int64_t
number(struct quar_index *x, const char *sql)
{
	sqlite3_stmt *st;
	int64_t n = -1;

	if (sqlite3_prepare_v2(x->db, sql, -1, &st, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

static int
prepare(struct quar_index *x, struct err *e)
{
	static const char put[] = "INSERT OR REPLACE INTO quar VALUES"
				  "(?,?,?,?,?,?,?,?,?,?,?,?)";
	static const char sweep[] = "DELETE FROM quar WHERE name > ?1 AND"
				    " (?2 = '' OR name <= ?2) AND turn <> ?3";
	static const char forget[] = "DELETE FROM quar WHERE name = ?1 AND"
				     " turn <> ?2";

	if (sqlite3_prepare_v2(x->db, put, -1, &x->put, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(x->db, sweep, -1, &x->sweep, NULL) !=
		    SQLITE_OK ||
	    sqlite3_prepare_v2(x->db, forget, -1, &x->forget, NULL) !=
		    SQLITE_OK)
		return failed(x, e, "prepare");
	x->turn = number(x, "SELECT coalesce(max(turn), 0) FROM quar");
	return x->turn < 0 ? failed(x, e, "reading") : 0;
}

static int
try_open(const char *path, struct quar_index **out, struct err *e)
{
	struct quar_index *x = xcalloc(1, sizeof(*x));
	int64_t version;

	if (sqlite3_open_v2(path, &x->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			    NULL) != SQLITE_OK) {
		failed(x, e, "open");
		quar_index_close(x);
		return -1;
	}
	/* It can be made again: nothing of it is waited for. */
	if (run(x, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;", e) < 0)
		version = -1;
	else
		version = number(x, "PRAGMA user_version");
	if ((version == 0 && run(x, schema, e) < 0) ||
	    (version != 0 && version != strtol(VERSION, NULL, 10)) ||
	    prepare(x, e) < 0) {
		quar_index_close(x);
		return -1;
	}
	*out = x;
	return 0;
}

int
quar_index_open(const char *dir, struct quar_index **out, struct err *e)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char path[1024], name[1040];
	size_t i;

	*out = NULL;
	if (!str_fmt(path, sizeof(path), "%s/quarantine.db", dir))
		return err_set(e, "%s: path is too long", dir);
	if (try_open(path, out, e) == 0)
		return 0;
	for (i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		(void)str_fmt(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void)unlink(name);
	}
	return try_open(path, out, e);
}

int
quar_index_begin(struct quar_index *x, struct err *e)
{
	x->turn++;
	return run(x, "BEGIN IMMEDIATE", e);
}

int
quar_index_commit(struct quar_index *x, struct err *e)
{
	return run(x, "COMMIT", e);
}

void
quar_index_rollback(struct quar_index *x)
{
	(void)sqlite3_exec(x->db, "ROLLBACK", NULL, NULL, NULL);
}

static void
bind_text(sqlite3_stmt *st, int at, const char *s)
{
	sqlite3_bind_text(st, at, s, -1, SQLITE_STATIC);
}

static int
step_once(struct quar_index *x, sqlite3_stmt *st, struct err *e)
{
	int r = sqlite3_step(st);

	if (r != SQLITE_DONE)
		failed(x, e, "writing");
	sqlite3_reset(st);
	return r == SQLITE_DONE ? 0 : -1;
}

int
quar_index_put(struct quar_index *x, const struct quar_row *r, struct err *e)
{
	sqlite3_stmt *st = x->put;

	bind_text(st, 1, r->name);
	sqlite3_bind_int64(st, 2, r->received_us);
	sqlite3_bind_int(st, 3, (int)r->kind);
	sqlite3_bind_int64(st, 4, (int64_t)r->size);
	bind_text(st, 5, r->sender);
	bind_text(st, 6, r->client_ip);
	bind_text(st, 7, r->message_id);
	bind_text(st, 8, r->subject);
	bind_text(st, 9, r->reason);
	sqlite3_bind_int64(st, 10, r->rcpt_count);
	bind_text(st, 11, r->rcpts);
	sqlite3_bind_int64(st, 12, x->turn);
	return step_once(x, st, e);
}

int
quar_index_sweep(struct quar_index *x, const char *after, const char *upto,
		 struct err *e)
{
	bind_text(x->sweep, 1, after);
	bind_text(x->sweep, 2, upto);
	sqlite3_bind_int64(x->sweep, 3, x->turn);
	return step_once(x, x->sweep, e);
}

int
quar_index_forget(struct quar_index *x, const char *name, struct err *e)
{
	bind_text(x->forget, 1, name);
	sqlite3_bind_int64(x->forget, 2, x->turn);
	return step_once(x, x->forget, e);
}

static const char *
text_at(sqlite3_stmt *st, int at)
{
	const unsigned char *s = sqlite3_column_text(st, at);

	return s != NULL ? (const char *)s : "";
}

static void
read_row(sqlite3_stmt *st, struct quar_row *r)
{
	int kind = sqlite3_column_int(st, 2);

	r->name = text_at(st, 0);
	r->received_us = sqlite3_column_int64(st, 1);
	r->kind = kind >= 0 && kind < QUAR_KIND_COUNT ? (enum quar_kind)kind
						      : QUAR_SPAM;
	r->size = (uint64_t)sqlite3_column_int64(st, 3);
	r->sender = text_at(st, 4);
	r->client_ip = text_at(st, 5);
	r->message_id = text_at(st, 6);
	r->subject = text_at(st, 7);
	r->reason = text_at(st, 8);
	r->rcpt_count = (uint32_t)sqlite3_column_int64(st, 9);
	r->rcpts = text_at(st, 10);
}

static int
query_open(struct quar_index *x, const struct quar_query *q, sqlite3_stmt **st,
	   struct err *e)
{
	static const char all[] =
		"SELECT * FROM quar WHERE (?1 = '' OR name < ?1)"
		" ORDER BY name DESC";
	static const char of_kind[] =
		"SELECT * FROM quar WHERE kind = ?2 AND (?1 = '' OR name < ?1)"
		" ORDER BY name DESC";
	static const char of_id[] =
		"SELECT * FROM quar WHERE name = ?1 OR"
		" (name > ?1 || '.' AND name < ?1 || '/') ORDER BY name";
	bool has_kind = q->filter != NULL && q->filter->has_kind;
	const char *sql = q->id != NULL ? of_id : has_kind ? of_kind : all;

	if (sqlite3_prepare_v2(x->db, sql, -1, st, NULL) != SQLITE_OK)
		return failed(x, e, "reading");
	bind_text(*st, 1, q->id != NULL ? q->id : q->before);
	if (q->id == NULL && has_kind)
		sqlite3_bind_int(*st, 2, (int)q->filter->kind);
	return 0;
}

int
quar_index_each(struct quar_index *x, const struct quar_query *q,
		quar_row_fn *fn, void *arg, char cursor[ENVELOPE_NAME_SIZE],
		struct err *e)
{
	int64_t now_us = clock_wall_us();
	unsigned rows = 0, looks = 0;
	struct quar_row r;
	sqlite3_stmt *st;
	int rc = SQLITE_DONE, stop = 0;

	cursor[0] = '\0';
	if (query_open(x, q, &st, e) < 0)
		return -1;
	while (stop == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (rows == q->rows_max || looks++ == LOOKS_MAX)
			break;
		read_row(st, &r);
		(void)str_copy(cursor, ENVELOPE_NAME_SIZE, r.name);
		if (q->filter != NULL &&
		    !quar_filter_matches(q->filter, &r, now_us))
			continue;
		rows++;
		stop = fn(arg, &r);
	}
	if (rc == SQLITE_DONE)
		cursor[0] = '\0';
	else if (rc != SQLITE_ROW)
		failed(x, e, "reading");
	sqlite3_finalize(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : -1;
}
