/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Delivery status notifications: what each part says, and that no text of
 * a stranger changes their form.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "check.h"
#include "dsn.h"
#include "header.h"
#include "str.h"

#define ORIGINAL                                                 \
	"Received: by mx.a.example\r\n\tfor <b@b.example>\r\n"   \
	"From: A <a@a.example>\r\nMessage-ID: <1@a.example>\r\n" \
	"Subject: hello\r\n\r\nthe body\r\n"

static struct dsn_rcpt rcpt;
static struct dsn dsn;

/* An ordinary failure, for each test to change. */
static void
reset(void)
{
	rcpt = (struct dsn_rcpt){ .address = "b@b.example",
				  .orcpt = "",
				  .enhanced = "5.1.1",
				  .relay = "mx.b.example[192.0.2.2]:25",
				  .diagnostic = "550 5.1.1 no such user",
				  .last_attempt_us = 1700000060000000 };
	dsn = (struct dsn){ .id = "01jq8z5m3k7n2p4r",
			    .original_id = "01jq8z5m3k000000",
			    .reporting_mta = "gate.example",
			    .to = "a@a.example",
			    .envid = "",
			    .arrival_us = 1700000000000000,
			    .now_us = 1700000061000000,
			    .rcpts = &rcpt,
			    .rcpt_count = 1,
			    .header = SPAN_LIT(ORIGINAL) };
}

/* True when all lines end in CRLF and none is too long. */
static bool
is_well_formed(const struct buf *b, bool is_utf8)
{
	size_t len = 0;
	size_t i;

	for (i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];

		if (c == '\r') {
			if (i + 1 == b->len || b->data[i + 1] != '\n')
				return false;
			i++;
			len = 0;
			continue;
		}
		len++;
		if ((c < 32 && c != '\t') || c == 127 || len > 998 ||
		    (c > 127 && !is_utf8))
			return false;
	}
	return len == 0 && str_is_utf8(b->data, b->len);
}

/* The value of the first field of that name, unfolded. */
static const char *
field(struct span text, const char *name)
{
	static char value[2048];
	struct header_field f;
	size_t at = 0;

	while (header_next(text, &at, &f) == 1) {
		if (!span_ieq(f.name, span_of(name)))
			continue;
		header_value_text(f.value, value, sizeof(value));
		return value;
	}
	return NULL;
}

/* Part n (0: the first), its header first; the boundary is looked up. */
static struct span
part(struct span whole, unsigned n)
{
	const char *type = field(whole, "Content-Type");
	const char *start = type != NULL ? strstr(type, "boundary=\"") : NULL;
	const char *p = whole.p;
	const char *end = whole.p + whole.len;
	const char *next;
	char mark[128];
	unsigned i;

	if (start == NULL)
		return (struct span){ "", 0 };
	start += strlen("boundary=\"");
	str_fmt(mark, sizeof(mark), "\r\n--%.*s", (int)strcspn(start, "\""),
		start);
	for (i = 0; p != NULL; i++) {
		p = memmem(p, (size_t)(end - p), mark, strlen(mark));
		if (p == NULL)
			break;
		p += strlen(mark) + 2;
		next = memmem(p, (size_t)(end - p), mark, strlen(mark));
		if (i == n && next != NULL)
			return (struct span){ p, (size_t)(next - p) };
	}
	return (struct span){ "", 0 };
}

static struct span
body_of(struct span text)
{
	struct header_field f;
	size_t at = 0;

	while (header_next(text, &at, &f) == 1)
		continue;
	return (struct span){ text.p + at, text.len - at };
}

/* Behind the first group of fields: the first recipient's. */
static struct span
first_rcpt(struct span whole)
{
	return body_of(body_of(part(whole, 1)));
}

static bool
says(struct span s, const char *words)
{
	return memmem(s.p, s.len, words, strlen(words)) != NULL;
}

