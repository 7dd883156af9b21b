/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Extensions of the server's SMTP engine: BDAT, STARTTLS, XCLIENT, and what
 * may not be sent ahead.
 */
#include "check.h"
#include "sessionplay.h"
#include "str.h"

#define TO_BDAT EHLO MAIL RCPT
#define TO_CHUNK EHLO_REPLY MAIL_OK RCPT_OK
#define TAKEN(n) "250 2.0.0 " n " bytes taken\r\n"

static const struct play_row rows[] = {
	{ "a message in one chunk", TO_BDAT "BDAT 4 LAST\r\nhi\r\n" QUIT,
	  TO_CHUNK SENT BYE, "hi\r\n" },
	{ "a message in three, its dots as they are",
	  TO_BDAT "BDAT 3\r\n.\r\nBDAT 4\r\n..\r\nbdat 2 last\r\na." NOOP,
	  TO_CHUNK TAKEN("3") TAKEN("4") SENT OK, ".\r\n..\r\na." },
	{ "no end mark ends a chunk",
	  TO_BDAT "BDAT 15 LAST\r\na\r\n.\r\nQUIT\r\nb\r\n" NOOP,
	  TO_CHUNK SENT OK, "a\r\n.\r\nQUIT\r\nb\r\n" },
	{ "an empty last chunk", TO_BDAT "BDAT 2\r\nhiBDAT 0 LAST\r\n",
	  TO_CHUNK TAKEN("2") SENT, "hi" },
	{ "an empty message", TO_BDAT "BDAT 0 LAST\r\n", TO_CHUNK SENT, "" },
	{ "a CRLF between two chunks",
	  TO_BDAT "BDAT 2\r\na\rBDAT 2 LAST\r\n\nb", TO_CHUNK TAKEN("2") SENT,
	  "a\r\nb" },
	{ "a CR at the very end", TO_BDAT "BDAT 2 LAST\r\na\r" NOOP,
	  TO_CHUNK BARE OK, NULL },
	{ "a bare LF is told with the chunk",
	  TO_BDAT "BDAT 3\r\na\nbBDAT 1 LAST\r\nx" NOOP,
	  TO_CHUNK BARE "503 5.5.1 Need MAIL first\r\n" OK, NULL },
	{ "without MAIL its bytes are no commands",
	  EHLO "BDAT 6 LAST\r\nQUIT\r\n" NOOP,
	  EHLO_REPLY "503 5.5.1 Need MAIL first\r\n" OK, NULL },
	{ "without EHLO", "BDAT 6\r\nQUIT\r\n" NOOP,
	  "503 5.5.1 Say EHLO first\r\n" OK, NULL },
	{ "without a recipient", EHLO MAIL "BDAT 6 LAST\r\nQUIT\r\n" NOOP RCPT,
	  EHLO_REPLY MAIL_OK "503 5.5.1 Need RCPT first\r\n" OK
			     "503 5.5.1 Need MAIL first\r\n",
	  NULL },
	{ "without one that was taken",
	  EHLO MAIL NO "BDAT 6 LAST\r\nQUIT\r\n" NOOP,
	  EHLO_REPLY MAIL_OK NO_USER "554 5.5.1 No valid recipients\r\n" OK,
	  NULL },
	{ "refused at its begin, its bytes are read away",
	  EHLO "MAIL FROM:<nodata@b.example>\r\n" RCPT
	       "BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\n" NOOP,
	  EHLO_REPLY MAIL_OK RCPT_OK
	  "452 4.3.1 No space\r\n503 5.5.1 Need MAIL first\r\n" OK,
	  NULL },
	{ "refused at its end",
	  EHLO "MAIL FROM:<noend@b.example>\r\n" RCPT "BDAT 1 LAST\r\nx" NOOP,
	  EHLO_REPLY MAIL_OK RCPT_OK "451 4.3.0 Later\r\n" OK, NULL },
	{ "a write fails",
	  EHLO "MAIL FROM:<nowrite@b.example>\r\n" RCPT "BDAT 1 LAST\r\nx" NOOP,
	  EHLO_REPLY MAIL_OK RCPT_OK "451 4.3.0 Later\r\n" OK, NULL },
	{ "RCPT and DATA behind a chunk",
	  TO_BDAT "BDAT 1\r\nx" RCPT DATA "BDAT 0 LAST\r\n",
	  TO_CHUNK TAKEN("1") "503 5.5.1 RCPT after BDAT\r\n"
			      "503 5.5.1 DATA after BDAT\r\n" SENT,
	  "x" },
	{ "RSET between chunks",
	  TO_BDAT "BDAT 1\r\nxRSET\r\n" MAIL RCPT "BDAT 1 LAST\r\ny",
	  TO_CHUNK TAKEN("1") "250 2.0.0 Reset\r\n" MAIL_OK RCPT_OK SENT, "y" },
	{ "a chunk that is too large",
	  TO_BDAT "BDAT 1001 LAST\r\n" TEN(TEN("0123456789")) "x" NOOP,
	  TO_CHUNK "552 5.3.4 Message too large\r\n" OK, NULL },
	{ "chunks that are too large together",
	  TO_BDAT "BDAT 500\r\n" TEN(TEN("01234")) "BDAT 501\r\n" TEN(
		  TEN("01234")) "x" NOOP,
	  TO_CHUNK TAKEN("500") "552 5.3.4 Message too large\r\n" OK, NULL },
	{ "a chunk that is far too large",
	  TO_BDAT "BDAT 18446744073709551615 LAST\r\n" NOOP,
	  TO_CHUNK "552 5.3.4 Message too large, closing\r\n", NULL },
	{ "a size that is none ends the session",
	  TO_BDAT "BDAT x LAST\r\n" NOOP,
	  TO_CHUNK "501 5.5.4 Syntax: BDAT size [LAST]\r\n", NULL },
	{ "so does a word that is not LAST", TO_BDAT "BDAT 1 FIRST\r\n" NOOP,
	  TO_CHUNK "501 5.5.4 Syntax: BDAT size [LAST]\r\n", NULL },
	{ "a size below 0", TO_BDAT "BDAT -1\r\n" NOOP,
	  TO_CHUNK "501 5.5.4 Syntax: BDAT size [LAST]\r\n", NULL },
	{ "far too many recipients",
	  HELO MAIL TEN(TEN(RCPT RCPT RCPT RCPT RCPT)) RCPT RCPT,
	  HELO_OK MAIL_OK TEN(RCPT_OK RCPT_OK RCPT_OK RCPT_OK RCPT_OK) TEN(
		  TOO_MANY TOO_MANY TOO_MANY TOO_MANY
			  TOO_MANY) TEN(TOO_MANY TOO_MANY TOO_MANY TOO_MANY
						TOO_MANY)
		  TEN(TOO_MANY TOO_MANY TOO_MANY TOO_MANY TOO_MANY) TEN(
			  TOO_MANY TOO_MANY TOO_MANY TOO_MANY
				  TOO_MANY) TEN(TOO_MANY TOO_MANY TOO_MANY
							TOO_MANY TOO_MANY)
			  TEN(TOO_MANY TOO_MANY TOO_MANY TOO_MANY TOO_MANY) TEN(
				  TOO_MANY TOO_MANY TOO_MANY TOO_MANY TOO_MANY)
				  TEN(TOO_MANY TOO_MANY TOO_MANY TOO_MANY
					      TOO_MANY)
					  TEN(TOO_MANY TOO_MANY TOO_MANY
						      TOO_MANY
							      TOO_MANY) "421 "
									"4.5.3 "
									"Far "
									"too "
									"many "
									"recipi"
									"ents, "
									"closin"
									"g\r\n",
	  NULL },
	{ "commands without a message", TEN(TEN(NOOP)) NOOP NOOP,
	  TEN(TEN(OK)) "421 4.7.0 Too many commands without a message, "
		       "closing\r\n",
	  NULL },
	{ "DSN parameters that are wrong",
	  EHLO "MAIL FROM:<a@b.example> RET=ALL\r\n"
	       "MAIL FROM:<a@b.example> ENVID=a+4\r\n" MAIL
	       "RCPT TO:<ok@d.example> NOTIFY=NEVER,DELAY\r\n",
	  EHLO_REPLY "501 5.5.4 Wrong value of parameter: RET\r\n"
		     "501 5.5.4 Wrong value of parameter: ENVID\r\n" MAIL_OK
		     "501 5.5.4 Wrong value of parameter: NOTIFY\r\n",
	  NULL },
	{ "and one more", EHLO MAIL "RCPT TO:<ok@d.example> ORCPT=rfc822\r\n",
	  EHLO_REPLY MAIL_OK "501 5.5.4 Wrong value of parameter: ORCPT\r\n",
	  NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define TLS_OFFER                                               \
	"250-gw.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n" \
	"250-STARTTLS\r\n" EHLO_REST
#define XCLIENT_OFFER                                           \
	"250-gw.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n" \
	"250-XCLIENT " SMTP_XCLIENT_ATTRS "\r\n" EHLO_REST
#define READY "220 2.0.0 Ready to start TLS\r\n"
#define GREETING "220 gw.example ESMTP mcgate\r\n"

static void
say(const char *text)
{
	play_feed(text, strlen(text), strlen(text));
}

/* What was answered since the last call. */
static void
told(const char *want, const char *words)
{
	CHECK_STR(buf_str(&p.out), want, "%s", words);
	buf_clear(&p.out);
}

static void
test_starttls(void)
{
	play_open(AT_ONCE);
	session_offer(&p.s, true, false);
	say("STARTTLS\r\n");
	told("503 5.5.1 Say EHLO first\r\n", "EHLO comes first");
	say(EHLO MAIL RCPT);
	told(TLS_OFFER MAIL_OK RCPT_OK, "it is offered");
	say("STARTTLS\r\n");
	told(READY, "it may begin");
	CHECK_INT(p.handshakes, 1, "the owner is told");
	CHECK(!p.in_mail, "what had begun is over");
	CHECK(session_is_securing(&p.s) && !session_is_idle(&p.s),
	      "no command is taken meanwhile");
	CHECK_INT(session_input(&p.s, SPAN_LIT(NOOP)), 0, "not even one");
	session_secured(&p.s);
	say(MAIL);
	told("503 5.5.1 Say EHLO first\r\n", "EHLO is forgotten");
	say(EHLO "STARTTLS\r\n");
	told(EHLO_REPLY "503 5.5.1 TLS is on already\r\n",
	     "it is not offered again");
	play_close();
}

/* RFC 3207: what comes in the clear behind it is never looked at. */
static void
test_starttls_injected(void)
{
	static const char *const rows_in[] = {
		("STARTTLS\r\n" MAIL),
		"STARTTLS\r\n\r\n",
		"STARTTLS\nx",
	};
	size_t i;

	for (i = 0; i < sizeof(rows_in) / sizeof(rows_in[0]); i++) {
		play_open(AT_ONCE);
		session_offer(&p.s, true, false);
		say(EHLO);
		buf_clear(&p.out);
		say(rows_in[i]);
		told("554 5.5.1 Text behind STARTTLS, closing\r\n",
		     "text behind STARTTLS");
		CHECK(session_is_closed(&p.s) && p.handshakes == 0 &&
			      p.refusals == 1,
		      "ends it");
		play_close();
	}
}

static void
test_xclient(void)
{
	play_open(AT_ONCE);
	session_offer(&p.s, false, true);
	say(EHLO MAIL "XCLIENT NAME=c.example\r\n");
	told(XCLIENT_OFFER MAIL_OK "503 5.5.1 MAIL was given already\r\n",
	     "not within a transaction");
	say("RSET\r\nXCLIENT NAME=c.example ADDR=IPV6:2001:db8::1 PORT=25\r\n");
	told("250 2.0.0 Reset\r\n" GREETING, "the session begins anew");
	CHECK_STR(p.xclient.name, "c.example", "the owner is told the name");
	CHECK_INT(p.xclient.port, 25, "and the port");
	say(MAIL "XCLIENT FOO=1\r\n");
	told("503 5.5.1 Say EHLO first\r\n"
	     "501 5.5.4 Unknown attribute: FOO\r\n",
	     "EHLO is forgotten");
	say("XCLIENT HELO=h.example PROTO=SMTP\r\n" MAIL);
	told(GREETING MAIL_OK, "HELO is taken over");
	CHECK_STR(session_helo(&p.s), "h.example", "as it was told");
	play_close();
}

/* RFC 2920 section 3.1: who sends on where a reply decides is cut. */
static void
test_strict(void)
{
	static const struct {
		const char *words, *before, *in, *out;
	} rows_in[] = {
		{ "HELO and more", "", HELO NOOP, NULL },
		{ "EHLO and more", "", EHLO MAIL, NULL },
		{ "DATA and more", EHLO, MAIL RCPT DATA "x\r\n.\r\n",
		  MAIL_OK RCPT_OK },
		{ "VRFY and more", EHLO, "VRFY x\r\n" NOOP, NULL },
		{ "up to DATA", EHLO, MAIL RCPT DATA, MAIL_OK RCPT_OK GO },
		{ "BDAT with the next mail", EHLO,
		  "RSET\r\n" MAIL RCPT "BDAT 1 LAST\r\nx" MAIL,
		  "250 2.0.0 Reset\r\n" MAIL_OK RCPT_OK SENT MAIL_OK },
		{ "the end of data with the next mail", EHLO MAIL RCPT DATA,
		  "x\r\n.\r\n" MAIL RCPT, SENT MAIL_OK RCPT_OK },
		{ "words that change nothing", EHLO, NOOP NOOP QUIT,
		  OK OK BYE },
	};
	static const char cut[] = "554 5.5.0 Sent before this was answered "
				  "(RFC 2920), closing\r\n";
	struct session_conf strict = play_conf;
	char want[400];
	size_t i;

	strict.is_strict = true;
	for (i = 0; i < sizeof(rows_in) / sizeof(rows_in[0]); i++) {
		play_open(AT_ONCE);
		p.s.conf = &strict;
		play_feed(rows_in[i].before, strlen(rows_in[i].before), 1);
		buf_clear(&p.out);
		say(rows_in[i].in);
		(void)str_fmt(want, sizeof(want), "%s%s",
			      rows_in[i].out == NULL ? "" : rows_in[i].out,
			      i < 4 ? cut : "");
		told(want, rows_in[i].words);
		play_close();
	}
}

static void
test_drain(void)
{
	static const struct {
		const char *words, *before, *in, *out;
	} rows_in[] = {
		{ "MAIL", EHLO, MAIL, "" },
		{ "DATA of a mail that was begun", EHLO MAIL RCPT, DATA, "" },
		{ "the first BDAT", EHLO MAIL RCPT, "BDAT 1\r\nx", "" },
		{ "not what is being received", EHLO MAIL RCPT DATA,
		  "x\r\n.\r\n" MAIL, SENT },
		{ "not a message of several BDAT", EHLO MAIL RCPT "BDAT 1\r\nx",
		  "BDAT 1 LAST\r\ny" MAIL, SENT },
		{ "other words go on", EHLO, NOOP RCPT MAIL,
		  OK "503 5.5.1 Need MAIL first\r\n" },
	};
	static const char cut[] = "421 4.3.2 This host takes no new mail now, "
				  "try another\r\n";
	struct session_conf draining = play_conf;
	char want[200];
	size_t i;

	draining.is_draining = true;
	for (i = 0; i < sizeof(rows_in) / sizeof(rows_in[0]); i++) {
		play_open(AT_ONCE);
		play_feed(rows_in[i].before, strlen(rows_in[i].before), 1);
		buf_clear(&p.out);
		p.s.conf = &draining;
		say(rows_in[i].in);
		(void)str_fmt(want, sizeof(want), "%s%s", rows_in[i].out, cut);
		told(want, rows_in[i].words);
		play_close();
	}
}

int
main(void)
{
	play_rows(rows, ROWS);
	test_starttls();
	test_starttls_injected();
	test_xclient();
	test_strict();
	test_drain();
	return check_done();
}
