/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Command lines as a server takes them and the faults it answers, and
 * replies as a client takes them.
 */
#include <string.h>

#include "check.h"
#include "smtp.h"
#include "str.h"

#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X500 X100 X100 X100 X100 X100

static const struct line_row {
	const char *line;
	enum smtp_verb verb;
	const char *arg;
} lines[] = {
	{ "QUIT", SMTP_QUIT, "" },
	{ "quit", SMTP_QUIT, "" },
	{ "qUiT   ", SMTP_QUIT, "" },
	{ "HELO mx.example", SMTP_HELO, "mx.example" },
	{ "EHLO   [192.0.2.1]  ", SMTP_EHLO, "[192.0.2.1]" },
	{ "NOOP", SMTP_NOOP, "" },
	{ "NOOP what ever", SMTP_NOOP, "what ever" },
	{ "HELP", SMTP_HELP, "" },
	{ "VRFY joe", SMTP_VRFY, "joe" },
	{ "EXPN list", SMTP_EXPN, "list" },
	{ "DATA", SMTP_DATA, "" },
	{ "RSET", SMTP_RSET, "" },
	{ "STARTTLS", SMTP_STARTTLS, "" },
	{ "AUTH PLAIN AGEAYg==", SMTP_AUTH, "PLAIN AGEAYg==" },
	{ "XCLIENT ADDR=192.0.2.1", SMTP_XCLIENT, "ADDR=192.0.2.1" },
	{ "", SMTP_UNKNOWN, "" },
	{ "   ", SMTP_UNKNOWN, "" },
	{ " QUIT", SMTP_UNKNOWN, "QUIT" },
	{ "QUITX", SMTP_UNKNOWN, "" },
	{ "MAIL:", SMTP_UNKNOWN, "" },
	{ "GET / HTTP/1.0", SMTP_UNKNOWN, "/ HTTP/1.0" },
};