static void
check_failed(void)
{
	struct buf out = { 0 };
	struct span all, status, one;

	reset();
	CHECK_INT(dsn_write(&dsn, &out, NULL), 0, "a failure is written");
	all = buf_span(&out);
	CHECK(is_well_formed(&out, false), "it is well formed");
	CHECK_STR(field(all, "To"), "<a@a.example>", "To");
	CHECK_STR(field(all, "From"),
		  "Mail Delivery System <MAILER-DAEMON@gate.example>", "From");
	CHECK_STR(field(all, "Message-ID"), "<01jq8z5m3k7n2p4r@gate.example>",
		  "Message-ID");
	CHECK_STR(field(all, "In-Reply-To"), "<1@a.example>", "In-Reply-To");
	CHECK_STR(field(all, "Auto-Submitted"), "auto-replied",
		  "Auto-Submitted");
	CHECK_STR(field(all, "MIME-Version"), "1.0", "MIME-Version");
	CHECK_STR(field(all, "Date"), "Tue, 14 Nov 2023 22:14:21 +0000",
		  "Date");
	CHECK(str_has_prefix(field(all, "Content-Type"),
			     "multipart/report; report-type=delivery-status; "
			     "boundary="),
	      "Content-Type");
	CHECK_STR(field(part(all, 0), "Content-Type"),
		  "text/plain; charset=us-ascii", "the first part is text");
	CHECK(says(part(all, 0), "could not be delivered") &&
		      says(part(all, 0), "b@b.example") &&
		      says(part(all, 0), "no such user") &&
		      says(part(all, 0), "01jq8z5m3k000000"),
	      "it says what happened, to whom, why, and with which id");
	CHECK_STR(field(part(all, 1), "Content-Type"),
		  "message/delivery-status", "the second is for programs");
	status = body_of(part(all, 1));
	one = first_rcpt(all);
	CHECK_STR(field(status, "Reporting-MTA"), "dns; gate.example",
		  "Reporting-MTA");
	CHECK_STR(field(status, "Arrival-Date"),
		  "Tue, 14 Nov 2023 22:13:20 +0000", "Arrival-Date");
	CHECK_STR(field(status, "X-Mcgate-ID"), "01jq8z5m3k000000", "our id");
	CHECK_STR(field(status, "Original-Envelope-Id"), NULL, "no ENVID");
	CHECK_STR(field(one, "Final-Recipient"), "rfc822; b@b.example",
		  "Final-Recipient");
	CHECK_STR(field(one, "Original-Recipient"), NULL, "no ORCPT");
	CHECK_STR(field(one, "Action"), "failed", "Action");
	CHECK_STR(field(one, "Status"), "5.1.1", "Status");
	CHECK_STR(field(one, "Remote-MTA"), "dns; mx.b.example", "Remote-MTA");
	CHECK_STR(field(one, "Diagnostic-Code"), "smtp; 550 5.1.1 no such user",
		  "Diagnostic-Code");
	CHECK_STR(field(one, "Last-Attempt-Date"),
		  "Tue, 14 Nov 2023 22:14:20 +0000", "Last-Attempt-Date");
	CHECK_STR(field(one, "Will-Retry-Until"), NULL, "no retry");
	CHECK_STR(field(part(all, 2), "Content-Type"), "text/rfc822-headers",
		  "the third is the header");
	CHECK_STR(field(body_of(part(all, 2)), "Subject"), "hello",
		  "the header is the original's");
	CHECK(!says(all, "the body"), "the body is not in it");
	buf_release(&out);
}

static void
check_delayed(void)
{
	struct dsn_rcpt two[2];
	struct buf out = { 0 };
	struct span all, status, one;

	reset();
	rcpt.action = DSN_DELAYED;
	dsn.will_retry_until_us = 1700432040000000;
	dsn.envid = "QQ+2B314";
	two[0] = two[1] = rcpt;
	two[0].enhanced = "";
	two[0].orcpt = "rfc822;b+2Blist@b.example";
	two[0].diagnostic = "connection timed out";
	two[1].address = "c@b.example";
	two[1].relay = "";
	two[1].diagnostic = "";
	two[1].enhanced = "4.4.1";
	two[1].last_attempt_us = 0;
	dsn.rcpts = two;
	dsn.rcpt_count = 2;
	CHECK_INT(dsn_write(&dsn, &out, NULL), 0, "a delay is written");
	all = buf_span(&out);
	CHECK(is_well_formed(&out, false), "it is well formed");
	CHECK(says(part(all, 0), "has not been delivered") &&
		      says(part(all, 0), "do not have to do anything") &&
		      says(part(all, 0), "Nov 2023 22:14:00"),
	      "it says so, and until when");
	status = body_of(part(all, 1));
	one = first_rcpt(all);
	CHECK_STR(field(status, "Original-Envelope-Id"), "QQ+314", "ENVID");
	CHECK_STR(field(one, "Original-Recipient"), "rfc822; b+list@b.example",
		  "ORCPT");
	CHECK_STR(field(one, "Action"), "delayed", "Action");
	CHECK_STR(field(one, "Status"), "4.0.0", "Status where none is known");
	CHECK_STR(field(one, "Diagnostic-Code"),
		  "x-mcgate; connection timed out", "words of our own");
	CHECK_STR(field(one, "Will-Retry-Until"),
		  "Sun, 19 Nov 2023 22:14:00 +0000", "Will-Retry-Until");
	one = body_of(one);
	CHECK_STR(field(one, "Final-Recipient"), "rfc822; c@b.example",
		  "the second recipient");
	CHECK_STR(field(one, "Remote-MTA"), NULL, "without a next hop");
	CHECK_STR(field(one, "Diagnostic-Code"), NULL, "or an answer");
	CHECK_STR(field(one, "Last-Attempt-Date"), NULL, "or a time");
	buf_release(&out);
}

