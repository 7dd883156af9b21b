/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The SMTP client's engine.  One function a state reads its reply; what
 * is wrong with a reply, or the lack of one, ends the session and leaves
 * the recipients to another try.
 */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "str.h"
#include "xalloc.h"

#define OUT_ROOM 32768 /* no more recipients while more than this waits */

/* What a server offers in its reply to EHLO. */
enum client_offer {
	OFFERS_PIPELINING = 1,
	OFFERS_SIZE = 2,
	OFFERS_8BITMIME = 4,
	OFFERS_SMTPUTF8 = 8,
	OFFERS_DSN = 16
};

static const struct offer {
	const char *word;
	enum client_offer offer;
} offers[] = {
	{ "PIPELINING", OFFERS_PIPELINING },
	{ "SIZE", OFFERS_SIZE },
	{ "8BITMIME", OFFERS_8BITMIME },
	{ "SMTPUTF8", OFFERS_SMTPUTF8 },
	{ "DSN", OFFERS_DSN },
};

#define OFFERS (sizeof(offers) / sizeof(offers[0]))

static bool
has(const struct client *c, enum client_offer offer)
{
	return (c->offers & (unsigned)offer) != 0;
}

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

static void
fail(struct client *c, const struct client_result *why)
{
	if (c->state == CLIENT_OVER)
		return;
	if (c->state != CLIENT_END)
		c->state = CLIENT_OVER;
	c->ops->failed(c->arg, why);
	c->state = CLIENT_OVER;
	forget_mail(c);
}

static void
fail_reply(struct client *c, const struct smtp_reply *r)
{
	struct client_result why = result_of(r);

	/* Whatever it was: another try may find a better server. */
	why.outcome = OUTCOME_DEFERRED;
	fail(c, &why);
}

static void
protocol_error(struct client *c, const char *what)
{
	struct client_result why = { OUTCOME_DEFERRED, 0, "4.5.0", NULL,
				     false };
	char text[600];

	str_fmt(text, sizeof(text), "protocol error %s: %s", client_where(c),
		what);
	why.text = text;
	fail(c, &why);
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

	res.has_dsn = has(c, OFFERS_DSN);
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
	if (has(c, OFFERS_SIZE))
		buf_printf(c->out, " SIZE=%llu", (unsigned long long)m->size);
	if (has(c, OFFERS_8BITMIME) && m->is_8bit)
		buf_add_str(c->out, " BODY=8BITMIME");
	if (has(c, OFFERS_SMTPUTF8) && m->is_utf8)
		buf_add_str(c->out, " SMTPUTF8");
	if (has(c, OFFERS_DSN) && m->ret[0] != '\0')
		buf_printf(c->out, " RET=%s", m->ret);
	if (has(c, OFFERS_DSN) && m->envid[0] != '\0')
		buf_printf(c->out, " ENVID=%s", m->envid);
	buf_add_str(c->out, "\r\n");
}

static void
add_rcpt(struct client *c)
{
	const struct client_rcpt *r = &c->mail->rcpts[c->sent++];

	buf_printf(c->out, "RCPT TO:<%s>", r->address);
	if (has(c, OFFERS_DSN) && r->notify[0] != '\0')
		buf_printf(c->out, " NOTIFY=%s", r->notify);
	if (has(c, OFFERS_DSN) && r->orcpt[0] != '\0')
		buf_printf(c->out, " ORCPT=%s", r->orcpt);
	buf_add_str(c->out, "\r\n");
}

/* As many recipients as may go ahead of their replies. */
static void
send_rcpts(struct client *c)
{
	size_t ahead = has(c, OFFERS_PIPELINING) ? CLIENT_PIPE_MAX : 1;

	if (!has(c, OFFERS_PIPELINING) && !c->is_mail_answered)
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

/* Why this mail cannot go to this server at all, or NULL. */
static const struct client_result *
cannot_send(const struct client *c)
{
	static const struct client_result utf8 = {
		OUTCOME_FAILED, 0, "5.6.7",
		"next hop does not offer SMTPUTF8, which this mail needs", false
	};
	static const struct client_result size = {
		OUTCOME_FAILED, 0, "5.3.4",
		"message is larger than the next hop takes", false
	};

	if (c->mail->needs_utf8 && !has(c, OFFERS_SMTPUTF8))
		return &utf8;
	if (c->size_max > 0 && c->mail->size > c->size_max)
		return &size;
	return NULL;
}

void
client_send(struct client *c, const struct client_mail *mail)
{
	const struct client_result *no;

	if (c->state != CLIENT_READY)
		return;
	c->mail = mail;
	c->is_accepted = xcalloc(mail->rcpt_count, sizeof(*c->is_accepted));
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
	if (c->accepted == 0) {
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

/* A line of the reply to EHLO behind its code. */
static void
note_offer(struct client *c, struct span line)
{
	struct span word = line;
	uint64_t size;
	size_t i;

	for (i = 0; i < line.len; i++)
		if (line.p[i] == ' ' || line.p[i] == '=')
			break;
	word.len = i;
	for (i = 0; i < OFFERS; i++)
		if (span_ieq(word, span_of(offers[i].word)))
			c->offers |= offers[i].offer;
	if (!span_ieq(word, SPAN_LIT("SIZE")) || word.len == line.len)
		return;
	line.p += word.len + 1;
	line.len -= word.len + 1;
	if (span_to_u64(line, &size) == 0)
		c->size_max = size;
}

static void
greeting_reply(struct client *c, const struct smtp_reply *r)
{
	if (r->code != 220) {
		fail_reply(c, r);
		return;
	}
	c->state = CLIENT_EHLO;
	buf_printf(c->out, "EHLO %s\r\n", c->hostname);
}

static void
be_ready(struct client *c)
{
	c->state = CLIENT_READY;
	c->ops->ready(c->arg);
}

static void
ehlo_reply(struct client *c, const struct smtp_reply *r)
{
	if (r->code < 300) {
		be_ready(c);
	} else if (r->code >= 500) {
		c->offers = 0;
		c->size_max = 0;
		c->state = CLIENT_HELO;
		buf_printf(c->out, "HELO %s\r\n", c->hostname);
	} else {
		fail_reply(c, r);
	}
}

static void
helo_reply(struct client *c, const struct smtp_reply *r)
{
	if (r->code < 300)
		be_ready(c);
	else
		fail_reply(c, r);
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
		fail_reply(c, r);
		return;
	}
	if (r->code >= 300 && r->code < 400 && c->state != CLIENT_DATA) {
		unexpected(c, r);
		return;
	}
	switch (c->state) {
	case CLIENT_GREETING:
		greeting_reply(c, r);
		break;
	case CLIENT_EHLO:
		ehlo_reply(c, r);
		break;
	case CLIENT_HELO:
		helo_reply(c, r);
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
	if (c->state == CLIENT_EHLO && c->reply->lines > 0 && line.len > 4)
		note_offer(c, (struct span){ line.p + 4, line.len - 4 });
	n = smtp_reply_line(c->reply, line, &e);
	if (n == 0)
		return;
	/* Detached, as it may be the last thing of this session. */
	r = c->reply;
	c->reply = NULL;
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
	struct client_result r = { OUTCOME_DEFERRED, 0, enhanced, NULL, false };
	char text[600];

	str_fmt(text, sizeof(text), "%s %s", why, client_where(c));
	r.text = text;
	fail(c, &r);
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
