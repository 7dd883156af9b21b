/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Finding the events of one message, address, client or subject.
 */
#include <string.h>

#include "envelope.h"
#include "history.h"
#include "history_sql.h"
#include "ip.h"
#include "str.h"

#define COLUMNS                                                      \
	"SELECT seq, at, name, verb, rcpt, sender, size, delay_ms, " \
	"relay, status, reason, who, client, message_id, subject FROM event "

/* Which question a word is, by its look. */
static const char by_id[] =
	COLUMNS "WHERE id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
static const char by_client[] =
	COLUMNS "WHERE id IN (SELECT id FROM event WHERE client = ?1"
		" AND client <> '') AND seq > ?2 ORDER BY seq LIMIT ?3";
static const char by_address[] =
	COLUMNS "WHERE seq > ?2 AND (rcpt = ?1 OR id IN (SELECT id FROM event"
		" WHERE sender = ?1 AND sender <> '' UNION SELECT id FROM event"
		" WHERE message_id IN (?1, '<' || ?1 || '>')"
		" AND message_id <> '')) ORDER BY seq LIMIT ?3";
static const char by_subject[] =
	COLUMNS "WHERE seq > ?2 AND id IN (SELECT id FROM event"
		" WHERE subject LIKE ?1 ESCAPE '!') ORDER BY seq LIMIT ?3";

/* %any% with LIKE's own characters escaped. */
static void
like_pattern(const char *any, char *dst, size_t size)
{
	size_t at = 0;

	dst[at++] = '%';
	for (; *any != '\0' && at + 4 < size; any++) {
		if (*any == '%' || *any == '_' || *any == '!')
			dst[at++] = '!';
		dst[at++] = *any;
	}
	dst[at++] = '%';
	dst[at] = '\0';
}

static const char *
question_of(const char *any, char *word, size_t size)
{
	struct ip ip;

	str_copy(word, size, any);
	if (envelope_name_valid(any, true)) {
		word[ENVELOPE_ID_LEN] = '\0';
		return by_id;
	}
	if (ip_parse(any, &ip, NULL) == 0)
		return by_client;
	if (strchr(any, '@') != NULL)
		return by_address;
	like_pattern(any, word, size);
	return by_subject;
}

static const char *
text(sqlite3_stmt *st, int column)
{
	const unsigned char *s = sqlite3_column_text(st, column);

	return s != NULL ? (const char *)s : "";
}

static void
row_record(sqlite3_stmt *st, struct record *r)
{
	record_int(r, "time", sqlite3_column_int64(st, 1) / 1000000);
	record_str(r, "id", text(st, 2));
	record_str(r, "event", text(st, 3));
	record_str(r, "rcpt", text(st, 4));
	record_str(r, "sender", text(st, 5));
	record_int(r, "size", sqlite3_column_int64(st, 6));
	record_int(r, "delay_ms", sqlite3_column_int64(st, 7));
	record_str(r, "relay", text(st, 8));
	record_str(r, "status", text(st, 9));
	record_str(r, "reason", text(st, 10));
	record_str(r, "who", text(st, 11));
	record_str(r, "client", text(st, 12));
	record_str(r, "message_id", text(st, 13));
	record_str(r, "subject", text(st, 14));
}

int64_t
history_trace(struct history *h, const char *any, int64_t cursor,
	      uint32_t limit, history_row_fn *fn, void *arg, struct err *e)
{
	char word[2200];
	const char *sql = question_of(any, word, sizeof(word));
	struct record r = { 0 };
	sqlite3_stmt *st;
	uint32_t rows = 0;
	int64_t last = 0;
	int step;

	if (sqlite3_prepare_v2(h->db, sql, -1, &st, NULL) != SQLITE_OK)
		return history_error(h, e, "searching");
	sqlite3_bind_text(st, 1, word, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, cursor);
	sqlite3_bind_int64(st, 3, limit);
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		record_clear(&r);
		row_record(st, &r);
		rows++;
		last = sqlite3_column_int64(st, 0);
		if (fn(arg, &r) != 0)
			break;
	}
	record_release(&r);
	if (step != SQLITE_ROW && step != SQLITE_DONE) {
		history_error(h, e, "searching");
		sqlite3_finalize(st);
		return -1;
	}
	sqlite3_finalize(st);
	return rows == limit ? last : 0;
}
