/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Finding the events of one message, address, client or subject.  Each
 * question goes by an index, in the order of its rows, so that a page costs
 * what is in it and not what matches.
 */
#include <string.h>

#include "history.h"
#include "history_sql.h"
#include "str.h"
#include "trace.h"

#define COLUMNS                                                      \
	"SELECT seq, at, verb, name, rcpt, sender, source, client, " \
	"message_id, subject, relay, status, reason, who, size, "    \
	"delay_ms, recovered, verdict, action, score, threshold "

/* explanation is long, and only wanted here. */
#define JUDGED_COLUMNS 23
static const char judged_sql[] =
	COLUMNS ", fate, explanation FROM event"
		" WHERE id = ?1 AND verb = 'judged' AND seq > ?2"
		" ORDER BY seq LIMIT ?3";

/* Messages by the events that match, each index in the order of seq, so
 * that nothing is sorted: ?1 the word, ?2 seq to begin behind. */
#define MATCH(where) "SELECT seq, id FROM event WHERE " where " AND seq > ?2 "
#define IS_CLIENT "client = ?1 AND client <> ''"
#define IS_SENDER "sender = ?1 AND sender <> ''"
#define IS_MESSAGE "message_id = ?1 AND message_id <> ''"
#define IN_BRACKETS "message_id = '<' || ?1 || '>' AND message_id <> ''"
#define BY_WORDS                                                      \
	"SELECT rowid, (SELECT id FROM event WHERE seq = word.rowid)" \
	" FROM word WHERE word MATCH ?1 AND rowid > ?2 ORDER BY rowid"

/* clang-format off */
static const char *const matches[] = {
	[TRACE_ID] = MATCH("id = ?1") "ORDER BY seq LIMIT 1",
	[TRACE_CLIENT] = MATCH(IS_CLIENT) "ORDER BY seq",
	[TRACE_ADDRESS] = MATCH("rcpt = ?1")
		"UNION ALL " MATCH(IS_SENDER)
		"UNION ALL " MATCH(IS_MESSAGE)
		"UNION ALL " MATCH(IN_BRACKETS) "ORDER BY 1",
	[TRACE_SUBJECT] = BY_WORDS,
};
/* clang-format on */

static const char part_match[] =
	"SELECT seq, id FROM event INDEXED BY event_subject"
	" WHERE subject LIKE ?1 ESCAPE '!' AND subject <> '' AND seq > ?2"
	" ORDER BY seq";

/* Whether a message was found by an event before: ?2 is its id, ?3 seq. */
#define BEFORE(where) \
	"SELECT 1 FROM event WHERE id = ?2 AND seq < ?3 AND " where
static const char *const known[] = {
	[TRACE_ID] = BEFORE("?1 <> ''"),
	[TRACE_CLIENT] = BEFORE("client = ?1"),
	[TRACE_ADDRESS] = BEFORE("(rcpt = ?1 OR " IS_SENDER " OR " IS_MESSAGE
				 " OR " IN_BRACKETS ")"),
	[TRACE_SUBJECT] = BEFORE("subject <> '' AND ?1 <> ''"),
};

/* The events of a message: ?1 its id, ?2 seq to begin behind, ?4 the word.
 * Of one that an address has only received, those of that recipient. */
#define EVENTS COLUMNS "FROM event WHERE id = ?1 AND seq > ?2 "
static const char events_sql[] = EVENTS "ORDER BY seq LIMIT ?3";
static const char address_events_sql[] =
	EVENTS "AND (rcpt = ?4 OR EXISTS(SELECT 1 FROM event WHERE id = ?1 AND"
	       " (sender = ?4 AND sender <> '' OR message_id IN"
	       " (?4, '<' || ?4 || '>') AND message_id <> '')))"
	       " ORDER BY seq LIMIT ?3";

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

enum ledger_verb
history_verb(const char *name)
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
		.verb = history_verb(text(st, 2)),
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

struct hunt {
	struct history *h;
	enum trace_kind kind;
	struct buf word; /* what is compared with, or the words of a match */
	sqlite3_stmt *match, *known, *events;
	struct history_cursor *at;
	int64_t seen; /* the last match: one may be found in two ways */
	uint32_t left; /* rows that the page may still have */
	bool is_stopped;
	history_row_fn *fn;
	void *arg;
	struct record row;
};

static int
prepare(struct hunt *t, const char *sql, sqlite3_stmt **st)
{
	return sqlite3_prepare_v2(t->h->db, sql, -1, st, NULL) == SQLITE_OK
		       ? 0
		       : -1;
}

static void
end_hunt(struct hunt *t)
{
	sqlite3_finalize(t->match);
	sqlite3_finalize(t->known);
	sqlite3_finalize(t->events);
	buf_release(&t->word);
	record_release(&t->row);
}

/* The rows of a prepared statement, as far as the page goes; -1 on error. */
static int
tell_rows(struct hunt *t, sqlite3_stmt *st)
{
	int code = SQLITE_ROW;

	while (t->left > 0 && !t->is_stopped &&
	       (code = sqlite3_step(st)) == SQLITE_ROW) {
		record_clear(&t->row);
		row_record(st, &t->row);
		t->at->event = sqlite3_column_int64(st, 0);
		t->left--;
		t->is_stopped = t->fn(t->arg, &t->row) != 0;
	}
	if (code == SQLITE_DONE)
		t->at->event = 0;
	return code == SQLITE_DONE || code == SQLITE_ROW ? 0 : -1;
}

