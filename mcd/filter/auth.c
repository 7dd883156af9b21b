/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The three checks in their order, since DMARC rests on the other two; and
 * their results as a field of RFC 8601.
 */
#include "auth.h"

#include <string.h>

#include "authres.h"
#include "ip.h"
#include "psl.h"
#include "str.h"

#define RESULTS_ENOUGH 5000 /* bytes; one more of any kind still fits */
#define BLOCK 1048576 /* bytes that DKIM copies at a time */

void
auth_prepare(void)
{
	psl_open();
	dkim_prepare();
}

static void
check_spf(const struct filter_mail *m, const struct dns_asker *dns,
	  struct auth_result *r)
{
	struct ip ip;

	if (m->auth_spf[0] != '\0' && spf_read(m->auth_spf, &r->spf) == 0) {
		r->was_asked = true;
		return;
	}
	if (ip_parse(m->client_ip, &ip, NULL) == 0)
		spf_check(&ip, m->helo, m->sender, dns, &r->spf);
	else
		(void)str_copy(r->spf.problem, sizeof(r->spf.problem),
			       "the client has no address");
}

static void
check_dkim(const struct filter_mail *m, const struct dns_asker *dns,
	   struct auth_result *r)
{
	struct dkim_check *k = dkim_check_new(dns);
	size_t at, n;

	if (k == NULL) {
		r->dkim.result = DKIM_RESULT_TEMPERROR;
		return;
	}
	for (at = 0; at < m->text.len; at += n) {
		n = m->text.len - at < BLOCK ? m->text.len - at : BLOCK;
		dkim_check_feed(k, (struct span){ m->text.p + at, n });
	}
	dkim_check_end(k, &r->dkim);
}

const struct auth_result *
auth_get(const struct filter_mail *m)
{
	char domain[MAILBOX_DOMAIN_SIZE];
	struct auth *a = m->auth;
	struct dns_asker dns;
	enum mailbox_from from;
	unsigned sample;

	if (a == NULL || m->is_outbound)
		return NULL;
	if (a->is_known)
		return &a->result;
	a->is_known = true;
	worker_dns_start(a->dns, a->c, AUTH_TIME_MS);
	dns = worker_dns_asker(a->dns);
	check_spf(m, &dns, &a->result);
	check_dkim(m, &dns, &a->result);
	from = mailbox_from(m->header, domain);
	sample = crc32_update(0, m->header.p, m->header.len) % 100;
	dmarc_check(from, domain, &a->result.spf, &a->result.dkim, sample, &dns,
		    &a->result.dmarc);
	return &a->result;
}

static void
add_spf(const struct filter_mail *m, const struct auth_result *r,
	struct buf *out)
{
	const char *properties[] = { "smtp.mailfrom", "", "smtp.helo", "",
				     NULL };

	properties[1] = m->sender;
	if (r->spf.is_helo || m->sender[0] == '\0')
		properties[3] = m->helo;
	authres_add(out, "spf", spf_name(r->spf.result), r->spf.problem,
		    properties);
}

static void
add_dkim(const struct auth_result *r, struct buf *out)
{
	static const char *const none[] = { NULL };
	size_t i;

	if (r->dkim.count == 0)
		authres_add(out, "dkim", dkim_result_name(r->dkim.result),
			    r->dkim.reason, none);
	/* Whole results or none: what is cut could be read as another. */
	for (i = 0; i < r->dkim.count && out->len < RESULTS_ENOUGH; i++) {
		const struct dkim_sig *s = &r->dkim.sig[i];
		const char *properties[] = { "header.d", s->domain,
					     "header.s", s->selector,
					     "header.a", s->algorithm,
					     NULL };

		(void)buf_add_str(out, i > 0 ? ";" : "");
		authres_add(out, "dkim", dkim_result_name(s->result), s->reason,
			    properties);
	}
}

/* RFC 7489 section 11.1: the policy stands in a comment, as others do. */
static void
add_dmarc(const struct auth_result *r, struct buf *out)
{
	const char *properties[] = { "header.from", r->dmarc.domain, NULL };

	authres_add(out, "dmarc", dmarc_result_name(r->dmarc.result),
		    r->dmarc.reason, properties);
	if (r->dmarc.policy_domain[0] != '\0')
		(void)buf_printf(out, " (p=%s dis=%s)",
				 dmarc_policy_name(r->dmarc.policy),
				 dmarc_policy_name(r->dmarc.disposition));
}

void
auth_field(const struct filter_mail *m, const struct auth_result *r,
	   const char *id, struct buf *out)
{
	authres_begin(out, id);
	add_spf(m, r, out);
	(void)buf_add_char(out, ';');
	add_dkim(r, out);
	(void)buf_add_char(out, ';');
	add_dmarc(r, out);
}
