/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The SMTP engine: lines in, replies out.  Replies leave in the order of
 * their commands: those of recipients wait in a ring of slots, any other
 * command waits until the ring is empty.
 */
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "session_engine.h"
#include "str.h"
#include "xalloc.h"

/* Recipients tried for each that may be taken, before the session ends. */
#define TRIED_MAX_FACTOR 10

void
session_format(struct buf *dst, const struct session_reply *r)
{
	char text[SESSION_TEXT_MAX];

	str_printable(text, sizeof(text), r->text, strlen(r->text));
	if (r->enhanced[0] != '\0')
		buf_printf(dst, "%d %s %s\r\n", r->code, r->enhanced, text);
	else
		buf_printf(dst, "%d %s\r\n", r->code, text);
}

void
session_count(struct session *s, enum smtp_verb verb, int code)
{
	/*
	 * An unknown recipient in a list whose others are good is no error:
	 * a message to many would never come to its end.
	 */
	if (code >= 500 && !(verb == SMTP_RCPT && s->rcpts > 0))
		s->errors++;
}

void
session_check_errors(struct session *s)
{
	static const struct session_reply r = { 421, "4.7.0",
						"Too many errors, closing" };

	if (s->state != SESSION_CLOSED && s->errors >= s->conf->errors_max)
		session_close(s, &r);
}

void
session_say(struct session *s, int code, const char *enhanced, const char *text)
{
	struct session_reply r = { code, enhanced, text };

	session_format(s->out, &r);
	if (code >= 400)
		s->ops->refused(s->arg, s->verb, &r);
	session_count(s, s->verb, code);
	session_check_errors(s);
}

void
session_end_mail(struct session *s)
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
	free(s->chunk_reply);
	s->chunk_reply = NULL;
	s->has_mail = s->is_utf8 = s->has_put_off = false;
	s->wait = SESSION_WAIT_NONE;
	s->rcpts = s->rcpts_tried = 0;
	if (s->state == SESSION_DATA || s->state == SESSION_CHUNK)
		s->state = SESSION_COMMAND;
	if (had)
		s->ops->reset(s->arg);
}

void
session_close(struct session *s, const struct session_reply *r)
{
	if (s->state == SESSION_CLOSED)
		return;
	session_format(s->out, r);
	session_end_mail(s);
	s->state = SESSION_CLOSED;
}

void
session_refuse_all(struct session *s, const struct session_reply *r)
{
	s->ops->refused(s->arg, s->verb, r);
	session_close(s, r);
}

/* A session must not be kept open for nothing. */
static bool
is_idling(struct session *s)
{
	static const struct session_reply r = {
		421, "4.7.0", "Too many commands without a message, closing"
	};

	if (++s->idle_commands <= SESSION_IDLE_MAX)
		return false;
	session_refuse_all(s, &r);
	return true;
}

/* A RCPT line; false when it has to wait. */
static bool
rcpt_command(struct session *s, const struct smtp_command *cmd,
	     const struct smtp_fault *fault)
{
	static const struct session_reply endless = {
		421, "4.5.3", "Far too many recipients, closing"
	};

	/* Near the limit what was asked decides, not its pace. */
	if (s->slots_full || (s->slot_count > 0 &&
			      s->rcpts + s->slot_count >= s->conf->rcpt_max))
		return false;
	if (s->rcpts_tried / TRIED_MAX_FACTOR >= s->conf->rcpt_max) {
		if (s->slot_count > 0)
			return false;
		s->verb = SMTP_RCPT;
		session_refuse_all(s, &endless);
		return true;
	}
	s->commands++;
	session_rcpt(s, cmd, fault);
	return true;
}

/* False when the line has to wait until recipients are answered. */
static bool
command(struct session *s, struct span line)
{
	bool utf8 = s->has_mail ? s->is_utf8 : s->is_esmtp;
	struct smtp_command cmd;
	struct smtp_fault fault;
	int bad = smtp_parse_command(line, utf8, &cmd, &fault);

	if (cmd.verb == SMTP_RCPT) {
		return rcpt_command(s, &cmd, bad < 0 ? &fault : NULL);
	}
	if (s->slot_count > 0)
		return false;
	s->verb = cmd.verb;
	s->commands++;
	if (is_idling(s))
		return true;
	if (bad < 0 && cmd.verb == SMTP_BDAT) {
		struct session_reply r = { fault.code, fault.enhanced,
					   fault.text.text };

		/* How many bytes belong to it nobody knows: what follows must
		 * not be taken for commands. */
		session_refuse_all(s, &r);
		return true;
	}
	if (bad < 0) {
		session_say(s, fault.code, fault.enhanced, fault.text.text);
		return true;
	}
	session_run(s, &cmd);
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
		s->commands++;
		s->verb = SMTP_UNKNOWN;
		s->is_skipping = true;
		session_say(s, 500, "5.5.2", "Line too long");
		return look;
	}
	/*
	 * A line that ends in a bare LF is taken: that is no way to smuggle,
	 * for a message ends by CRLF only.
	 */
	line = (struct span){ in.p, (size_t)(lf - in.p) };
	s->has_more = line.len + 1 < in.len;
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
		    s->state == SESSION_SECURING ||
		    s->out->len > SESSION_OUT_HIGH)
			break;
		if (s->state == SESSION_DATA)
			n = session_data(s, rest);
		else if (s->state == SESSION_CHUNK)
			n = session_chunk(s, rest);
		else
			n = input_line(s, rest);
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

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
	session_end_mail(s);
	s->state = SESSION_CLOSED;
	free(s->helo);
	s->helo = NULL;
}

void
session_greet(struct session *s)
{
	buf_printf(s->out, "220 %s ESMTP mcgate\r\n", s->conf->hostname);
}

void
session_offer(struct session *s, bool starttls, bool xclient)
{
	s->offers_starttls = starttls;
	s->offers_xclient = xclient;
}

/* As if the client had just come, but for what it has cost already. */
static void
forget(struct session *s)
{
	session_end_mail(s);
	free(s->helo);
	s->helo = NULL;
	s->is_esmtp = false;
}

void
session_secured(struct session *s)
{
	if (s->state == SESSION_CLOSED)
		return;
	forget(s);
	s->is_tls = true;
	s->offers_starttls = false;
	s->state = SESSION_COMMAND;
}

void
session_restart(struct session *s, const char *helo, bool is_esmtp)
{
	if (s->wait != SESSION_WAIT_XCLIENT)
		return;
	forget(s);
	if (helo != NULL) {
		s->helo = xstrdup(helo);
		s->is_esmtp = is_esmtp;
	}
	session_greet(s);
}

bool
session_waits(const struct session *s)
{
	return s->wait != SESSION_WAIT_NONE || s->slot_count > 0;
}

bool
session_is_idle(const struct session *s)
{
	return s->state == SESSION_COMMAND && !session_waits(s) &&
	       s->message == NULL;
}

bool
session_is_closed(const struct session *s)
{
	return s->state == SESSION_CLOSED;
}

bool
session_is_in_data(const struct session *s)
{
	return s->state == SESSION_DATA || s->state == SESSION_CHUNK ||
	       (s->message != NULL && s->wait != SESSION_WAIT_END);
}

bool
session_is_securing(const struct session *s)
{
	return s->state == SESSION_SECURING;
}

unsigned
session_commands(const struct session *s)
{
	return s->commands;
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
