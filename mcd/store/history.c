/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Opening and filling history.db.  synchronous NORMAL: what a power cut
 * takes is read from the ledger again, from the position that it left.
 */
#include "history.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "envelope.h"
#include "history_sql.h"
#include "log.h"
#include "str.h"
#include "xalloc.h"

#define EXPIRE_ROWS 5000

static const char schema[] =
	"CREATE TABLE event("
	" seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, verb TEXT NOT NULL,"
	" id TEXT NOT NULL, name TEXT NOT NULL, rcpt TEXT NOT NULL,"
	" sender TEXT, source TEXT, client TEXT, message_id TEXT,"
	" subject TEXT, relay TEXT, status TEXT, reason TEXT, who TEXT,"
	" size INTEGER, delay_ms INTEGER);"
	"CREATE INDEX event_id ON event(id);"
	"CREATE INDEX event_rcpt ON event(rcpt);"
	"CREATE INDEX event_sender ON event(sender) WHERE sender <> '';"
	"CREATE INDEX event_msgid ON event(message_id)"
	" WHERE message_id <> '';"
	"CREATE INDEX event_client ON event(client) WHERE client <> '';"
	"CREATE INDEX event_at ON event(at);"
	"CREATE TABLE position(one INTEGER PRIMARY KEY CHECK(one = 1),"
	" file TEXT NOT NULL, offset INTEGER NOT NULL);"
	"INSERT INTO position VALUES(1, '', 0);"
	"PRAGMA user_version = 1;";

static const char insert_sql[] =
	"INSERT INTO event(at, verb, id, name, rcpt, sender, source, client,"
	" message_id, subject, relay, status, reason, who, size, delay_ms)"
	" VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

int
history_error(struct history *h, struct err *e, const char *what)
{
	return err_set(e, "history.db: %s: %s", what, sqlite3_errmsg(h->db));
}

static int
run(struct history *h, const char *sql, struct err *e)
{
	if (sqlite3_exec(h->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return history_error(h, e, "statement");
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

static int
prepare(struct history *h, struct err *e)
{
	int version;

	sqlite3_busy_timeout(h->db, 5000);
	if (run(h,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		"PRAGMA cache_size = -2048; PRAGMA trusted_schema = OFF;",
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
	if (version == 0 && (run(h, "BEGIN IMMEDIATE", e) < 0 ||
			     run(h, schema, e) < 0 || run(h, "COMMIT", e) < 0))
		return -1;
	if (sqlite3_prepare_v2(h->db, insert_sql, -1, &h->insert, NULL) !=
	    SQLITE_OK)
		return history_error(h, e, "preparing");
	return 0;
}

void
history_close(struct history *h)
{
	if (h == NULL)
		return;
	sqlite3_finalize(h->insert);
	sqlite3_close(h->db);
	free(h);
}

static int
try_open(const char *path, struct history **out, struct err *e)
{
	struct history *h = xcalloc(1, sizeof(*h));

	if (sqlite3_open_v2(path, &h->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				    SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK) {
		history_error(h, e, "opening");
		history_close(h);
		return -1;
	}
	if (prepare(h, e) == 0) {
		*out = h;
		return 0;
	}
	h->is_damaged = sqlite3_errcode(h->db) == SQLITE_NOTADB ||
			sqlite3_errcode(h->db) == SQLITE_CORRUPT;
	if (!h->is_damaged) {
		history_close(h);
		return -1;
	}
	history_close(h);
	return 1;
}

int
history_open(const char *dir, struct history **out, struct err *e)
{
	char path[1024];
	char aside[1100];
	int r;

	str_fmt(path, sizeof(path), "%s/history.db", dir);
	r = try_open(path, out, e);
	if (r <= 0)
		return r;
	str_fmt(aside, sizeof(aside), "%s.damaged.%lld", path,
		(long long)(clock_wall_us() / 1000000));
	log_warn("history.db is damaged: moved to %s, made again from the "
		 "ledger",
		 aside);
	if (rename(path, aside) < 0)
		return err_sys(e, "%s", path);
	str_fmt(aside, sizeof(aside), "%s-wal", path);
	(void)unlink(aside);
	str_fmt(aside, sizeof(aside), "%s-shm", path);
	(void)unlink(aside);
	return try_open(path, out, e) == 0 ? 0 : -1;
}

int
history_position(struct history *h, char *file, uint64_t *offset, struct err *e)
{
	sqlite3_stmt *st;
	int result = -1;

	if (sqlite3_prepare_v2(h->db, "SELECT file, offset FROM position", -1,
			       &st, NULL) != SQLITE_OK)
		return history_error(h, e, "reading its position");
	if (sqlite3_step(st) == SQLITE_ROW) {
		str_copy(file, LEDGER_NAME_SIZE,
			 (const char *)sqlite3_column_text(st, 0));
		*offset = (uint64_t)sqlite3_column_int64(st, 1);
		result = 0;
	} else {
		history_error(h, e, "reading its position");
	}
	sqlite3_finalize(st);
	return result;
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

static void
bind_text(sqlite3_stmt *st, int at, const char *s)
{
	sqlite3_bind_text(st, at, s != NULL ? s : "", -1, SQLITE_STATIC);
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
	if (sqlite3_step(st) != SQLITE_DONE) {
		history_error(h, e, "adding an event");
		sqlite3_reset(st);
		return -1;
	}
	sqlite3_reset(st);
	return 0;
}

int
history_commit(struct history *h, const char *file, uint64_t offset,
	       struct err *e)
{
	sqlite3_stmt *st;
	int r;

	if (sqlite3_prepare_v2(h->db,
			       "UPDATE position SET file = ?, offset = ?", -1,
			       &st, NULL) != SQLITE_OK)
		return history_error(h, e, "keeping its position");
	bind_text(st, 1, file);
	sqlite3_bind_int64(st, 2, (int64_t)offset);
	r = sqlite3_step(st);
	sqlite3_finalize(st);
	if (r != SQLITE_DONE)
		return history_error(h, e, "keeping its position");
	return run(h, "COMMIT", e);
}

int
history_expire(struct history *h, int64_t before_us, struct err *e)
{
	sqlite3_stmt *st;
	int r;

	if (sqlite3_prepare_v2(h->db,
			       "DELETE FROM event WHERE seq IN (SELECT seq "
			       "FROM event WHERE at < ? LIMIT ?)",
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
