/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opening and filling history.db.  synchronous NORMAL: what a power cut
 * takes is read from the ledger again, from the position that it left.
 */
#include "history.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "envelope.h"
#include "history_index.h"
#include "history_sql.h"
#include "log.h"
#include "str.h"
#include "tally.h"
#include "xalloc.h"

#define EXPIRE_ROWS 5000

/* The offset of each file that was read, beside that of the last one:
 * the order of their names is not always the order of time. */
#define FILE_TABLE                                           \
	"CREATE TABLE file(name TEXT PRIMARY KEY NOT NULL,"  \
	" offset INTEGER NOT NULL) WITHOUT ROWID;"           \
	"INSERT INTO file SELECT file, offset FROM position" \
	" WHERE file <> '';"

#define JUDGED_COLUMN(name, type) \
	"ALTER TABLE event ADD COLUMN " name " " type ";"

/* Of version 3. */
#define JUDGED_COLUMNS                                           \
	JUDGED_COLUMN("verdict", "TEXT NOT NULL DEFAULT ''")     \
	JUDGED_COLUMN("action", "TEXT NOT NULL DEFAULT ''")      \
	JUDGED_COLUMN("score", "INTEGER NOT NULL DEFAULT 0")     \
	JUDGED_COLUMN("threshold", "INTEGER NOT NULL DEFAULT 0") \
	JUDGED_COLUMN("fate", "INTEGER NOT NULL DEFAULT 0")      \
	JUDGED_COLUMN("explanation", "TEXT NOT NULL DEFAULT ''") \
	""

static const char schema[] =
	"CREATE TABLE event("
	" seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, verb TEXT NOT NULL,"
	" id TEXT NOT NULL, name TEXT NOT NULL,"
	" rcpt TEXT NOT NULL COLLATE NOCASE,"
	" sender TEXT NOT NULL COLLATE NOCASE, source TEXT NOT NULL,"
	" client TEXT NOT NULL, message_id TEXT NOT NULL,"
	" subject TEXT NOT NULL, relay TEXT NOT NULL, status TEXT NOT NULL,"
	" reason TEXT NOT NULL, who TEXT NOT NULL, size INTEGER NOT NULL,"
	" delay_ms INTEGER NOT NULL, recovered INTEGER NOT NULL);"
	"CREATE INDEX event_id ON event(id);"
	"CREATE INDEX event_rcpt ON event(rcpt);"
	"CREATE INDEX event_sender ON event(sender) WHERE sender <> '';"
	"CREATE INDEX event_msgid ON event(message_id)"
	" WHERE message_id <> '';"
	"CREATE INDEX event_client ON event(client) WHERE client <> '';"
	"CREATE INDEX event_subject ON event(subject, id)"
	" WHERE subject <> '';"
	"CREATE INDEX event_at ON event(at);"
	"CREATE TABLE position(one INTEGER PRIMARY KEY CHECK(one = 1),"
	" file TEXT NOT NULL, offset INTEGER NOT NULL);"
	"INSERT INTO position VALUES(1, '', 0);" FILE_TABLE JUDGED_COLUMNS;

static const char insert_sql[] =
	"INSERT INTO event(at, verb, id, name, rcpt, sender, source, client,"
	" message_id, subject, relay, status, reason, who, size, delay_ms,"
	" recovered, verdict, action, score, threshold, fate, explanation)"
	" VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

int
history_error(struct history *h, struct err *e, const char *what)
{
	int code = sqlite3_errcode(h->db) & 0xff;

	if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
		h->is_damaged = true;
	return err_set(e, "history.db: %s: %s", what, sqlite3_errmsg(h->db));
}

