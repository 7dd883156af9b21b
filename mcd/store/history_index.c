/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Words and tallies.  The table of words has no text of its own: SQLite
 * reads it from the events, so a word goes before its event does.
 */
#include "history_index.h"

#include <string.h>

#include "envelope.h"
#include "history_sql.h"
#include "str.h"
#include "tally.h"

#define FILL_EVENTS 2000
#define TOTAL_KEEP_US (INT64_C(400) * 24 * TALLY_HOUR_US)
#define DOMAIN_SIZE 256

/* Events up to fill.upto were there before, those up to fill.seq are in. */
const char history_index_sql[] =
	"CREATE VIRTUAL TABLE word USING fts5(subject, content='event',"
	" content_rowid='seq', detail=none, columnsize=0,"
	" tokenize='unicode61 remove_diacritics 2');"
	"CREATE TABLE fill(one INTEGER PRIMARY KEY CHECK(one = 1),"
	" seq INTEGER NOT NULL, upto INTEGER NOT NULL);"
	"INSERT INTO fill SELECT 1, 0, coalesce(max(seq), 0) FROM event;";

static const char word_sql[] = "INSERT INTO word(rowid, subject) VALUES(?, ?)";

/* Once, when it is accepted: results have no sender. */
static const char sender_sql[] =
	"SELECT sender FROM event WHERE id = ? AND sender <> '' LIMIT 1";

static const char forget_sql[] =
	"INSERT INTO word(word, rowid, subject)"
	" SELECT 'delete', event.seq, subject FROM event, fill"
	" WHERE event.seq IN " HISTORY_OLDEST " AND subject <> ''"
	" AND (event.seq <= fill.seq OR event.seq > fill.upto)";

int
history_index_prepare(struct history *h, struct err *e)
{
	if (sqlite3_prepare_v2(h->db, word_sql, -1, &h->word, NULL) ==
		    SQLITE_OK &&
	    sqlite3_prepare_v2(h->db, sender_sql, -1, &h->sender, NULL) ==
		    SQLITE_OK &&
	    sqlite3_prepare_v2(h->db, tally_add_sql, -1, &h->tally, NULL) ==
		    SQLITE_OK)
		return 0;
	return history_error(h, e, "its tables");
}

void
history_index_release(struct history *h)
{
	sqlite3_finalize(h->word);
	sqlite3_finalize(h->sender);
	sqlite3_finalize(h->tally);
}

static int
run_once(struct history *h, sqlite3_stmt *st, struct err *e)
{
	int r = sqlite3_step(st);

	sqlite3_reset(st);
	return r == SQLITE_DONE ? 0 : history_error(h, e, "adding an event");
}

static int
add_words(struct history *h, const char *subject, int64_t seq, struct err *e)
{
	sqlite3_bind_int64(h->word, 1, seq);
	sqlite3_bind_text(h->word, 2, subject, -1, SQLITE_STATIC);
	return run_once(h, h->word, e);
}

static void
domain_of(const char *address, char dst[DOMAIN_SIZE])
{
	const char *at = strrchr(address, '@');

	(void)str_copy(dst, DOMAIN_SIZE, at != NULL ? at + 1 : "");
	for (char *p = dst; *p != '\0'; p++)
		*p = (char)ascii_lower((unsigned char)*p);
}

static void
sender_domain(struct history *h, const struct ledger_event *ev,
	      char dst[DOMAIN_SIZE])
{
	const unsigned char *text = NULL;
	char id[ENVELOPE_ID_LEN + 1];

	if (ev->sender != NULL && ev->sender[0] != '\0') {
		domain_of(ev->sender, dst);
		return;
	}
	(void)str_copy(id, sizeof(id), ev->name);
	sqlite3_bind_text(h->sender, 1, id, -1, SQLITE_STATIC);
	if (sqlite3_step(h->sender) == SQLITE_ROW)
		text = sqlite3_column_text(h->sender, 0);
	domain_of(text != NULL ? (const char *)text : "", dst);
	sqlite3_reset(h->sender);
}

/* False: it is none that is counted. */
static bool
count_event(const struct ledger_event *ev, int64_t n[TALLY_COLUMNS])
{
	static const int columns[LEDGER_VERB_COUNT] = {
		[LEDGER_ACCEPTED] = TALLY_accepted + 1,
		[LEDGER_DELIVERED] = TALLY_delivered + 1,
		[LEDGER_DEFERRED] = TALLY_deferred + 1,
		[LEDGER_BOUNCED] = TALLY_bounced + 1,
		[LEDGER_DISCARDED] = TALLY_discarded + 1,
		[LEDGER_DELETED] = TALLY_discarded + 1,
		[LEDGER_QUARANTINED] = TALLY_quarantined + 1,
	};
	const char *verdict = ev->verdict != NULL ? ev->verdict : "";
	int column = columns[ev->verb];

	if (ev->verb == LEDGER_JUDGED)
		column = str_eq(verdict, "spam")    ? TALLY_spam + 1
			 : str_eq(verdict, "virus") ? TALLY_virus + 1
						    : 0;
	if (column == 0)
		return false;
	memset(n, 0, TALLY_COLUMNS * sizeof(*n));
	n[column - 1] = 1;
	if (ev->verb == LEDGER_ACCEPTED)
		n[TALLY_bytes] = (int64_t)ev->size;
	return true;
}

