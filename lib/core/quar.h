/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What is in quarantine, as a row for lists: made of an envelope, chosen
 * by words, shown as a record.  The envelope is the truth; rows that are
 * kept elsewhere are made from it and can be made again.
 */
#ifndef QUAR_H
#define QUAR_H

#include <stdbool.h>
#include <stdint.h>

#include "envelope.h"
#include "err.h"
#include "record.h"

#define QUAR_WORDS_MAX 16 /* of the subject, in a filter */
#define QUAR_RCPTS_BYTES 32768 /* of the recipients of a row */

enum quar_kind {
	QUAR_SPAM,
	QUAR_VIRUS,
	QUAR_DANGEROUS, /* what the antivirus could not look into */
	QUAR_KIND_COUNT
};
const char *quar_kind_name(enum quar_kind k);
int quar_kind_parse(const char *name, enum quar_kind *out);
enum quar_kind quar_kind_of(const struct envelope *env);

/* Strings are borrowed. */
struct quar_row {
	const char *name; /* ID or ID.N */
	int64_t received_us;
	enum quar_kind kind;
	uint64_t size;
	const char *sender, *client_ip, *message_id, *subject, *reason;
	uint32_t rcpt_count;
	const char *rcpts; /* one a line, each with its LF */
};

/* The row of an envelope; rcpts (cleared before) holds its recipients. */
void quar_row_of(const struct envelope *env, struct buf *rcpts,
		 struct quar_row *out);

/* What is "" or zero does not choose. */
struct quar_filter {
	bool has_kind;
	enum quar_kind kind;
	char domain[256]; /* of a recipient, whole */
	char rcpt[330], from[330]; /* parts; all in lower case */
	char words[1025]; /* of the subject, each closed by a NUL */
	size_t word_count;
	int64_t older_ms, newer_ms;
};

/* Words parted by blanks: kind:NAME domain:D rcpt:TEXT from:TEXT
 * subject:WORD older:TIME newer:TIME, or the bare name of a kind; subject:
 * may come more than once, of all others the last counts. */
int quar_filter_parse(const char *words, struct quar_filter *f, struct err *e);
bool quar_filter_matches(const struct quar_filter *f, const struct quar_row *r,
			 int64_t now_us);

/* Appends id, kind, size, age_s, sender, rcpt (a list), rcpts (how many),
 * subject, reason. */
void quar_record(struct record *out, const struct quar_row *r, int64_t now_us);
/* The same and what else there is. */
void quar_record_full(struct record *out, const struct quar_row *r,
		      int64_t now_us);

#endif
