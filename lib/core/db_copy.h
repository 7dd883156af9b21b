/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whole copies of SQLite databases that others may be writing: out into a
 * new file, and back in one transaction.
 */
#ifndef DB_COPY_H
#define DB_COPY_H

#include <stdint.h>

#include "err.h"

/* Everything that is committed, as of one moment, into a new file. */
int db_copy_out(const char *from, const char *to, struct err *e);
/* -1 when the file is no database or damaged; its user_version. */
int db_copy_check(const char *path, int64_t *version, struct err *e);
/*
 * Puts the rows of all tables of one database in the place of those of
 * another, which others may have open; all or nothing.  The tables have to
 * be the same.
 */
int db_copy_in(const char *from, const char *to, struct err *e);

#endif
