/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SPF (RFC 7208): whether a domain lets an address send its mail.  A check
 * asks DNS as it goes and so blocks; it belongs into a worker.  libspf2
 * expands macros and matches single terms; records, their order, limits
 * and results are read and kept here.
 */
#ifndef SPF_H
#define SPF_H

#include <stdbool.h>
#include <stddef.h>

#include "ip.h"
#include "records.h"

enum spf_result {
	SPF_NONE, /* there is no record, or no domain */
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR, /* DNS did not answer: try again */
	SPF_PERMERROR /* the record is broken, or asks too much */
};
#define SPF_RESULTS 7

#define SPF_TEXT_SIZE 640 /* holds spf_write() and spf_explain() */

struct spf {
	enum spf_result result;
	bool is_helo; /* the null sender: HELO was checked */
	char domain[DNS_NAME_SIZE]; /* that was asked, "" if none */
	/* The term that decided, as it stands in the domain's record;
	 * "default" when none matched, "" when there was no decision. */
	char mechanism[256];
	char problem[200]; /* of none, temperror and permerror */
};

/* helo and sender are the client's, as given; sender "" is the null path. */
void spf_check(const struct ip *client, const char *helo, const char *sender,
	       const struct dns_asker *dns, struct spf *out);

/* "pass", "softfail": the words of RFC 8601 section 2.7.2. */
const char *spf_name(enum spf_result r);
int spf_parse_name(struct span name, enum spf_result *out);
/* One line for people: who may or may not send for whom, and why. */
void spf_explain(const struct spf *s, const char *client_ip, char *dst,
		 size_t size);
/*
 * As one line of text and back, so that a result travels with its message:
 * "fail mailfrom example.org -all".  spf_read() takes whatever bytes; -1
 * for a line that spf_write() does not write.
 */
void spf_write(const struct spf *s, char *dst, size_t size);
int spf_read(const char *line, struct spf *out);

#endif