/* u: with UTF-8 allowed. */
static const struct fault_row {
	const char *line;
	bool u;
	int code;
	const char *enhanced;
} faults[] = {
	{ "DATA now", false, 501, "5.5.4" },
	{ "QUIT x", false, 501, "5.5.4" },
	{ "RSET x", false, 501, "5.5.4" },
	{ "STARTTLS x", false, 501, "5.5.4" },
	{ "HELO", false, 501, "5.5.4" },
	{ "EHLO ", false, 501, "5.5.4" },
	{ "VRFY", false, 501, "5.5.4" },
	{ "AUTH", false, 501, "5.5.4" },
	{ "NOOP\tx", false, 500, "5.5.2" },
	{ "NOOP \x7f", false, 500, "5.5.2" },
	{ "NOOP \x01", false, 500, "5.5.2" },
	{ "NOOP \r", false, 500, "5.5.2" },
	{ "NOOP \xc3\xb6", false, 500, "5.6.7" },
	{ "NOOP \xc3", true, 500, "5.5.2" },
	{ "MAIL", false, 501, "5.5.4" },
	{ "MAIL FROM", false, 501, "5.5.4" },
	{ "MAIL FROM :<a@b.example>", false, 501, "5.5.4" },
	{ "MAIL TO:<a@b.example>", false, 501, "5.5.4" },
	{ "MAIL FROM:", false, 501, "5.1.7" },
	{ "MAIL FROM:a@b.example", false, 501, "5.1.7" },
	{ "MAIL FROM:<a@b.example", false, 501, "5.1.7" },
	{ "MAIL FROM:<postmaster>", false, 501, "5.1.7" },
	{ "MAIL FROM:<a@b.example>SIZE=1", false, 501, "5.5.4" },
	{ "MAIL FROM:<\xc3\xb6@b.example>", false, 553, "5.6.7" },
	{ "MAIL FROM:<\xc3\xb6@b.example>", true, 553, "5.6.7" },
	{ "RCPT TO:<\xc3\xb6@b.example>", false, 553, "5.6.7" },
	{ "RCPT", false, 501, "5.5.4" },
	{ "RCPT FROM:<a@b.example>", false, 501, "5.5.4" },
	{ "RCPT TO:<>", false, 501, "5.1.3" },
	{ "RCPT TO:<joe>", false, 501, "5.1.3" },
	{ "RCPT TO:a@b.example", false, 501, "5.1.3" },
	{ "MAIL FROM:<> SIZE", false, 501, "5.5.4" },
	{ "MAIL FROM:<> SIZE=", false, 501, "5.5.4" },
	{ "MAIL FROM:<> SIZE=1x", false, 501, "5.5.4" },
	{ "MAIL FROM:<> SIZE=-1", false, 501, "5.5.4" },
	{ "MAIL FROM:<> SIZE=1=2", false, 501, "5.5.4" },
	{ "MAIL FROM:<> SIZE=123456789012345678901", false, 501, "5.5.4" },
	{ "MAIL FROM:<> SIZE=1 SIZE=1", false, 501, "5.5.4" },
	{ "MAIL FROM:<> SIZE=1 size=2", false, 501, "5.5.4" },
	{ "MAIL FROM:<> BODY=9BIT", false, 501, "5.5.4" },
	{ "MAIL FROM:<> BODY", false, 501, "5.5.4" },
	{ "MAIL FROM:<> SMTPUTF8=yes", false, 501, "5.5.4" },
	{ "MAIL FROM:<> SMTPUTF8=", false, 501, "5.5.4" },
	{ "MAIL FROM:<> RET=SOME", false, 501, "5.5.4" },
	{ "MAIL FROM:<> ENVID=", false, 501, "5.5.4" },
	{ "MAIL FROM:<> ENVID=a+2b", false, 501, "5.5.4" },
	{ "MAIL FROM:<> ENVID=a+2", false, 501, "5.5.4" },
	{ "MAIL FROM:<> ENVID=" X100 "x", false, 501, "5.5.4" },
	{ "MAIL FROM:<> FOO=bar", false, 555, "5.5.4" },
	{ "MAIL FROM:<> NOTIFY=NEVER", false, 555, "5.5.4" },
	{ "MAIL FROM:<> =", false, 555, "5.5.4" },
	{ "RCPT TO:<a@b.example> SIZE=1", false, 555, "5.5.4" },
	{ "RCPT TO:<a@b.example> NOTIFY", false, 501, "5.5.4" },
	{ "RCPT TO:<a@b.example> NOTIFY=", false, 501, "5.5.4" },
	{ "RCPT TO:<a@b.example> NOTIFY=NEVER,DELAY", false, 501, "5.5.4" },
	{ "RCPT TO:<a@b.example> NOTIFY=DELAY,", false, 501, "5.5.4" },
	{ "RCPT TO:<a@b.example> NOTIFY=,DELAY", false, 501, "5.5.4" },
	{ "RCPT TO:<a@b.example> NOTIFY=SOMETIMES", false, 501, "5.5.4" },
	{ "RCPT TO:<a@b.example> ORCPT=a@b.example", false, 501, "5.5.4" },
	{ "RCPT TO:<a@b.example> ORCPT=rfc822;", false, 501, "5.5.4" },
	{ "RCPT TO:<a@b.example> ORCPT=;a@b.example", false, 501, "5.5.4" },
	{ "RCPT TO:<a@b.example> ORCPT=rfc822;a+b", false, 501, "5.5.4" },
	{ "RCPT TO:<a@b.example> ORCPT=rfc822;" X500, false, 501, "5.5.4" },
	{ "RCPT TO:<a@b.example> ORCPT=rfc822;\xc3\xb6", true, 501, "5.5.4" },
	{ "BDAT", false, 501, "5.5.4" },
	{ "BDAT x", false, 501, "5.5.4" },
	{ "BDAT 1 FIRST", false, 501, "5.5.4" },
	{ "BDAT 1 LAST x", false, 501, "5.5.4" },
	{ "BDAT -1", false, 501, "5.5.4" },
};

static bool
span_is(struct span s, const char *text)
{
	return span_eq(s, span_of(text));
}

static void
check_lines(void)
{
	struct smtp_command c;
	struct smtp_fault f;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct line_row *row = &lines[i];
		int rc = smtp_parse_command(span_of(row->line), false, &c, &f);

		CHECK(rc == 0 && c.verb == row->verb &&
			      span_is(c.arg, row->arg),
		      "\"%s\" is %s with \"%s\"", row->line,
		      smtp_verb_name(row->verb), row->arg);
	}
}

static void
check_faults(void)
{
	struct smtp_command c;
	struct smtp_fault f;
	char shown[128];
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault_row *row = &faults[i];
		int rc = smtp_parse_command(span_of(row->line), row->u, &c, &f);

		str_printable(shown, sizeof(shown), row->line,
			      strlen(row->line));
		CHECK(rc == -1 && f.code == row->code &&
			      str_eq(f.enhanced, row->enhanced) &&
			      f.text.text[0] != '\0',
		      "\"%s\" gets %d %s", shown, row->code, row->enhanced);
		if (rc == -1 && f.code != row->code)
			printf("# got %d %s\n", f.code, f.enhanced);
	}
}

static bool
parse(const char *line, bool utf8, struct smtp_command *c)
{
	struct smtp_fault f;
	int rc = smtp_parse_command(span_of(line), utf8, c, &f);

	if (rc < 0)
		printf("# %d %s %s\n", f.code, f.enhanced, f.text.text);
	return rc == 0;
}

