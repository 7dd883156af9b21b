/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Dialogues with the server's SMTP engine.  Each is played whole and byte
 * by byte, with answers at once, late, and those of recipients in reverse:
 * the replies are the same.
 */
#include <stdbool.h>

#include "check.h"
#include "session.h"
#include "str.h"
#include "xalloc.h"

#define EHLO "EHLO c.example\r\n"
#define EHLO_REPLY                                               \
	"250-gw.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n"  \
	"250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n" \
	"250 SMTPUTF8\r\n"
#define HELO "HELO c.example\r\n"
#define HELO_OK "250 gw.example\r\n"
#define MAIL "MAIL FROM:<a@b.example>\r\n"
#define MAIL_OK "250 2.1.0 Ok\r\n"
#define RCPT "RCPT TO:<ok@d.example>\r\n"
#define RCPT_OK "250 2.1.5 Ok\r\n"
#define DATA "DATA\r\n"
#define GO "354 End data with <CR><LF>.<CR><LF>\r\n"
#define SENT "250 2.0.0 Queued\r\n"
#define QUIT "QUIT\r\n"
#define BYE "221 2.0.0 Bye\r\n"
#define NOOP "NOOP\r\n"
#define OK "250 2.0.0 Ok\r\n"
#define TO_DATA HELO MAIL RCPT DATA
#define TO_GO HELO_OK MAIL_OK RCPT_OK GO
#define NO_USER "550 5.1.1 No such user\r\n"
#define NO "RCPT TO:<no@x.example>\r\n"
#define TOO_MANY "452 4.5.3 Too many recipients\r\n"
#define TEN(x) x x x x x x x x x x
#define BARE                                                                   \
	"550 5.6.11 Bare CR or LF in the message; RFC 5321 allows only CRLF\r" \
	"\n"