static int
add_tally(struct history *h, const struct ledger_event *ev, struct err *e)
{
	char domains[TALLY_SIDES][DOMAIN_SIZE] = { "" };
	int64_t n[TALLY_COLUMNS];
	int result = 0;

	if (!count_event(ev, n))
		return 0;
	domain_of(ev->rcpt != NULL ? ev->rcpt : "", domains[TALLY_RCPT]);
	sender_domain(h, ev, domains[TALLY_SENDER]);
	for (int side = 0; side < TALLY_SIDES && result == 0; side++) {
		if (side != TALLY_ALL && domains[side][0] == '\0')
			continue;
		sqlite3_bind_int(h->tally, 1, side);
		sqlite3_bind_int64(h->tally, 2, ev->at_us / TALLY_HOUR_US);
		sqlite3_bind_text(h->tally, 3, domains[side], -1,
				  SQLITE_STATIC);
		for (int i = 0; i < TALLY_COLUMNS; i++)
			sqlite3_bind_int64(h->tally, 4 + i, n[i]);
		result = run_once(h, h->tally, e);
	}
	return result;
}

int
history_index_add(struct history *h, const struct ledger_event *ev, int64_t seq,
		  struct err *e)
{
	if (ev->subject != NULL && ev->subject[0] != '\0' &&
	    add_words(h, ev->subject, seq, e) < 0)
		return -1;
	return add_tally(h, ev, e);
}

static int
run_two(struct history *h, const char *sql, int64_t a, int64_t b, struct err *e)
{
	sqlite3_stmt *st;
	int r;

	if (sqlite3_prepare_v2(h->db, sql, -1, &st, NULL) != SQLITE_OK)
		return history_error(h, e, "its index");
	sqlite3_bind_int64(st, 1, a);
	sqlite3_bind_int64(st, 2, b);
	r = sqlite3_step(st);
	sqlite3_finalize(st);
	return r == SQLITE_DONE ? 0 : history_error(h, e, "its index");
}

int
history_index_expire(struct history *h, int64_t before_us, int limit,
		     struct err *e)
{
	int64_t total_us = before_us - TOTAL_KEEP_US;

	if (run_two(h, forget_sql, before_us, limit, e) < 0 ||
	    run_two(h,
		    "DELETE FROM tally WHERE side IN (1, 2) AND hour < ?1"
		    " AND ?2 = 0",
		    before_us / TALLY_HOUR_US, 0, e) < 0)
		return -1;
	return run_two(h, "DELETE FROM tally WHERE side = ?2 AND hour < ?1",
		       total_us / TALLY_HOUR_US, TALLY_ALL, e);
}

/* What of an event is counted. */
static const char fill_sql[] =
	"SELECT seq, at, verb, name, rcpt, sender, size, verdict, subject"
	" FROM event WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3";

static const char *
text(sqlite3_stmt *st, int column)
{
	const unsigned char *s = sqlite3_column_text(st, column);

	return s != NULL ? (const char *)s : "";
}

static int
fill_row(struct history *h, sqlite3_stmt *st, struct err *e)
{
	struct ledger_event ev = {
		.at_us = sqlite3_column_int64(st, 1),
		.verb = history_verb(text(st, 2)),
		.name = text(st, 3),
		.rcpt = text(st, 4),
		.sender = text(st, 5),
		.size = (uint64_t)sqlite3_column_int64(st, 6),
		.verdict = text(st, 7),
		.subject = text(st, 8),
	};

	return history_index_add(h, &ev, sqlite3_column_int64(st, 0), e);
}

/* A batch behind *seq; the count, -1 on error. */
static int
fill_batch(struct history *h, int64_t *seq, int64_t upto, struct err *e)
{
	sqlite3_stmt *st;
	int count = 0;
	int r;

	if (sqlite3_prepare_v2(h->db, fill_sql, -1, &st, NULL) != SQLITE_OK)
		return history_error(h, e, "filling its index");
	sqlite3_bind_int64(st, 1, *seq);
	sqlite3_bind_int64(st, 2, upto);
	sqlite3_bind_int(st, 3, FILL_EVENTS);
	while ((r = sqlite3_step(st)) == SQLITE_ROW) {
		*seq = sqlite3_column_int64(st, 0);
		count++;
		if (fill_row(h, st, e) < 0) {
			sqlite3_finalize(st);
			return -1;
		}
	}
	sqlite3_finalize(st);
	return r == SQLITE_DONE ? count
				: history_error(h, e, "filling its index");
}

static int
fill_place(struct history *h, int64_t *seq, int64_t *upto, struct err *e)
{
	sqlite3_stmt *st;
	int r;

	if (sqlite3_prepare_v2(h->db, "SELECT seq, upto FROM fill", -1, &st,
			       NULL) != SQLITE_OK)
		return history_error(h, e, "filling its index");
	r = sqlite3_step(st);
	*seq = r == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	*upto = r == SQLITE_ROW ? sqlite3_column_int64(st, 1) : 0;
	sqlite3_finalize(st);
	return r == SQLITE_ROW || r == SQLITE_DONE
		       ? 0
		       : history_error(h, e, "filling its index");
}

int
history_fill(struct history *h, struct err *e)
{
	int64_t seq, upto;
	int count;

	if (fill_place(h, &seq, &upto, e) < 0)
		return -1;
	if (seq >= upto)
		return 0;
	if (history_begin(h, e) < 0)
		return -1;
	count = fill_batch(h, &seq, upto, e);
	if (count >= 0 && count < FILL_EVENTS)
		seq = upto = 0; /* done */
	if (count < 0 ||
	    run_two(h, "UPDATE fill SET seq = ?1, upto = ?2", seq, upto, e) <
		    0 ||
	    history_finish(h, e) < 0) {
		history_rollback(h);
		return -1;
	}
	return upto > 0;
}
