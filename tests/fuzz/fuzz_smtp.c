/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes command lines, replies, and the text behind DATA in both
 * directions.  The first byte says which; the text of the last two comes
 * whole and in pieces and must come out the same, and what is sent must be
 * received as what was to be sent.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "smtp.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static bool
is_within(struct span part, struct span line)
{
	return part.len == 0 ||
	       (part.p >= line.p && part.p + part.len <= line.p + line.len);
}

static void
check_command(struct span line, bool utf8)
{
	struct smtp_command c;
	struct smtp_fault f;
	char path[ADDRESS_TEXT_SIZE + 2];
	struct address again;
	size_t used;

	if (smtp_parse_command(line, utf8, &c, &f) < 0) {
		must(f.code >= 500 && f.code <= 555 && f.enhanced[0] == '5');
		must(f.text.text[0] != '\0');
		must(str_is_utf8(f.text.text, strlen(f.text.text)));
		return;
	}
	must(is_within(c.arg, line) && is_within(c.envid, line));
	must(is_within(c.ret, line) && is_within(c.notify, line));
	must(is_within(c.orcpt, line));
	must(smtp_verb_name(c.verb)[0] != '\0');
	if (c.verb != SMTP_MAIL && c.verb != SMTP_RCPT)
		return;
	must(utf8 || !c.path.is_utf8);
	must(str_fmt(path, sizeof(path), "<%s>", c.path.text));
	must(address_parse_path(span_of(path), 7, &again, &used, NULL) == 0);
	must(str_eq(again.text, c.path.text));
}

/* The next line, its LF taken off; false at the end. */
static bool
next_line(struct span *in, struct span *line)
{
	const char *lf;

	if (in->len == 0)
		return false;
	lf = memchr(in->p, '\n', in->len);
	*line = *in;
	if (lf != NULL)
		line->len = (size_t)(lf - in->p);
	in->p += line->len + (lf != NULL);
	in->len -= line->len + (lf != NULL);
	return true;
}

static void
check_reply(struct span in)
{
	struct smtp_reply r;
	struct span line;
	int rc = 0;

	smtp_reply_clear(&r);
	while (rc == 0 && next_line(&in, &line)) {
		rc = smtp_reply_line(&r, line, NULL);
		must(r.text_len == strlen(r.text));
		must(r.lines <= SMTP_REPLY_LINES_MAX);
		must(strlen(r.enhanced) < sizeof(r.enhanced));
		must(str_is_utf8(r.text, r.text_len));
	}
	must(rc != 1 || (r.code >= 200 && r.code <= 599));
}

/* A bare CR or LF becomes CRLF, and the last line ends. */
static void
mend(struct span in, struct buf *out)
{
	size_t i;

	for (i = 0; i < in.len; i++) {
		if (in.p[i] == '\r' && i + 1 < in.len && in.p[i + 1] == '\n')
			i++;
		if (in.p[i] == '\r' || in.p[i] == '\n')
			must(buf_add(out, "\r\n", 2) == 0);
		else
			must(buf_add_char(out, in.p[i]) == 0);
	}
	if (in.len > 0 && in.p[in.len - 1] != '\r' && in.p[in.len - 1] != '\n')
		must(buf_add(out, "\r\n", 2) == 0);
}

static size_t
receive(struct smtp_data *d, struct span in, size_t piece, struct buf *out)
{
	size_t used = 0;
	size_t n;
	int64_t got;

	while (used < in.len && d->state != SMTP_DATA_END) {
		n = in.len - used < piece ? in.len - used : piece;
		got = smtp_data_receive(d, (struct span){ in.p + used, n },
					out);
		must(got >= 0 && (size_t)got <= n);
		must((size_t)got == n || d->state == SMTP_DATA_END);
		used += (size_t)got;
	}
	must(out->len <= 2 * used + 2);
	return used;
}

static void
check_send(struct span in, size_t piece)
{
	struct buf sent = { 0 };
	struct buf want = { 0 };
	struct buf got = { 0 };
	struct smtp_stuff s;
	struct smtp_data d;
	size_t at, n;

	smtp_stuff_init(&s);
	for (at = 0; at < in.len; at += n) {
		n = in.len - at < piece ? in.len - at : piece;
		must(smtp_stuff_send(&s, (struct span){ in.p + at, n },
				     &sent) == 0);
	}
	must(smtp_stuff_end(&s, &sent) == 0);
	mend(in, &want);
	smtp_data_init(&d);
	must(receive(&d, buf_span(&sent), sent.len, &got) == sent.len);
	must(d.state == SMTP_DATA_END && !d.has_bare);
	must(span_eq(buf_span(&want), buf_span(&got)));
	buf_release(&sent);
	buf_release(&want);
	buf_release(&got);
}

static void
check_receive(struct span in, size_t piece, bool makes_crlf)
{
	struct buf whole = { 0 };
	struct buf pieces = { 0 };
	struct smtp_data d, p;
	size_t used;

	smtp_data_init(&d);
	d.makes_crlf = makes_crlf;
	p = d;
	used = receive(&d, in, in.len, &whole);
	must(receive(&p, in, piece, &pieces) == used);
	must(p.state == d.state && p.line_len == d.line_len);
	must(p.line_max == d.line_max && p.has_bare == d.has_bare);
	must(p.has_nul == d.has_nul && p.has_8bit == d.has_8bit);
	must(span_eq(buf_span(&whole), buf_span(&pieces)));
	if (d.state == SMTP_DATA_END)
		must(used >= 3 && memcmp(in.p + used - 3, ".\r\n", 3) == 0 &&
		     (used == 3 || memcmp(in.p + used - 5, "\r\n", 2) == 0));
	check_send(buf_span(&whole), piece);
	buf_release(&whole);
	buf_release(&pieces);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in, line;
	size_t piece;

	if (size == 0)
		return 0;
	in = (struct span){ (const char *)data + 1, size - 1 };
	piece = 1 + (data[0] >> 3);
	switch (data[0] & 7) {
	case 0:
		while (next_line(&in, &line)) {
			check_command(line, false);
			check_command(line, true);
		}
		break;
	case 1:
		check_reply(in);
		break;
	case 2:
	case 3:
		check_receive(in, piece, (data[0] & 1) != 0);
		break;
	default:
		check_send(in, piece);
		break;
	}
	return 0;
}
