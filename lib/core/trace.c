/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Words of a trace, and its rows.
 */
#include "trace.h"

#include <string.h>
#include <strings.h>

#include "clock.h"
#include "ip.h"
#include "points.h"
#include "str.h"

enum trace_kind
trace_kind(const char *any, char word[TRACE_WORD_MAX + 1])
{
	struct ip ip;

	(void)str_copy(word, TRACE_WORD_MAX + 1, any);
	if (envelope_name_valid(any, true)) {
		word[ENVELOPE_ID_LEN] = '\0';
		return TRACE_ID;
	}
	if (ip_parse(any, &ip, NULL) == 0) {
		ip_text(&ip, word);
		return TRACE_CLIENT;
	}
	return strchr(any, '@') != NULL ? TRACE_ADDRESS : TRACE_SUBJECT;
}

/* The word with or without the brackets of a Message-ID. */
static bool
is_message_id(const char *id, const char *word)
{
	size_t len = strlen(id);

	if (str_eq(id, word))
		return len > 0;
	return len > 2 && id[0] == '<' && id[len - 1] == '>' &&
	       strlen(word) == len - 2 && strncmp(id + 1, word, len - 2) == 0;
}

/* As SQLite's LIKE '%part%' does. */
static bool
has_part(const char *text, const char *part)
{
	size_t len = strlen(part);

	for (; *text != '\0'; text++) {
		size_t i = 0;

		while (i < len && text[i] != '\0' &&
		       ascii_lower((unsigned char)text[i]) ==
			       ascii_lower((unsigned char)part[i]))
			i++;
		if (i == len)
			return true;
	}
	return false;
}

/* The first byte of characters from U+0800 on. */
#define FIRST_UNPARTED 0xe0

static bool
is_letter(char c)
{
	return ascii_isalnum((unsigned char)c) ||
	       ((unsigned char)c & 0x80) != 0;
}

/* The next run of letters from *p on; its length, 0 at the end. */
static size_t
next_word(const char **p)
{
	const char *end;

	while (**p != '\0' && !is_letter(**p))
		(*p)++;
	for (end = *p; is_letter(*end);)
		end++;
	return (size_t)(end - *p);
}

bool
trace_has_words(const char *text)
{
	const char *word = text;

	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p >= FIRST_UNPARTED)
			return false;
	return next_word(&word) > 0;
}

void
trace_words(const char *text, struct buf *out)
{
	size_t len;

	while ((len = next_word(&text)) > 0) {
		(void)buf_printf(out, "%s\"%.*s\"%s", out->len > 0 ? " " : "",
				 (int)len, text, text[len] == '*' ? "*" : "");
		text += len;
	}
}

static bool
has_word(const char *subject, const char *word, size_t len, bool is_start)
{
	size_t n;

	for (; (n = next_word(&subject)) > 0; subject += n)
		if ((n == len || (is_start && n > len)) &&
		    strncasecmp(subject, word, len) == 0)
			return true;
	return false;
}

static bool
has_words(const char *subject, const char *text)
{
	size_t len;

	if (!trace_has_words(text))
		return has_part(subject, text);
	for (; (len = next_word(&text)) > 0; text += len)
		if (!has_word(subject, text, len, text[len] == '*'))
			return false;
	return true;
}

bool
trace_takes_all(const struct ledger_event *ev, enum trace_kind kind,
		const char *word)
{
	switch (kind) {
	case TRACE_ID:
		return strncmp(ev->name, word, ENVELOPE_ID_LEN) == 0;
	case TRACE_CLIENT:
		return str_eq(ev->client, word);
	case TRACE_ADDRESS:
		return str_ieq(ev->sender, word) ||
		       is_message_id(ev->message_id, word);
	case TRACE_SUBJECT:
		return has_words(ev->subject, word);
	}
	return false;
}

bool
trace_matches(const struct ledger_event *ev, enum trace_kind kind,
	      const char *word)
{
	return trace_takes_all(ev, kind, word) ||
	       (kind == TRACE_ADDRESS && str_ieq(ev->rcpt, word));
}

static void
add_points(struct record *r, const char *name, const struct ledger_event *ev,
	   int64_t points)
{
	char text[32];

	points_text(points, text, sizeof(text));
	if (ev->verb == LEDGER_JUDGED)
		record_str(r, name, text);
	else
		record_null(r, name);
}

void
trace_record(const struct ledger_event *ev, struct record *r)
{
	char when[40];

	clock_iso8601(when, sizeof(when), ev->at_us);
	record_str(r, "time", when);
	record_str(r, "id", ev->name);
	record_str(r, "event", ledger_verb_name(ev->verb));
	record_str(r, "rcpt", ev->rcpt);
	record_str(r, "sender", ev->sender);
	record_str(r, "source", ev->source);
	record_int(r, "size", (int64_t)ev->size);
	record_int(r, "delay_ms", ev->delay_ms);
	record_str(r, "relay", ev->relay);
	record_str(r, "status", ev->status);
	record_str(r, "reason", ev->reason);
	record_str(r, "who", ev->who);
	record_str(r, "client", ev->client);
	record_str(r, "message_id", ev->message_id);
	record_str(r, "subject", ev->subject);
	record_bool(r, "recovered", ev->is_recovered);
	record_str(r, "verdict", ev->verdict);
	record_str(r, "action", ev->action);
	add_points(r, "score", ev, ev->score);
	add_points(r, "threshold", ev, ev->threshold);
}

void
trace_judged_record(const struct ledger_event *ev, struct record *r)
{
	trace_record(ev, r);
	record_int(r, "fate", (int64_t)ev->fate);
	record_str(r, "explanation", ev->explanation);
}
