/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages with their recipients.
 */
#include "show.h"

#include <stdio.h>

static void
close_message(struct show *s)
{
	if (s->json.len > 0) {
		(void)buf_add_str(&s->json, "]}");
		out_line(s->out, buf_str(&s->json));
		buf_clear(&s->json);
	}
	out_end(s->out);
	s->has_rcpt = false;
}

void
show_message(struct show *s, const struct record *r)
{
	close_message(s);
	if (!s->out->json) {
		if (s->out->has_printed)
			out_line(s->out, "");
		out_object(s->out, r);
		return;
	}
	out_json(r, &s->json);
	if (s->json.len > 0)
		s->json.len--; /* its brace is closed by close_message() */
	(void)buf_add_str(&s->json, ",\"recipients\":[");
}

void
show_rcpt(struct show *s, const struct record *r)
{
	if (!s->out->json) {
		if (!s->has_rcpt)
			out_line(s->out, "");
		out_row(s->out, r);
	} else {
		if (s->has_rcpt)
			(void)buf_add_char(&s->json, ',');
		out_json(r, &s->json);
	}
	s->has_rcpt = true;
}

void
show_end(struct show *s)
{
	close_message(s);
	buf_release(&s->json);
}
