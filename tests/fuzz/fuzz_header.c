/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes the two readers of a header, which must agree, and notifications
 * made of it.  The first byte is the size of the pieces that the scanner
 * gets; a zero makes a notification.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "dsn.h"
#include "header.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* As the scanner sees it: of the first 512 bytes of a field. */
static void
see(struct header_scan *h, const struct header_field *f)
{
	size_t room = sizeof(h->line);
	size_t before = (size_t)(f->value.p - f->name.p);
	struct span value = f->value;
	char *dst = NULL;

	if (before > room)
		return;
	if (value.len > room - before)
		value.len = room - before;
	if (span_ieq(f->name, SPAN_LIT("Received")))
		h->received++;
	if (span_ieq(f->name, SPAN_LIT("Message-ID")))
		dst = h->message_id;
	if (span_ieq(f->name, SPAN_LIT("Subject")))
		dst = h->subject;
	if (span_ieq(f->name, SPAN_LIT("From")))
		dst = h->from;
	if (dst != NULL && dst[0] == '\0')
		header_value_text(value, dst, sizeof(h->subject));
}

static void
walk(struct span in, struct header_scan *want)
{
	struct header_field f;
	size_t behind = 0;
	size_t at = 0;

	header_scan_init(want);
	while (header_next(in, &at, &f) == 1) {
		must(f.offset >= behind && f.len > 0);
		must(f.offset + f.len <= in.len && at == f.offset + f.len);
		must(f.name.p == in.p + f.offset);
		must(f.name.len > 0 && f.name.len <= HEADER_NAME_MAX);
		must(f.value.p[-1] == ':' && f.value.p > f.name.p);
		must(f.value.p + f.value.len == in.p + at);
		behind = at;
		see(want, &f);
	}
	must(at <= in.len && at >= behind);
	want->bytes = at;
}

static void
check_scan(struct span in, size_t piece)
{
	struct header_scan want, h;
	size_t at, n;

	walk(in, &want);
	header_scan_init(&h);
	for (at = 0; at < in.len; at += n) {
		n = in.len - at < piece ? in.len - at : piece;
		header_scan_feed(&h, (struct span){ in.p + at, n });
	}
	header_scan_end(&h);
	must(h.bytes == want.bytes && h.received == want.received);
	must(str_eq(h.message_id, want.message_id));
	must(str_eq(h.subject, want.subject) && str_eq(h.from, want.from));
	must(str_is_utf8(h.subject, strlen(h.subject)));
}

/* CRLF at the end of each line, none too long, no other controls. */
static void
check_form(const struct buf *b, bool is_utf8)
{
	size_t len = 0;
	size_t i;

	for (i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];

		if (c == '\r') {
			must(b->data[++i] == '\n');
			len = 0;
			continue;
		}
		must(++len <= 998 && (c >= 32 || c == '\t') && c != 127);
		must(c < 128 || is_utf8);
	}
	must(len == 0 && str_is_utf8(b->data, b->len));
}

/* The text is a header, and all else that strangers say. */
static void
check_dsn(struct span in)
{
	char *text = strndup(in.p, in.len);
	struct dsn_rcpt rcpt = { .action = (enum dsn_action)(in.len %
							     DSN_ACTIONS),
				 .address = text,
				 .orcpt = text,
				 .enhanced = text,
				 .relay = text,
				 .diagnostic = text };
	struct dsn d = { .id = "01jq8z5m3k7n2p4r",
			 .original_id = text,
			 .reporting_mta = "gate.example",
			 .to = "a@b.example",
			 .envid = text,
			 .rcpts = &rcpt,
			 .rcpt_count = 1,
			 .header = in,
			 .is_utf8 = in.len % 4 == 3 };
	struct buf out = { 0 };

	must(dsn_write(&d, &out, NULL) == 0);
	check_form(&out, dsn_is_utf8(&d));
	buf_release(&out);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in;

	if (size == 0)
		return 0;
	in = (struct span){ (const char *)data + 1, size - 1 };
	if (data[0] == 0)
		check_dsn(in);
	else
		check_scan(in, data[0]);
	return 0;
}
