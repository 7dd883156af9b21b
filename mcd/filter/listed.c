/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The facts about a sender, taken from the message.  Of several addresses
 * in From none counts: readers do not agree which one is shown.
 */
#include "listed.h"

#include <string.h>

#include "address.h"
#include "auth.h"
#include "mailbox.h"
#include "mime.h"
#include "str.h"

struct facts {
	const struct filter_mail *m;
	char from[ADDRESS_TEXT_SIZE];
};

/* Whether who speaks for a domain speaks for this one: it is the same, or
 * lies under it. */
static bool
is_covered(const char *domain, const char *speaker)
{
	size_t n = strlen(domain), k = strlen(speaker);

	return k > 0 && n >= k && str_ieq(domain + n - k, speaker) &&
	       (n == k || domain[n - k - 1] == '.');
}

static const char *
domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? at + 1 : "";
}

static bool
has_signature(const struct auth_result *r, const char *domain)
{
	size_t i;

	for (i = 0; i < r->dkim.count; i++) {
		const struct dkim_sig *sig = &r->dkim.sig[i];

		if (sig->result == DKIM_RESULT_PASS && !sig->is_partial &&
		    is_covered(domain, sig->domain))
			return true;
	}
	return false;
}

/* Mail of our own hosts is what they say it is. */
static enum sender_proof
proof(void *arg, bool of_from)
{
	const struct facts *f = arg;
	const char *domain = domain_of(of_from ? f->from : f->m->sender);
	const struct auth_result *r;
	bool has_spf;

	if (f->m->is_outbound)
		return PROOF_PASS;
	r = auth_get(f->m);
	if (r == NULL)
		return PROOF_NONE;
	has_spf = r->spf.result == SPF_PASS && !r->spf.is_helo;
	if (has_signature(r, domain) ||
	    (has_spf && is_covered(domain, r->spf.domain)) ||
	    (of_from && (r->dmarc.is_dkim_aligned || r->dmarc.is_spf_aligned)))
		return PROOF_PASS;
	if (r->spf.result == SPF_FAIL || r->spf.result == SPF_SOFTFAIL)
		return PROOF_AGAINST;
	return PROOF_NONE;
}

/* What stands between the last brackets, else all of it; RFC 5322 section
 * 3.4.  Whoever writes it otherwise is not on a list. */
static struct span
address_part(struct span raw)
{
	const char *open = NULL, *p;

	for (p = raw.p; p < raw.p + raw.len; p++)
		if (*p == '<')
			open = p + 1;
	if (open != NULL) {
		raw.len -= (size_t)(open - raw.p);
		raw.p = open;
		p = memchr(raw.p, '>', raw.len);
		raw.len = p != NULL ? (size_t)(p - raw.p) : 0;
	}
	while (raw.len > 0 && ascii_isspace((unsigned char)raw.p[0])) {
		raw.p++;
		raw.len--;
	}
	while (raw.len > 0 && ascii_isspace((unsigned char)raw.p[raw.len - 1]))
		raw.len--;
	return raw;
}

/* The one address of the one From field, as two readings of it agree. */
static void
read_from(const struct filter_mail *m, char dst[ADDRESS_TEXT_SIZE])
{
	const struct mime_field *f = mime_field(m->mime, "From");
	char domain[MAILBOX_DOMAIN_SIZE], next[MAILBOX_DOMAIN_SIZE];
	struct span rest;
	struct address a;

	dst[0] = '\0';
	if (f == NULL || mailbox_from(m->header, domain) != MAILBOX_FROM_ONE)
		return;
	rest = f->raw;
	if (!mailbox_next(&rest, next) || mailbox_next(&rest, next))
		return;
	if (address_parse(address_part(f->raw), ADDRESS_ALLOW_UTF8, &a, NULL) ==
		    0 &&
	    str_ieq(address_domain(&a), domain))
		(void)str_copy(dst, ADDRESS_TEXT_SIZE, a.text);
}

void
listed_look(const struct filter_mail *m, const struct judge_policy *p,
	    struct sender_match *out)
{
	const struct knobs *k = &p->knobs;
	struct lists_scope scope = { p->user, p->domain };
	struct facts facts = { .m = m, .from = "" };
	struct sender_facts f = {
		.envelope = m->sender,
		.from = facts.from,
		.by_envelope = k->list_sender != LIST_SENDER_FROM,
		.by_from = k->list_sender != LIST_SENDER_ENVELOPE,
		.wants_auth = k->allow_wants_auth != 0,
		.proof = proof,
		.arg = &facts,
	};

	memset(out, 0, sizeof(*out));
	if (m->lists == NULL)
		return;
	if (f.by_from)
		read_from(m, facts.from);
	(void)ip_parse(m->client_ip, &f.client, NULL);
	senders_match(m->lists, &scope, &f, out);
}

void
listed_text(const struct sender_match *s, char *dst, size_t size)
{
	(void)str_fmt(dst, size, "%s list: %s (%s) fits the %s",
		      sender_word_name(s->word), s->entry, s->level, s->by);
}