static void
check_utf8(void)
{
	struct buf out = { 0 };
	struct span all;

	reset();
	rcpt.address = "j\xc3\xb6rg@b.example";
	rcpt.diagnostic = "550 kein J\xc3\xb6rg hier";
	rcpt.orcpt = "utf-8;j\xc3\xb6rg@b.example";
	dsn.header = SPAN_LIT("Subject: \xc3\xa4\r\nX: \xff\r\n\r\n");
	CHECK(dsn_is_utf8(&dsn), "an address that is not ASCII needs UTF-8");
	dsn_write(&dsn, &out, NULL);
	all = buf_span(&out);
	CHECK(is_well_formed(&out, true), "it is well formed");
	CHECK_STR(field(all, "Content-Transfer-Encoding"), "8bit",
		  "and says so");
	CHECK_STR(field(part(all, 0), "Content-Type"),
		  "text/plain; charset=utf-8", "first part");
	CHECK_STR(field(part(all, 1), "Content-Type"),
		  "message/global-delivery-status", "second part");
	CHECK_STR(field(part(all, 2), "Content-Type"), "message/global-headers",
		  "third part");
	CHECK_STR(field(first_rcpt(all), "Final-Recipient"),
		  "utf-8; j\xc3\xb6rg@b.example", "Final-Recipient");
	CHECK_STR(field(first_rcpt(all), "Original-Recipient"),
		  "utf-8; j\xc3\xb6rg@b.example", "Original-Recipient");
	CHECK_STR(field(body_of(part(all, 2)), "Subject"), "\xc3\xa4",
		  "the header as it was");
	CHECK_STR(field(body_of(part(all, 2)), "X"), "?",
		  "bytes that are no UTF-8 are not");
	reset();
	dsn.is_utf8 = true;
	buf_clear(&out);
	dsn_write(&dsn, &out, NULL);
	CHECK_STR(field(first_rcpt(buf_span(&out)), "Final-Recipient"),
		  "rfc822; b@b.example", "an ASCII address stays one");
	reset();
	rcpt.diagnostic = "550 J\xc3\xb6rg?";
	dsn.header = SPAN_LIT("Subject: \xc3\xa4\r\n\r\n");
	buf_clear(&out);
	dsn_write(&dsn, &out, NULL);
	CHECK(!dsn_is_utf8(&dsn) && is_well_formed(&out, false),
	      "all else is ASCII");
	CHECK_STR(field(first_rcpt(buf_span(&out)), "Diagnostic-Code"),
		  "smtp; 550 J?rg?", "one ? for each character");
	buf_release(&out);
}

/* Several fates in one, and a success that the next hop does not tell of. */
static void
check_mixed(void)
{
	struct dsn_rcpt three[3];
	struct buf out = { 0 };
	struct span all, text, one;
	const char *failed, *delayed, *relayed;

	reset();
	three[0] = three[1] = three[2] = rcpt;
	three[0].action = DSN_RELAYED;
	three[0].address = "ok@b.example";
	three[0].enhanced = "2.1.9";
	three[0].diagnostic = "250 2.0.0 taken";
	three[1].action = DSN_DELAYED;
	three[1].address = "late@b.example";
	three[1].enhanced = "4.2.0";
	three[2].action = DSN_FAILED;
	dsn.rcpts = three;
	dsn.rcpt_count = 3;
	CHECK_INT(dsn_write(&dsn, &out, NULL), 0, "three fates are written");
	all = buf_span(&out);
	CHECK(is_well_formed(&out, false), "three fates: well formed");
	CHECK_STR(field(all, "Subject"), "Your message could not be delivered",
		  "the gravest is the subject");
	text = part(all, 0);
	failed = memmem(text.p, text.len, "could not be delivered", 22);
	delayed = memmem(text.p, text.len, "has not been delivered", 22);
	relayed = memmem(text.p, text.len, "was passed on", 13);
	CHECK(failed != NULL && delayed > failed && relayed > delayed,
	      "and stands first");
	CHECK(says(text, "not known there: please check it"),
	      "it says what can be done");
	one = first_rcpt(all);
	CHECK_STR(field(one, "Action"), "relayed", "a success: Action");
	CHECK_STR(field(one, "Status"), "2.1.9", "a success: Status");
	one = body_of(one);
	CHECK_STR(field(one, "Action"), "delayed", "a delay: Action");
	one = body_of(one);
	CHECK_STR(field(one, "Action"), "failed", "a failure: Action");
	three[1].action = three[2].action = DSN_RELAYED;
	three[1].enhanced = three[2].enhanced = "";
	buf_clear(&out);
	dsn_write(&dsn, &out, NULL);
	all = buf_span(&out);
	CHECK_STR(field(all, "Subject"), "Your message was passed on",
		  "successes alone");
	CHECK_STR(field(body_of(first_rcpt(all)), "Status"), "2.0.0",
		  "a success without a code");
	buf_release(&out);
}

