/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The SMTP engine.  One row a verb: what has to be so (check) and what is
 * done (proceed).  Replies leave in the order of their commands: those of
 * recipients wait in a ring of slots, any other command waits until the
 * ring is empty.
 */
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "str.h"
#include "xalloc.h"

/* The reply of a recipient, kept until all before it are given. */
struct session_slot {
	bool is_done;
	int code;
	char *line;
};

struct session_message {
	struct smtp_data data;
	struct header_scan header;
	uint64_t size;
	bool is_refused; /* body() wants no more */
	bool is_too_large;
};

/* The un-dot-stuffed bytes of one piece of input; they do not stay. */
static struct buf stuff;

/* What a verb needs. */
#define NEED_HELO 1
#define NEED_MAIL 2
#define NEED_NO_MAIL 4

struct verb {
	enum smtp_verb verb;
	unsigned needs;
	void (*proceed)(struct session *s, const struct smtp_command *cmd);
};

/* --- replies -------------------------------------------------------------- */

static void
format_reply(struct buf *dst, const struct session_reply *r)
{
	char text[SESSION_TEXT_MAX];

	str_printable(text, sizeof(text), r->text, strlen(r->text));
	if (r->enhanced[0] != '\0')
		buf_printf(dst, "%d %s %s\r\n", r->code, r->enhanced, text);
	else
		buf_printf(dst, "%d %s\r\n", r->code, text);
}

/* Counts and reports what is no success. */
static void
note_reply(struct session *s, enum smtp_verb verb,
	   const struct session_reply *r)
{
	if (r->code < 400)
		return;
	/*
	 * An unknown recipient in a list whose others are good is no error:
	 * a message to many would never come to its end.
	 */
	if (r->code >= 500 && !(verb == SMTP_RCPT && s->rcpts > 0))
		s->errors++;
	s->ops->refused(s->arg, verb, r);
}

static void
too_many_errors(struct session *s)
{
	static const struct session_reply r = { 421, "4.7.0",
						"Too many errors, closing" };

	if (s->state != SESSION_CLOSED && s->errors >= s->conf->errors_max)
		session_close(s, &r);
}

static void
reply(struct session *s, int code, const char *enhanced, const char *text)
{
	struct session_reply r = { code, enhanced, text };

	format_reply(s->out, &r);
	note_reply(s, s->verb, &r);
	too_many_errors(s);
}

static void
end_transaction(struct session *s)
{
	bool had = s->has_mail || s->wait != SESSION_WAIT_NONE;
	unsigned i;

	for (i = 0; s->slots != NULL && i < SESSION_ASKS_MAX; i++)
		free(s->slots[i].line);
	free(s->slots);
	s->slots = NULL;
	s->slot_first = s->slot_count = 0;
	s->slots_full = false;
	free(s->message);
	s->message = NULL;
	s->has_mail = s->is_utf8 = false;
	s->wait = SESSION_WAIT_NONE;
	s->rcpts = s->rcpts_tried = 0;
	if (s->state == SESSION_DATA)
		s->state = SESSION_COMMAND;
	if (had)
		s->ops->reset(s->arg);
}

void
session_close(struct session *s, const struct session_reply *r)
{
	if (s->state == SESSION_CLOSED)
		return;
	format_reply(s->out, r);
	end_transaction(s);
	s->state = SESSION_CLOSED;
}

/* --- verbs ---------------------------------------------------------------- */

static void
do_helo(struct session *s, const struct smtp_command *cmd)
{
	const struct session_conf *c = s->conf;

	if (cmd->arg.len > SESSION_HELO_MAX) {
		reply(s, 501, "5.5.4", "Name too long");
		return;
	}
	end_transaction(s);
	free(s->helo);
	s->helo = xstrndup(cmd->arg.p, cmd->arg.len);
	s->is_esmtp = cmd->verb == SMTP_EHLO;
	if (!s->is_esmtp) {
		reply(s, 250, "", c->hostname);
		return;
	}
	buf_printf(
		s->out,
		"250-%s\r\n250-PIPELINING\r\n250-SIZE %llu\r\n250-8BITMIME\r\n"
		"250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n250 SMTPUTF8\r\n",
		c->hostname, (unsigned long long)c->size_max);
}

static void
do_mail(struct session *s, const struct smtp_command *cmd)
{
	static const struct session_reply enough = {
		421, "4.7.0", "Too many messages in one session, closing"
	};

	if (cmd->body == SMTP_BODY_BINARYMIME) {
		reply(s, 555, "5.6.1", "BINARYMIME is not offered");
		return;
	}
	if (cmd->has_size && cmd->size > s->conf->size_max) {
		reply(s, 552, "5.3.4", "Message too large");
		return;
	}
	if (s->messages >= s->conf->messages_max) {
		s->ops->refused(s->arg, SMTP_MAIL, &enough);
		session_close(s, &enough);
		return;
	}
	s->is_utf8 = cmd->smtputf8;
	s->wait = SESSION_WAIT_MAIL;
	s->ops->mail(s->arg, cmd);
}

