/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Replies of an SMTP server as a client reads them, line by line (RFC 5321
 * section 4.2), with the enhanced codes of RFC 2034.
 */
#include <string.h>

#include "smtp.h"
#include "str.h"

void
smtp_reply_clear(struct smtp_reply *r)
{
	memset(r, 0, sizeof(*r));
}

/* Digits at the front of s, at most three. */
static size_t
digits(struct span s)
{
	size_t n = 0;

	while (n < s.len && n < 3 && ascii_isdigit((unsigned char)s.p[n]))
		n++;
	return n;
}

/*
 * Length of "5.1.1" at the front of s, 0 when there is none that belongs
 * to code.
 */
static size_t
enhanced_len(struct span s, int code)
{
	size_t at = 1;
	size_t n, part;

	if (s.len < 5 || s.p[0] != '0' + code / 100 ||
	    strchr("245", s.p[0]) == NULL)
		return 0;
	for (part = 0; part < 2; part++) {
		if (at >= s.len || s.p[at] != '.')
			return 0;
		at++;
		n = digits((struct span){ s.p + at, s.len - at });
		if (n == 0)
			return 0;
		at += n;
	}
	return at == s.len || s.p[at] == ' ' ? at : 0;
}

static void
add_text(struct smtp_reply *r, struct span text)
{
	size_t room;

	while (text.len > 0 && *text.p == ' ') {
		text.p++;
		text.len--;
	}
	/* Room for a space, something, and a NUL. */
	if (text.len == 0 || r->text_len + 3 > sizeof(r->text))
		return;
	if (r->text_len > 0)
		r->text[r->text_len++] = ' ';
	room = sizeof(r->text) - r->text_len;
	str_printable(r->text + r->text_len, room, text.p, text.len);
	r->text_len += strlen(r->text + r->text_len);
}

/* The code of a line, 0 when it has none. */
static int
code_of(struct span line)
{
	if (line.len < 3 || digits(line) != 3 || line.p[0] < '2' ||
	    line.p[0] > '5')
		return 0;
	return (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 +
	       (line.p[2] - '0');
}

int
smtp_reply_line(struct smtp_reply *r, struct span line, struct err *e)
{
	char shown[64];
	bool has_more;
	size_t len;
	int code;

	if (line.len > SMTP_REPLY_LINE_MAX)
		return err_set(e, "reply line longer than %d bytes",
			       SMTP_REPLY_LINE_MAX);
	code = code_of(line);
	has_more = line.len > 3 && line.p[3] == '-';
	if (code == 0 || (line.len > 3 && !has_more && line.p[3] != ' ')) {
		str_printable(shown, sizeof(shown), line.p, line.len);
		return err_set(e, "not a line of a reply: \"%s\"", shown);
	}
	if (r->code != 0 && code != r->code)
		return err_set(e, "reply code changes from %d to %d", r->code,
			       code);
	if (r->lines == SMTP_REPLY_LINES_MAX)
		return err_set(e, "reply of more than %d lines",
			       SMTP_REPLY_LINES_MAX);
	r->code = code;
	r->lines++;
	len = line.len < 4 ? line.len : 4;
	line = (struct span){ line.p + len, line.len - len };
	len = enhanced_len(line, code);
	if (len > 0 && r->enhanced[0] == '\0') {
		memcpy(r->enhanced, line.p, len);
		r->enhanced[len] = '\0';
	}
	add_text(r, (struct span){ line.p + len, line.len - len });
	return has_more ? 0 : 1;
}
