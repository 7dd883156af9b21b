/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Finding the events of one message, address, client or subject.  Each
 * question goes by an index; what a subject holds is looked for in the
 * index of subjects.
 */
#include <string.h>

#include "history.h"
#include "history_sql.h"
#include "str.h"
#include "trace.h"

#define COLUMNS                                                      \
	"SELECT seq, at, verb, name, rcpt, sender, source, client, " \
	"message_id, subject, relay, status, reason, who, size, "    \
	"delay_ms, recovered, verdict, action, score, threshold "    \
	"FROM event WHERE seq > ?2 AND seq IN ("
#define OF_IDS "SELECT seq FROM event WHERE id IN ("
#define END ") ORDER BY seq LIMIT ?3"

/* explanation is long, and only wanted here. */
#define JUDGED_COLUMNS 23
static const char judged_sql[] =
	"SELECT seq, at, verb, name, rcpt, sender, source, client, message_id,"
	" subject, relay, status, reason, who, size, delay_ms, recovered,"
	" verdict, action, score, threshold, fate, explanation FROM event"
	" WHERE id = ?1 AND verb = 'judged' AND seq > ?2"
	" ORDER BY seq LIMIT ?3";

static const char *const questions[] = {
	[TRACE_ID] = COLUMNS "SELECT seq FROM event WHERE id = ?1" END,
	[TRACE_CLIENT] = COLUMNS OF_IDS
	"SELECT id FROM event WHERE client = ?1 AND client <> '')" END,
	[TRACE_ADDRESS] = COLUMNS
	"SELECT seq FROM event WHERE rcpt = ?1 UNION " OF_IDS
	"SELECT id FROM event WHERE sender = ?1 AND sender <> '' UNION "
	"SELECT id FROM event WHERE message_id IN (?1, '<' || ?1 || '>')"
	" AND message_id <> '')" END,
	[TRACE_SUBJECT] = COLUMNS OF_IDS
	"SELECT id FROM event WHERE subject LIKE ?1 ESCAPE '!'"
	" AND subject <> '')" END,
};

/* %word% with LIKE's own characters escaped. */
static void
like_pattern(const char *word, struct buf *out)
{
	(void)buf_add_char(out, '%');
	for (; *word != '\0'; word++) {
		if (*word == '%' || *word == '_' || *word == '!')
			(void)buf_add_char(out, '!');
		(void)buf_add_char(out, *word);
	}
	(void)buf_add_char(out, '%');
}

static const char *
text(sqlite3_stmt *st, int column)
{
	const unsigned char *s = sqlite3_column_text(st, column);

	return s != NULL ? (const char *)s : "";
}

static enum ledger_verb
verb_of(const char *name)
{
	int v = 0;

	while (v < LEDGER_VERB_COUNT - 1 &&
	       !str_eq(ledger_verb_name((enum ledger_verb)v), name))
		v++;
	return (enum ledger_verb)v;
}

static void
row_record(sqlite3_stmt *st, struct record *r)
{
	struct ledger_event ev = {
		.at_us = sqlite3_column_int64(st, 1),
		.verb = verb_of(text(st, 2)),
		.name = text(st, 3),
		.rcpt = text(st, 4),
		.sender = text(st, 5),
		.source = text(st, 6),
		.client = text(st, 7),
		.message_id = text(st, 8),
		.subject = text(st, 9),
		.relay = text(st, 10),
		.status = text(st, 11),
		.reason = text(st, 12),
		.who = text(st, 13),
		.size = (uint64_t)sqlite3_column_int64(st, 14),
		.delay_ms = sqlite3_column_int64(st, 15),
		.is_recovered = sqlite3_column_int(st, 16) != 0,
		.verdict = text(st, 17),
		.action = text(st, 18),
		.score = sqlite3_column_int64(st, 19),
		.threshold = sqlite3_column_int64(st, 20),
	};

	if (sqlite3_column_count(st) == JUDGED_COLUMNS) {
		ev.fate = (uint64_t)sqlite3_column_int64(st, 21);
		ev.explanation = text(st, 22);
		trace_judged_record(&ev, r);
	} else {
		trace_record(&ev, r);
	}
}

/* The next row: SQLITE_ROW with fn told, or how it ended. */
static int
step_row(sqlite3_stmt *st, struct record *r, history_row_fn *fn, void *arg,
	 int64_t *last, bool *is_stopped)
{
	int code = sqlite3_step(st);

	if (code != SQLITE_ROW)
		return code;
	record_clear(r);
	row_record(st, r);
	*last = sqlite3_column_int64(st, 0);
	*is_stopped = fn(arg, r) != 0;
	return code;
}

/* Rows of a question with the word it is asked by; see history_trace(). */
static int64_t
run_question(struct history *h, const char *sql, const char *word,
	     int64_t cursor, uint32_t limit, history_row_fn *fn, void *arg,
	     struct err *e)
{
	struct record r = { 0 };
	sqlite3_stmt *st = NULL;
	bool is_stopped = false;
	uint32_t rows = 0;
	int64_t last = 0;
	int code;

	code = sqlite3_prepare_v2(h->db, sql, -1, &st, NULL);
	if (code == SQLITE_OK) {
		sqlite3_bind_text(st, 1, word, -1, SQLITE_STATIC);
		sqlite3_bind_int64(st, 2, cursor);
		sqlite3_bind_int64(st, 3, limit);
		do {
			code = step_row(st, &r, fn, arg, &last, &is_stopped);
			rows += code == SQLITE_ROW;
		} while (code == SQLITE_ROW && !is_stopped);
	}
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		last = history_error(h, e, "searching");
	else if (rows < limit)
		last = 0;
	sqlite3_finalize(st);
	record_release(&r);
	return last;
}

int64_t
history_trace(struct history *h, const char *any, int64_t cursor,
	      uint32_t limit, history_row_fn *fn, void *arg, struct err *e)
{
	char word[TRACE_WORD_MAX + 1];
	enum trace_kind kind = trace_kind(any, word);
	struct buf pattern = { 0 };
	int64_t next;

	if (kind == TRACE_SUBJECT)
		like_pattern(word, &pattern);
	else
		(void)buf_add_str(&pattern, word);
	next = run_question(h, questions[kind], buf_str(&pattern), cursor,
			    limit, fn, arg, e);
	buf_release(&pattern);
	return next;
}

int64_t
history_judged(struct history *h, const char *id, int64_t cursor,
	       uint32_t limit, history_row_fn *fn, void *arg, struct err *e)
{
	char word[ENVELOPE_ID_LEN + 1];

	(void)str_copy(word, sizeof(word), id);
	return run_question(h, judged_sql, word, cursor, limit, fn, arg, e);
}