/* RFC 6533 section 3: what an ORCPT of type utf-8 may hold. */
static void
check_utf8_orcpt(void)
{
	static const struct {
		const char *orcpt, *want;
	} rows[] = {
		{ "utf-8;j\\x{F6}rg@b.example",
		  "utf-8; j\xc3\xb6rg@b.example" },
		{ "UTF-8;\\x{20AC}\\x{1F600}@b.example",
		  "UTF-8; \xe2\x82\xac\xf0\x9f\x98\x80@b.example" },
		{ "utf-8;\\x{41}\\x{D800}\\x{110000}\\x{}\\x{F6",
		  "utf-8; \\x{41}\\x{D800}\\x{110000}\\x{}\\x{F6" },
		{ "utf-8;\\x{-1}\\x{FFFFFFFFFFFFFFFFFFFF}",
		  "utf-8; \\x{-1}\\x{FFFFFFFFFFFFFFFFFFFF}" },
		{ "rfc822;j\\x{F6}rg@b.example",
		  "rfc822; j\\x{F6}rg@b.example" },
	};
	struct buf out = { 0 };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		reset();
		dsn.is_utf8 = true;
		rcpt.orcpt = rows[i].orcpt;
		buf_clear(&out);
		dsn_write(&dsn, &out, NULL);
		CHECK_STR(
			field(first_rcpt(buf_span(&out)), "Original-Recipient"),
			rows[i].want, "ORCPT %s", rows[i].orcpt);
		CHECK(is_well_formed(&out, true), "and well formed");
	}
	dsn.is_utf8 = false;
	rcpt.orcpt = rows[0].orcpt;
	buf_clear(&out);
	dsn_write(&dsn, &out, NULL);
	CHECK_STR(field(first_rcpt(buf_span(&out)), "Original-Recipient"),
		  "utf-8; j\\x{F6}rg@b.example",
		  "it stays as it is where all is ASCII");
	buf_release(&out);
}

