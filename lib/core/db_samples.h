/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Counters and gauges as they were: rows (at, name, value) of history.db,
 * which store writes each minute.  Read-only, by whoever may read the file.
 */
#ifndef DB_SAMPLES_H
#define DB_SAMPLES_H

#include <stdint.h>

#include "err.h"

/* Where it is made, and thrown away with, history.db. at is in seconds; a
 * value that is 0 has no row. */
#define DB_SAMPLES_TABLE                                               \
	"CREATE TABLE IF NOT EXISTS sample(at INTEGER NOT NULL,"       \
	" name TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY(at," \
	" name)) WITHOUT ROWID"

/* at_s ascends for each name; names come one after the other. */
typedef void db_sample_fn(void *arg, const char *name, int64_t at_s,
			  int64_t value);
/*
 * Those of every minute from since_s on, and before that, from early_s on,
 * one in ten minutes.  No history yet is no error.
 */
int db_samples_read(const char *dir, int64_t early_s, int64_t since_s,
		    db_sample_fn *fn, void *arg, struct err *e);

#endif