static void
check_mail(void)
{
	struct smtp_command c;

	CHECK(parse("mail from:<>", false, &c) && c.verb == SMTP_MAIL &&
		      c.path.text[0] == '\0' && !c.has_size &&
		      c.body == SMTP_BODY_7BIT && !c.smtputf8,
	      "the null path, and nothing else");
	CHECK(parse("MAIL  FROM:  <a@b.example>  ", false, &c) &&
		      str_eq(c.path.text, "a@b.example"),
	      "spaces behind the colon are taken");
	CHECK(parse("MAIL FROM:<a@b.example> SIZE=1000 BODY=8BITMIME "
		    "SMTPUTF8 RET=HDRS ENVID=a+2Bb",
		    false, &c) &&
		      c.has_size && c.size == 1000 &&
		      c.body == SMTP_BODY_8BITMIME && c.smtputf8 &&
		      span_is(c.ret, "HDRS") && span_is(c.envid, "a+2Bb"),
	      "all parameters of MAIL");
	CHECK(parse("MAIL FROM:<> body=binarymime ret=full", false, &c) &&
		      c.body == SMTP_BODY_BINARYMIME && span_is(c.ret, "full"),
	      "parameters in lower case");
	CHECK(parse("MAIL FROM:<> BODY=7BIT   SIZE=0", false, &c) &&
		      c.body == SMTP_BODY_7BIT && c.has_size && c.size == 0,
	      "several spaces between parameters");
	CHECK(parse("MAIL FROM:<> SIZE=99999999999999999999", false, &c) &&
		      c.size == UINT64_MAX,
	      "a size beyond 64 bits is the largest");
	CHECK(parse("MAIL FROM:<> SIZE=18446744073709551615", false, &c) &&
		      c.size == UINT64_MAX,
	      "the largest size of 64 bits");
	CHECK(parse("MAIL FROM:<\xc3\xb6@b.example> SMTPUTF8", true, &c) &&
		      c.path.is_utf8,
	      "a sender in UTF-8 with SMTPUTF8");
	CHECK(parse("MAIL FROM:<> ENVID=" X100, false, &c) &&
		      c.envid.len == 100,
	      "ENVID of 100");
}

static void
check_rcpt(void)
{
	struct smtp_command c;

	CHECK(parse("RCPT TO:<Postmaster>", false, &c) &&
		      str_eq(c.path.text, "Postmaster"),
	      "postmaster without a domain");
	CHECK(parse("RCPT TO:<a@b.example> NOTIFY=success,FAILURE,DELAY "
		    "ORCPT=rfc822;a+2Bx@b.example",
		    false, &c) &&
		      span_is(c.notify, "success,FAILURE,DELAY") &&
		      span_is(c.orcpt, "rfc822;a+2Bx@b.example"),
	      "all parameters of RCPT");
	CHECK(parse("RCPT TO:<a@b.example> NOTIFY=NEVER", false, &c) &&
		      span_is(c.notify, "NEVER"),
	      "NOTIFY=NEVER");
	CHECK(parse("RCPT TO:<\xc3\xb6@b.example> "
		    "ORCPT=utf-8;\xc3\xb6@b.example",
		    true, &c) &&
		      c.path.is_utf8,
	      "a recipient in UTF-8");
	CHECK(parse("BDAT 1234", false, &c) && c.chunk == 1234 && !c.is_last,
	      "BDAT");
	CHECK(parse("bdat 0 last", false, &c) && c.chunk == 0 && c.is_last,
	      "BDAT LAST");
}

static void
check_long(void)
{
	char line[SMTP_LINE_MAX + 1];
	struct smtp_command c;
	struct smtp_fault f;

	memset(line, 'x', sizeof(line));
	memcpy(line, "NOOP ", 5);
	CHECK_INT(smtp_parse_command((struct span){ line, SMTP_LINE_MAX },
				     false, &c, &f),
		  0, "a line of %d is taken", SMTP_LINE_MAX);
	CHECK(smtp_parse_command((struct span){ line, sizeof(line) }, false, &c,
				 &f) == -1 &&
		      f.code == 500 && c.verb == SMTP_NOOP,
	      "a longer one is refused, and its verb known");
	CHECK(smtp_parse_command((struct span){ NULL, 0 }, false, &c, &f) ==
			      0 &&
		      c.verb == SMTP_UNKNOWN,
	      "an empty span is no verb");
	CHECK(smtp_parse_command((struct span){ "NOOP \0", 6 }, false, &c,
				 &f) == -1 &&
		      f.code == 500,
	      "a NUL is refused");
}

