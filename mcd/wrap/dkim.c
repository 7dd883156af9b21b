/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * libopendkim: it canonicalises and verifies.  Keys come from our own
 * lookup, since the library takes a server's failure for a missing key and
 * would open sockets; its verdict on a message is not used, since one bad
 * signature spoils it.
 */
#include "dkim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <opendkim/dkim.h>

#include "header.h"
#include "log.h"
#include "str.h"
#include "xalloc.h"

#define FAILED_MAX (2 * DKIM_SIGS_MAX)

struct dkim_check {
	DKIM *dkim;
	const struct dns_asker *dns;
	/* Keys that DNS did not answer for: selector and domain. */
	char failed[FAILED_MAX][2 * DNS_NAME_SIZE];
	size_t failed_count;
	DKIM_STAT stat; /* the first that is not OK */
	struct buf head; /* the header, until it is complete */
	bool is_body; /* behind the header */
	struct buf text; /* what the library is given */
	bool had_cr; /* at the end of the last of the body */
	bool has_ended; /* nothing more is wanted */
};

static DKIM_LIB *library;

static const char *const names[DKIM_RESULTS] = {
	"none", "pass", "fail", "policy", "neutral", "temperror", "permerror",
};

const char *
dkim_result_name(enum dkim_result r)
{
	return names[r];
}

static const char *
text_or_empty(const unsigned char *s)
{
	return s != NULL ? (const char *)s : "";
}

static bool
key_name(DKIM_SIGINFO *sig, char *dst, size_t size)
{
	return str_fmt(dst, size, "%s._domainkey.%s",
		       text_or_empty(dkim_sig_getselector(sig)),
		       text_or_empty(dkim_sig_getdomain(sig)));
}

/* RFC 6376 section 3.6.2.2: one record is what there may be. */
static bool
take_key(struct span records, char *dst, size_t size)
{
	struct buf text = { .limit = size - 1 };
	struct span rdata;
	bool is_there = dns_record_count(records) == 1 &&
			dns_record_next(&records, &rdata) &&
			dns_record_text(rdata, &text) == 0;

	if (is_there)
		memcpy(dst, buf_str(&text), text.len + 1);
	buf_release(&text);
	return is_there;
}

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

/* The type that a key record says it is of; without k= it is rsa. */
static struct span
key_type(const char *record)
{
	struct span name, value;

	for (; *record != '\0'; record += *record == ';') {
		size_t len = strcspn(record, ";"), at = strcspn(record, "=;");

		name = trim((struct span){ record, at });
		value = trim((struct span){ record + at + (at < len),
					    len - at - (at < len) });
		if (at < len && span_eq(name, SPAN_LIT("k")))
			return value;
		record += len;
	}
	return SPAN_LIT("rsa");
}

/* The library looks at the key, not at what it is said to be. */
static bool
fits_algorithm(DKIM_SIGINFO *sig, const char *record)
{
	struct span algorithm =
		span_of(text_or_empty(dkim_sig_getalgorithm(sig)));
	struct span type = key_type(record);

	return algorithm.len > type.len && algorithm.p[type.len] == '-' &&
	       span_ieq((struct span){ algorithm.p, type.len }, type);
}

/* The library has one word only for a key that is not to be had. */
static DKIM_CBSTAT
lookup_key(DKIM *dkim, DKIM_SIGINFO *sig, unsigned char *dst, size_t size)
{
	struct dkim_check *k = dkim_get_user_context(dkim);
	char name[2 * DNS_NAME_SIZE];
	struct dns_answer a;

	if (size == 0 || !key_name(sig, name, sizeof(name)) ||
	    !dns_name_is_valid(name))
		return DKIM_CBSTAT_NOTFOUND;
	k->dns->ask(k->dns->arg, name, DNS_TYPE_TXT, &a);
	if (a.rcode != DNS_NOERROR && a.rcode != DNS_NXDOMAIN &&
	    k->failed_count < FAILED_MAX)
		(void)str_copy(k->failed[k->failed_count++],
			       sizeof(k->failed[0]), name);
	if (a.rcode != DNS_NOERROR || !take_key(a.records, (char *)dst, size) ||
	    !fits_algorithm(sig, (char *)dst))
		return DKIM_CBSTAT_NOTFOUND;
	return DKIM_CBSTAT_CONTINUE;
}

/* Each signature costs a question and a verification. */
static DKIM_CBSTAT
prescreen(DKIM *dkim, DKIM_SIGINFO **sigs, int count)
{
	int i;

	(void)dkim;
	for (i = DKIM_SIGS_MAX; i < count; i++)
		dkim_sig_ignore(sigs[i]);
	return DKIM_CBSTAT_CONTINUE;
}

/* Without these the library would close a resolver that is not there. */
static int
no_init(void **server)
{
	*server = NULL;
	return 0;
}