static int
tell_message(struct hunt *t, const char *id)
{
	sqlite3_stmt *st = t->events;
	int result;

	sqlite3_bind_text(st, 1, id, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(st, 2, t->at->event);
	sqlite3_bind_int64(st, 3, (int64_t)t->left + 1);
	sqlite3_bind_text(st, 4, buf_str(&t->word), -1, SQLITE_STATIC);
	result = tell_rows(t, st);
	sqlite3_reset(st);
	return result;
}

/* Whether the message was told of by an event before seq. */
static int
was_told(struct hunt *t, const char *id, int64_t seq)
{
	sqlite3_stmt *st = t->known;
	int code;

	sqlite3_bind_text(st, 1, buf_str(&t->word), -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 2, id, -1, SQLITE_TRANSIENT);
	sqlite3_bind_int64(st, 3, seq);
	code = sqlite3_step(st);
	sqlite3_reset(st);
	return code == SQLITE_ROW ? 1 : code == SQLITE_DONE ? 0 : -1;
}

/* What one event that matches leads to; -1 on error. */
static int
take_match(struct hunt *t)
{
	int64_t seq = sqlite3_column_int64(t->match, 0);
	char id[ENVELOPE_ID_LEN + 1];
	int told;

	if (seq == t->seen)
		return 0;
	t->seen = seq;
	(void)str_copy(id, sizeof(id), text(t->match, 1));
	told = was_told(t, id, seq);
	if (told < 0)
		return -1;
	if (seq != t->at->match)
		t->at->event = 0;
	t->at->match = seq;
	return told ? 0 : tell_message(t, id);
}

static int
hunt_page(struct hunt *t, const char *match)
{
	const char *events =
		t->kind == TRACE_ADDRESS ? address_events_sql : events_sql;
	int code = SQLITE_ROW;

	if (prepare(t, match, &t->match) < 0 ||
	    prepare(t, known[t->kind], &t->known) < 0 ||
	    prepare(t, events, &t->events) < 0)
		return -1;
	sqlite3_bind_text(t->match, 1, buf_str(&t->word), -1, SQLITE_STATIC);
	/* One whose events were cut off is found again. */
	sqlite3_bind_int64(t->match, 2,
			   t->at->match - (t->at->event > 0 ? 1 : 0));
	while (t->left > 0 && !t->is_stopped &&
	       (code = sqlite3_step(t->match)) == SQLITE_ROW)
		if (take_match(t) < 0)
			return -1;
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return -1;
	return code == SQLITE_ROW && !t->is_stopped;
}

int
history_trace(struct history *h, const char *any, struct history_cursor *at,
	      uint32_t limit, history_row_fn *fn, void *arg, struct err *e)
{
	struct hunt t = {
		.h = h, .at = at, .left = limit, .fn = fn, .arg = arg
	};
	char word[TRACE_WORD_MAX + 1];
	const char *match;
	int result;

	t.kind = trace_kind(any, word);
	match = matches[t.kind];
	if (t.kind == TRACE_SUBJECT && !trace_has_words(word)) {
		match = part_match;
		like_pattern(word, &t.word);
	} else if (t.kind == TRACE_SUBJECT) {
		trace_words(word, &t.word);
	} else {
		(void)buf_add_str(&t.word, word);
	}
	result = hunt_page(&t, match);
	if (result < 0)
		history_error(h, e, "searching");
	end_hunt(&t);
	return result;
}

int
history_judged(struct history *h, const char *id, struct history_cursor *at,
	       uint32_t limit, history_row_fn *fn, void *arg, struct err *e)
{
	struct hunt t = {
		.h = h, .at = at, .left = limit, .fn = fn, .arg = arg
	};
	char word[ENVELOPE_ID_LEN + 1];
	int result = -1;

	(void)str_copy(word, sizeof(word), id);
	if (prepare(&t, judged_sql, &t.events) == 0)
		result = tell_message(&t, word);
	if (result < 0)
		history_error(h, e, "searching");
	else
		result = at->event > 0 && !t.is_stopped;
	end_hunt(&t);
	return result;
}

void
history_cursor_text(const struct history_cursor *at,
		    char dst[HISTORY_CURSOR_SIZE])
{
	str_fmt(dst, HISTORY_CURSOR_SIZE, "%lld.%lld", (long long)at->match,
		(long long)at->event);
}

int
history_cursor_parse(const char *text, struct history_cursor *out)
{
	const char *dot = strchr(text, '.');
	char match[24];

	if (dot == NULL || (size_t)(dot - text) >= sizeof(match))
		return -1;
	(void)str_copy(match, (size_t)(dot - text) + 1, text);
	if (str_to_i64(match, &out->match, NULL) < 0 ||
	    str_to_i64(dot + 1, &out->event, NULL) < 0)
		return -1;
	return out->match >= 0 && out->event >= 0 ? 0 : -1;
}
