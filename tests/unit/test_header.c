/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Header fields: where they start and end, their values as text, and the
 * scanner that sees a message go by in pieces.
 */
#include <string.h>

#include "buf.h"
#include "check.h"
#include "header.h"
#include "str.h"

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10

/* fields: "name=value" as text, each closed by "|". */
static const struct walk_row {
	const char *what;
	const char *text;
	const char *fields;
	const char *body;
} walks[] = {
	{ "two fields and a body", "A: 1\r\nB: 2\r\n\r\nbody\r\n", "A=1|B=2|",
	  "body\r\n" },
	{ "LF alone as line end", "A: 1\nB: 2\n\nbody\n", "A=1|B=2|",
	  "body\n" },
	{ "no text", "", "", "" },
	{ "no header", "\r\nbody\r\n", "", "body\r\n" },
	{ "no body", "A: 1\r\n", "A=1|", "" },
	{ "no last line end", "A: 1\r\nB: 2", "A=1|B=2|", "" },
	{ "nothing behind the colon", "A:\r\nB:\r\n\r\n", "A=|B=|", "" },
	{ "a folded value", "A: 1\r\n 2\r\n\t3\r\nB: 4\r\n\r\n", "A=1 2 3|B=4|",
	  "" },
	{ "a value that starts in a fold", "A:\r\n 1\r\n\r\n", "A=1|", "" },
	{ "a fold of blanks", "A: 1\r\n \r\n 2\r\n\r\n", "A=1  2|", "" },
	{ "blanks before the colon", "A \t: 1\r\n\r\n", "A=1|", "" },
	{ "colons in the value", "A: b: c\r\n\r\n", "A=b: c|", "" },
	{ "odd characters in a name", "!#$%~-9: 1\r\n\r\n", "!#$%~-9=1|", "" },
	{ "a line of mbox in front", "From a@b.example Mon\r\nA: 1\r\n\r\n",
	  "A=1|", "" },
	{ "a line without a colon", "A: 1\r\njunk\r\nB: 2\r\n\r\n", "A=1|B=2|",
	  "" },
	{ "a fold of a line that is no field", "junk\r\n A: 1\r\nB: 2\r\n\r\n",
	  "B=2|", "" },
	{ "a blank in front of all", " A: 1\r\nB: 2\r\n\r\n", "B=2|", "" },
	{ "a space in a name", "A B: 1\r\nC: 2\r\n\r\n", "C=2|", "" },
	{ "no name", ": 1\r\nB: 2\r\n\r\n", "B=2|", "" },
	{ "a name that is not ASCII", "\xc3\xb6: 1\r\nB: 2\r\n\r\n", "B=2|",
	  "" },
	{ "a name of 76", X70 "yyyyyy: 1\r\n\r\n", X70 "yyyyyy=1|", "" },
	{ "a name of 77", X70 "yyyyyyy: 1\r\nB: 2\r\n\r\n", "B=2|", "" },
	{ "a bare CR in a value", "A: 1\rB: 2\r\n\r\n", "A=1?B: 2|", "" },
	{ "a line of a bare CR", "\r\r\nA: 1\r\n\r\n", "A=1|", "" },
	{ "an empty line is the first of two kinds", "A: 1\r\n\n\r\nx", "A=1|",
	  "\r\nx" },
};

static void
check_walk(const struct walk_row *row)
{
	struct span text = span_of(row->text);
	struct buf got = { 0 };
	struct header_field f;
	char value[256];
	size_t at = 0;
	size_t behind = 0;
	bool is_exact = true;

	while (header_next(text, &at, &f) == 1) {
		header_value_text(f.value, value, sizeof(value));
		buf_add_span(&got, f.name);
		buf_printf(&got, "=%s|", value);
		is_exact =
			is_exact && f.offset >= behind &&
			f.name.p == text.p + f.offset &&
			f.value.p + f.value.len == text.p + f.offset + f.len &&
			at == f.offset + f.len;
		behind = f.offset + f.len;
	}
	CHECK_STR(buf_str(&got), row->fields, "fields: %s", row->what);
	CHECK_STR(row->text + at, row->body, "body: %s", row->what);
	CHECK(is_exact, "offsets: %s", row->what);
	buf_release(&got);
}

static void
check_value(void)
{
	char small[12];
	char large[HEADER_TEXT_MAX + 100];
	struct buf b = { 0 };

	header_value_text(SPAN_LIT(" \t\r\n a\r\n\tb\x01\xff \r\n"), small,
			  sizeof(small));
	CHECK_STR(small, "a b??", "a value is unfolded, trimmed, printable");
	header_value_text(SPAN_LIT("one two three four"), small, sizeof(small));
	CHECK_STR(small, "one two ...", "a long value is cut");
	header_value_text((struct span){ NULL, 0 }, small, sizeof(small));
	CHECK_STR(small, "", "an empty value");
	while (b.len < sizeof(large))
		buf_add_str(&b, "value ");
	header_value_text(buf_span(&b), large, sizeof(large));
	CHECK_INT(strlen(large), HEADER_TEXT_MAX, "at most %d bytes of it",
		  HEADER_TEXT_MAX);
	buf_release(&b);
}