static void
do_data(struct session *s, const struct smtp_command *cmd)
{
	(void)cmd;
	if (s->rcpts == 0) {
		if (s->rcpts_tried == 0)
			reply(s, 503, "5.5.1", "Need RCPT first");
		else
			reply(s, 554, "5.5.1", "No valid recipients");
		return;
	}
	s->wait = SESSION_WAIT_DATA;
	s->ops->data(s->arg);
}

static void
do_rset(struct session *s, const struct smtp_command *cmd)
{
	(void)cmd;
	end_transaction(s);
	reply(s, 250, "2.0.0", "Reset");
}

static void
do_noop(struct session *s, const struct smtp_command *cmd)
{
	(void)cmd;
	reply(s, 250, "2.0.0", "Ok");
}

static void
do_quit(struct session *s, const struct smtp_command *cmd)
{
	static const struct session_reply r = { 221, "2.0.0", "Bye" };

	(void)cmd;
	session_close(s, &r);
}

static void
do_vrfy(struct session *s, const struct smtp_command *cmd)
{
	(void)cmd;
	reply(s, 252, "2.1.5", "Cannot verify, send mail and see");
}

static void
do_help(struct session *s, const struct smtp_command *cmd)
{
	(void)cmd;
	reply(s, 214, "2.0.0", "See RFC 5321");
}

static void
do_not_offered(struct session *s, const struct smtp_command *cmd)
{
	char text[64];

	str_fmt(text, sizeof(text), "%s is not offered",
		smtp_verb_name(cmd->verb));
	reply(s, 502, "5.5.1", text);
}

static void
do_unknown(struct session *s, const struct smtp_command *cmd)
{
	(void)cmd;
	reply(s, 500, "5.5.1", "Command not known");
}

