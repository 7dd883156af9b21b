/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The SMTP client's engine.  One function a state reads its reply; what
 * is wrong with a reply, or the lack of one, ends the session and leaves
 * the recipients to another try.
 */
#include <stdlib.h>
#include <string.h>

#include "client_impl.h"
#include "str.h"
#include "xalloc.h"

#define OUT_ROOM 32768 /* no more recipients while more than this waits */

static const char *
enhanced_of(const struct smtp_reply *r)
{
	if (r->enhanced[0] != '\0')
		return r->enhanced;
	if (r->code >= 500)
		return "5.0.0";
	return r->code >= 400 ? "4.0.0" : "2.0.0";
}

static struct client_result
result_of(const struct smtp_reply *r)
{
	struct client_result res = {
		.outcome = OUTCOME_FAILED,
		.code = r->code,
		.enhanced = enhanced_of(r),
		.text = r->text,
	};

	if (r->code < 300)
		res.outcome = OUTCOME_DELIVERED;
	else if (r->code < 500)
		res.outcome = OUTCOME_DEFERRED;
	return res;
}

static void
forget_mail(struct client *c)
{
	free(c->is_accepted);
	c->is_accepted = NULL;
	c->mail = NULL;
}

void
client_end(struct client *c, const struct client_result *why)
{
	if (c->state == CLIENT_OVER)
		return;
	c->failed_securing = client_is_securing(c);
	if (c->state != CLIENT_END)
		c->state = CLIENT_OVER;
	c->ops->failed(c->arg, why);
	c->state = CLIENT_OVER;
	forget_mail(c);
}

void
client_refused(struct client *c, const struct smtp_reply *r)
{
	struct client_result why = result_of(r);

	/* Whatever it was: another try may find a better server. */
	why.outcome = OUTCOME_DEFERRED;
	client_end(c, &why);
}

void
client_fail(struct client *c, const char *enhanced, const char *text)
{
	struct client_result why = { .outcome = OUTCOME_DEFERRED,
				     .enhanced = enhanced,
				     .text = text };

	client_end(c, &why);
}

static void
protocol_error(struct client *c, const char *what)
{
	char text[600];

	str_fmt(text, sizeof(text), "protocol error %s: %s", client_where(c),
		what);
	client_fail(c, "4.5.0", text);
}

static void
unexpected(struct client *c, const struct smtp_reply *r)
{
	char text[500];

	str_fmt(text, sizeof(text), "unexpected reply %d %.400s", r->code,
		r->text);
	protocol_error(c, text);
}

/* The outcome of all recipients that have none; those accepted only. */
static void
tell_accepted(struct client *c, const struct client_result *r)
{
	struct client_result res = *r;
	size_t i;

	res.has_dsn = client_has(c, OFFERS_DSN);
	for (i = 0; i < c->mail->rcpt_count; i++)
		if (c->is_accepted[i])
			c->ops->rcpt(c->arg, i, &res);
}

static void
tell_all(struct client *c, const struct client_result *r)
{
	size_t i;

	for (i = 0; i < c->mail->rcpt_count; i++)
		c->ops->rcpt(c->arg, i, r);
}

static void
finish_mail(struct client *c, bool is_usable)
{
	forget_mail(c);
	c->state = is_usable ? CLIENT_READY : CLIENT_OVER;
	c->ops->done(c->arg, is_usable);
}

/* Nothing is to be sent of this mail: clears the server's transaction. */
static void
reset(struct client *c)
{
	c->state = CLIENT_RSET;
	buf_add_str(c->out, "RSET\r\n");
}

static void
add_mail(struct client *c)
{
	const struct client_mail *m = c->mail;

	buf_printf(c->out, "MAIL FROM:<%s>", m->sender);
	if (client_has(c, OFFERS_SIZE))
		buf_printf(c->out, " SIZE=%llu", (unsigned long long)m->size);
	if (client_has(c, OFFERS_8BITMIME) && m->is_8bit)
		buf_add_str(c->out, " BODY=8BITMIME");
	if (client_has(c, OFFERS_SMTPUTF8) && m->is_utf8)
		buf_add_str(c->out, " SMTPUTF8");
	if (client_has(c, OFFERS_DSN) && m->ret[0] != '\0')
		buf_printf(c->out, " RET=%s", m->ret);
	if (client_has(c, OFFERS_DSN) && m->envid[0] != '\0')
		buf_printf(c->out, " ENVID=%s", m->envid);
	buf_add_str(c->out, "\r\n");
}

static void
add_rcpt(struct client *c)
{
	const struct client_rcpt *r = &c->mail->rcpts[c->sent++];

	buf_printf(c->out, "RCPT TO:<%s>", r->address);
	if (client_has(c, OFFERS_DSN) && r->notify[0] != '\0')
		buf_printf(c->out, " NOTIFY=%s", r->notify);
	if (client_has(c, OFFERS_DSN) && r->orcpt[0] != '\0')
		buf_printf(c->out, " ORCPT=%s", r->orcpt);
	buf_add_str(c->out, "\r\n");
}

