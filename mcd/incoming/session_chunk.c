/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * BDAT of the SMTP engine (RFC 3030).  Whatever is wrong with a chunk, its
 * bytes are read away before the reply: they are never looked at as
 * commands.
 */
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "session_engine.h"
#include "str.h"
#include "xalloc.h"

/* The chunk is complete, or has none. */
static void
end_chunk(struct session *s)
{
	char *reply = s->chunk_reply;
	struct session_reply r;
	char text[64];

	s->state = SESSION_COMMAND;
	s->verb = SMTP_BDAT;
	if (reply != NULL) {
		s->chunk_reply = NULL;
		buf_add_str(s->out, reply);
		free(reply);
		session_count(s, SMTP_BDAT, s->chunk_code);
		session_end_mail(s);
		session_check_errors(s);
		return;
	}
	if (s->chunk_is_last) {
		(void)session_take(s, (struct span){ NULL, 0 });
		session_finish(s);
		return;
	}
	if (session_fault(s, &r)) {
		session_say(s, r.code, r.enhanced, r.text);
		session_end_mail(s);
		return;
	}
	(void)str_fmt(text, sizeof(text), "%llu bytes taken",
		      (unsigned long long)s->chunk_size);
	session_say(s, 250, "2.0.0", text);
}

static void
begin_chunk(struct session *s)
{
	if (s->chunk_left == 0)
		end_chunk(s);
}

/* Says r when the bytes are gone; the transaction is over then. */
static void
refuse_chunk(struct session *s, const struct session_reply *r)
{
	struct buf line = { 0 };

	session_format(&line, r);
	free(s->chunk_reply);
	s->chunk_reply = xstrdup(buf_str(&line));
	s->chunk_code = r->code;
	buf_release(&line);
	s->ops->refused(s->arg, SMTP_BDAT, r);
	begin_chunk(s);
}

void
session_chunk_reply(struct session *s, const struct session_reply *r)
{
	if (r->code != 354) {
		refuse_chunk(s, r);
		return;
	}
	session_begin_message(s, true);
	begin_chunk(s);
}

void
session_bdat(struct session *s, const struct smtp_command *cmd)
{
	static const struct session_reply endless = {
		552, "5.3.4", "Message too large, closing"
	};
	static const struct session_reply too_large = { 552, "5.3.4",
							"Message too large" };
	const char *wrong = session_check(s, NEED_HELO | NEED_MAIL);
	uint64_t had = s->message == NULL ? 0 : s->message->size;
	struct session_reply r = { 503, "5.5.1", wrong };

	if (cmd->chunk / 2 > s->conf->size_max) {
		session_refuse_all(s, &endless);
		return;
	}
	if (s->conf->is_draining && s->message == NULL) {
		session_refuse_all(s, &session_drained);
		return;
	}
	s->state = SESSION_CHUNK;
	s->chunk_size = s->chunk_left = cmd->chunk;
	s->chunk_is_last = cmd->is_last;
	if (wrong != NULL) {
		refuse_chunk(s, &r);
	} else if (s->rcpts == 0) {
		session_no_rcpt(s, &r);
		refuse_chunk(s, &r);
	} else if (had + cmd->chunk > s->conf->size_max) {
		refuse_chunk(s, &too_large);
	} else if (s->message == NULL) {
		s->wait = SESSION_WAIT_DATA;
		s->ops->data(s->arg);
	} else {
		begin_chunk(s);
	}
}

size_t
session_chunk(struct session *s, struct span in)
{
	if (in.len > s->chunk_left)
		in.len = (size_t)s->chunk_left;
	if (s->chunk_reply == NULL)
		(void)session_take(s, in);
	s->chunk_left -= in.len;
	if (s->chunk_left == 0)
		end_chunk(s);
	return in.len;
}
