/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The one file for both.
 */
#include "remember.h"

#include "db_seen.h"
#include "greylist.h"
#include "log.h"
#include "str.h"
#include "verify.h"

static struct db_seen *seen;

static void
on_row(void *arg, const char *kind, const char *key, const char *value,
       int64_t at_ms)
{
	(void)arg;
	if (str_eq(kind, REMEMBER_CALLOUT))
		verify_recall(key, value, at_ms);
	else if (str_eq(kind, REMEMBER_GREY) ||
		 str_eq(kind, REMEMBER_GREY_CLIENT))
		greylist_recall(kind, key, value, at_ms);
	else
		db_seen_del(seen, kind, key);
}

void
remember_start(const char *dir)
{
	struct err e = { "" };

	seen = db_seen_open(dir, &e);
	if (seen != NULL && e.text[0] != '\0')
		log_warn("%s: put aside as " DB_SEEN_FILE
			 ".bad; greylisting and callouts begin anew",
			 e.text);
	if (seen != NULL && (db_seen_each(seen, on_row, NULL, &e) < 0 ||
			     db_seen_start(seen, &e) < 0)) {
		db_seen_close(seen);
		seen = NULL;
	}
	if (seen == NULL)
		log_error("%s: greylisting and callouts are forgotten with "
			  "the next restart",
			  e.text);
}

void
remember_stop(void)
{
	db_seen_close(seen);
	seen = NULL;
}

void
remember_put(const char *kind, const char *key, const char *value,
	     int64_t at_ms)
{
	db_seen_put(seen, kind, key, value, at_ms);
}

void
remember_del(const char *kind, const char *key)
{
	db_seen_del(seen, kind, key);
}
