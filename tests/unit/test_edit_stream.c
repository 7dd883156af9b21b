/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * Edits applied while a body streams, beside an oracle that makes the
 * whole message in memory; bodies that are cut short.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "edit_stream.h"
#include "file.h"

#define RUNS 400
#define EDITS 12

static uint64_t seed = 88172645463325252U;

static size_t
any(size_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return below == 0 ? 0 : (size_t)(seed % below);
}

static int
file_of(const struct buf *b)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	if (fd < 0 || file_write_all(fd, b->data, b->len) < 0)
		abort();
	return fd;
}

static int
stream_all(struct edit_stream *s, struct buf *out, struct err *e)
{
	struct span piece;
	int n;

	while ((n = edit_stream_next(s, &piece, e)) > 0)
		buf_add_span(out, piece);
	return n;
}

/* Random edits in order; the same message by cutting and pasting. */
static size_t
make_edits(struct edit *edits, const struct buf *body, struct buf *want)
{
	static const char text[] = "X-Added: 0123456789\r\n";
	size_t n = any(EDITS + 1), at = 0, i;

	for (i = 0; i < n; i++) {
		size_t skip = any(3) == 0 ? 0 : any(body->len - at + 1);
		size_t gone = any(3) == 0 ? 0 : any(body->len - at - skip + 1);

		if (i + 1 < n) {
			skip /= 4;
			gone /= 4;
		}
		buf_add(want, body->data + at, skip);
		at += skip;
		edits[i] =
			(struct edit){ at, gone, { text, any(sizeof(text)) } };
		buf_add_span(want, edits[i].text);
		at += gone;
	}
	buf_add(want, body->data + at, body->len - at);
	return n;
}

static void
test_oracle(void)
{
	struct buf body = { 0 }, want = { 0 }, got = { 0 };
	struct edit edits[EDITS];
	struct edit_stream s;
	bool same = true;
	struct err e;
	size_t n;
	int run, fd;

	for (run = 0; run < RUNS && same; run++) {
		size_t len = any(run % 4 == 0 ? 3 * EDIT_PIECE : 300);

		buf_clear(&body);
		buf_clear(&want);
		buf_clear(&got);
		while (body.len < len)
			buf_add_char(&body, (char)('a' + any(26)));
		buf_add(&body, "", 0);
		n = make_edits(edits, &body, &want);
		fd = file_of(&body);
		same = edit_stream_init(&s, fd, body.len, edits, n, &e) == 0 &&
		       stream_all(&s, &got, &e) == 0 && got.len == want.len &&
		       (got.len == 0 ||
			memcmp(got.data, want.data, got.len) == 0) &&
		       got.len == edits_size(edits, n, body.len);
		close(fd);
	}
	CHECK(same, "run %d of %d is as the oracle says", run, RUNS);
	buf_release(&body);
	buf_release(&want);
	buf_release(&got);
}

static void
test_short(void)
{
	struct edit beyond = { 11, 0, { "x", 1 } };
	struct edit_stream s;
	struct buf body = { 0 }, got = { 0 };
	struct err e;
	int fd;

	buf_add_str(&body, "0123456789");
	fd = file_of(&body);
	CHECK_INT(edit_stream_init(&s, fd, 11, NULL, 0, &e), -1,
		  "a body shorter than its envelope says");
	CHECK_STR(e.text, "body has 10 bytes, its envelope says 11",
		  "is told with both sizes");
	CHECK_INT(edit_stream_init(&s, fd, 9, NULL, 0, &e), 0,
		  "of a longer one the rest is not the message's");
	CHECK_INT(stream_all(&s, &got, &e), 0, "and is not read");
	CHECK_STR(buf_str(&got), "012345678", "as it shows");
	buf_clear(&got);
	CHECK_INT(edit_stream_init(&s, fd, 10, &beyond, 1, &e), -1,
		  "an edit behind the end is refused");
	CHECK_INT(edit_stream_init(&s, fd, 10, NULL, 0, &e), 0,
		  "a right one is taken");
	if (ftruncate(fd, 4) < 0)
		abort();
	CHECK_INT(stream_all(&s, &got, &e), -1,
		  "a body that gets shorter is an error, not an end");
	CHECK_STR(e.text, "body ends at 4, its envelope says 10",
		  "that says where");
	close(fd);
	CHECK_INT(edit_stream_init(&s, fd, 10, NULL, 0, &e), -1,
		  "a closed descriptor is an error");
	buf_release(&body);
	buf_release(&got);
}

int
main(void)
{
	test_oracle();
	test_short();
	return check_done();
}