static const struct row {
	const char *name;
	const char *in, *out;
	const char *body; /* of the last message that was taken, or NULL */
} rows[] = {
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
	{ "extensions to come",
	  EHLO "STARTTLS\r\nBDAT 3 LAST\r\nAUTH PLAIN\r\n",
	  EHLO_REPLY "502 5.5.1 STARTTLS is not offered\r\n"
		     "502 5.5.1 BDAT is not offered\r\n"
		     "502 5.5.1 AUTH is not offered\r\n",
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

enum mode { AT_ONCE, LATE, REVERSED, MODES };

/* A question of the engine's that waits for its answer. */
struct due {
	int what; /* 'm', 'r', 'd', 'e' */
	unsigned slot;
	struct session_reply r;
};

static struct play {
	struct session s;
	struct buf out, body;
	enum mode mode;
	struct due dues[64];
	size_t due_count;
	char sender[64];
	unsigned resets, refusals;
	bool in_mail;
} p;

static const struct session_conf conf = {
	.hostname = "gw.example",
	.size_max = 1000,
	.rcpt_max = 50,
	.messages_max = 3,
	.errors_max = 4,
};

static void
answer(const struct due *d)
{
	if (d->what == 'm')
		session_mail_reply(&p.s, &d->r);
	else if (d->what == 'r')
		session_rcpt_reply(&p.s, d->slot, &d->r);
	else if (d->what == 'd')
		session_data_reply(&p.s, &d->r);
	else
		session_end_reply(&p.s, &d->r);
}

static void
ask(int what, unsigned slot, int code, const char *enhanced, const char *text)
{
	struct due d = { what, slot, { code, enhanced, text } };

	if (p.mode == AT_ONCE)
		answer(&d);
	else
		p.dues[p.due_count++] = d;
}

static bool
starts(const struct smtp_command *cmd, const char *word)
{
	return strncmp(cmd->path.text, word, strlen(word)) == 0;
}

static void
on_mail(void *arg, const struct smtp_command *cmd)
{
	(void)arg;
	p.in_mail = true;
	str_copy(p.sender, sizeof(p.sender), cmd->path.text);
	if (starts(cmd, "bad@"))
		ask('m', 0, 550, "5.7.1", "Bad sender");
	else
		ask('m', 0, 250, "2.1.0", "Ok");
}

static void
on_rcpt(void *arg, const struct smtp_command *cmd, unsigned slot)
{
	(void)arg;
	if (starts(cmd, "no@"))
		ask('r', slot, 550, "5.1.1", "No such user");
	else if (starts(cmd, "tmp@"))
		ask('r', slot, 451, "4.3.0", "Later");
	else
		ask('r', slot, 250, "2.1.5", "Ok");
}

static void
on_data(void *arg)
{
	(void)arg;
	buf_clear(&p.body);
	if (str_has_prefix(p.sender, "nodata@"))
		ask('d', 0, 452, "4.3.1", "No space");
	else
		ask('d', 0, 354, "", "End data with <CR><LF>.<CR><LF>");
}

static int
on_body(void *arg, struct span piece)
{
	(void)arg;
	if (str_has_prefix(p.sender, "nowrite@"))
		return -1;
	buf_add_span(&p.body, piece);
	return 0;
}

static void
on_end(void *arg, const struct session_body *body)
{
	(void)arg;
	if (str_has_prefix(p.sender, "no"))
		ask('e', 0, 451, "4.3.0", "Later");
	else if (body->size != p.body.len)
		ask('e', 0, 554, "5.0.0", "Wrong size told");
	else
		ask('e', 0, 250, "2.0.0", "Queued");
}

static void
on_reset(void *arg)
{
	(void)arg;
	p.resets += !p.in_mail;
	p.in_mail = false;
	p.due_count = 0;
}

static void
on_refused(void *arg, enum smtp_verb verb, const struct session_reply *r)
{
	(void)arg;
	(void)verb;
	p.refusals += r->code >= 400;
}

static const struct session_ops ops = {
	on_mail, on_rcpt, on_data, on_body, on_end, on_reset, on_refused,
};

/* The answers that are due, in the order of the mode. */
static void
answer_all(void)
{
	while (p.due_count > 0) {
		struct due d = p.dues[0];

		p.due_count--;
		if (p.mode == REVERSED)
			d = p.dues[p.due_count];
		else
			memmove(p.dues, p.dues + 1, p.due_count * sizeof(d));
		answer(&d);
	}
}

/* Gives all of in, at most chunk bytes more at a time. */
static void
feed(const char *in, size_t len, size_t chunk)
{
	size_t shown = 0, at = 0, n;

	while (at < len) {
		shown = shown + chunk < len ? shown + chunk : len;
		do {
			n = session_input(&p.s,
					  (struct span){ in + at, shown - at });
			at += n;
			if (n == 0 && p.due_count > 0) {
				answer_all();
				n = 1;
			}
		} while (n > 0 && at < shown);
		if (shown == len && n == 0)
			break;
	}
	answer_all();
}

static void
open_play(enum mode mode)
{
	memset(&p, 0, sizeof(p));
	p.mode = mode;
	session_init(&p.s, &ops, NULL, &conf, &p.out);
}

static void
close_play(void)
{
	session_release(&p.s);
	buf_release(&p.out);
	buf_release(&p.body);
}

static const char *
mode_name(enum mode mode)
{
	static const char *const names[] = { "at once", "late", "reversed" };

	return names[mode];
}

static void
test_rows(void)
{
	size_t i, chunk;
	int mode;

	for (i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];

		for (mode = 0; mode < MODES; mode++) {
			for (chunk = 1; chunk < 100000; chunk *= 9) {
				open_play(mode);
				feed(r->in, strlen(r->in), chunk);
				CHECK_STR(buf_str(&p.out), r->out,
					  "%s (%s, %zu bytes)", r->name,
					  mode_name(mode), chunk);
				if (r->body != NULL)
					CHECK_STR(buf_str(&p.body), r->body,
						  "%s: the body", r->name);
				CHECK_INT(p.resets, 0,
					  "%s: resets only what began",
					  r->name);
				close_play();
			}
		}
	}
}

static void
test_long_line(void)
{
	static char line[5000];
	struct buf in = { 0 };

	memset(line, 'x', sizeof(line));
	buf_add(&in, line, sizeof(line));
	buf_add_str(&in, "\r\nNOOP\r\n");
	open_play(AT_ONCE);
	feed(in.data, in.len, 700);
	CHECK_STR(buf_str(&p.out), "500 5.5.2 Line too long\r\n" OK,
		  "a line too long is skipped to its end");
	close_play();

	open_play(AT_ONCE);
	feed(in.data, in.len, in.len);
	CHECK_STR(buf_str(&p.out), "500 5.5.2 Line too long\r\n" OK,
		  "a line too long in one piece is skipped too");
	close_play();
	buf_release(&in);
}

/* Received fields are counted where the size allows so many. */
static void
test_hops(void)
{
	struct session_conf large = conf;
	struct buf in = { 0 };
	int hops, i;

	large.size_max = 100000;
	for (hops = SESSION_HOPS_MAX; hops <= SESSION_HOPS_MAX + 1; hops++) {
		buf_clear(&in);
		buf_add_str(&in, TO_DATA);
		for (i = 0; i < hops; i++)
			buf_add_str(&in, "Received: x\r\n");
		buf_add_str(&in, "\r\nReceived: no field\r\n.\r\n");
		open_play(LATE);
		p.s.conf = &large;
		feed(in.data, in.len, in.len);
		CHECK_STR(buf_str(&p.out),
			  hops > SESSION_HOPS_MAX ? TO_GO
				  "554 5.4.6 Too many Received fields: this "
				  "message loops\r\n"
						  : TO_GO SENT,
			  "%d Received fields", hops);
		close_play();
	}
	buf_release(&in);
}

static void
test_mend(void)
{
	static const char in[] = TO_DATA "a\nb\rc\r\n.\r\n";
	struct session_conf mend = conf;

	mend.mends_newlines = true;
	open_play(AT_ONCE);
	p.s.conf = &mend;
	feed(in, sizeof(in) - 1, 1);
	CHECK_STR(buf_str(&p.out), TO_GO SENT, "bare newlines are mended");
	CHECK_STR(buf_str(&p.body), "a\r\nb\r\nc\r\n", "into CRLF");
	close_play();
}

/* While much output waits, no command is looked at. */
static void
test_output_bound(void)
{
	struct buf in = { 0 };
	size_t at = 0, n = 1;
	int i;

	for (i = 0; i < 20000; i++)
		buf_add_str(&in, NOOP);
	open_play(AT_ONCE);
	while (n > 0 && at < in.len) {
		n = session_input(&p.s,
				  (struct span){ in.data + at, in.len - at });
		CHECK(n <= SESSION_TURN_MAX * strlen(NOOP),
		      "one turn takes a bounded number of commands");
		at += n;
	}
	CHECK(at < in.len && p.out.len < SESSION_OUT_HIGH + 100,
	      "input stops when the output is not taken");
	buf_clear(&p.out);
	CHECK(session_input(&p.s, (struct span){ in.data + at, in.len - at }) >
		      0,
	      "and goes on when it is");
	close_play();
	buf_release(&in);
}

static void
test_close(void)
{
	static const struct session_reply r = { 421, "4.3.2", "Stopping" };
	static const char in[] = HELO MAIL RCPT;

	open_play(LATE);
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
	close_play();

	open_play(AT_ONCE);
	session_greet(&p.s);
	CHECK_STR(buf_str(&p.out), "220 gw.example ESMTP mcgate\r\n",
		  "the greeting");
	CHECK(session_is_idle(&p.s), "a fresh session is idle");
	CHECK_STR(session_helo(&p.s), "", "and has no name yet");
	close_play();
}

/* Words of an answer cannot break the dialogue. */
static void
test_reply_text(void)
{
	static const struct session_reply r = { 550, "5.1.1",
						"a\r\n250 Ok\r\n" };
	static const char in[] = HELO MAIL RCPT;

	open_play(LATE);
	(void)session_input(&p.s, (struct span){ in, sizeof(in) - 1 });
	answer_all();
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
	close_play();
}

int
main(void)
{
	test_rows();
	test_long_line();
	test_hops();
	test_mend();
	test_output_bound();
	test_close();
	test_reply_text();
	return check_done();
}
