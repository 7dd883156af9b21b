/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * settings.db: what is about mail, as rows (kind, key, value) with natural
 * keys, and a log of their changes.  Every write passes db_put(), which
 * logs (node, serial, kind, key, old, new, who, when) in the same
 * transaction; replaying the log gives the same rows.  SQLite in WAL mode,
 * synchronous FULL; a handle is never carried over fork.
 *
 * kind      key                          value
 * domain    example.org                  "" or the domain it is an alias of
 * dest      example.org HOST:PORT        priority (0 best)
 * smarthost HOST:PORT                    priority (0 best)
 * setting   global NAME                  text of knob_text()
 *           domain example.org NAME
 *           user local@example.org NAME
 * relay     192.0.2.0/24                 note; may send outwards
 * peer      192.0.2.0/24                 note; its X-MC- fields are kept
 * rcpt      local@example.org            ""; policy_key() of a recipient
 */
#ifndef DB_H
#define DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define DB_VERSION 1 /* user_version */
#define DB_KEY_MAX 1024
#define DB_VALUE_MAX 65536

struct db;

enum db_result {
	DB_OK,
	DB_LATER, /* locked, full, I/O: may work later */
	DB_NEWER, /* user_version above ours */
	DB_FAIL /* not a database, no permission, damaged */
};

/*
 * Opens dir/settings.db, makes it where create is set, and migrates an
 * older one forward in one transaction after a copy beside it
 * (settings.db.vN).  node goes into the change log.  Waits at most 5 s for
 * the lock of another process, as db_begin() does.  When the file has been
 * replaced since, db_begin() and db_each() say DB_LATER: open it again.
 */
enum db_result db_open(const char *dir, bool create, int64_t node,
		       struct db **out, struct err *e);
void db_close(struct db *db);

/* Whether the open file is still ours: a newer mcgate may have brought it
 * forward meanwhile (DB_NEWER). */
enum db_result db_verify(struct db *db, struct err *e);

/* Changes when any connection has committed, this one included; -1 when it
 * cannot be told now. */
int64_t db_data_version(struct db *db);

/*
 * One transaction around several puts; who and now are for the log.  Once
 * something in it has failed, further puts fail as well, and db_commit()
 * rolls back and says so: all of it holds or nothing.  db_rollback() does
 * nothing where no transaction is open.
 */
enum db_result db_begin(struct db *db, const char *who, struct err *e);
enum db_result db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db);
/* Inside a transaction.  value NULL deletes.  Equal values log nothing.
 * Text is UTF-8; kind and key are not empty. */
enum db_result db_put(struct db *db, const char *kind, const char *key,
		      const char *value, struct err *e);
/* 1 and the value appended to out (may be NULL), 0 absent, -1 error. */
int db_get(struct db *db, const char *kind, const char *key, struct buf *out,
	   struct err *e);

/* Rows of a kind ("": all) in order of kind and key, all of one moment; fn
 * may ask for rows but not write, and returns non-zero to stop. */
typedef int db_row_fn(void *arg, const char *kind, const char *key,
		      const char *value);
enum db_result db_each(struct db *db, const char *kind, db_row_fn *fn,
		       void *arg, struct err *e);

struct db_change {
	int64_t node, serial;
	const char *kind, *key;
	const char *old_value, *new_value; /* NULL: absent */
	const char *who;
	int64_t when_us;
};
typedef int db_change_fn(void *arg, const struct db_change *c);
/* Changes above serial after of any node, in the order of their serials. */
enum db_result db_changes(struct db *db, int64_t after, db_change_fn *fn,
			  void *arg, struct err *e);
/* Changes of this node from a serial down (0: from the last). */
enum db_result db_changes_down(struct db *db, int64_t from, db_change_fn *fn,
			       void *arg, struct err *e);
/* Changes of one row by any node: the one that holds, then older ones. */
enum db_result db_changes_of(struct db *db, const char *kind, const char *key,
			     db_change_fn *fn, void *arg, struct err *e);
/*
 * Applies a change of another copy, with its log row, in the transaction
 * that is open or one of its own.  One that is known already does nothing.
 * Of changes to one row the latest (when, node, serial) holds, so copies
 * with the same log have the same rows in whatever order it came.
 */
enum db_result db_replay(struct db *db, const struct db_change *c,
			 struct err *e);

#endif