static void
no_close(void *server)
{
	(void)server;
}

static DKIM_LIB *
open_library(void)
{
	unsigned flags = DKIM_LIBFLAGS_BADSIGHANDLES;
	DKIM_LIB *lib = dkim_init(NULL, NULL);

	if (lib == NULL)
		return NULL;
	dkim_dns_set_init(lib, no_init);
	dkim_dns_set_close(lib, no_close);
	if (dkim_options(lib, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags,
			 sizeof(flags)) == DKIM_STAT_OK &&
	    dkim_set_key_lookup(lib, lookup_key) == DKIM_STAT_OK &&
	    dkim_set_prescreen(lib, prescreen) == DKIM_STAT_OK)
		return lib;
	dkim_close(lib);
	return NULL;
}

void
dkim_prepare(void)
{
	if (library == NULL)
		library = open_library();
}

struct dkim_check *
dkim_check_new(const struct dns_asker *dns)
{
	struct dkim_check *k;

	dkim_prepare();
	if (library == NULL) {
		log_error("libopendkim cannot be set up");
		return NULL;
	}
	k = xcalloc(1, sizeof(*k));
	k->dns = dns;
	/* One block more, since the last may hold much of the body. */
	k->head.limit = 2 * HEADER_SCAN_MAX;
	k->dkim = dkim_verify(library, (const unsigned char *)"mail", NULL,
			      &k->stat);
	if (k->dkim == NULL) {
		free(k);
		return NULL;
	}
	dkim_set_user_context(k->dkim, k);
	return k;
}

/* Without a signature, or after an error, the rest does not matter. */
static void
note(struct dkim_check *k, DKIM_STAT stat)
{
	if (stat == DKIM_STAT_OK || k->has_ended)
		return;
	k->stat = stat;
	k->has_ended = true;
}

/* Where the body starts, the empty line skipped; 0: it is not there yet. */
static size_t
body_start(struct span head, size_t from)
{
	size_t at = from;

	for (; at < head.len; at++) {
		if (head.p[at] != '\n')
			continue;
		if (at == 0 || head.p[at - 1] == '\n')
			return at + 1;
		if (head.p[at - 1] == '\r' &&
		    (at == 1 || head.p[at - 2] == '\n'))
			return at + 1;
	}
	return 0;
}

/*
 * Appends text with CRLF for each LF that has no CR before it.  The library
 * does so too where asked, and reads beyond a field that has a NUL in it.
 */
static void
add_crlf(struct buf *out, struct span text, bool *had_cr)
{
	size_t i, from = 0;

	for (i = 0; i < text.len; i++) {
		if (text.p[i] == '\n' && !*had_cr) {
			(void)buf_add(out, text.p + from, i - from);
			(void)buf_add_char(out, '\r');
			from = i;
		}
		*had_cr = text.p[i] == '\r';
	}
	(void)buf_add(out, text.p + from, text.len - from);
}

static void
give_field(struct dkim_check *k, struct span field)
{
	bool had_cr = false;

	while (field.len > 0 && (field.p[field.len - 1] == '\n' ||
				 field.p[field.len - 1] == '\r'))
		field.len--;
	if (field.len == 0 || memchr(field.p, '\0', field.len) != NULL)
		return;
	buf_clear(&k->text);
	add_crlf(&k->text, field, &had_cr);
	(void)dkim_header(k->dkim, (unsigned char *)k->text.data, k->text.len);
}

/*
 * Field by field, since the library's own reader of blocks ends the process
 * over a message without a header.  What is no field to it is left out: a
 * signature that covers it does not hold then.
 */
static void
give_header(struct dkim_check *k)
{
	struct span head = buf_span(&k->head);
	struct header_field f;
	size_t at = 0;

	while (header_next(head, &at, &f))
		give_field(k, (struct span){ head.p + f.offset, f.len });
	k->is_body = true;
	note(k, dkim_eoh(k->dkim));
}

static void
give_body(struct dkim_check *k, struct span text)
{
	if (k->has_ended || text.len == 0)
		return;
	buf_clear(&k->text);
	add_crlf(&k->text, text, &k->had_cr);
	note(k, dkim_body(k->dkim, (unsigned char *)k->text.data, k->text.len));
}

void
dkim_check_feed(struct dkim_check *k, struct span block)
{
	size_t before = k->head.len, start;
	struct span rest;

	if (k->has_ended || block.len == 0)
		return;
	if (k->is_body) {
		give_body(k, block);
		return;
	}
	if (buf_add_span(&k->head, block) != 0) {
		note(k, DKIM_STAT_SYNTAX);
		return;
	}
	start = body_start(buf_span(&k->head), before);
	if (start == 0)
		return;
	rest = (struct span){ k->head.data + start, k->head.len - start };
	give_header(k);
	give_body(k, rest);
	buf_release(&k->head);
}

