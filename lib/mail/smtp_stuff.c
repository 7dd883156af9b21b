/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The message behind DATA as a client sends it (RFC 5321 section 4.5.2).
 * Every line end that leaves here is CRLF and every line that begins with
 * a dot gets another, so no server can be made to see an early end.
 */
#include <string.h>

#include "smtp.h"

void
smtp_stuff_init(struct smtp_stuff *s)
{
	memset(s, 0, sizeof(*s));
}

/* A line end, whatever it was in the message. */
static int
line_end(struct smtp_stuff *s, struct buf *out)
{
	s->in_line = false;
	s->had_cr = false;
	return buf_add(out, "\r\n", 2);
}

/*
 * Where the run from p on ends that goes out as it is: whole lines of CRLF
 * that do not begin with a dot, and the start of one.  *lf is the next LF
 * from p on, end: none, or lies before p: not known.
 */
static const char *
plain(struct smtp_stuff *s, const char *p, const char *end, const char **lf)
{
	const char *cr;

	while (p < end && (s->in_line || *p != '.')) {
		s->in_line = true;
		if (*lf == NULL || *lf < p)
			*lf = memchr(p, '\n', (size_t)(end - p));
		if (*lf == NULL)
			*lf = end;
		cr = memchr(p, '\r', (size_t)(*lf - p));
		if (cr == NULL)
			return *lf;
		if (*lf == end || cr + 1 != *lf)
			return cr;
		p = *lf + 1;
		s->in_line = false;
	}
	return p;
}

/* The byte that ended a run. */
static int
special(struct smtp_stuff *s, char c, struct buf *out)
{
	if (c == '\n')
		return line_end(s, out);
	if (c == '\r') {
		s->had_cr = true;
		return 0;
	}
	s->in_line = true;
	return buf_add(out, "..", 2);
}

int
smtp_stuff_send(struct smtp_stuff *s, struct span in, struct buf *out)
{
	const char *p = in.p;
	const char *end = in.len > 0 ? in.p + in.len : in.p;
	const char *lf = NULL;
	const char *run;

	while (p < end) {
		if (s->had_cr) {
			/* An LF belongs to it; anything else does not. */
			p += *p == '\n';
			if (line_end(s, out) < 0)
				return -1;
			continue;
		}
		run = p;
		p = plain(s, p, end, &lf);
		if (p > run && buf_add(out, run, (size_t)(p - run)) < 0)
			return -1;
		if (p < end && special(s, *p++, out) < 0)
			return -1;
	}
	return 0;
}

int
smtp_stuff_end(struct smtp_stuff *s, struct buf *out)
{
	if ((s->had_cr || s->in_line) && line_end(s, out) < 0)
		return -1;
	return buf_add(out, ".\r\n", 3);
}
