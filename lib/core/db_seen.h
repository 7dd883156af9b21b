/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * seen.db: what was seen and is only remembered, such as greylisting and
 * callouts.  Rows are read once, at the start; from then on the owner keeps
 * them in memory and a thread writes what changes, some time later and many
 * at once.  Whoever calls never waits for a disk.  What a crash loses is
 * the last seconds; a file that is damaged is put aside, and all is seen
 * anew.
 */
#ifndef DB_SEEN_H
#define DB_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define DB_SEEN_FILE "seen.db"
#define DB_SEEN_VERSION 1 /* user_version */

struct db_seen;

/*
 * Opens dir/seen.db, or makes it.  NULL where that cannot be: the other
 * functions take NULL, and nothing is remembered.  *e is set too where a
 * damaged file was put aside as seen.db.bad, "" if not.
 */
struct db_seen *db_seen_open(const char *dir, struct err *e);

/* All rows, the oldest first; before db_seen_start(). */
typedef void db_seen_fn(void *arg, const char *kind, const char *key,
			const char *value, int64_t at_ms);
int db_seen_each(struct db_seen *s, db_seen_fn *fn, void *arg, struct err *e);

/* Starts the thread: -1 where it cannot. */
int db_seen_start(struct db_seen *s, struct err *e);
/* at_ms orders the rows: when it was last seen.  Copies what it is given;
 * also before the thread has started. */
void db_seen_put(struct db_seen *s, const char *kind, const char *key,
		 const char *value, int64_t at_ms);
void db_seen_del(struct db_seen *s, const char *kind, const char *key);
/* Writes what is left and closes; NULL is fine. */
void db_seen_close(struct db_seen *s);

#endif
