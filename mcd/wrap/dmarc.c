/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The evaluation of RFC 7489 section 6.6, from the results of SPF and DKIM
 * and at most two questions to DNS.
 */
#include "dmarc.h"

#include <string.h>

#include "psl.h"
#include "str.h"

#define RECORD_MAX 4096

static const char *const result_names[DMARC_RESULTS] = {
	"none", "pass", "fail", "temperror", "permerror",
};

static const char *const policy_names[] = { "none", "quarantine", "reject" };

const char *
dmarc_result_name(enum dmarc_result r)
{
	return result_names[r];
}

const char *
dmarc_policy_name(enum dmarc_policy p)
{
	return policy_names[p];
}

/* The one record of a domain; -1: DNS fails, 0: none, 1: got it. */
static int
fetch(const char *domain, const struct dns_asker *dns, struct dmarc_record *out)
{
	struct buf text = { .limit = RECORD_MAX };
	char name[DNS_NAME_SIZE + 8];
	struct dmarc_record record;
	struct dns_answer a;
	struct span rdata;
	int found = 0;

	(void)str_fmt(name, sizeof(name), "_dmarc.%s", domain);
	if (!dns_name_is_valid(name))
		return 0;
	dns->ask(dns->arg, name, DNS_TYPE_TXT, &a);
	if (a.rcode == DNS_NXDOMAIN)
		return 0;
	if (a.rcode != DNS_NOERROR)
		return -1;
	while (dns_record_next(&a.records, &rdata)) {
		buf_clear(&text);
		if (dns_record_text(rdata, &text) != 0 ||
		    dmarc_record_read(buf_span(&text), &record) != 0)
			continue;
		*out = record;
		found++;
	}
	buf_release(&text);
	return found == 1; /* several: none applies */
}

static enum dmarc_result
discover(struct dmarc_report *r, const char *org, const struct dns_asker *dns,
	 struct dmarc_record *record)
{
	const char *at = r->domain;
	int got = fetch(at, dns, record);

	if (got == 0 && !str_eq(org, at)) {
		at = org;
		got = fetch(at, dns, record);
	}
	if (got < 0) {
		(void)str_copy(r->reason, sizeof(r->reason),
			       "DNS does not answer for the policy");
		return DMARC_RESULT_TEMPERROR;
	}
	if (got == 0) {
		(void)str_copy(r->reason, sizeof(r->reason), "no policy");
		return DMARC_RESULT_NONE;
	}
	(void)str_copy(r->policy_domain, sizeof(r->policy_domain), at);
	r->policy = str_eq(at, r->domain) ? record->p : record->sp;
	return DMARC_RESULT_FAIL; /* unless something speaks for it */
}

static bool
is_aligned(const char *org, const char *domain, const char *other,
	   bool is_strict)
{
	char other_org[DNS_NAME_SIZE];

	if (str_ieq(domain, other))
		return true;
	if (is_strict || other[0] == '\0')
		return false;
	(void)psl_org_domain(other, other_org);
	return str_eq(org, other_org);
}

/* Sets what is aligned; true when an aligned check may yet pass. */
static bool
align(struct dmarc_report *r, const char *org,
      const struct dmarc_record *record, const struct spf *spf,
      const struct dkim_report *dkim)
{
	bool is_open = false;
	size_t i;

	if (is_aligned(org, r->domain, spf->domain, record->is_spf_strict)) {
		r->is_spf_aligned = spf->result == SPF_PASS;
		is_open = spf->result == SPF_TEMPERROR;
	}
	for (i = 0; i < dkim->count; i++) {
		const struct dkim_sig *s = &dkim->sig[i];

		if (!is_aligned(org, r->domain, s->domain,
				record->is_dkim_strict))
			continue;
		/* What others may have added to, its domain does not say. */
		if (s->result == DKIM_RESULT_PASS && !s->is_partial)
			r->is_dkim_aligned = true;
		is_open = is_open || s->result == DKIM_RESULT_TEMPERROR;
	}
	return is_open;
}

/* Beyond its share a policy is the next lower one (section 6.6.4). */
static enum dmarc_policy
sampled(const struct dmarc_report *r, const struct dmarc_record *record,
	unsigned sample)
{
	if (r->policy == DMARC_DO_NONE || (int)sample < record->pct)
		return r->policy;
	return r->policy - 1;
}

void
dmarc_check(enum mailbox_from from, const char *domain, const struct spf *spf,
	    const struct dkim_report *dkim, unsigned sample,
	    const struct dns_asker *dns, struct dmarc_report *out)
{
	struct dmarc_record record = { .pct = 100 };
	char org[DNS_NAME_SIZE];
	bool is_open;

	memset(out, 0, sizeof(*out));
	if (from != MAILBOX_FROM_ONE) {
		out->result = DMARC_RESULT_PERMERROR;
		(void)str_copy(out->reason, sizeof(out->reason),
			       from == MAILBOX_FROM_NONE
				       ? "no domain in From"
				       : "more than one From or domain in it");
		return;
	}
	(void)str_copy(out->domain, sizeof(out->domain), domain);
	str_lower(out->domain);
	(void)psl_org_domain(out->domain, org);
	out->result = discover(out, org, dns, &record);
	if (out->result != DMARC_RESULT_FAIL)
		return;
	is_open = align(out, org, &record, spf, dkim);
	if (out->is_spf_aligned || out->is_dkim_aligned) {
		out->result = DMARC_RESULT_PASS;
	} else if (is_open) {
		out->result = DMARC_RESULT_TEMPERROR;
		(void)str_copy(out->reason, sizeof(out->reason),
			       "SPF or DKIM could not be checked now");
	} else {
		out->disposition = sampled(out, &record, sample);
	}
}