static const struct scan_row {
	const char *what;
	const char *text;
	bool is_done; /* before the end is said */
	size_t bytes;
	int received;
	const char *message_id, *subject, *from;
} scans[] = {
	{ "an ordinary message",
	  "Received: by a\r\n\tfor b\r\nreceived: by c\r\n"
	  "From: A <a@b.example>\r\nMESSAGE-ID: <1@b.example>\r\n"
	  "Subject: one\r\n two\r\n\r\nSubject: body\r\n",
	  true, 112, 2, "<1@b.example>", "one two", "A <a@b.example>" },
	{ "LF alone", "Subject: s\nMessage-ID: <1>\n\nReceived: x\n", true, 28,
	  0, "<1>", "s", "" },
	{ "the first of each counts",
	  "Subject: 1\r\nSubject: 2\r\nFrom: a\r\nFrom: b\r\n\r\n", true, 44, 0,
	  "", "1", "a" },
	{ "no empty line", "Subject: s\r\nReceived: x", false, 23, 1, "", "s",
	  "" },
	{ "no header", "\r\nSubject: s\r\n", true, 2, 0, "", "", "" },
	{ "nothing", "", false, 0, 0, "", "", "" },
	{ "a CR at the end", "Subject: s\r\n\r", false, 13, 0, "", "s", "" },
	{ "a line that begins with a bare CR",
	  "Subject: s\r\n\rFrom: a\r\n\r\n", true, 24, 0, "", "s", "" },
	{ "several bare CR", "Subject: s\r\r\r\n\r\r\nFrom: a\r\n\r\n", true,
	  28, 0, "", "s", "a" },
	{ "a fold of a line that is no field",
	  "junk\r\n Subject: 1\r\nSubject: 2\r\n\r\n", true, 33, 0, "", "2",
	  "" },
	{ "blanks before the colon", "Subject\t : s\r\n\r\n", true, 16, 0, "",
	  "s", "" },
	{ "names that only begin alike",
	  "Subject2: 1\r\nX-From: 2\r\nReceived-SPF: 3\r\n\r\n", true, 43, 0,
	  "", "", "" },
};

static void
feed(struct header_scan *h, const char *text, size_t first, size_t piece)
{
	size_t len = strlen(text);
	size_t at = first < len ? first : len;
	size_t n;

	header_scan_init(h);
	header_scan_feed(h, (struct span){ text, at });
	for (; at < len; at += n) {
		n = piece < len - at ? piece : len - at;
		header_scan_feed(h, (struct span){ text + at, n });
	}
}

static bool
same_scan(const struct header_scan *a, const struct header_scan *b)
{
	return a->is_done == b->is_done && a->bytes == b->bytes &&
	       a->is_truncated == b->is_truncated &&
	       a->received == b->received &&
	       str_eq(a->message_id, b->message_id) &&
	       str_eq(a->subject, b->subject) && str_eq(a->from, b->from);
}

static void
check_scan(const struct scan_row *row)
{
	size_t len = strlen(row->text);
	struct header_scan h, other;
	bool is_same = true;
	size_t i;

	feed(&h, row->text, len, 1);
	CHECK_INT(h.is_done, row->is_done, "scan is done: %s", row->what);
	CHECK_INT(h.bytes, row->bytes, "scan bytes: %s", row->what);
	header_scan_end(&h);
	CHECK(h.is_done && !h.is_truncated, "scan ends: %s", row->what);
	CHECK_INT(h.received, row->received, "Received: %s", row->what);
	CHECK_STR(h.message_id, row->message_id, "Message-ID: %s", row->what);
	CHECK_STR(h.subject, row->subject, "Subject: %s", row->what);
	CHECK_STR(h.from, row->from, "From: %s", row->what);
	for (i = 0; i <= len; i++) {
		feed(&other, row->text, i, len);
		header_scan_end(&other);
		is_same = is_same && same_scan(&h, &other);
		feed(&other, row->text, i, 1);
		header_scan_end(&other);
		is_same = is_same && same_scan(&h, &other);
	}
	CHECK(is_same, "in any pieces: %s", row->what);
}

static void
check_scan_limits(void)
{
	static char block[65536];
	struct header_field f;
	struct header_scan h;
	size_t at = 0;
	size_t i;

	header_scan_init(&h);
	header_scan_feed(&h, (struct span){ NULL, 0 });
	CHECK(h.bytes == 0 && !h.is_done &&
		      header_next((struct span){ NULL, 0 }, &at, &f) == 0 &&
		      at == 0,
	      "an empty span has no header");
	memset(block, 'x', sizeof(block));
	memcpy(block, "Subject: ", 9);
	header_scan_init(&h);
	for (i = 0; i < HEADER_SCAN_MAX / sizeof(block); i++)
		header_scan_feed(&h, (struct span){ block, sizeof(block) });
	CHECK(!h.is_done && h.bytes == HEADER_SCAN_MAX,
	      "a header of the largest size");
	header_scan_feed(&h, SPAN_LIT("\r\n\r\n"));
	CHECK(h.is_done && h.is_truncated && h.bytes == HEADER_SCAN_MAX,
	      "one byte more is cut");
	CHECK(strlen(h.subject) == sizeof(h.subject) - 1 && h.subject[0] == 'x',
	      "what was seen of the subject is kept");
	header_scan_init(&h);
	memcpy(block + 20000, "\r\n\r\n", 4);
	header_scan_feed(&h, (struct span){ block, sizeof(block) });
	CHECK(h.is_done && !h.is_truncated && h.bytes == 20004,
	      "one that ends in time is not");
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(walks) / sizeof(walks[0]); i++)
		check_walk(&walks[i]);
	check_value();
	for (i = 0; i < sizeof(scans) / sizeof(scans[0]); i++)
		check_scan(&scans[i]);
	check_scan_limits();
	return check_done();
}