/* RCPT is not here: its replies have an order of their own. */
static const struct verb verbs[] = {
	{ SMTP_HELO, 0, do_helo },
	{ SMTP_EHLO, 0, do_helo },
	{ SMTP_MAIL, NEED_HELO | NEED_NO_MAIL, do_mail },
	{ SMTP_DATA, NEED_HELO | NEED_MAIL, do_data },
	{ SMTP_RSET, 0, do_rset },
	{ SMTP_NOOP, 0, do_noop },
	{ SMTP_QUIT, 0, do_quit },
	{ SMTP_VRFY, 0, do_vrfy },
	{ SMTP_HELP, 0, do_help },
	{ SMTP_EXPN, 0, do_not_offered },
	{ SMTP_BDAT, 0, do_not_offered },
	{ SMTP_STARTTLS, 0, do_not_offered },
	{ SMTP_AUTH, 0, do_not_offered },
	{ SMTP_UNKNOWN, 0, do_unknown },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *
find_verb(enum smtp_verb verb)
{
	size_t i;

	for (i = 0; i < VERBS - 1; i++)
		if (verbs[i].verb == verb)
			break;
	return &verbs[i];
}

/* The reply to a command out of order; NULL when all is well. */
static const char *
check(const struct session *s, unsigned needs)
{
	if ((needs & NEED_HELO) != 0 && s->helo == NULL)
		return "Say EHLO first";
	if ((needs & NEED_MAIL) != 0 && !s->has_mail)
		return "Need MAIL first";
	if ((needs & NEED_NO_MAIL) != 0 && s->has_mail)
		return "MAIL was given already";
	return NULL;
}

/* --- recipients ----------------------------------------------------------- */

/* Gives the replies that are due, in their order. */
static void
give_slots(struct session *s)
{
	struct session_slot *slot;

	while (s->slot_count > 0 && s->state != SESSION_CLOSED) {
		slot = &s->slots[s->slot_first];
		if (!slot->is_done)
			return;
		buf_add_str(s->out, slot->line);
		free(slot->line);
		*slot = (struct session_slot){ 0 };
		s->slot_first = (s->slot_first + 1) % SESSION_ASKS_MAX;
		s->slot_count--;
	}
	s->slots_full = false;
	too_many_errors(s);
}

void
session_rcpt_reply(struct session *s, unsigned slot,
		   const struct session_reply *r)
{
	struct session_slot *it;
	struct buf line = { 0 };

	if (slot >= SESSION_ASKS_MAX || s->slots == NULL)
		return;
	it = &s->slots[slot];
	format_reply(&line, r);
	it->line = xstrdup(buf_str(&line));
	buf_release(&line);
	it->is_done = true;
	if (r->code < 300)
		s->rcpts++;
	note_reply(s, SMTP_RCPT, r);
	give_slots(s);
}

static void
rcpt_reply(struct session *s, unsigned slot, int code, const char *enhanced,
	   const char *text)
{
	struct session_reply r = { code, enhanced, text };

	session_rcpt_reply(s, slot, &r);
}

/* A RCPT; fault is NULL when its syntax is right. */
static void
do_rcpt(struct session *s, const struct smtp_command *cmd,
	const struct smtp_fault *fault)
{
	const char *wrong = check(s, NEED_HELO | NEED_MAIL);
	unsigned slot;

	if (s->slots == NULL)
		s->slots = xcalloc(SESSION_ASKS_MAX, sizeof(*s->slots));
	slot = (s->slot_first + s->slot_count) % SESSION_ASKS_MAX;
	s->slot_count++;
	s->slots_full = s->slot_count == SESSION_ASKS_MAX;
	s->rcpts_tried++;
	if (fault != NULL)
		rcpt_reply(s, slot, fault->code, fault->enhanced,
			   fault->text.text);
	else if (wrong != NULL)
		rcpt_reply(s, slot, 503, "5.5.1", wrong);
	else if (s->rcpts + s->slot_count > s->conf->rcpt_max)
		rcpt_reply(s, slot, 452, "4.5.3", "Too many recipients");
	else
		s->ops->rcpt(s->arg, cmd, slot);
}

/* --- the message ---------------------------------------------------------- */

void
session_mail_reply(struct session *s, const struct session_reply *r)
{
	if (s->wait != SESSION_WAIT_MAIL)
		return;
	s->wait = SESSION_WAIT_NONE;
	s->has_mail = true;
	s->verb = SMTP_MAIL;
	reply(s, r->code, r->enhanced, r->text);
	if (r->code >= 300)
		end_transaction(s);
}

void
session_data_reply(struct session *s, const struct session_reply *r)
{
	if (s->wait != SESSION_WAIT_DATA)
		return;
	s->wait = SESSION_WAIT_NONE;
	s->verb = SMTP_DATA;
	reply(s, r->code, r->enhanced, r->text);
	if (r->code != 354) {
		end_transaction(s);
		return;
	}
	s->message = xcalloc(1, sizeof(*s->message));
	smtp_data_init(&s->message->data);
	s->message->data.makes_crlf = s->conf->mends_newlines;
	header_scan_init(&s->message->header);
	s->state = SESSION_DATA;
}

void
session_end_reply(struct session *s, const struct session_reply *r)
{
	if (s->wait != SESSION_WAIT_END)
		return;
	s->verb = SMTP_DATA;
	if (r->code < 300)
		s->messages++;
	reply(s, r->code, r->enhanced, r->text);
	end_transaction(s);
}

/* The end mark was seen. */
static void
finish_message(struct session *s)
{
	static const struct session_reply too_large = { 552, "5.3.4",
							"Message too large" };
	static const struct session_reply bare = {
		550, "5.6.11",
		"Bare CR or LF in the message; RFC 5321 allows only CRLF"
	};
	static const struct session_reply hops = {
		554, "5.4.6", "Too many Received fields: this message loops"
	};
	struct session_message *m = s->message;
	struct session_body body = {
		.size = m->size,
		.has_8bit = m->data.has_8bit,
		.header = &m->header,
	};

	s->state = SESSION_COMMAND;
	s->wait = SESSION_WAIT_END;
	if (m->is_too_large)
		session_end_reply(s, &too_large);
	else if (m->data.has_bare && !m->data.makes_crlf)
		session_end_reply(s, &bare);
	else if (m->header.received > SESSION_HOPS_MAX)
		session_end_reply(s, &hops);
	else
		s->ops->end(s->arg, &body);
}

/* Hands on what is in stuff. */
static void
take_body(struct session *s)
{
	struct session_message *m = s->message;

	m->size += stuff.len;
	if (m->size > s->conf->size_max)
		m->is_too_large = true;
	if (!m->header.is_done)
		header_scan_feed(&m->header, buf_span(&stuff));
	/* What will be refused at the end is only read away. */
	if (m->is_refused || m->is_too_large ||
	    (m->data.has_bare && !m->data.makes_crlf))
		return;
	if (s->ops->body(s->arg, buf_span(&stuff)) < 0)
		m->is_refused = true;
}

static size_t
input_data(struct session *s, struct span in)
{
	static const struct session_reply endless = {
		552, "5.3.4", "Message too large, closing"
	};
	struct session_message *m = s->message;
	int64_t n;

	buf_clear(&stuff);
	n = smtp_data_receive(&m->data, in, &stuff);
	if (n < 0) {
		/* Cannot be: stuff has no limit. */
		session_close(s, &endless);
		return in.len;
	}
	if (stuff.len > 0)
		take_body(s);
	if (m->data.state == SMTP_DATA_END) {
		finish_message(s);
	} else if (m->size / 2 > s->conf->size_max) {
		s->ops->refused(s->arg, SMTP_DATA, &endless);
		session_close(s, &endless);
	}
	return (size_t)n;
}

/* --- lines ---------------------------------------------------------------- */

/* False when the line has to wait until recipients are answered. */
static bool
command(struct session *s, struct span line)
{
	bool utf8 = s->has_mail ? s->is_utf8 : s->is_esmtp;
	struct smtp_command cmd;
	struct smtp_fault fault;
	const struct verb *v;
	const char *wrong;
	int bad = smtp_parse_command(line, utf8, &cmd, &fault);

	if (cmd.verb == SMTP_RCPT) {
		if (s->slots_full)
			return false;
		do_rcpt(s, &cmd, bad < 0 ? &fault : NULL);
		return true;
	}
	if (s->slot_count > 0)
		return false;
	s->verb = cmd.verb;
	if (bad < 0) {
		reply(s, fault.code, fault.enhanced, fault.text.text);
		return true;
	}
	v = find_verb(cmd.verb);
	wrong = check(s, v->needs);
	if (wrong != NULL)
		reply(s, 503, "5.5.1", wrong);
	else
		v->proceed(s, &cmd);
	return true;
}

/* The rest of a line that was too long. */
static size_t
skip_line(struct session *s, struct span in)
{
	const char *lf = memchr(in.p, '\n', in.len);

	if (lf == NULL)
		return in.len;
	s->is_skipping = false;
	return (size_t)(lf - in.p) + 1;
}

/* One line of input; 0 when there is none, or it has to wait. */
static size_t
input_line(struct session *s, struct span in)
{
	size_t look = in.len < SMTP_LINE_MAX + 2 ? in.len : SMTP_LINE_MAX + 2;
	const char *lf;
	struct span line;

	if (s->is_skipping)
		return skip_line(s, in);
	lf = memchr(in.p, '\n', look);
	if (lf == NULL) {
		if (look < SMTP_LINE_MAX + 2 || s->slot_count > 0)
			return 0;
		s->verb = SMTP_UNKNOWN;
		s->is_skipping = true;
		reply(s, 500, "5.5.2", "Line too long");
		return look;
	}
	/*
	 * A line that ends in a bare LF is taken: that is no way to smuggle,
	 * for a message ends by CRLF only.
	 */
	line = (struct span){ in.p, (size_t)(lf - in.p) };
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	if (!command(s, line))
		return 0;
	return (size_t)(lf - in.p) + 1;
}

size_t
session_input(struct session *s, struct span in)
{
	size_t done = 0;
	size_t n;
	int turns;

	for (turns = 0; turns < SESSION_TURN_MAX && done < in.len; turns++) {
		struct span rest = { in.p + done, in.len - done };

		if (s->state == SESSION_CLOSED)
			return in.len;
		if (s->wait != SESSION_WAIT_NONE ||
		    s->out->len > SESSION_OUT_HIGH)
			break;
		if (s->state == SESSION_DATA)
			n = input_data(s, rest);
		else
			n = input_line(s, rest);
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

/* --- the whole ------------------------------------------------------------ */

void
session_init(struct session *s, const struct session_ops *ops, void *arg,
	     const struct session_conf *conf, struct buf *out)
{
	*s = (struct session){
		.ops = ops, .arg = arg, .conf = conf, .out = out
	};
}

void
session_release(struct session *s)
{
	end_transaction(s);
	s->state = SESSION_CLOSED;
	free(s->helo);
	s->helo = NULL;
}

void
session_greet(struct session *s)
{
	buf_printf(s->out, "220 %s ESMTP mcgate\r\n", s->conf->hostname);
}

bool
session_waits(const struct session *s)
{
	return s->wait != SESSION_WAIT_NONE || s->slot_count > 0;
}

bool
session_is_idle(const struct session *s)
{
	return s->state == SESSION_COMMAND && !session_waits(s);
}

bool
session_is_closed(const struct session *s)
{
	return s->state == SESSION_CLOSED;
}

bool
session_is_in_data(const struct session *s)
{
	return s->state == SESSION_DATA;
}

const char *
session_helo(const struct session *s)
{
	return s->helo == NULL ? "" : s->helo;
}

bool
session_is_esmtp(const struct session *s)
{
	return s->is_esmtp;
}
