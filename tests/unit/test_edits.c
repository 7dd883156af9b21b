/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Edits of a body: which lists hold, the size they give, and their form in
 * frames.
 */
#include <string.h>

#include "arena.h"
#include "check.h"
#include "envelope.h"
#include "str.h"

#define MAX UINT64_MAX

static const struct list_row {
	const char *what;
	uint64_t size;
	struct {
		uint64_t offset, length;
		const char *text;
	} edits[4];
	size_t n;
	bool is_good;
	uint64_t size_after;
} lists[] = {
	{ "none", 10, { { 0, 0, "" } }, 0, true, 10 },
	{ "text put in front", 10, { { 0, 0, "abc" } }, 1, true, 13 },
	{ "text put at the end", 10, { { 10, 0, "abc" } }, 1, true, 13 },
	{ "all taken out", 10, { { 0, 10, "" } }, 1, true, 0 },
	{ "a replacement", 10, { { 2, 3, "x" } }, 1, true, 8 },
	{ "an edit that does nothing", 0, { { 0, 0, "" } }, 1, true, 0 },
	{ "two at one offset",
	  10,
	  { { 5, 0, "a" }, { 5, 0, "b" } },
	  2,
	  true,
	  12 },
	{ "put in, then taken out there",
	  10,
	  { { 5, 0, "a" }, { 5, 2, "b" } },
	  2,
	  true,
	  10 },
	{ "taken out, then put in there",
	  10,
	  { { 5, 2, "a" }, { 5, 0, "b" } },
	  2,
	  false,
	  0 },
	{ "one behind the other",
	  10,
	  { { 0, 5, "" }, { 5, 5, "" }, { 10, 0, "x" } },
	  3,
	  true,
	  1 },
	{ "overlapping", 10, { { 0, 5, "" }, { 4, 1, "" } }, 2, false, 0 },
	{ "not ordered", 10, { { 5, 0, "" }, { 4, 0, "" } }, 2, false, 0 },
	{ "behind the end", 10, { { 11, 0, "" } }, 1, false, 0 },
	{ "beyond the end", 10, { { 5, 6, "" } }, 1, false, 0 },
	{ "a length that would wrap", 10, { { 5, MAX - 2, "" } }, 1, false, 0 },
	{ "an offset that would wrap", 10, { { MAX, 2, "" } }, 1, false, 0 },
	{ "the largest body", MAX, { { 0, MAX, "" } }, 1, true, 0 },
	{ "the end of the largest body",
	  MAX,
	  { { MAX, 0, "" } },
	  1,
	  true,
	  MAX },
	{ "a wrap to the front",
	  MAX,
	  { { MAX - 1, 1, "" }, { 0, 0, "" } },
	  2,
	  false,
	  0 },
};

static void
check_list(const struct list_row *row)
{
	struct edit edits[4];
	struct err e = { "" };
	size_t i;
	int rc;

	for (i = 0; i < row->n; i++)
		edits[i] = (struct edit){ row->edits[i].offset,
					  row->edits[i].length,
					  span_of(row->edits[i].text) };
	rc = edits_check(edits, row->n, row->size, &e);
	CHECK(rc == (row->is_good ? 0 : -1) &&
		      (e.text[0] == '\0') == row->is_good,
	      "%s: %s", row->what, row->is_good ? "holds" : "refused");
	if (row->is_good)
		CHECK_INT(edits_size(edits, row->n, row->size), row->size_after,
			  "%s: size", row->what);
}

static bool
same(const struct edit *a, const struct edit *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (a[i].offset != b[i].offset || a[i].length != b[i].length ||
		    !span_eq(a[i].text, b[i].text))
			return false;
	return true;
}

static void
check_bytes(void)
{
	struct edit edits[3] = { { 0, 0, SPAN_LIT("X-One: \0\r\n") },
				 { 1ull << 40, 7, { NULL, 0 } },
				 { 1ull << 41, 0, SPAN_LIT("last") } };
	struct arena a = { 0 };
	struct buf out = { 0 };
	struct edit *got;
	struct span in;
	size_t n, i;
	unsigned taken = 0;

	CHECK(edits_write(edits, 3, &out, NULL) == 0 &&
		      edits_read(buf_span(&out), &a, &got, &n, NULL) == 0 &&
		      n == 3 && same(edits, got, 3),
	      "edits come back from their bytes");
	in = buf_span(&out);
	for (i = 0; i < in.len; i++) {
		arena_clear(&a);
		taken += edits_read((struct span){ in.p, i }, &a, &got, &n,
				    NULL) == 0;
	}
	CHECK_INT(taken, 0, "bytes that are cut short are refused");
	buf_add_char(&out, 'x');
	CHECK_INT(edits_read(buf_span(&out), &a, &got, &n, NULL), -1,
		  "a byte too much is refused");
	buf_clear(&out);
	edits_write(edits, 0, &out, NULL);
	CHECK(out.len == 4 &&
		      edits_read(buf_span(&out), &a, &got, &n, NULL) == 0 &&
		      n == 0,
	      "no edits at all");
	buf_clear(&out);
	edits_write(edits, 2, &out, NULL);
	out.data[4 + 7] = 1; /* the offset of the first */
	out.data[4 + 15] = 9; /* its length */
	out.data[4 + 20 + 10 + 2] = 0; /* the offset of the second */
	CHECK_INT(edits_read(buf_span(&out), &a, &got, &n, NULL), -1,
		  "bytes of edits that overlap are refused");
	buf_clear(&out);
	out.limit = 10;
	CHECK(edits_write(edits, 3, &out, NULL) == -1 && out.len == 0,
	      "a buffer that is full is said");
	buf_release(&out);
	arena_release(&a);
}

static void
check_limits(void)
{
	static char text[ENVELOPE_EDITS_BYTES_MAX + 1];
	static struct edit many[ENVELOPE_EDITS_MAX + 1];
	struct edit big[3] = { { 0, 0, { text, ENVELOPE_EDIT_MAX } },
			       { 0, 0, { text, ENVELOPE_EDIT_MAX } },
			       { 0, 0, { text, 0 } } };
	struct buf out = { 0 };

	CHECK_INT(edits_check(many, ENVELOPE_EDITS_MAX, 0, NULL), 0, "%d edits",
		  ENVELOPE_EDITS_MAX);
	CHECK_INT(edits_check(many, ENVELOPE_EDITS_MAX + 1, 0, NULL), -1,
		  "one more");
	CHECK_INT(edits_check(big, 3, 0, NULL), 0, "%d bytes put in",
		  ENVELOPE_EDITS_BYTES_MAX);
	big[2].text.len = 1;
	CHECK_INT(edits_check(big, 3, 0, NULL), -1, "one byte more");
	CHECK_INT(edits_write(big, 3, &out, NULL), -1, "and so as bytes");
	big[0].text.len = ENVELOPE_EDIT_MAX + 1;
	CHECK_INT(edits_check(big, 1, 0, NULL), -1, "more than %d bytes in one",
		  ENVELOPE_EDIT_MAX);
	buf_release(&out);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		check_list(&lists[i]);
	check_bytes();
	check_limits();
	return check_done();
}
