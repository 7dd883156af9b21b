/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Buffers: growth, the limit, formatted appends at every fill, spans.
 */
#include "buf.h"

#include "check.h"

static void
test_growth(void)
{
	struct buf b = { 0 };
	size_t bad = 0;
	size_t i;

	CHECK_STR(buf_str(&b), "", "an empty buffer is a string");
	CHECK_INT(buf_span(&b).len, 0, "and an empty span");
	for (i = 0; i < 100000; i++)
		buf_add_char(&b, (char)('a' + i % 26));
	for (i = 0; i < 100000; i++)
		bad += b.data[i] != (char)('a' + i % 26);
	CHECK_INT(bad, 0, "100,000 single bytes are kept");
	CHECK_INT(b.len, 100000, "and counted");
	CHECK_INT(strlen(buf_str(&b)), 100000, "and terminated");
	buf_clear(&b);
	CHECK_STR(buf_str(&b), "", "a cleared buffer is empty");
	buf_add(&b, "a\0b", 3);
	CHECK_MEM(b.data, "a\0b", 4, "a NUL is a byte as others");
	buf_add_span(&b, SPAN_LIT("c\0d"));
	CHECK_MEM(b.data, "a\0bc\0d", 7, "in a span as well");
	buf_release(&b);
	CHECK(b.data == NULL && b.len == 0 && b.cap == 0,
	      "a released buffer holds nothing");
	buf_release(&b);
	buf_clear(&b);
	CHECK_INT(buf_add(&b, NULL, 0), 0, "nothing is appended");
	CHECK_STR(buf_str(&b), "", "and changes nothing");
	buf_release(&b);
}

static void
test_limit(void)
{
	struct buf b = { .limit = 10 };

	CHECK_INT(buf_add_str(&b, "0123456789"), 0, "up to the limit it fits");
	CHECK_INT(b.overflowed, 0, "and nothing was refused");
	CHECK_INT(buf_add_char(&b, 'x'), -1, "one more is refused");
	CHECK_INT(b.overflowed, 1, "and that is remembered");
	CHECK_STR(buf_str(&b), "0123456789", "what was there stays");
	CHECK(buf_reserve(&b, 1) == NULL, "no room is reserved past it");
	CHECK(buf_reserve(&b, 0) != NULL, "no bytes always fit");
	CHECK(buf_reserve(&b, SIZE_MAX) == NULL, "a huge size does not wrap");
	CHECK(buf_reserve(&b, SIZE_MAX - 9) == NULL, "nor one that would wrap");
	buf_clear(&b);
	CHECK_INT(b.overflowed, 0, "a clear forgets the refusal");
	buf_add_str(&b, "abc");
	CHECK_INT(buf_printf(&b, "%d", 12345678), -1,
		  "a format too long is refused");
	CHECK_STR(buf_str(&b), "abc", "and appends nothing");
	CHECK_INT(buf_printf(&b, "%d", 1234567), 0, "one that fits is not");
	CHECK_STR(buf_str(&b), "abc1234567", "and is appended");
	buf_release(&b);
	CHECK_INT(b.limit, 10, "the limit outlives a release");
	CHECK_INT(buf_add_str(&b, "0123456789a"), -1,
		  "an empty buffer refuses too");
	CHECK_STR(buf_str(&b), "", "and is still a string");
	b.limit = 100;
	while (buf_add_char(&b, 'x') == 0)
		;
	CHECK_INT(b.len, 100, "a limit between two sizes is reached");
	buf_release(&b);
	b.limit = 0;
	CHECK(buf_reserve(&b, SIZE_MAX) == NULL,
	      "without a limit the address space is one");
	buf_release(&b);
}

static void
test_printf(void)
{
	struct buf b = { 0 };
	size_t bad = 0;
	char want[300];
	size_t fill, len;

	for (fill = 0; fill < 140; fill++) {
		for (len = 0; len < 140; len++) {
			buf_release(&b);
			memset(want, 'f', fill);
			memset(want + fill, 'p', len);
			want[fill + len] = '\0';
			buf_add(&b, want, fill);
			buf_printf(&b, "%s", want + fill);
			bad += strcmp(buf_str(&b), want) != 0 ||
			       b.len != fill + len;
		}
	}
	CHECK_INT(bad, 0, "a format fits whatever room was left");
	buf_release(&b);
}

static void
test_reserve(void)
{
	struct buf b = { 0 };
	char *p;

	p = buf_reserve(&b, 5);
	memcpy(p, "hello", 5);
	CHECK_INT(b.len, 0, "reserving counts nothing");
	buf_commit(&b, 3);
	CHECK_STR(buf_str(&b), "hel", "committing counts and terminates");
	buf_release(&b);
}

static void
test_consume(void)
{
	struct buf b = { 0 };

	buf_consume(&b, 3);
	CHECK_STR(buf_str(&b), "", "nothing is consumed from nothing");
	buf_add_str(&b, "abcdef");
	buf_consume(&b, 0);
	CHECK_STR(buf_str(&b), "abcdef", "0 bytes drop nothing");
	buf_consume(&b, 2);
	CHECK_STR(buf_str(&b), "cdef", "the first bytes are dropped");
	buf_consume(&b, 4);
	CHECK_STR(buf_str(&b), "", "all are dropped");
	buf_add_str(&b, "xyz");
	buf_consume(&b, 100);
	CHECK_STR(buf_str(&b), "", "more than all are dropped");
	buf_wipe(&b);
	CHECK(b.data == NULL && b.cap == 0, "a wiped buffer holds nothing");
	buf_wipe(&b);
}

static void
test_spans(void)
{
	static const struct {
		const char *a, *b;
		int is_eq, is_ieq;
		const char *words;
	} rows[] = {
		{ "", "", 1, 1, "two empty ones" },
		{ "a", "", 0, 0, "one empty" },
		{ "abc", "abc", 1, 1, "the same" },
		{ "abc", "aBC", 0, 1, "another case" },
		{ "abc", "abd", 0, 0, "another byte" },
		{ "abc", "abcd", 0, 0, "a prefix" },
		{ "@", "`", 0, 0, "what differs by the bit of case only" },
		{ "\xc3\x84", "\xc3\xa4", 0, 0, "letters beyond ASCII" },
	};
	struct span a, b;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = span_of(rows[i].a);
		b = span_of(rows[i].b);
		CHECK_INT(span_eq(a, b), rows[i].is_eq, "span_eq: %s",
			  rows[i].words);
		CHECK_INT(span_ieq(a, b), rows[i].is_ieq, "span_ieq: %s",
			  rows[i].words);
	}
	a = (struct span){ NULL, 0 };
	CHECK(span_eq(a, span_of("")), "a NULL span is an empty one");
	CHECK(span_eq(SPAN_LIT("a\0b"), (struct span){ "a\0bc", 3 }),
	      "SPAN_LIT holds NULs");
}

int
main(void)
{
	test_growth();
	test_limit();
	test_printf();
	test_reserve();
	test_consume();
	test_spans();
	return check_done();
}
