/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The facts about a sender, taken from the message.  Of several addresses
 * in From none counts: readers do not agree which one is shown.
 */
#include "listed.h"

#include <string.h>

#include "address.h"
#include "mailbox.h"
#include "mime.h"
#include "spf.h"
#include "str.h"

struct facts {
	const struct filter_mail *m;
	char from[ADDRESS_TEXT_SIZE];
};

/* Whether one domain is the other, or lies under it: of the same owner, as
 * far as it can be told without asking. */
static bool
is_aligned(const char *a, const char *b)
{
	size_t n = strlen(a), k = strlen(b);

	if (n < k)
		return is_aligned(b, a);
	return k > 0 && strchr(b, '.') != NULL && str_ieq(a + n - k, b) &&
	       (n == k || a[n - k - 1] == '.');
}

static const char *
domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? at + 1 : "";
}

/* Mail of our own hosts is what they say it is. */
static enum sender_proof
proof(void *arg, bool of_from)
{
	const struct facts *f = arg;
	const char *sender = f->m->sender;
	struct spf spf;

	if (f->m->is_outbound)
		return PROOF_PASS;
	if (f->m->auth_spf[0] == '\0' || spf_read(f->m->auth_spf, &spf) != 0)
		return PROOF_NONE;
	if (spf.result == SPF_FAIL || spf.result == SPF_SOFTFAIL)
		return PROOF_AGAINST;
	if (spf.result != SPF_PASS || spf.is_helo)
		return PROOF_NONE;
	if (of_from && !is_aligned(spf.domain, domain_of(f->from)))
		return PROOF_NONE;
	return of_from || str_ieq(spf.domain, domain_of(sender)) ? PROOF_PASS
								 : PROOF_NONE;
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
