/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Counts of mail by hour and domain: rows of history.db that store adds to
 * with each event, so that a year is summed up without reading its events.
 * Reading is read-only, by whoever may read the file.
 */
#ifndef TALLY_H
#define TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum tally_column {
#define TALLY(name, help) TALLY_##name,
#include "tally.def"
#undef TALLY
	TALLY_COLUMNS
};

/* Whose domain; of TALLY_ALL there is one row an hour, with "". */
enum tally_side { TALLY_ALL, TALLY_RCPT, TALLY_SENDER, TALLY_SIDES };

#define TALLY_HOUR_US INT64_C(3600000000)

const char *tally_column_name(enum tally_column c);
const char *tally_side_name(enum tally_side s);

/* Made where history.db is; columns follow side, hour (since 1970), domain. */
extern const char tally_table_sql[];
/* ?1 to ?3 are side, hour and domain, those behind it what is added. */
extern const char tally_add_sql[];

struct tally_row {
	int64_t hour; /* the first of its period */
	const char *domain;
	int64_t n[TALLY_COLUMNS];
};
/* not 0 stops. */
typedef int tally_fn(void *arg, const struct tally_row *r);

struct tally_query {
	enum tally_side side;
	int64_t since_hour;
	const char *domain; /* in lower case; NULL: any */
	/* Rows by domain, the most first, this many of them; 0: rows by
	 * hour, in order. */
	size_t top;
};

/* dir is the folder of history.db.  None yet is no error. */
int tally_read(const char *dir, const struct tally_query *q, tally_fn *fn,
	       void *arg, struct err *e);

#endif
