/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What spamd says of a message: the answer to REPORT of its protocol
 * (spamd/PROTOCOL of SpamAssassin), with the report that
 * share/spamassassin/mcgate.cf makes of it:
 *
 *   mcgate 1 score=8.5 required=5.0 tests=FRT_SOMA=7.5,MISSING_DATE=1
 *    7.5 FRT_SOMA               BODY: what the rule is about, which may go
 *                               on in another line
 *
 * The first line has every rule with its exact points; the others, of
 * which none has to be there, words for people.
 */
#ifndef SPAMD_REPORT_H
#define SPAMD_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"

#define SPAMD_REPLY_MAX (256 * 1024) /* bytes of an answer */
#define SPAMD_RULES_MAX 1000 /* of one message */
#define SPAMD_NAME_MAX 100 /* bytes of a rule's name */
#define SPAMD_POINTS_MAX 1000000 /* thousandths of one rule, either way */
#define SPAMD_NOTE_MAX 300 /* bytes of a description, cut there */

struct spamd_rule {
	const char *name; /* A-Z a-z 0-9 _, never "" */
	int64_t points; /* thousandths */
	const char *note; /* may hold any byte but NUL and line ends; "" */
};

struct spamd_report {
	int64_t score, required; /* thousandths, as spamd has them */
	struct spamd_rule *rules; /* in the arena, in spamd's order */
	size_t count;
};

/* How a question begins; the message's size bytes follow. */
void spamd_question(struct buf *out, const char *verb, size_t size);
/*
 * in is all that spamd sent before it closed.  -1 when that is not a whole
 * and right answer to REPORT; e says what is wrong with it.
 */
int spamd_report_read(struct span in, struct arena *a, struct spamd_report *out,
		      struct err *e);
/* Whether in is a right answer to PING. */
bool spamd_is_pong(struct span in);

#endif
