/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A DMARC record (RFC 7489 section 6.3): libopendmarc reads what its
 * grammar takes from a record in which the rest has been sorted out, since
 * it gives up on a whole record for one value that is to be ignored.
 */
#include <stdio.h>
#include <string.h>

#include <opendmarc/dmarc.h>

#include "dmarc.h"
#include "str.h"

#define TAGS_MAX 64 /* others are not looked at */
#define CLEAN_SIZE 128

/* The values of the tags that count, "" where they are not there. */
struct tags {
	char p[16], sp[16], adkim[4], aspf[4], pct[4];
	bool has_rua;
};

static struct span
trim(struct span s)
{
	while (s.len > 0 && ascii_isspace((unsigned char)s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && ascii_isspace((unsigned char)s.p[s.len - 1]))
		s.len--;
	return s;
}

/* Takes "name = value" up to the next semicolon; false at the end. */
static bool
take_tag(struct span *rest, struct span *name, struct span *value)
{
	const char *end, *equal;
	struct span tag;

	if (rest->len == 0)
		return false;
	end = memchr(rest->p, ';', rest->len);
	tag = *rest;
	if (end != NULL)
		tag.len = (size_t)(end - rest->p);
	rest->p += tag.len + (end != NULL);
	rest->len -= tag.len + (end != NULL);
	equal = tag.len > 0 ? memchr(tag.p, '=', tag.len) : NULL;
	*name = *value = (struct span){ tag.p, 0 };
	if (equal == NULL)
		return true;
	*name = trim((struct span){ tag.p, (size_t)(equal - tag.p) });
	*value = trim((struct span){ equal + 1,
				     tag.len - (size_t)(equal + 1 - tag.p) });
	return true;
}

/* A value of a list of words, in lower case; any other is ignored. */
static void
take_word(struct span value, const char *const *words, char *dst, size_t size)
{
	for (; *words != NULL; words++)
		if (span_ieq(value, span_of(*words)))
			(void)str_copy(dst, size, *words);
}

static void
take_pct(struct span value, char *dst, size_t size)
{
	uint64_t n;

	if (span_to_u64(value, &n) == 0 && n <= 100)
		(void)str_fmt(dst, size, "%d", (int)n);
}

static void
take_value(struct tags *t, struct span name, struct span value)
{
	static const char *const policies[] = { "none", "quarantine", "reject",
						NULL };
	static const char *const modes[] = { "r", "s", NULL };

	if (span_ieq(name, SPAN_LIT("p")))
		take_word(value, policies, t->p, sizeof(t->p));
	else if (span_ieq(name, SPAN_LIT("sp")))
		take_word(value, policies, t->sp, sizeof(t->sp));
	else if (span_ieq(name, SPAN_LIT("adkim")))
		take_word(value, modes, t->adkim, sizeof(t->adkim));
	else if (span_ieq(name, SPAN_LIT("aspf")))
		take_word(value, modes, t->aspf, sizeof(t->aspf));
	else if (span_ieq(name, SPAN_LIT("pct")))
		take_pct(value, t->pct, sizeof(t->pct));
	else if (span_ieq(name, SPAN_LIT("rua")))
		t->has_rua = value.len > 0;
}

/* -1: not a record, or none that applies. */
static int
read_tags(struct span text, struct tags *t)
{
	struct span name, value;
	int i;

	if (!take_tag(&text, &name, &value) || !span_ieq(name, SPAN_LIT("v")) ||
	    !span_eq(value, SPAN_LIT("DMARC1")))
		return -1;
	for (i = 0; i < TAGS_MAX && take_tag(&text, &name, &value); i++)
		take_value(t, name, value);
	/* Without a policy it is for reports only (section 6.6.3). */
	if (t->p[0] == '\0') {
		if (!t->has_rua)
			return -1;
		(void)str_copy(t->p, sizeof(t->p), "none");
		(void)str_copy(t->sp, sizeof(t->sp), "none");
	}
	return 0;
}

static void
add(char *dst, const char *name, const char *value)
{
	size_t used = strlen(dst);

	if (value[0] != '\0')
		(void)str_fmt(dst + used, CLEAN_SIZE - used, "; %s=%s", name,
			      value);
}

static enum dmarc_policy
policy_of(int letter)
{
	if (letter == DMARC_RECORD_P_REJECT)
		return DMARC_DO_REJECT;
	if (letter == DMARC_RECORD_P_QUARANTINE)
		return DMARC_DO_QUARANTINE;
	return DMARC_DO_NONE;
}

static int
parse(DMARC_POLICY_T *ctx, char *clean, struct dmarc_record *out)
{
	static unsigned char domain[] = "domain.example";
	int p = 0, sp = 0, adkim = 0, aspf = 0;

	if (opendmarc_policy_parse_dmarc(ctx, domain, (unsigned char *)clean) !=
		    DMARC_PARSE_OKAY ||
	    opendmarc_policy_fetch_p(ctx, &p) != DMARC_PARSE_OKAY ||
	    opendmarc_policy_fetch_sp(ctx, &sp) != DMARC_PARSE_OKAY ||
	    opendmarc_policy_fetch_adkim(ctx, &adkim) != DMARC_PARSE_OKAY ||
	    opendmarc_policy_fetch_aspf(ctx, &aspf) != DMARC_PARSE_OKAY ||
	    opendmarc_policy_fetch_pct(ctx, &out->pct) != DMARC_PARSE_OKAY)
		return -1;
	out->p = policy_of(p);
	out->sp = sp != DMARC_RECORD_P_UNSPECIFIED ? policy_of(sp) : out->p;
	out->is_dkim_strict = adkim == DMARC_RECORD_A_STRICT;
	out->is_spf_strict = aspf == DMARC_RECORD_A_STRICT;
	return 0;
}

int
dmarc_record_read(struct span text, struct dmarc_record *out)
{
	static unsigned char client[] = "192.0.2.1"; /* it wants one */
	char clean[CLEAN_SIZE] = "v=DMARC1";
	struct tags t = { .has_rua = false };
	DMARC_POLICY_T *ctx;
	int rc;

	if (read_tags(text, &t) != 0)
		return -1;
	add(clean, "p", t.p);
	add(clean, "sp", t.sp);
	add(clean, "adkim", t.adkim);
	add(clean, "aspf", t.aspf);
	add(clean, "pct", t.pct);
	ctx = opendmarc_policy_connect_init(client, DMARC_POLICY_IP_TYPE_IPV4);
	if (ctx == NULL)
		return -1;
	rc = parse(ctx, clean, out);
	(void)opendmarc_policy_connect_shutdown(ctx);
	return rc;
}
