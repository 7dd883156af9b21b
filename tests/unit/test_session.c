/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Dialogues with the server's SMTP engine.  Each is played whole and byte
 * by byte, with answers at once, late, and those of recipients in reverse:
 * the replies are the same.
 */
#include "check.h"
#include "sessionplay.h"
#include "str.h"

static const struct play_row rows[] = {
	{ "EHLO tells what works", EHLO, EHLO_REPLY, NULL },
	{ "HELO is answered by the name", HELO, HELO_OK, NULL },
	{ "HELO needs a name", "HELO\r\nEHLO\r\n",
	  "501 5.5.4 An argument is needed: HELO\r\n"
	  "501 5.5.4 An argument is needed: EHLO\r\n",
	  NULL },
	{ "one mail, one command at a time",
	  TO_DATA "Subject: x\r\n\r\nhi\r\n.\r\n" QUIT, TO_GO SENT BYE,
	  "Subject: x\r\n\r\nhi\r\n" },
	{ "two mails in one session",
	  TO_DATA "1\r\n.\r\n" MAIL RCPT DATA "2\r\n.\r\n",
	  TO_GO SENT MAIL_OK RCPT_OK GO SENT, "2\r\n" },
	{ "an empty message", TO_DATA ".\r\n", TO_GO SENT, "" },
	{ "dots are taken off", TO_DATA "..\r\n...\r\n.a\r\n.\r\n", TO_GO SENT,
	  ".\r\n..\r\na\r\n" },
	{ "replies to recipients keep their order",
	  HELO MAIL "RCPT TO:<ok@x.example>\r\nRCPT TO:<no@x.example>\r\n" RCPT
		    "RCPT TO:<tmp@x.example>\r\n" DATA "m\r\n.\r\n",
	  HELO_OK MAIL_OK RCPT_OK NO_USER RCPT_OK "451 4.3.0 Later\r\n" GO SENT,
	  "m\r\n" },
	{ "more recipients than are asked for at a time",
	  HELO MAIL TEN(RCPT) TEN(RCPT) TEN(RCPT) TEN(RCPT) DATA "m\r\n.\r\n",
	  HELO_OK MAIL_OK TEN(RCPT_OK) TEN(RCPT_OK) TEN(RCPT_OK) TEN(RCPT_OK)
		  GO SENT,
	  "m\r\n" },
	{ "too many recipients",
	  HELO MAIL TEN(RCPT) TEN(RCPT) TEN(RCPT) TEN(RCPT) TEN(RCPT) RCPT NOOP,
	  HELO_OK MAIL_OK TEN(RCPT_OK) TEN(RCPT_OK) TEN(RCPT_OK) TEN(RCPT_OK)
		  TEN(RCPT_OK) "452 4.5.3 Too many recipients\r\n" OK,
	  NULL },
	{ "too many that are refused",
	  HELO MAIL TEN(RCPT) TEN(NO NO NO NO NO NO NO NO NO) NO RCPT NOOP,
	  HELO_OK MAIL_OK TEN(RCPT_OK)
		  TEN(NO_USER NO_USER NO_USER NO_USER NO_USER NO_USER NO_USER
			      NO_USER NO_USER) TOO_MANY TOO_MANY OK,
	  NULL },
	{ "MAIL needs HELO", MAIL, "503 5.5.1 Say EHLO first\r\n", NULL },
	{ "RCPT needs MAIL", HELO RCPT, HELO_OK "503 5.5.1 Need MAIL first\r\n",
	  NULL },
	{ "DATA needs MAIL", HELO DATA, HELO_OK "503 5.5.1 Need MAIL first\r\n",
	  NULL },
	{ "DATA needs RCPT", HELO MAIL DATA,
	  HELO_OK MAIL_OK "503 5.5.1 Need RCPT first\r\n", NULL },
	{ "DATA needs a recipient that was taken",
	  HELO MAIL "RCPT TO:<no@x.example>\r\n" DATA,
	  HELO_OK MAIL_OK NO_USER "554 5.5.1 No valid recipients\r\n", NULL },
	{ "DATA after recipients that were put off",
	  HELO MAIL "RCPT TO:<tmp@x.example>\r\nRCPT TO:<no@x.example>\r\n" DATA
		    "RSET\r\n" MAIL DATA,
	  HELO_OK MAIL_OK "451 4.3.0 Later\r\n" NO_USER
			  "451 4.5.1 No recipient was taken, try again "
			  "later\r\n250 2.0.0 Reset\r\n" MAIL_OK
			  "503 5.5.1 Need RCPT first\r\n",
	  NULL },
	{ "MAIL within MAIL", HELO MAIL MAIL,
	  HELO_OK MAIL_OK "503 5.5.1 MAIL was given already\r\n", NULL },
	{ "a sender that is refused leaves no transaction",
	  HELO "MAIL FROM:<bad@b.example>\r\n" RCPT MAIL RCPT,
	  HELO_OK
	  "550 5.7.1 Bad sender\r\n503 5.5.1 Need MAIL first\r\n" MAIL_OK
		  RCPT_OK,
	  NULL },
	{ "the null sender", HELO "MAIL FROM:<>\r\n" RCPT DATA "m\r\n.\r\n",
	  HELO_OK MAIL_OK RCPT_OK GO SENT, "m\r\n" },
	{ "RSET ends the transaction", HELO MAIL RCPT "RSET\r\n" DATA,
	  HELO_OK MAIL_OK RCPT_OK
	  "250 2.0.0 Reset\r\n503 5.5.1 Need MAIL first\r\n",
	  NULL },
	{ "EHLO ends the transaction", HELO MAIL RCPT HELO DATA,
	  HELO_OK MAIL_OK RCPT_OK HELO_OK "503 5.5.1 Need MAIL first\r\n",
	  NULL },
	{ "DATA refused, the session goes on",
	  HELO "MAIL FROM:<nodata@b.example>\r\n" RCPT DATA NOOP MAIL,
	  HELO_OK MAIL_OK RCPT_OK "452 4.3.1 No space\r\n" OK MAIL_OK, NULL },
	{ "the end refused, the session goes on",
	  HELO "MAIL FROM:<noend@b.example>\r\n" RCPT DATA
	       "m\r\n.\r\n" NOOP MAIL,
	  HELO_OK MAIL_OK RCPT_OK GO "451 4.3.0 Later\r\n" OK MAIL_OK,
	  "m\r\n" },
	{ "a write fails: read to the end, then refuse",
	  HELO "MAIL FROM:<nowrite@b.example>\r\n" RCPT DATA
	       "QUIT\r\nMAIL FROM:<x@y.example>\r\n.\r\n" NOOP,
	  HELO_OK MAIL_OK RCPT_OK GO "451 4.3.0 Later\r\n" OK, "" },
	{ "words of little use",
	  "NOOP x y\r\nVRFY a\r\nEXPN a\r\nHELP\r\nHELP MAIL\r\n",
	  OK "252 2.1.5 Cannot verify, send mail and see\r\n"
	     "502 5.5.1 EXPN is not offered\r\n"
	     "214 2.0.0 See RFC 5321\r\n214 2.0.0 See RFC 5321\r\n",
	  NULL },
	{ "what is not offered",
	  EHLO "STARTTLS\r\nAUTH PLAIN\r\nXCLIENT A=b\r\n",
	  EHLO_REPLY "502 5.5.1 STARTTLS is not offered\r\n"
		     "502 5.5.1 AUTH is not offered\r\n"
		     "550 5.7.0 XCLIENT is not for this client\r\n",
	  NULL },
	{ "an unknown verb", "FROB x\r\n\r\n",
	  "500 5.5.1 Command not known\r\n500 5.5.1 Command not known\r\n",
	  NULL },
	{ "a command that ends in LF alone", "HELO c.example\nNOOP\n",
	  HELO_OK OK, NULL },
	{ "verbs in any case", "hElO c.example\r\nnoop\r\n", HELO_OK OK, NULL },
	{ "QUIT ends it, what follows is not looked at", QUIT NOOP NOOP, BYE,
	  NULL },
	{ "SIZE= too large", EHLO "MAIL FROM:<a@b.example> SIZE=1001\r\n",
	  EHLO_REPLY "552 5.3.4 Message too large\r\n", NULL },
	{ "SIZE= not a number", EHLO "MAIL FROM:<a@b.example> SIZE=x\r\n",
	  EHLO_REPLY "501 5.5.4 Wrong value of parameter: SIZE\r\n", NULL },
	{ "BODY=BINARYMIME", EHLO "MAIL FROM:<a@b.example> BODY=BINARYMIME\r\n",
	  EHLO_REPLY "555 5.6.1 BINARYMIME is not offered\r\n", NULL },
	{ "all parameters",
	  EHLO "MAIL FROM:<a@b.example> SIZE=9 BODY=8BITMIME SMTPUTF8 "
	       "RET=HDRS ENVID=q1\r\n"
	       "RCPT TO:<ok@d.example> NOTIFY=NEVER "
	       "ORCPT=rfc822;ok@d.example\r\n",
	  EHLO_REPLY MAIL_OK RCPT_OK, NULL },
	{ "a syntax error among recipients keeps its place",
	  HELO MAIL RCPT "RCPT ok@d.example\r\n" RCPT NOOP,
	  HELO_OK MAIL_OK RCPT_OK
	  "501 5.5.4 Syntax: RCPT TO:<address>\r\n" RCPT_OK OK,
	  NULL },
	{ "a message too large is read away, then refused",
	  TO_DATA TEN(TEN("0123456789ab\r\n")) ".\r\n" NOOP,
	  TO_GO "552 5.3.4 Message too large\r\n" OK, NULL },
	{ "a message just small enough",
	  TO_DATA TEN(TEN("01234567\r\n")) ".\r\n", TO_GO SENT,
	  TEN(TEN("01234567\r\n")) },
	{ "an endless message",
	  TO_DATA TEN(TEN("0123456789012345678901234567890123456789\r\n")),
	  TO_GO "552 5.3.4 Message too large, closing\r\n", NULL },
	{ "a bare LF is refused", TO_DATA "a\nb\r\n.\r\n" NOOP, TO_GO BARE OK,
	  NULL },
	{ "a bare CR is refused", TO_DATA "a\rb\r\n.\r\n" NOOP, TO_GO BARE OK,
	  NULL },
	{ "LF.LF is no end", TO_DATA "a\n.\n" MAIL "\r\n.\r\n" NOOP,
	  TO_GO BARE OK, NULL },
	{ "LF.CRLF is no end", TO_DATA "a\n.\r\n" MAIL "\r\n.\r\n" NOOP,
	  TO_GO BARE OK, NULL },
	{ "CRLF.LF is no end", TO_DATA "a\r\n.\n" MAIL "\r\n.\r\n" NOOP,
	  TO_GO BARE OK, NULL },
	{ "CRLF.CR is no end", TO_DATA "a\r\n.\r" MAIL "\r\n.\r\n" NOOP,
	  TO_GO BARE OK, NULL },
	{ "too many Received fields",
	  TO_DATA TEN(TEN("Received:\r\n")) "Received:\r\n\r\n.\r\n",
	  TO_GO "552 5.3.4 Message too large\r\n", NULL },
	{ "8-bit bytes in a command", HELO "MAIL FROM:<\303\244@b.example>\r\n",
	  HELO_OK "553 5.6.7 Not ASCII, and SMTPUTF8 was not asked for\r\n",
	  NULL },
	{ "SMTPUTF8 addresses",
	  EHLO "MAIL FROM:<\303\244@b.example> SMTPUTF8\r\n"
	       "RCPT TO:<\303\266@b.example>\r\n",
	  EHLO_REPLY MAIL_OK RCPT_OK, NULL },
	{ "too many errors", "A\r\nB\r\nC\r\nD\r\nE\r\n",
	  "500 5.5.1 Command not known\r\n500 5.5.1 Command not known\r\n"
	  "500 5.5.1 Command not known\r\n500 5.5.1 Command not known\r\n"
	  "421 4.7.0 Too many errors, closing\r\n",
	  NULL },
	{ "unknown recipients beside a good one are no errors",
	  HELO MAIL RCPT TEN("RCPT TO:<no@x.example>\r\n") NOOP,
	  HELO_OK MAIL_OK RCPT_OK TEN(NO_USER) OK, NULL },
	{ "too many messages",
	  TO_DATA ".\r\n" MAIL RCPT DATA ".\r\n" MAIL RCPT DATA
		  ".\r\n" MAIL NOOP,
	  TO_GO SENT MAIL_OK RCPT_OK GO SENT MAIL_OK RCPT_OK GO SENT
	  "421 4.7.0 Too many messages in one session, closing\r\n",
	  "" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_long_line(void)
{
	static char line[5000];
	struct buf in = { 0 };

	memset(line, 'x', sizeof(line));
	buf_add(&in, line, sizeof(line));
	buf_add_str(&in, "\r\nNOOP\r\n");
	play_open(AT_ONCE);
	play_feed(in.data, in.len, 700);
	CHECK_STR(buf_str(&p.out), "500 5.5.2 Line too long\r\n" OK,
		  "a line too long is skipped to its end");
	play_close();

	play_open(AT_ONCE);
	play_feed(in.data, in.len, in.len);
	CHECK_STR(buf_str(&p.out), "500 5.5.2 Line too long\r\n" OK,
		  "a line too long in one piece is skipped too");
	play_close();
	buf_release(&in);
}

/* Received fields are counted where the size allows so many. */
static void
test_hops(void)
{
	struct session_conf large = play_conf;
	struct buf in = { 0 };
	int hops, i;

	large.size_max = 100000;
	for (hops = SESSION_HOPS_MAX; hops <= SESSION_HOPS_MAX + 1; hops++) {
		buf_clear(&in);
		buf_add_str(&in, TO_DATA);
		for (i = 0; i < hops; i++)
			buf_add_str(&in, "Received: x\r\n");
		buf_add_str(&in, "\r\nReceived: no field\r\n.\r\n");
		play_open(LATE);
		p.s.conf = &large;
		play_feed(in.data, in.len, in.len);
		CHECK_STR(buf_str(&p.out),
			  hops > SESSION_HOPS_MAX ? TO_GO
				  "554 5.4.6 Too many Received fields: this "
				  "message loops\r\n"
						  : TO_GO SENT,
			  "%d Received fields", hops);
		play_close();
	}
	buf_release(&in);
}

static void
test_mend(void)
{
	static const char in[] = TO_DATA "a\nb\rc\r\n.\r\n";
	struct session_conf mend = play_conf;

	mend.mends_newlines = true;
	play_open(AT_ONCE);
	p.s.conf = &mend;
	play_feed(in, sizeof(in) - 1, 1);
	CHECK_STR(buf_str(&p.out), TO_GO SENT, "bare newlines are mended");
	CHECK_STR(buf_str(&p.body), "a\r\nb\r\nc\r\n", "into CRLF");
	play_close();
}

#define TURN MAIL RCPT "RSET\r\n"

/* While much output waits, no command is looked at. */
static void
test_output_bound(void)
{
	struct buf in = { 0 };
	size_t at = 0, n = 1;
	int i;

	buf_add_str(&in, HELO);
	for (i = 0; i < 2000; i++)
		buf_add_str(&in, TURN);
	play_open(AT_ONCE);
	while (n > 0 && at < in.len) {
		n = session_input(&p.s,
				  (struct span){ in.data + at, in.len - at });
		CHECK(n <= SESSION_TURN_MAX * strlen(MAIL),
		      "one turn takes a bounded number of commands");
		at += n;
	}
	CHECK(at < in.len && p.out.len < SESSION_OUT_HIGH + 100,
	      "input stops when the output is not taken");
	buf_clear(&p.out);
	CHECK(session_input(&p.s, (struct span){ in.data + at, in.len - at }) >
		      0,
	      "and goes on when it is");
	play_close();
	buf_release(&in);
}

static void
test_close(void)
{
	static const struct session_reply r = { 421, "4.3.2", "Stopping" };
	static const char in[] = HELO MAIL RCPT;

	play_open(LATE);
	(void)session_input(&p.s, (struct span){ in, sizeof(in) - 1 });
	CHECK(session_waits(&p.s) && !session_is_idle(&p.s),
	      "an answer is due");
	session_close(&p.s, &r);
	CHECK(!p.in_mail && p.due_count == 0, "closing resets what began");
	CHECK(session_is_closed(&p.s), "it is closed");
	CHECK_STR(buf_str(&p.out), HELO_OK "421 4.3.2 Stopping\r\n",
		  "and says so");
	CHECK_INT(session_input(&p.s, SPAN_LIT("NOOP\r\n")), 6,
		  "what comes then is thrown away");
	play_close();

	play_open(AT_ONCE);
	session_greet(&p.s);
	CHECK_STR(buf_str(&p.out), "220 gw.example ESMTP mcgate\r\n",
		  "the greeting");
	CHECK(session_is_idle(&p.s), "a fresh session is idle");
	CHECK_STR(session_helo(&p.s), "", "and has no name yet");
	play_close();
}

/* Words of an answer cannot break the dialogue. */
static void
test_reply_text(void)
{
	static const struct session_reply r = { 550, "5.1.1",
						"a\r\n250 Ok\r\n" };
	static const char in[] = HELO MAIL RCPT;

	play_open(LATE);
	(void)session_input(&p.s, (struct span){ in, sizeof(in) - 1 });
	play_answer();
	(void)session_input(
		&p.s, (struct span){ in + strlen(HELO MAIL), strlen(RCPT) });
	session_rcpt_reply(&p.s, p.dues[0].slot, &r);
	CHECK_STR(buf_str(&p.out), HELO_OK MAIL_OK "550 5.1.1 a??250 Ok??\r\n",
		  "line ends in a text are made printable");
	session_rcpt_reply(&p.s, p.dues[0].slot, &r);
	session_rcpt_reply(&p.s, 1000, &r);
	session_end_reply(&p.s, &r);
	session_mail_reply(&p.s, &r);
	session_data_reply(&p.s, &r);
	p.due_count = 0;
	play_close();
}

int
main(void)
{
	play_rows(rows, ROWS);
	test_long_line();
	test_hops();
	test_mend();
	test_output_bound();
	test_close();
	test_reply_text();
	return check_done();
}
