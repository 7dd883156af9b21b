/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a trace is asked by, and the row it shows of an event: the same
 * for the store role and for mcctl, which reads the ledger itself while
 * mcd is down.
 */
#ifndef TRACE_H
#define TRACE_H

#include "envelope.h"
#include "ledger.h"
#include "record.h"

#define TRACE_WORD_MAX 1024

/* Told by the look of the word. */
enum trace_kind {
	TRACE_ID, /* a queue id, with or without .N */
	TRACE_CLIENT, /* an address of a host */
	TRACE_ADDRESS, /* of a sender or recipient, or a Message-ID */
	TRACE_SUBJECT /* words of a subject, all of them in any order */
};

/*
 * word is what to compare with: the ID without .N, the client address in
 * its usual form, the rest as given, cut at TRACE_WORD_MAX.
 */
enum trace_kind trace_kind(const char *any, char word[TRACE_WORD_MAX + 1]);

/*
 * True when the event itself is about the word.  What the trace of a
 * sender, Message-ID, client or subject shows are all events of the IDs
 * that have such an event.
 */
bool trace_matches(const struct ledger_event *ev, enum trace_kind kind,
		   const char *word);
/* Whether the events of the whole ID are shown when one matches so. */
bool trace_takes_all(const struct ledger_event *ev, enum trace_kind kind,
		     const char *word);

/*
 * A word is letters and digits, a * behind it stands for any end.  Case does
 * not matter.  Text with characters from U+0800 on, or without a word, is
 * looked for as a part of the subject: not all scripts part their words.
 */
bool trace_has_words(const char *text);
/* The words as an expression for FTS5; there is one at least. */
void trace_words(const char *text, struct buf *out);

/* Appends the members: time (ISO 8601, UTC), id, event, rcpt ... */
void trace_record(const struct ledger_event *ev, struct record *r);

/* The same of a judged event, with fate and explanation. */
void trace_judged_record(const struct ledger_event *ev, struct record *r);

#endif
