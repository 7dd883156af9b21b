/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl test spf, dkim, dmarc: sender authentication as mcd does it, asked
 * for by hand or by a suite.  The first word on standard output is the
 * verdict, what is behind it is for people.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "buf.h"
#include "command.h"
#include "dkim.h"
#include "dmarc.h"
#include "header.h"
#include "ip.h"
#include "log.h"
#include "mailbox.h"
#include "resolver.h"
#include "spf.h"
#include "str.h"

static const char *
option_or(const struct ctx *c, const char *name, const char *otherwise)
{
	const char *value = option_value(c, name);

	return value != NULL ? value : otherwise;
}

static void
put_json(struct ctx *c, struct record *row)
{
	out_object(&c->out, row);
	record_release(row);
}

/* An exit code, EX_OK when the resolver is there. */
static int
open_resolver(struct ctx *c, struct dns_asker *dns)
{
	struct err e;

	if (resolver_open(option_value(c, "resolver"), dns, &e) == 0)
		return EX_OK;
	return complain(c, EX_USAGE, "--resolver: %s", e.text);
}

static int
run_spf(struct ctx *c, const struct dns_asker *dns, struct spf *s)
{
	const char *client = option_value(c, "ip");
	struct ip ip;
	struct err e;

	if (ip_parse(client, &ip, &e) < 0)
		return complain(c, EX_USAGE, "--ip: %s", e.text);
	spf_check(&ip, option_or(c, "helo", ""), option_or(c, "from", ""), dns,
		  s);
	return EX_OK;
}

static void
put_spf(struct ctx *c, const struct spf *s, const char *text)
{
	struct record row = { 0 };

	if (!c->out.json) {
		printf("%s %s\n", spf_name(s->result), log_text(text));
		return;
	}
	record_str(&row, "result", spf_name(s->result));
	record_str(&row, "reason", text);
	put_json(c, &row);
}

int
cmd_test_spf(struct ctx *c)
{
	char text[SPF_TEXT_SIZE];
	struct dns_asker dns;
	struct spf s;
	int code;

	if (option_value(c, "ip") == NULL)
		return complain(c, EX_USAGE, "--ip: expected an address");
	code = open_resolver(c, &dns);
	if (code == EX_OK)
		code = run_spf(c, &dns, &s);
	if (code != EX_OK)
		return code;
	spf_explain(&s, option_value(c, "ip"), text, sizeof(text));
	put_spf(c, &s, text);
	return EX_OK;
}

/* The whole of a file, in blocks, into a check; of its beginning as much as
 * a header may have is kept where head is not NULL. */
static int
feed_file(struct ctx *c, struct dkim_check *k, struct buf *head)
{
	static char block[65536];
	const char *path = c->args[0];
	FILE *f = fopen(path, "re");
	size_t n;
	int failed;

	if (f == NULL)
		return complain(c, EX_NOINPUT, "%s: %s", path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), f)) > 0) {
		dkim_check_feed(k, (struct span){ block, n });
		if (head != NULL && head->len < HEADER_SCAN_MAX)
			(void)buf_add(head, block, n);
	}
	failed = ferror(f);
	(void)fclose(f);
	return failed ? complain(c, EX_IOERR, "%s: cannot be read", path)
		      : EX_OK;
}

static int
run_dkim(struct ctx *c, const struct dns_asker *dns, struct buf *head,
	 struct dkim_report *r)
{
	struct dkim_check *k = dkim_check_new(dns);
	int code;

	if (k == NULL)
		return complain(c, EX_SOFTWARE, "DKIM cannot be checked");
	code = feed_file(c, k, head);
	dkim_check_end(k, r);
	return code;
}

static void
print_sig(const struct dkim_sig *s)
{
	printf("  %s domain=%s selector=%s algorithm=%s%s%s%s\n",
	       dkim_result_name(s->result), log_text(s->domain),
	       log_text(s->selector), log_text(s->algorithm),
	       s->is_partial ? " partial" : "",
	       s->reason[0] != '\0' ? " reason=" : "", log_text(s->reason));
}

