/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Keeping samples.  What fails is tried again in a minute: a gap in a
 * drawing is all that comes of it.
 */
#include "samples.h"

#include <sqlite3.h>

#include "clock.h"
#include "db_samples.h"
#include "feed.h"
#include "history_sql.h"
#include "log.h"
#include "loop.h"
#include "role.h"
#include "stats.h"

#define MINUTE_S 60
#define HOUR_S 3600
#define EACH_MINUTE_S (26 * HOUR_S)
#define EACH_HOUR_S (400 * 24 * HOUR_S)

static struct {
	struct timer timer;
} self;

static int64_t
now_s(void)
{
	return clock_wall_us() / 1000000;
}

/* Once an hour: rows between hours that are old, and all that are older. */
static int
thin_out(struct history *h, int64_t at_s, struct err *e)
{
	sqlite3_stmt *st;
	int r;

	if (at_s % HOUR_S != 0)
		return 0;
	if (sqlite3_prepare_v2(h->db,
			       "DELETE FROM sample WHERE (at < ?1 AND at % "
			       "3600 <> 0) OR at < ?2",
			       -1, &st, NULL) != SQLITE_OK)
		return history_error(h, e, "old samples");
	sqlite3_bind_int64(st, 1, at_s - EACH_MINUTE_S);
	sqlite3_bind_int64(st, 2, at_s - EACH_HOUR_S);
	r = sqlite3_step(st);
	sqlite3_finalize(st);
	return r == SQLITE_DONE ? 0 : history_error(h, e, "old samples");
}

static int
add_all(struct history *h, sqlite3_stmt *st, int64_t at_s, struct err *e)
{
	int64_t values[STAT_COUNT];

	stats_all(role_stats(), values);
	for (int i = 0; i < STAT_COUNT; i++) {
		if (values[i] == 0)
			continue;
		sqlite3_bind_int64(st, 1, at_s);
		sqlite3_bind_text(st, 2, stats_name((enum stat_id)i), -1,
				  SQLITE_STATIC);
		sqlite3_bind_int64(st, 3, values[i]);
		if (sqlite3_step(st) != SQLITE_DONE)
			return history_error(h, e, "samples");
		sqlite3_reset(st);
	}
	return thin_out(h, at_s, e);
}

static int
keep(struct history *h, int64_t at_s, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int result;

	if (history_begin(h, e) < 0)
		return -1;
	if (sqlite3_exec(h->db, DB_SAMPLES_TABLE, NULL, NULL, NULL) !=
		    SQLITE_OK ||
	    sqlite3_prepare_v2(h->db,
			       "INSERT OR REPLACE INTO sample VALUES(?, ?, ?)",
			       -1, &st, NULL) != SQLITE_OK)
		result = history_error(h, e, "samples");
	else
		result = add_all(h, st, at_s, e);
	sqlite3_finalize(st);
	if (result == 0 &&
	    sqlite3_exec(h->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		result = history_error(h, e, "samples");
	if (result != 0)
		history_rollback(h);
	return result;
}

/* At each full minute of the wall clock. */
static void
wait_minute(void)
{
	timer_set(&self.timer, (MINUTE_S - now_s() % MINUTE_S) * 1000);
}

static void
on_minute(void *arg)
{
	struct err e = { "" };
	int64_t at_s = now_s() / MINUTE_S * MINUTE_S;

	(void)arg;
	if (feed_history() != NULL && role_stats() != NULL &&
	    keep(feed_history(), at_s, &e) < 0)
		log_warn("%s", e.text);
	wait_minute();
}

void
samples_start(void)
{
	timer_init(&self.timer, on_minute, NULL);
	wait_minute();
}

void
samples_stop(void)
{
	timer_release(&self.timer);
}
