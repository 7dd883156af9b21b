/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DMARC (RFC 7489): whether SPF or DKIM speak for the domain that people
 * see in From, and what its owner wants done if not.
 */
#ifndef MCGATE_DMARC_H
#define MCGATE_DMARC_H

#include <stdbool.h>

#include "dkim.h"
#include "mailbox.h"
#include "records.h"
#include "spf.h"

enum dmarc_result {
	DMARC_RESULT_NONE, /* the domain says nothing */
	DMARC_RESULT_PASS,
	DMARC_RESULT_FAIL,
	DMARC_RESULT_TEMPERROR, /* DNS did not answer: try again */
	DMARC_RESULT_PERMERROR /* there is no one domain in From */
};
#define DMARC_RESULTS 5

enum dmarc_policy { DMARC_DO_NONE, DMARC_DO_QUARANTINE, DMARC_DO_REJECT };

/* What a record says. */
struct dmarc_record {
	enum dmarc_policy p;
	enum dmarc_policy sp; /* for subdomains; p where it is not said */
	bool is_dkim_strict, is_spf_strict;
	int pct; /* share of mail that the policy is for */
};

struct dmarc_report {
	enum dmarc_result result;
	char domain[DNS_NAME_SIZE]; /* of From, "" */
	char policy_domain[DNS_NAME_SIZE]; /* whose record it is, "" */
	bool is_dkim_aligned, is_spf_aligned;
	enum dmarc_policy policy; /* that the record has for this domain */
	/* What it asks for this message: none unless the result is fail. */
	enum dmarc_policy disposition;
	char reason[80]; /* of none, temperror and permerror */
};

/*
 * from and domain are of mailbox_from().  sample, 0 to 99, is the message's
 * place in pct=: equal for equal messages, so that a repeated check says
 * the same.
 */
void dmarc_check(enum mailbox_from from, const char *domain,
		 const struct spf *spf, const struct dkim_report *dkim,
		 unsigned sample, const struct dns_asker *dns,
		 struct dmarc_report *out);

/* The text of a TXT record; -1 when it is no DMARC record or one that does
 * not apply (section 6.6.3). */
int dmarc_record_read(struct span text, struct dmarc_record *out);

/* RFC 8601 section 2.7.6 and RFC 7489 section 11.1 */
const char *dmarc_result_name(enum dmarc_result r);
const char *dmarc_policy_name(enum dmarc_policy p);

#endif
