/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What sender authentication is worth.  A pass proves who sent mail and
 * says nothing about what it is, so nothing here is ever ham; a failure
 * where DMARC passes is how lists and forwarders look.
 */
#include <string.h>

#include "auth.h"
#include "str.h"

/* Points as shipped; `mcctl rule` replaces each. */
#define SPF_FAIL_POINTS 1500
#define SPF_SOFTFAIL_POINTS 500
#define DKIM_FAIL_POINTS 100
#define DMARC_REJECT_POINTS 4000
#define DMARC_QUARANTINE_POINTS 2500
#define DMARC_NONE_POINTS 500

static void
prepare(const struct conf *conf)
{
	(void)conf;
	auth_prepare();
}

static void
tell_spf(const struct filter_mail *m, const struct auth_result *r,
	 struct filter_result *out)
{
	static const struct {
		const char *name;
		int64_t points;
	} rows[SPF_RESULTS] = {
		[SPF_PASS] = { "AUTH_SPF_PASS", 0 },
		[SPF_FAIL] = { "AUTH_SPF_FAIL", SPF_FAIL_POINTS },
		[SPF_SOFTFAIL] = { "AUTH_SPF_SOFTFAIL", SPF_SOFTFAIL_POINTS },
		[SPF_TEMPERROR] = { "AUTH_SPF_TEMPERROR", 0 },
		[SPF_PERMERROR] = { "AUTH_SPF_PERMERROR", 0 },
	};
	bool is_pass = r->dmarc.result == DMARC_RESULT_PASS;
	char text[SPF_TEXT_SIZE];

	if (rows[r->spf.result].name == NULL)
		return;
	spf_explain(&r->spf, m->client_ip, text, sizeof(text));
	filter_symptom(m, out, rows[r->spf.result].name,
		       is_pass ? 0 : rows[r->spf.result].points, text);
}

static void
tell_dkim(const struct filter_mail *m, const struct auth_result *r,
	  struct filter_result *out)
{
	const struct dkim_report *d = &r->dkim;
	char text[FILTER_DETAIL_SIZE];
	size_t i;

	for (i = 0; i < d->count; i++) {
		const struct dkim_sig *s = &d->sig[i];
		bool is_fail = s->result == DKIM_RESULT_FAIL &&
			       d->result != DKIM_RESULT_PASS;

		(void)str_fmt(text, sizeof(text), "%s %s%s%s",
			      dkim_result_name(s->result), s->domain,
			      s->reason[0] != '\0' ? ": " : "", s->reason);
		filter_symptom(m, out,
			       s->result == DKIM_RESULT_PASS ? "AUTH_DKIM_PASS"
			       : s->result == DKIM_RESULT_FAIL
				       ? "AUTH_DKIM_FAIL"
				       : "AUTH_DKIM_OTHER",
			       is_fail ? DKIM_FAIL_POINTS : 0, text);
	}
}

static void
tell_dmarc(const struct filter_mail *m, const struct auth_result *r,
	   struct filter_result *out)
{
	static const struct {
		const char *name;
		int64_t points;
	} fails[] = {
		[DMARC_DO_NONE] = { "AUTH_DMARC_FAIL", DMARC_NONE_POINTS },
		[DMARC_DO_QUARANTINE] = { "AUTH_DMARC_QUARANTINE",
					  DMARC_QUARANTINE_POINTS },
		[DMARC_DO_REJECT] = { "AUTH_DMARC_REJECT",
				      DMARC_REJECT_POINTS },
	};
	const struct dmarc_report *d = &r->dmarc;
	char text[FILTER_DETAIL_SIZE];

	(void)str_fmt(text, sizeof(text), "%s%s%s", d->domain,
		      d->reason[0] != '\0' ? ": " : "", d->reason);
	if (d->result == DMARC_RESULT_PASS) {
		filter_symptom(m, out, "AUTH_DMARC_PASS", 0, d->domain);
	} else if (d->result == DMARC_RESULT_FAIL) {
		(void)str_fmt(text, sizeof(text),
			      "neither SPF nor DKIM speak for %s, which asks "
			      "for %s",
			      d->domain, dmarc_policy_name(d->disposition));
		filter_symptom(m, out, fails[d->disposition].name,
			       fails[d->disposition].points, text);
	} else if (d->result == DMARC_RESULT_TEMPERROR) {
		filter_symptom(m, out, "AUTH_DMARC_TEMPERROR", 0, text);
	}
}

static int64_t
sum_of(const struct filter_result *out)
{
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < out->symptom_count; i++)
		sum += out->symptoms[i].points;
	return sum;
}

static void
check(const struct filter_mail *m, struct span part, struct filter_result *out)
{
	const struct auth_result *r = auth_get(m);

	(void)part;
	out->is_known = true;
	if (r == NULL) {
		(void)str_copy(out->detail, sizeof(out->detail),
			       m->is_outbound ? "of our own hosts" : "");
		return;
	}
	tell_spf(m, r, out);
	tell_dkim(m, r, out);
	tell_dmarc(m, r, out);
	(void)str_fmt(out->detail, sizeof(out->detail),
		      "spf %s, dkim %s, dmarc %s", spf_name(r->spf.result),
		      dkim_result_name(r->dkim.result),
		      dmarc_result_name(r->dmarc.result));
	if (r->dmarc.result == DMARC_RESULT_FAIL &&
	    r->dmarc.disposition != DMARC_DO_NONE)
		out->class = FILTER_SPAM;
	out->is_dmarc_reject = r->dmarc.result == DMARC_RESULT_FAIL &&
			       r->dmarc.disposition == DMARC_DO_REJECT;
	/* Nothing speaks against it, and something could not be asked. */
	if (sum_of(out) == 0 && (r->dmarc.result == DMARC_RESULT_TEMPERROR ||
				 (r->spf.result == SPF_TEMPERROR &&
				  r->dmarc.result != DMARC_RESULT_PASS)))
		filter_unknown(out, "DNS did not answer: %s",
			       r->dmarc.reason[0] != '\0' ? r->dmarc.reason
							  : r->spf.problem);
}

const struct filter filter_auth = {
	.name = "auth",
	.has_no_place = true,
	.prepare = prepare,
	.check = check,
};