static bool
has_dns_failed(const struct dkim_check *k, DKIM_SIGINFO *sig)
{
	char name[2 * DNS_NAME_SIZE];
	size_t i;

	if (!key_name(sig, name, sizeof(name)))
		return false;
	for (i = 0; i < k->failed_count; i++)
		if (str_eq(k->failed[i], name))
			return true;
	return false;
}

static bool
is_partial(struct dkim_check *k, DKIM_SIGINFO *sig)
{
	ssize_t body, canonical, limit;

	return dkim_sig_getcanonlen(k->dkim, sig, &body, &canonical, &limit) ==
		       DKIM_STAT_OK &&
	       limit >= 0 && canonical > limit;
}

static void
judge(struct dkim_check *k, DKIM_SIGINFO *sig, struct dkim_sig *out)
{
	unsigned flags = dkim_sig_getflags(sig);
	int error = dkim_sig_geterror(sig), bh = dkim_sig_getbh(sig);
	const char *reason = dkim_sig_geterrorstr(error);

	out->result = DKIM_RESULT_PERMERROR;
	if (has_dns_failed(k, sig)) {
		out->result = DKIM_RESULT_TEMPERROR;
		reason = "DNS does not answer for the key";
	} else if (error == DKIM_SIGERROR_KEYFAIL) {
		out->result = DKIM_RESULT_TEMPERROR;
	} else if (error == DKIM_SIGERROR_BADSIG) {
		out->result = DKIM_RESULT_FAIL;
	} else if (error == DKIM_SIGERROR_OK && bh == DKIM_SIGBH_MISMATCH) {
		out->result = DKIM_RESULT_FAIL;
		reason = "the body was changed";
	} else if (error == DKIM_SIGERROR_OK &&
		   (flags & DKIM_SIGFLAG_PASSED) != 0 &&
		   bh == DKIM_SIGBH_MATCH) {
		out->result = DKIM_RESULT_PASS;
		reason = "";
	} else if (error == DKIM_SIGERROR_OK) {
		out->result = DKIM_RESULT_NEUTRAL;
		reason = "not verified";
	}
	(void)str_copy(out->reason, sizeof(out->reason),
		       reason != NULL ? reason : "not valid");
}

static void
report(struct dkim_check *k, DKIM_SIGINFO *sig, struct dkim_sig *out)
{
	(void)str_copy(out->domain, sizeof(out->domain),
		       text_or_empty(dkim_sig_getdomain(sig)));
	(void)str_copy(out->selector, sizeof(out->selector),
		       text_or_empty(dkim_sig_getselector(sig)));
	(void)str_copy(out->algorithm, sizeof(out->algorithm),
		       text_or_empty(dkim_sig_getalgorithm(sig)));
	judge(k, sig, out);
	if (out->result != DKIM_RESULT_PASS)
		return;
	out->is_partial = is_partial(k, sig);
	/* RFC 8301 section 3.1 */
	if (str_ieq(out->algorithm, "rsa-sha1")) {
		out->result = DKIM_RESULT_POLICY;
		(void)str_copy(out->reason, sizeof(out->reason),
			       "rsa-sha1 is not safe");
	}
}

static void
summarize(struct dkim_check *k, struct dkim_report *out)
{
	size_t i;

	for (i = 0; i < out->count; i++) {
		if (out->sig[i].result == DKIM_RESULT_PASS) {
			out->result = DKIM_RESULT_PASS;
			return;
		}
	}
	if (out->count > 0) {
		out->result = out->sig[0].result;
	} else if (k->stat != DKIM_STAT_OK && k->stat != DKIM_STAT_NOSIG) {
		out->result = DKIM_RESULT_PERMERROR;
		(void)str_fmt(out->reason, sizeof(out->reason), "%s",
			      dkim_getresultstr(k->stat));
	}
}

void
dkim_check_end(struct dkim_check *k, struct dkim_report *out)
{
	DKIM_SIGINFO **sigs = NULL;
	int count = 0, i;

	memset(out, 0, sizeof(*out));
	if (!k->has_ended && !k->is_body)
		give_header(k);
	/* What it says of the message as a whole is not asked. */
	if (!k->has_ended)
		(void)dkim_eom(k->dkim, NULL);
	if (k->stat != DKIM_STAT_NOSIG &&
	    dkim_getsiglist(k->dkim, &sigs, &count) != DKIM_STAT_OK)
		count = 0;
	for (i = 0; i < count && i < DKIM_SIGS_MAX; i++)
		report(k, sigs[i], &out->sig[out->count++]);
	out->more = count > DKIM_SIGS_MAX ? (size_t)count - DKIM_SIGS_MAX : 0;
	summarize(k, out);
	dkim_free(k->dkim);
	buf_release(&k->head);
	buf_release(&k->text);
	free(k);
}