/* Lines joined by "|"; enhanced NULL: the last one is wrong. */
static const struct reply_row {
	const char *what;
	const char *lines;
	int code;
	const char *enhanced;
	const char *text;
} replies[] = {
	{ "one line", "250 2.1.5 fine", 250, "2.1.5", "fine" },
	{ "no enhanced code", "250 fine", 250, "", "fine" },
	{ "several lines", "250-a|250-b|250 c", 250, "", "a b c" },
	{ "the enhanced code on each", "550-5.1.1 no|550 5.1.1 such", 550,
	  "5.1.1", "no such" },
	{ "a code alone", "250", 250, "", "" },
	{ "a code and a space", "354 ", 354, "", "" },
	{ "a code with a high digit", "571 5.7.1 no", 571, "5.7.1", "no" },
	{ "an enhanced code of another class", "550 4.1.1 no", 550, "",
	  "4.1.1 no" },
	{ "an enhanced code of three digits", "550 5.123.999", 550, "5.123.999",
	  "" },
	{ "one of four", "550 5.1234.1 no", 550, "", "5.1234.1 no" },
	{ "one that does not end", "550 5.1.1no", 550, "", "5.1.1no" },
	{ "one that is cut", "550 5.1.", 550, "", "5.1." },
	{ "no enhanced code of class 3", "354 3.1.1 go", 354, "", "3.1.1 go" },
	{ "controls and more", "550 a\x1b[1m\tb", 550, "", "a?[1m?b" },
	{ "lines without a text", "250-|250-x|250-|250 y", 250, "", "x y" },
	{ "no code", "hello", 0, NULL, NULL },
	{ "an empty line", "", 0, NULL, NULL },
	{ "two digits", "25 x", 0, NULL, NULL },
	{ "class 1", "150 x", 0, NULL, NULL },
	{ "class 6", "650 x", 0, NULL, NULL },
	{ "neither space nor hyphen", "250+x", 0, NULL, NULL },
	{ "four digits", "2500 x", 0, NULL, NULL },
	{ "a code that changes", "250-a|251 b", 0, NULL, NULL },
};

static void
check_reply(const struct reply_row *row)
{
	struct span rest = span_of(row->lines);
	struct smtp_reply r;
	struct span line;
	const char *bar;
	struct err e;
	int rc = 0;

	smtp_reply_clear(&r);
	for (;;) {
		bar = memchr(rest.p, '|', rest.len);
		line = rest;
		if (bar == NULL)
			break;
		line.len = (size_t)(bar - rest.p);
		rest = (struct span){ bar + 1, rest.len - line.len - 1 };
		if (smtp_reply_line(&r, line, &e) != 0)
			rc = -2;
	}
	if (rc == 0)
		rc = smtp_reply_line(&r, line, &e);
	if (row->enhanced == NULL) {
		CHECK_INT(rc, -1, "reply refused: %s", row->what);
		return;
	}
	CHECK_INT(rc, 1, "reply whole: %s", row->what);
	CHECK_INT(r.code, row->code, "reply code: %s", row->what);
	CHECK_STR(r.enhanced, row->enhanced, "enhanced: %s", row->what);
	CHECK_STR(r.text, row->text, "text: %s", row->what);
	CHECK_INT(r.text_len, strlen(r.text), "text length: %s", row->what);
}

static void
check_reply_limits(void)
{
	char line[SMTP_REPLY_LINE_MAX + 1];
	struct smtp_reply r;
	struct err e;
	int i, rc = 0;

	memset(line, 'x', sizeof(line));
	memcpy(line, "250-", 4);
	smtp_reply_clear(&r);
	CHECK_INT(smtp_reply_line(&r, (struct span){ line, sizeof(line) }, &e),
		  -1, "a reply line that is too long");
	CHECK_INT(smtp_reply_line(&r, (struct span){ NULL, 0 }, &e), -1,
		  "an empty span is no reply");
	smtp_reply_clear(&r);
	for (i = 0; i < SMTP_REPLY_LINES_MAX && rc == 0; i++)
		rc = smtp_reply_line(
			&r, (struct span){ line, SMTP_REPLY_LINE_MAX }, &e);
	CHECK_INT(rc, 0, "%d lines are taken", SMTP_REPLY_LINES_MAX);
	CHECK(r.text_len < sizeof(r.text) && r.text[r.text_len] == '\0',
	      "their text is cut");
	CHECK_INT(smtp_reply_line(&r, SPAN_LIT("250 x"), &e), -1,
		  "one more is too many");
}

int
main(void)
{
	size_t i;

	check_lines();
	check_faults();
	check_mail();
	check_rcpt();
	check_long();
	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++)
		check_reply(&replies[i]);
	check_reply_limits();
	CHECK_STR(smtp_verb_name(SMTP_BDAT), "BDAT", "a verb has its name");
	CHECK_STR(smtp_verb_name(SMTP_UNKNOWN), "unknown",
		  "so has one that is unknown");
	return check_done();
}