/* As many recipients as may go ahead of their replies. */
static void
send_rcpts(struct client *c)
{
	size_t ahead = client_has(c, OFFERS_PIPELINING) ? CLIENT_PIPE_MAX : 1;

	if (!client_has(c, OFFERS_PIPELINING) && !c->is_mail_answered)
		return;
	if (c->is_mail_refused)
		return;
	while (c->sent < c->mail->rcpt_count && c->sent - c->answered < ahead &&
	       c->out->len < OUT_ROOM)
		add_rcpt(c);
}

void
client_pump(struct client *c)
{
	if (c->state == CLIENT_MAIL)
		send_rcpts(c);
}

bool
client_is_8bit_unasked(const struct client *c)
{
	return c->mail != NULL && c->mail->is_8bit &&
	       !client_has(c, OFFERS_8BITMIME);
}

/* Why this mail cannot go to this server at all, or NULL. */
static const struct client_result *
cannot_send(const struct client *c)
{
	static const struct client_result utf8 = {
		.outcome = OUTCOME_FAILED,
		.enhanced = "5.6.7",
		.text = "next hop does not offer SMTPUTF8, which this mail "
			"needs"
	};
	static const struct client_result size = {
		.outcome = OUTCOME_FAILED,
		.enhanced = "5.3.4",
		.text = "message is larger than the next hop takes"
	};
	static const struct client_result eight = {
		.outcome = OUTCOME_FAILED,
		.enhanced = "5.6.3",
		.text = "next hop does not offer 8BITMIME, and this mail is "
			"8-bit"
	};

	if (c->mail->needs_utf8 && !client_has(c, OFFERS_SMTPUTF8))
		return &utf8;
	if (c->size_max > 0 && c->mail->size > c->size_max)
		return &size;
	if (c->mail->bounces_8bit && client_is_8bit_unasked(c))
		return &eight;
	return NULL;
}

void
client_send(struct client *c, const struct client_mail *mail)
{
	const struct client_result *no;

	if (c->state != CLIENT_READY)
		return;
	c->mail = mail;
	c->is_accepted = xcalloc(mail->rcpt_count + 1, sizeof(*c->is_accepted));
	c->sent = c->answered = c->accepted = 0;
	c->is_mail_answered = c->is_mail_refused = false;
	no = cannot_send(c);
	if (no != NULL) {
		tell_all(c, no);
		finish_mail(c, true);
		return;
	}
	c->state = CLIENT_MAIL;
	add_mail(c);
	send_rcpts(c);
}

/* All replies before DATA are there. */
static void
end_envelope(struct client *c)
{
	if (c->accepted == 0 || c->mail->is_probe) {
		reset(c);
		return;
	}
	c->state = CLIENT_DATA;
	buf_add_str(c->out, "DATA\r\n");
}

static void
mail_reply(struct client *c, const struct smtp_reply *r)
{
	struct client_result res = result_of(r);

	c->is_mail_answered = true;
	if (r->code >= 300) {
		c->is_mail_refused = true;
		tell_all(c, &res);
		/* Those sent ahead are still answered, with no meaning. */
		if (c->sent == 0)
			reset(c);
		return;
	}
	if (c->mail->rcpt_count == 0)
		end_envelope(c);
	else
		send_rcpts(c);
}

static void
rcpt_reply(struct client *c, const struct smtp_reply *r)
{
	struct client_result res = result_of(r);
	size_t i = c->answered++;

	if (c->is_mail_refused) {
		if (c->answered == c->sent)
			reset(c);
		return;
	}
	if (r->code < 300) {
		c->is_accepted[i] = true;
		c->accepted++;
		if (c->mail->is_probe)
			c->ops->rcpt(c->arg, i, &res);
	} else {
		/* RFC 5321 section 4.5.3.1.10: old for "too many". */
		if (r->code == 552 && str_eq(r->enhanced, "5.5.3"))
			res.outcome = OUTCOME_DEFERRED;
		c->ops->rcpt(c->arg, i, &res);
	}
	send_rcpts(c);
	if (c->answered == c->mail->rcpt_count)
		end_envelope(c);
}

static void
data_reply(struct client *c, const struct smtp_reply *r)
{
	struct client_result res = result_of(r);

	if (r->code == 354) {
		smtp_stuff_init(&c->stuff);
		c->state = CLIENT_BODY;
		c->ops->body(c->arg);
		return;
	}
	if (r->code < 400) {
		unexpected(c, r);
		return;
	}
	tell_accepted(c, &res);
	reset(c);
}

void
client_body(struct client *c, struct span piece)
{
	if (c->state == CLIENT_BODY)
		smtp_stuff_send(&c->stuff, piece, c->out);
}

void
client_body_end(struct client *c)
{
	if (c->state != CLIENT_BODY)
		return;
	smtp_stuff_end(&c->stuff, c->out);
	c->state = CLIENT_END;
}

/* A server that answers before the end wants no more of it. */
static void
early_reply(struct client *c, const struct smtp_reply *r)
{
	struct client_result res = result_of(r);

	if (r->code < 400) {
		unexpected(c, r);
		return;
	}
	tell_accepted(c, &res);
	finish_mail(c, false);
}