/* Texts that try to end a line, a part or the header. */
static void
check_hostile(void)
{
	struct buf long_text = { 0 };
	struct buf header = { 0 };
	struct buf out = { 0 };
	struct span all;
	int i;

	reset();
	rcpt.diagnostic = "550 x\r\nAction: delivered\r\n\r\nFinal: y";
	rcpt.relay = "a\r\nb[\x01";
	rcpt.orcpt = "rfc822;a+0D+0AAction:+20x+00y";
	rcpt.enhanced = "5.1.1\r\nX: y";
	dsn.to = "a@a.example>\r\nBcc: <c@c.example";
	dsn.envid = "x+0D+0AX:+20y";
	dsn.header = SPAN_LIT("A: 1\r\n \r\n \t \r\nB\n: x\r\nC: \r2\0\r\n"
			      "--=_mcgate-01jq8z5m3k7n2p4r-0\r\nD: 3\n"
			      "E: --=_mcgate-01jq8z5m3k7n2p4r-0--\n");
	dsn_write(&dsn, &out, NULL);
	all = buf_span(&out);
	CHECK(is_well_formed(&out, false), "hostile texts: well formed");
	CHECK_STR(field(all, "Bcc"), NULL, "hostile texts: no new field");
	CHECK_STR(field(first_rcpt(all), "Action"), "failed",
		  "hostile texts: the action is ours");
	CHECK_STR(field(first_rcpt(all), "Status"), "5.0.0",
		  "hostile texts: the status is one");
	CHECK(body_of(first_rcpt(all)).len == 0,
	      "hostile texts: no group of their own");
	CHECK_STR(field(body_of(part(all, 2)), "D"), "3",
		  "hostile texts: the header goes on to its end");
	CHECK(says(field(all, "Content-Type") != NULL
			   ? span_of(field(all, "Content-Type"))
			   : SPAN_LIT(""),
		   "p4r-1\""),
	      "hostile texts: a boundary that does not stand in them");

	reset();
	buf_add_str(&long_text, "550 ");
	for (i = 0; i < 5000; i++)
		buf_add_str(&long_text, "\xc3\xb6x");
	rcpt.diagnostic = buf_str(&long_text);
	rcpt.relay = rcpt.diagnostic + strlen("550 ");
	buf_add_str(&header, "Subject: ");
	buf_add_span(&header, buf_span(&long_text));
	buf_add_str(&header, "\r\n");
	for (i = 0; i < 5000; i++)
		buf_printf(&header, "X-%d: some text to fill a line\r\n", i);
	dsn.header = buf_span(&header);
	buf_clear(&out);
	dsn_write(&dsn, &out, NULL);
	CHECK(is_well_formed(&out, false), "long texts: well formed");
	CHECK(part(buf_span(&out), 2).len < 66 * 1024,
	      "long texts: the header is cut");
	CHECK(says(part(buf_span(&out), 2), "fill a line\r\n") &&
		      body_of(part(buf_span(&out), 2)).len > 60 * 1024,
	      "long texts: not sooner than has to be");
	dsn.is_utf8 = true;
	buf_clear(&out);
	dsn_write(&dsn, &out, NULL);
	CHECK(is_well_formed(&out, true), "long texts in UTF-8: well formed");
	buf_release(&long_text);
	buf_release(&header);
	buf_release(&out);
}

static void
check_refused(void)
{
	struct buf out = { 0 };
	struct err e = { "" };

	reset();
	dsn.to = "";
	CHECK(dsn_write(&dsn, &out, &e) == -1 && e.text[0] != '\0',
	      "no one to tell");
	reset();
	dsn.rcpt_count = 0;
	CHECK_INT(dsn_write(&dsn, &out, NULL), -1, "nothing to tell of");
	reset();
	dsn.reporting_mta = "";
	CHECK_INT(dsn_write(&dsn, &out, NULL), -1, "no name of ours");
	reset();
	buf_add_str(&out, "x");
	out.limit = 500;
	CHECK(dsn_write(&dsn, &out, NULL) == -1 && out.len == 1,
	      "a buffer that is full is left as it was");
	reset();
	dsn.header = (struct span){ NULL, 0 };
	out.limit = 0;
	buf_clear(&out);
	CHECK(dsn_write(&dsn, &out, NULL) == 0 && is_well_formed(&out, false),
	      "an original without a header");
	CHECK_STR(field(buf_span(&out), "References"), NULL,
		  "has nothing to refer to");
	dsn.header = SPAN_LIT("Message-ID: <a b>\r\n\r\n");
	buf_clear(&out);
	dsn_write(&dsn, &out, NULL);
	CHECK_STR(field(buf_span(&out), "References"), NULL,
		  "nor has one with a bad Message-ID");
	buf_release(&out);
}

static void
check_relay(void)
{
	static const struct {
		const char *relay, *want;
	} rows[] = {
		{ "mx.b.example[192.0.2.2]:25", "dns; mx.b.example" },
		{ "192.0.2.2[192.0.2.2]:25", "dns; [192.0.2.2]" },
		{ "2001:db8::2[2001:db8::2]:25", "dns; [IPv6:2001:db8::2]" },
		{ "[192.0.2.2]:25", "dns; [192.0.2.2]" },
		{ "[2001:db8::2]:25", "dns; [IPv6:2001:db8::2]" },
		{ "mx.b.example", "dns; mx.b.example" },
		{ "", NULL },
	};
	struct buf out = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		reset();
		rcpt.relay = rows[i].relay;
		buf_clear(&out);
		(void)dsn_write(&dsn, &out, NULL);
		CHECK_STR(field(first_rcpt(buf_span(&out)), "Remote-MTA"),
			  rows[i].want, "Remote-MTA of a next hop");
	}
	buf_release(&out);
}

int
main(void)
{
	setenv("TZ", "UTC0", 1);
	tzset();
	check_failed();
	check_relay();
	check_delayed();
	check_mixed();
	check_utf8();
	check_utf8_orcpt();
	check_hostile();
	check_refused();
	return check_done();
}