static int
run(struct history *h, const char *sql, struct err *e)
{
	if (sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return history_error(h, e, "statement");
}

int
history_finish(struct history *h, struct err *e)
{
	return run(h, "COMMIT", e);
}

static int
user_version(struct history *h)
{
	sqlite3_stmt *st;
	int version = -1;

	if (sqlite3_prepare_v2(h->db, "PRAGMA user_version", -1, &st, NULL) !=
	    SQLITE_OK)
		return -1;
	if (sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	return version;
}

/* From nothing, or from an older version. */
static int
make_tables(struct history *h, int version, struct err *e)
{
	static const char *const steps[HISTORY_VERSION] = {
		schema, FILE_TABLE JUDGED_COLUMNS, JUDGED_COLUMNS, ""
	};

	if (version == HISTORY_VERSION)
		return 0;
	if (run(h, "BEGIN IMMEDIATE", e) < 0 || run(h, steps[version], e) < 0 ||
	    run(h, history_index_sql, e) < 0 ||
	    run(h, tally_table_sql, e) < 0 ||
	    run(h, "PRAGMA user_version = 4", e) < 0)
		return -1;
	return history_finish(h, e);
}

static int
prepare(struct history *h, struct err *e)
{
	int version;

	sqlite3_busy_timeout(h->db, 5000);
	if (run(h,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		"PRAGMA cache_size = -2048; PRAGMA trusted_schema = OFF;"
		"PRAGMA temp_store = MEMORY;",
		e) < 0)
		return -1;
	version = user_version(h);
	if (version < 0)
		return history_error(h, e, "reading its version");
	if (version > HISTORY_VERSION)
		return err_set(e,
			       "history.db was written by a newer mcd "
			       "(version %d, ours is %d)",
			       version, HISTORY_VERSION);
	if (make_tables(h, version, e) < 0)
		return -1;
	if (sqlite3_prepare_v2(h->db, insert_sql, -1, &h->insert, NULL) !=
	    SQLITE_OK)
		history_error(h, e, "its tables");
	else if (history_index_prepare(h, e) == 0)
		return 0;
	/* Not our tables, whatever the version says. */
	h->is_damaged = true;
	return -1;
}

bool
history_is_damaged(const struct history *h)
{
	return h->is_damaged;
}

void
history_close(struct history *h)
{
	if (h == NULL)
		return;
	sqlite3_finalize(h->insert);
	history_index_release(h);
	sqlite3_close(h->db);
	free(h);
}

/* 0, 1 when it is damaged, -1. */
static int
try_open(const char *path, struct history **out, struct err *e)
{
	struct history *h = xcalloc(1, sizeof(*h));
	int rc = -1;

	if (sqlite3_open_v2(path, &h->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				    SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		history_error(h, e, "opening");
	else
		rc = prepare(h, e);
	if (rc == 0) {
		*out = h;
		return 0;
	}
	if (h->is_damaged)
		rc = 1;
	history_close(h);
	return rc;
}

/* The log of a database that is not there any more must not be taken for
 * that of the next one. */
static int
remove_beside(const char *path, const char *suffix, struct err *e)
{
	char name[1100];

	str_fmt(name, sizeof(name), "%s%s", path, suffix);
	if (unlink(name) < 0 && errno != ENOENT)
		return err_sys(e, "%s", name);
	return 0;
}

int
history_discard(const char *dir, struct err *e)
{
	char path[1024];
	char aside[1100];

	str_fmt(path, sizeof(path), "%s/history.db", dir);
	str_fmt(aside, sizeof(aside), "%s.damaged.%lld", path,
		(long long)(clock_wall_us() / 1000000));
	if (rename(path, aside) < 0 && errno != ENOENT)
		return err_sys(e, "%s", path);
	if (remove_beside(path, "-wal", e) < 0 ||
	    remove_beside(path, "-shm", e) < 0)
		return -1;
	log_warn("history.db is damaged: moved to %s, made again from the "
		 "ledger",
		 aside);
	return 0;
}

int
history_open(const char *dir, struct history **out, struct err *e)
{
	char path[1024];
	int r;

	*out = NULL;
	if (!str_fmt(path, sizeof(path), "%s/history.db", dir))
		return err_set(e, "%s: path is too long", dir);
	r = try_open(path, out, e);
	if (r <= 0)
		return r;
	if (history_discard(dir, e) < 0)
		return -1;
	return try_open(path, out, e) == 0 ? 0 : -1;
}

static void
bind_text(sqlite3_stmt *st, int at, const char *s)
{
	sqlite3_bind_text(st, at, s != NULL ? s : "", -1, SQLITE_STATIC);
}

/* A row of a name and an offset, found by text (NULL: there is nothing to
 * bind); "" and 0 without one. */
static int
read_place(struct history *h, const char *sql, const char *text, char *file,
	   uint64_t *offset, struct err *e)
{
	const unsigned char *name = NULL;
	sqlite3_stmt *st;
	int r;

	*offset = 0;
	if (sqlite3_prepare_v2(h->db, sql, -1, &st, NULL) != SQLITE_OK)
		return history_error(h, e, "reading its position");
	if (text != NULL)
		bind_text(st, 1, text);
	r = sqlite3_step(st);
	if (r == SQLITE_ROW) {
		name = sqlite3_column_text(st, 0);
		*offset = (uint64_t)sqlite3_column_int64(st, 1);
	}
	str_copy(file, LEDGER_NAME_SIZE,
		 name != NULL ? (const char *)name : "");
	if (r != SQLITE_ROW && r != SQLITE_DONE)
		history_error(h, e, "reading its position");
	sqlite3_finalize(st);
	return r == SQLITE_ROW || r == SQLITE_DONE ? 0 : -1;
}

int
history_position(struct history *h, char *file, uint64_t *offset, struct err *e)
{
	return read_place(h, "SELECT file, offset FROM position", NULL, file,
			  offset, e);
}

int
history_offset(struct history *h, const char *file, uint64_t *offset,
	       struct err *e)
{
	char name[LEDGER_NAME_SIZE];

	return read_place(h, "SELECT name, offset FROM file WHERE name = ?",
			  file, name, offset, e);
}

int
history_last_file(struct history *h, const char *upto, char *file,
		  uint64_t *offset, struct err *e)
{
	return read_place(h,
			  "SELECT name, offset FROM file WHERE name <= ?"
			  " ORDER BY name DESC LIMIT 1",
			  upto, file, offset, e);
}

int
history_begin(struct history *h, struct err *e)
{
	return run(h, "BEGIN IMMEDIATE", e);
}

void
history_rollback(struct history *h)
{
	(void)sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
}

int
history_add(struct history *h, const struct ledger_event *ev, struct err *e)
{
	sqlite3_stmt *st = h->insert;
	int at = 1;

	sqlite3_bind_int64(st, at++, ev->at_us);
	bind_text(st, at++, ledger_verb_name(ev->verb));
	sqlite3_bind_text(st, at++, ev->name,
			  strlen(ev->name) < ENVELOPE_ID_LEN ? -1
							     : ENVELOPE_ID_LEN,
			  SQLITE_STATIC);
	bind_text(st, at++, ev->name);
	bind_text(st, at++, ev->rcpt);
	bind_text(st, at++, ev->sender);
	bind_text(st, at++, ev->source);
	bind_text(st, at++, ev->client);
	bind_text(st, at++, ev->message_id);
	bind_text(st, at++, ev->subject);
	bind_text(st, at++, ev->relay);
	bind_text(st, at++, ev->status);
	bind_text(st, at++, ev->reason);
	bind_text(st, at++, ev->who);
	sqlite3_bind_int64(st, at++, (int64_t)ev->size);
	sqlite3_bind_int64(st, at++, ev->delay_ms);
	sqlite3_bind_int(st, at++, ev->is_recovered);
	bind_text(st, at++, ev->verdict);
	bind_text(st, at++, ev->action);
	sqlite3_bind_int64(st, at++, ev->score);
	sqlite3_bind_int64(st, at++, ev->threshold);
	sqlite3_bind_int64(st, at++, (int64_t)ev->fate);
	bind_text(st, at++, ev->explanation);
	if (sqlite3_step(st) != SQLITE_DONE) {
		history_error(h, e, "adding an event");
		sqlite3_reset(st);
		return -1;
	}
	sqlite3_reset(st);
	return history_index_add(h, ev, sqlite3_last_insert_rowid(h->db), e);
}

static int
keep_place(struct history *h, const char *sql, const char *file,
	   uint64_t offset, struct err *e)
{
	sqlite3_stmt *st;
	int r;

	if (sqlite3_prepare_v2(h->db, sql, -1, &st, NULL) != SQLITE_OK)
		return history_error(h, e, "keeping its position");
	bind_text(st, 1, file);
	sqlite3_bind_int64(st, 2, (int64_t)offset);
	r = sqlite3_step(st);
	sqlite3_finalize(st);
	return r == SQLITE_DONE ? 0
				: history_error(h, e, "keeping its position");
}

int
history_commit(struct history *h, const char *file, uint64_t offset,
	       struct err *e)
{
	if (keep_place(h, "UPDATE position SET file = ?, offset = ?", file,
		       offset, e) < 0 ||
	    keep_place(h, "INSERT OR REPLACE INTO file VALUES(?, ?)", file,
		       offset, e) < 0)
		return -1;
	return history_finish(h, e);
}

/* Of files that only hold what is older; they are gone, or soon will be. */
static int
expire_places(struct history *h, int64_t before_us, struct err *e)
{
	char least[LEDGER_NAME_SIZE];

	ledger_file(before_us, least);
	return keep_place(h,
			  "DELETE FROM file WHERE name < ?1 AND name <>"
			  " (SELECT file FROM position) AND ?2 = 0",
			  least, 0, e);
}

static int
remove_oldest(struct history *h, int64_t before_us, struct err *e)
{
	sqlite3_stmt *st;
	int r;

	if (sqlite3_prepare_v2(h->db,
			       "DELETE FROM event WHERE seq IN " HISTORY_OLDEST,
			       -1, &st, NULL) != SQLITE_OK)
		return history_error(h, e, "expiring");
	sqlite3_bind_int64(st, 1, before_us);
	sqlite3_bind_int64(st, 2, EXPIRE_ROWS);
	r = sqlite3_step(st);
	sqlite3_finalize(st);
	if (r != SQLITE_DONE)
		return history_error(h, e, "expiring");
	return sqlite3_changes(h->db) == EXPIRE_ROWS;
}

int
history_expire(struct history *h, int64_t before_us, struct err *e)
{
	int more = -1;

	if (history_begin(h, e) < 0)
		return -1;
	if (expire_places(h, before_us, e) == 0 &&
	    history_index_expire(h, before_us, EXPIRE_ROWS, e) == 0)
		more = remove_oldest(h, before_us, e);
	if (more < 0 || history_finish(h, e) < 0) {
		history_rollback(h);
		return -1;
	}
	return more;
}
