/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The answer of a DNS list to one question: listed, not listed, or nothing
 * that can be believed.  Also how it is told to an administrator.
 */
#ifndef RBL_ANSWER_H
#define RBL_ANSWER_H

#include "rbl.h"
#include "record.h"
#include "records.h"

enum rbl_answer {
	RBL_ANSWER_NO,
	RBL_ANSWER_YES,
	RBL_ANSWER_BROKEN, /* it answered, but not as this list does */
	RBL_ANSWER_REFUSED, /* it said that it does not answer us */
	RBL_ANSWER_SILENT /* no answer */
};

/* bits of *hits are replies of r; why says of the last three what it was. */
enum rbl_answer rbl_answer_judge(const struct rbl *r,
				 const struct dns_answer *a, uint32_t *hits,
				 struct err *why);

/* The addresses that it said, "127.0.0.2 127.0.0.4", cut where too long. */
void rbl_answer_replies(struct span records, char *dst, size_t size);

/* One thing that lists are asked for: 'a' an address, 'd' a domain, 'h' a
 * host, and its text behind a blank. */
struct rbl_answer_item {
	char kind;
	char text[RBL_QUERY_SIZE];
	struct ip ip; /* of 'a' */
};
/* From "a 192.0.2.1"; false for anything else. */
bool rbl_answer_item_read(struct span line, struct rbl_answer_item *out);
/* What of its things r lists this is, and the name to ask for; 0 when it is
 * none, or too long. */
unsigned rbl_answer_query(const struct rbl *r,
			  const struct rbl_answer_item *item,
			  char dst[RBL_QUERY_SIZE]);

/* One question with its answer, for `mcctl rbl test`. */
struct rbl_answer_tale {
	const struct rbl *r;
	const char *query, *state;
	const struct dns_answer *answer;
	int64_t time_us;
};
void rbl_answer_tell(const struct rbl_answer_tale *t, struct record *out);

#endif
