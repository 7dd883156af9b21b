/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The message behind DATA as a server takes it (RFC 5321 sections 4.1.1.4
 * and 4.5.2).  Ordinary text is copied in long runs; nothing but a CRLF of
 * the sender starts a line, so nothing else can end the message.
 */
#include <string.h>

#include "smtp.h"

#define ONES 0x0101010101010101U
#define HIGHS 0x8080808080808080U

/* One piece of input; run..p stands in the output as it is. */
struct piece {
	const char *p, *end;
	const char *run;
	const char *lf; /* the next LF from p on, end: none, NULL: not known */
	struct buf *out;
};

void
smtp_data_init(struct smtp_data *d)
{
	memset(d, 0, sizeof(*d));
	d->state = SMTP_DATA_CRLF;
}

static int
flush(struct piece *in, const char *next)
{
	const char *run = in->run;

	in->run = next;
	if (in->p == run)
		return 0;
	return buf_add(in->out, run, (size_t)(in->p - run));
}

static void
lengthen(struct smtp_data *d, size_t n)
{
	d->line_len += n;
	if (d->line_len > d->line_max)
		d->line_max = d->line_len;
}

/* A CR or LF that is no part of a CRLF and is not in the run. */
static int
add_bare(struct smtp_data *d, struct buf *out, char c)
{
	d->has_bare = true;
	if (!d->makes_crlf) {
		lengthen(d, 1);
		return buf_add_char(out, c);
	}
	d->line_len = 0;
	return buf_add(out, "\r\n", 2);
}

/* The bare CR or LF at p; the line of the sender goes on behind it. */
static int
bare(struct smtp_data *d, struct piece *in)
{
	if (flush(in, in->p + 1) < 0 || add_bare(d, in->out, *in->p) < 0)
		return -1;
	in->p++;
	return 0;
}

/* Behind the start of a line, up to its end or what needs a closer look. */
static int
text(struct smtp_data *d, struct piece *in)
{
	const char *cr;

	if (in->lf == NULL || in->lf < in->p) {
		in->lf = memchr(in->p, '\n', (size_t)(in->end - in->p));
		if (in->lf == NULL)
			in->lf = in->end;
	}
	cr = memchr(in->p, '\r', (size_t)(in->lf - in->p));
	if (cr == NULL)
		cr = in->lf;
	lengthen(d, (size_t)(cr - in->p));
	in->p = cr;
	if (cr == in->end)
		return 0;
	if (*cr == '\n')
		return bare(d, in);
	if (cr + 1 == in->end) {
		d->state = SMTP_DATA_CR;
		if (flush(in, in->end) < 0)
			return -1;
		in->p++;
		return 0;
	}
	if (cr + 1 != in->lf)
		return bare(d, in);
	in->p += 2;
	d->line_len = 0;
	d->state = SMTP_DATA_CRLF;
	return 0;
}

/* One step in any state; takes at least one byte or changes the state. */
static int
step(struct smtp_data *d, struct piece *in)
{
	switch (d->state) {
	case SMTP_DATA_CRLF:
		d->state = *in->p == '.' && !d->is_chunked ? SMTP_DATA_DOT
							   : SMTP_DATA_TEXT;
		if (d->state == SMTP_DATA_TEXT)
			return 0;
		break;
	case SMTP_DATA_TEXT:
		return text(d, in);
	case SMTP_DATA_CR:
		d->state = SMTP_DATA_TEXT;
		if (*in->p != '\n')
			return add_bare(d, in->out, '\r');
		d->state = SMTP_DATA_CRLF;
		d->line_len = 0;
		in->run = ++in->p;
		return buf_add(in->out, "\r\n", 2);
	case SMTP_DATA_DOT:
		/* Any other byte: the dot was stuffing. */
		d->state = *in->p == '\r' ? SMTP_DATA_DOT_CR : SMTP_DATA_TEXT;
		if (d->state == SMTP_DATA_TEXT)
			return 0;
		break;
	case SMTP_DATA_DOT_CR:
		d->state = *in->p == '\n' ? SMTP_DATA_END : SMTP_DATA_TEXT;
		if (d->state == SMTP_DATA_TEXT)
			return add_bare(d, in->out, '\r');
		break;
	case SMTP_DATA_END:
		return 0;
	}
	/* A byte that is not, or not yet, part of the message. */
	if (flush(in, in->p + 1) < 0)
		return -1;
	in->p++;
	return 0;
}

/* Marks NUL and bytes above 127, eight at a time. */
static void
look(struct smtp_data *d, const char *p, const char *end)
{
	uint64_t nul = 0;
	uint64_t high = 0;
	uint64_t w;

	for (; end - p >= 8; p += 8) {
		memcpy(&w, p, 8);
		high |= w;
		nul |= (w - ONES) & ~w;
	}
	for (; p < end; p++) {
		high |= (unsigned char)*p;
		nul |= *p == '\0' ? HIGHS : 0;
	}
	d->has_8bit |= (high & HIGHS) != 0;
	d->has_nul |= (nul & HIGHS) != 0;
}

int64_t
smtp_data_receive(struct smtp_data *d, struct span in, struct buf *out)
{
	struct piece piece = { .p = in.p, .run = in.p, .lf = NULL, .out = out };

	/* An empty span may have no address to count from. */
	if (in.len == 0)
		return 0;
	piece.end = in.p + in.len;
	while (piece.p < piece.end && d->state != SMTP_DATA_END)
		if (step(d, &piece) < 0)
			return -1;
	if (flush(&piece, piece.p) < 0)
		return -1;
	look(d, in.p, piece.p);
	return piece.p - in.p;
}

int
smtp_data_end(struct smtp_data *d, struct buf *out)
{
	int rc = 0;

	if (d->state == SMTP_DATA_CR)
		rc = add_bare(d, out, '\r');
	d->state = SMTP_DATA_END;
	return rc;
}
