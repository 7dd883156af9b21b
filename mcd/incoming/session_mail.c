/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Recipients and the message of the SMTP engine: the ring of replies, and
 * the bytes between 354 and the end mark.
 */
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "session_engine.h"
#include "xalloc.h"

/* Recipients that may be tried for each that may be taken: those refused
 * cost memory too until the mail is over. */
#define TRIED_FACTOR 2

/* The un-dot-stuffed bytes of one piece of input; they do not stay. */
static struct buf stuff;

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
		s->rcpts += slot->code < 300;
		if (slot->code < 300)
			s->idle_commands = 0;
		s->has_put_off |= slot->code / 100 == 4;
		session_count(s, SMTP_RCPT, slot->code);
		free(slot->line);
		*slot = (struct session_slot){ 0 };
		s->slot_first = (s->slot_first + 1) % SESSION_ASKS_MAX;
		s->slot_count--;
	}
	s->slots_full = false;
	session_check_errors(s);
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
	if (it->is_done)
		return;
	session_format(&line, r);
	it->line = xstrdup(buf_str(&line));
	buf_release(&line);
	it->code = r->code;
	it->is_done = true;
	if (r->code >= 400)
		s->ops->refused(s->arg, SMTP_RCPT, r);
	give_slots(s);
}

static void
rcpt_reply(struct session *s, unsigned slot, int code, const char *enhanced,
	   const char *text)
{
	struct session_reply r = { code, enhanced, text };

	session_rcpt_reply(s, slot, &r);
}

void
session_rcpt(struct session *s, const struct smtp_command *cmd,
	     const struct smtp_fault *fault)
{
	const char *wrong = session_check(s, NEED_HELO | NEED_MAIL);
	unsigned slot;

	if (wrong == NULL && s->message != NULL)
		wrong = "RCPT after BDAT";

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
	else if (s->rcpts + s->slot_count > s->conf->rcpt_max ||
		 s->rcpts_tried > TRIED_FACTOR * s->conf->rcpt_max)
		rcpt_reply(s, slot, 452, "4.5.3", "Too many recipients");
	else
		s->ops->rcpt(s->arg, cmd, slot);
}

void
session_mail_reply(struct session *s, const struct session_reply *r)
{
	if (s->wait != SESSION_WAIT_MAIL)
		return;
	s->wait = SESSION_WAIT_NONE;
	s->has_mail = true;
	s->verb = SMTP_MAIL;
	session_say(s, r->code, r->enhanced, r->text);
	if (r->code >= 300)
		session_end_mail(s);
}

void
session_no_rcpt(const struct session *s, struct session_reply *r)
{
	static const struct session_reply none = { 503, "5.5.1",
						   "Need RCPT first" };
	static const struct session_reply later = {
		451, "4.5.1", "No recipient was taken, try again later"
	};
	static const struct session_reply no = { 554, "5.5.1",
						 "No valid recipients" };

	if (s->rcpts_tried == 0)
		*r = none;
	else
		*r = s->has_put_off ? later : no;
}

void
session_begin_message(struct session *s, bool is_chunked)
{
	struct session_message *m = xcalloc(1, sizeof(*m));

	smtp_data_init(&m->data);
	m->data.makes_crlf = s->conf->mends_newlines;
	m->data.is_chunked = m->is_chunked = is_chunked;
	header_scan_init(&m->header);
	s->message = m;
}

void
session_data_reply(struct session *s, const struct session_reply *r)
{
	if (s->wait != SESSION_WAIT_DATA)
		return;
	s->wait = SESSION_WAIT_NONE;
	if (s->state == SESSION_CHUNK) {
		session_chunk_reply(s, r);
		return;
	}
	s->verb = SMTP_DATA;
	session_say(s, r->code, r->enhanced, r->text);
	if (r->code != 354) {
		session_end_mail(s);
		return;
	}
	if (s->state != SESSION_COMMAND)
		return;
	session_begin_message(s, false);
	s->state = SESSION_DATA;
}

void
session_end_reply(struct session *s, const struct session_reply *r)
{
	if (s->wait != SESSION_WAIT_END)
		return;
	s->verb = s->message->is_chunked ? SMTP_BDAT : SMTP_DATA;
	if (r->code < 300)
		s->messages++;
	session_say(s, r->code, r->enhanced, r->text);
	session_end_mail(s);
}

bool
session_fault(const struct session *s, struct session_reply *r)
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
	const struct session_message *m = s->message;

	if (m->is_too_large)
		*r = too_large;
	else if (m->data.has_bare && !m->data.makes_crlf)
		*r = bare;
	else if (m->header.received > SESSION_HOPS_MAX)
		*r = hops;
	else
		return false;
	return true;
}

void
session_finish(struct session *s)
{
	struct session_message *m = s->message;
	struct session_body body = { .header = &m->header };
	struct session_reply r;

	header_scan_end(&m->header);
	body.size = m->size;
	body.has_8bit = m->data.has_8bit;
	s->state = SESSION_COMMAND;
	s->wait = SESSION_WAIT_END;
	if (session_fault(s, &r))
		session_end_reply(s, &r);
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

size_t
session_take(struct session *s, struct span in)
{
	int64_t n;

	buf_clear(&stuff);
	/* Cannot fail: stuff has no limit. */
	n = in.p == NULL ? smtp_data_end(&s->message->data, &stuff)
			 : smtp_data_receive(&s->message->data, in, &stuff);
	if (stuff.len > 0)
		take_body(s);
	return n < 0 ? in.len : (size_t)n;
}

size_t
session_data(struct session *s, struct span in)
{
	static const struct session_reply endless = {
		552, "5.3.4", "Message too large, closing"
	};
	size_t n = session_take(s, in);

	if (s->message->data.state == SMTP_DATA_END) {
		session_finish(s);
	} else if (s->message->size / 2 > s->conf->size_max) {
		s->verb = SMTP_DATA;
		session_refuse_all(s, &endless);
	}
	return n;
}