static void
print_dkim(const struct dkim_report *r)
{
	printf("%s %zu signature%s %s\n", dkim_result_name(r->result),
	       r->count + r->more, r->count + r->more == 1 ? "" : "s",
	       r->reason);
	for (size_t i = 0; i < r->count; i++)
		print_sig(&r->sig[i]);
}

/* The result, then a line a signature. */
static void
put_dkim(struct ctx *c, const struct dkim_report *r)
{
	struct record row = { 0 };

	record_str(&row, "result", dkim_result_name(r->result));
	record_int(&row, "signatures", (int64_t)(r->count + r->more));
	record_str(&row, "reason", r->reason);
	put_json(c, &row);
	for (size_t i = 0; i < r->count; i++) {
		const struct dkim_sig *s = &r->sig[i];

		record_str(&row, "result", dkim_result_name(s->result));
		record_str(&row, "domain", s->domain);
		record_str(&row, "selector", s->selector);
		record_str(&row, "algorithm", s->algorithm);
		record_bool(&row, "is_partial", s->is_partial);
		record_str(&row, "reason", s->reason);
		put_json(c, &row);
	}
}

int
cmd_test_dkim(struct ctx *c)
{
	struct dns_asker dns;
	struct dkim_report r;
	int code = open_resolver(c, &dns);

	if (code == EX_OK)
		code = run_dkim(c, &dns, NULL, &r);
	if (code != EX_OK)
		return code;
	if (c->out.json)
		put_dkim(c, &r);
	else
		print_dkim(&r);
	return EX_OK;
}

static void
print_dmarc(const struct dmarc_report *r)
{
	printf("%s domain=%s policy=%s disposition=%s spf=%s dkim=%s%s%s\n",
	       dmarc_result_name(r->result), log_text(r->domain),
	       r->policy_domain[0] != '\0' ? dmarc_policy_name(r->policy)
					   : "absent",
	       dmarc_policy_name(r->disposition),
	       r->is_spf_aligned ? "aligned" : "no",
	       r->is_dkim_aligned ? "aligned" : "no",
	       r->reason[0] != '\0' ? " reason=" : "", log_text(r->reason));
}

static void
put_dmarc(struct ctx *c, const struct dmarc_report *r)
{
	struct record row = { 0 };

	record_str(&row, "result", dmarc_result_name(r->result));
	record_str(&row, "domain", r->domain);
	if (r->policy_domain[0] != '\0')
		record_str(&row, "policy", dmarc_policy_name(r->policy));
	else
		record_null(&row, "policy");
	record_str(&row, "disposition", dmarc_policy_name(r->disposition));
	record_bool(&row, "is_spf_aligned", r->is_spf_aligned);
	record_bool(&row, "is_dkim_aligned", r->is_dkim_aligned);
	record_str(&row, "reason", r->reason);
	put_json(c, &row);
}

int
cmd_test_dmarc(struct ctx *c)
{
	struct spf spf = { .result = SPF_NONE };
	char domain[MAILBOX_DOMAIN_SIZE];
	struct buf head = { 0 };
	enum mailbox_from from;
	struct dns_asker dns;
	struct dkim_report dkim;
	struct dmarc_report r;
	int code = open_resolver(c, &dns);

	if (code == EX_OK && option_value(c, "ip") != NULL)
		code = run_spf(c, &dns, &spf);
	if (code == EX_OK)
		code = run_dkim(c, &dns, &head, &dkim);
	if (code == EX_OK) {
		from = mailbox_from(buf_span(&head), domain);
		dmarc_check(from, domain, &spf, &dkim, 0, &dns, &r);
		if (c->out.json)
			put_dmarc(c, &r);
		else
			print_dmarc(&r);
	}
	buf_release(&head);
	return code;
}
