/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Trailers: written and found, damaged, of a newer version, and sealed
 * with another key.
 */
#include "trailer.h"

#include <string.h>

#include "check.h"
#include "str.h"

#define TEXT "mcgate-envelope: 2\nname: x\nend: 01234567\n"

static const struct trailer_key key = { { 0x0123456789abcdef, 42 } };
static const struct trailer_key other = { { 0x0123456789abcdef, 43 } };

static enum trailer_result
find(const struct buf *b, struct trailer *t)
{
	return trailer_find(buf_span(b), t);
}

static void
make(struct buf *b)
{
	char end[TRAILER_END_SIZE];

	buf_clear(b);
	(void)buf_add_str(b, "a body\r\n" TEXT);
	trailer_end(&key, SPAN_LIT(TEXT), 0xfeedbee5, end);
	(void)buf_add(b, end, sizeof(end));
}

static void
test_found(void)
{
	struct buf b = { 0 };
	struct trailer t;

	make(&b);
	CHECK_INT(find(&b, &t), TRAILER_OK, "a trailer is found");
	CHECK(t.text_len == strlen(TEXT) && t.body_crc == 0xfeedbee5,
	      "with the length of its envelope and the sum of its body");
	CHECK(trailer_is_sealed(&key, SPAN_LIT(TEXT), &t), "it is sealed");
	CHECK(!trailer_is_sealed(&other, SPAN_LIT(TEXT), &t),
	      "with our key only");
	CHECK(!trailer_is_sealed(&key, SPAN_LIT("mcgate-envelope: 2\n"), &t),
	      "another envelope is not");
	t.body_crc++;
	CHECK(!trailer_is_sealed(&key, SPAN_LIT(TEXT), &t),
	      "nor one of another body");
	buf_release(&b);
}

static void
test_damaged(void)
{
	struct buf b = { 0 };
	struct trailer t;
	size_t i, cut = 0, turned = 0, start;

	make(&b);
	start = b.len - TRAILER_END_SIZE;
	for (i = 0; i < b.len; i++)
		cut += trailer_find((struct span){ b.data, i }, &t) !=
		       TRAILER_NONE;
	CHECK_INT(cut, 0, "one that is cut short is none");
	for (i = start * 8; i < b.len * 8; i++) {
		b.data[i / 8] ^= (char)(1 << i % 8);
		turned += find(&b, &t) == TRAILER_OK;
		b.data[i / 8] ^= (char)(1 << i % 8);
	}
	CHECK_INT(turned, 0, "one with a bit turned is not taken");
	(void)buf_add_char(&b, '\n');
	CHECK_INT(find(&b, &t), TRAILER_NONE, "nor one with more behind it");
	buf_release(&b);
}

static const struct newer_row {
	const char *text;
	enum trailer_result want;
} newer_rows[] = {
	{ "\nmcgate-trailer: 2 of a later version, which may be longer than "
	  "this one is, and says other things\n",
	  TRAILER_NEWER },
	{ "\nmcgate-trailer: 2 0123456789 0123456789 0123456789 0123456789 "
	  "without a line end",
	  TRAILER_NONE },
	{ "\nmcgate-trailer: 1 of this version, but not as it is written in "
	  "this version, and too long\n",
	  TRAILER_NONE },
	{ "\nmcgate-trailer: \n                                              "
	  "                                  \n",
	  TRAILER_NONE },
	{ "mcgate-trailer: 99999999999999999999999999999999999999999999999999"
	  "99999999999999\n",
	  TRAILER_NONE },
	{ "\n", TRAILER_NONE },
	{ "", TRAILER_NONE },
};

static void
test_newer(void)
{
	struct trailer t;
	size_t i;

	for (i = 0; i < sizeof(newer_rows) / sizeof(newer_rows[0]); i++)
		CHECK_INT(trailer_find(span_of(newer_rows[i].text), &t),
			  newer_rows[i].want, "row %zu of other texts", i);
}

/* What an earlier mcgate has written is read for ever. */
static void
test_kept(void)
{
	static const char line[] = "mcgate-trailer: 1 00000029 feedbee5 "
				   "af908402c66cabc7 24c9db2f\n";
	struct buf b = { 0 };

	make(&b);
	CHECK(memcmp(b.data + b.len - TRAILER_END_SIZE, line,
		     TRAILER_END_SIZE) == 0,
	      "the line of version 1: %.*s", TRAILER_END_SIZE - 1,
	      b.data + b.len - TRAILER_END_SIZE);
	buf_release(&b);
}

int
main(void)
{
	test_found();
	test_damaged();
	test_newer();
	test_kept();
	return check_done();
}