static void
end_reply(struct client *c, const struct smtp_reply *r)
{
	struct client_result res = result_of(r);

	if (r->code >= 300 && r->code < 400) {
		unexpected(c, r);
		return;
	}
	tell_accepted(c, &res);
	finish_mail(c, r->code != 421);
}

static void
rset_reply(struct client *c, const struct smtp_reply *r)
{
	finish_mail(c, r->code < 300);
}

static void
take_reply(struct client *c, const struct smtp_reply *r)
{
	/* RFC 5321 section 3.8: the server closes. */
	if (r->code == 421 && c->state != CLIENT_END &&
	    c->state != CLIENT_RSET) {
		client_refused(c, r);
		return;
	}
	if (r->code >= 300 && r->code < 400 && c->state != CLIENT_DATA) {
		unexpected(c, r);
		return;
	}
	switch (c->state) {
	case CLIENT_GREETING:
	case CLIENT_EHLO:
	case CLIENT_HELO:
	case CLIENT_STARTTLS:
		client_greet_reply(c, r);
		break;
	case CLIENT_MAIL:
		if (!c->is_mail_answered)
			mail_reply(c, r);
		else if (c->answered < c->sent)
			rcpt_reply(c, r);
		else
			unexpected(c, r);
		break;
	case CLIENT_DATA:
		data_reply(c, r);
		break;
	case CLIENT_BODY:
		early_reply(c, r);
		break;
	case CLIENT_END:
		end_reply(c, r);
		break;
	case CLIENT_RSET:
		rset_reply(c, r);
		break;
	case CLIENT_HANDSHAKE:
	case CLIENT_READY:
		unexpected(c, r);
		break;
	case CLIENT_OVER:
		break;
	}
}

static void
take_line(struct client *c, struct span line)
{
	struct smtp_reply *r;
	struct err e;
	int n;

	if (c->reply == NULL) {
		c->reply = xmalloc(sizeof(*c->reply));
		smtp_reply_clear(c->reply);
	}
	if (line.len > 4)
		client_greet_line(c, line);
	n = smtp_reply_line(c->reply, line, &e);
	if (n == 0)
		return;
	/* Detached, as it may be the last thing of this session. */
	r = c->reply;
	c->reply = NULL;
	if (n > 0 && c->ops->heard != NULL)
		c->ops->heard(c->arg, client_where(c), r);
	if (n < 0)
		protocol_error(c, e.text);
	else
		take_reply(c, r);
	free(r);
}

size_t
client_input(struct client *c, struct span in)
{
	size_t done = 0;

	while (done < in.len && c->state != CLIENT_OVER) {
		const char *p = in.p + done;
		size_t len = in.len - done;
		const char *lf = memchr(p, '\n', len);
		size_t n;

		if (lf == NULL) {
			if (len > SMTP_REPLY_LINE_MAX)
				protocol_error(c, "reply line too long");
			break;
		}
		n = (size_t)(lf - p);
		done += n + 1;
		if (n > 0 && p[n - 1] == '\r')
			n--;
		take_line(c, (struct span){ p, n });
	}
	return c->state == CLIENT_OVER ? in.len : done;
}

void
client_init(struct client *c, const struct client_ops *ops, void *arg,
	    const char *hostname, struct buf *out)
{
	*c = (struct client){
		.ops = ops, .arg = arg, .hostname = hostname, .out = out
	};
}

void
client_release(struct client *c)
{
	forget_mail(c);
	free(c->reply);
	c->reply = NULL;
	c->state = CLIENT_OVER;
}

void
client_lost(struct client *c, const char *enhanced, const char *why)
{
	char text[600];

	str_fmt(text, sizeof(text), "%s %s", why, client_where(c));
	client_fail(c, enhanced, text);
}

void
client_quit(struct client *c)
{
	if (c->state != CLIENT_BODY && c->state != CLIENT_OVER)
		buf_add_str(c->out, "QUIT\r\n");
	c->state = CLIENT_OVER;
	forget_mail(c);
}

enum client_state
client_state(const struct client *c)
{
	return c->state;
}

bool
client_is_past_end(const struct client *c)
{
	return c->state == CLIENT_END;
}

const char *
client_where(const struct client *c)
{
	static const char *const where[] = {
		[CLIENT_GREETING] = "before the greeting",
		[CLIENT_EHLO] = "after EHLO",
		[CLIENT_HELO] = "after HELO",
		[CLIENT_STARTTLS] = "after STARTTLS",
		[CLIENT_HANDSHAKE] = "in the TLS handshake",
		[CLIENT_READY] = "between two mails",
		[CLIENT_MAIL] = "after MAIL",
		[CLIENT_DATA] = "after DATA",
		[CLIENT_BODY] = "in the message",
		[CLIENT_END] = "after the end of the message",
		[CLIENT_RSET] = "after RSET",
		[CLIENT_OVER] = "after the end",
	};

	if (c->state == CLIENT_MAIL && c->is_mail_answered)
		return "after RCPT";
	return where[c->state];
}
