/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Frames: each of proto.def there and back, empty and with every field at
 * its limit; and what the decoder refuses.
 */
#include "proto.h"

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "check.h"

#define FRAME_TOKEN(part_) (FRAME_##part_ == FRAME_NOTE ? 0u : 77u)

static char long_text[PROTO_FRAME_MAX + 1];

/* The last max bytes of a long text: a string of that length. */
static const char *
text_of(size_t max)
{
	return long_text + sizeof(long_text) - 1 - max;
}

/* clang-format off */

/* fill_NAME() puts each field to its limit, or leaves all empty. */
#define FRAME(n, value, from, to, fd, part) \
static void \
fill_##n(struct frame_##n *f, bool is_full) \
{ \
	memset(f, 0, sizeof(*f)); \
	if (!is_full) \
		return;
#define STR(n, max) f->n = text_of(max);
#define BLOB(n, max) f->n = (struct span){ long_text, max };
#define U32(n) f->n = UINT32_MAX - 1;
#define U64(n) f->n = UINT64_MAX - 2;
#define I64(n) f->n = INT64_MIN + 3;
#define END(n) }
#include "proto.def"
#undef FRAME
#undef STR
#undef BLOB
#undef U32
#undef U64
#undef I64
#undef END

static bool
same_str(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

#define FRAME(n, value, from, to, fd, part) \
static bool \
same_##n(const struct frame_##n *a, const struct frame_##n *b) \
{ \
	return true
#define STR(n, max) && same_str(a->n, b->n)
#define BLOB(n, max) && span_eq(a->n, b->n)
#define U32(n) && a->n == b->n
#define U64(n) && a->n == b->n
#define I64(n) && a->n == b->n
#define END(n) ; }
#include "proto.def"
#undef FRAME
#undef STR
#undef BLOB
#undef U32
#undef U64
#undef I64
#undef END

/* clang-format on */

static _Alignas(max_align_t) unsigned char storage[FRAME_BODY_MAX];

static void
encode(enum frame_type type, uint32_t token, const void *body, struct buf *b)
{
	struct err e = { "" };

	buf_clear(b);
	CHECK(frame_encode(type, token, body, b, &e) == 0, "%s encodes: %s",
	      frame_info(type)->name, e.text);
}

/* All cuts of a short frame, some of a long one. */
static int
cuts_accepted(struct span s)
{
	size_t step = s.len < 4096 ? 1 : 61, cut;
	struct frame f;
	int accepted = 0;
	char *copy;

	for (cut = 0; cut < s.len; cut += step) {
		copy = malloc(cut ? cut : 1);
		memcpy(copy, s.p, cut);
		accepted += frame_decode((struct span){ copy, cut }, storage,
					 &f, NULL) == 0;
		free(copy);
	}
	return accepted;
}

static void
there_and_back(enum frame_type type, uint32_t token, const void *body,
	       const char *how, struct buf *b, struct frame *f)
{
	const char *name = frame_info(type)->name;
	struct err e = { "" };

	encode(type, token, body, b);
	CHECK(b->len <= PROTO_FRAME_MAX, "%s %s fits a datagram", how, name);
	CHECK(frame_decode(buf_span(b), storage, f, &e) == 0,
	      "%s %s decodes: %s", how, name, e.text);
	CHECK(f->type == type && f->token == token && f->fd == -1 &&
		      f->info == frame_info(type),
	      "%s %s keeps its header", how, name);
}

static void
refuses_other_lengths(const char *name, struct buf *b)
{
	struct frame f;

	CHECK_INT(cuts_accepted(buf_span(b)), 0, "a cut %s is refused", name);
	buf_add_char(b, '\0');
	CHECK(frame_decode(buf_span(b), storage, &f, NULL) != 0,
	      "a byte behind %s is refused", name);
}

/* clang-format off */
static void
test_all(void)
{
	struct buf b = { .limit = 0 };
	struct frame f;

#define FRAME(n, value, from, to, fd, part) \
	{ \
		struct frame_##n in; \
		uint32_t token = FRAME_TOKEN(part); \
 \
		fill_##n(&in, false); \
		there_and_back(FRAME_##n, token, &in, "an empty", &b, &f); \
		CHECK(same_##n(&in, FRAME_BODY(&f, n)), \
		      "an empty " #n " is the same"); \
		fill_##n(&in, true); \
		there_and_back(FRAME_##n, token, &in, "a full", &b, &f); \
		CHECK(same_##n(&in, FRAME_BODY(&f, n)), \
		      "a full " #n " is the same"); \
		refuses_other_lengths(#n, &b); \
	}
#define STR(n, max)
#define BLOB(n, max)
#define U32(n)
#define U64(n)
#define I64(n)
#define END(n)
#include "proto.def"
#undef FRAME
#undef STR
#undef BLOB
#undef U32
#undef U64
#undef I64
#undef END
	buf_release(&b);
}
/* clang-format on */

/* body_drop is type 50, a note with one text of at most 24 bytes. */
#define DROP "\x32\0\0\0\0\0\0\0"

static const struct refused {
	const char *words;
	struct span bytes;
	const char *why;
} refused[] = {
	{ "no bytes", { "", 0 }, "no header" },
	{ "half a header", SPAN_LIT("\x32\0\0\0\0\0\0"), "no header" },
	{ "a type that is none", SPAN_LIT("\xff\0\0\0\0\0\0\0"),
	  "type 255 is not known" },
	{ "type 0", SPAN_LIT("\0\0\0\0\0\0\0\0"), "type 0 is not known" },
	{ "a header whose zero is not", SPAN_LIT("\x32\0\1\0\0\0\0\0"),
	  "is not known" },
	{ "a note with a token", SPAN_LIT("\x32\0\0\0\1\0\0\0\0\0\0\0\0"),
	  "token 1" },
	{ "a question without a token",
	  SPAN_LIT("\x30\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "token 0" },
	{ "a text without its length", SPAN_LIT(DROP "\0\0\0"),
	  "field id is malformed" },
	{ "a text longer than what is there", SPAN_LIT(DROP "\3\0\0\0ab\0"),
	  "field id is malformed" },
	{ "a text without its NUL", SPAN_LIT(DROP "\2\0\0\0ab"),
	  "field id is malformed" },
	{ "a text with another byte for its NUL", SPAN_LIT(DROP "\2\0\0\0abc"),
	  "field id is malformed" },
	{ "a text with a NUL inside", SPAN_LIT(DROP "\3\0\0\0a\0b\0"),
	  "field id is malformed" },
	{ "a text over its limit",
	  SPAN_LIT(DROP "\31\0\0\0"
			"1234567890123456789012345\0"),
	  "field id is malformed" },
	{ "a text of 4 GiB",
	  SPAN_LIT(DROP "\xff\xff\xff\xff"
			"a\0"),
	  "field id is malformed" },
	{ "bytes behind the last field", SPAN_LIT(DROP "\1\0\0\0a\0b"),
	  "1 bytes are left over" },
};

static void
test_refused(void)
{
	struct frame f;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		e.text[0] = '\0';
		CHECK(frame_decode(refused[i].bytes, storage, &f, &e) != 0 &&
			      strstr(e.text, refused[i].why) != NULL,
		      "%s: %s", refused[i].words, e.text);
	}
}

static void
test_not_encoded(void)
{
	struct frame_body_drop drop = { "1234567890123456789012345" };
	struct frame_body_drop fits = { "a" };
	struct buf b = { .limit = 0 };
	struct err e;

	buf_add_str(&b, "before");
	CHECK(frame_encode(FRAME_body_drop, 0, &drop, &b, &e) != 0,
	      "a text over its limit is not encoded");
	CHECK_STR(e.text, "frame body_drop: id has 25 bytes, at most 24 go",
		  "the error says which");
	CHECK_STR(buf_str(&b), "before", "nothing of it is appended");
	CHECK(frame_encode(FRAME_body_drop, 5, &fits, &b, &e) != 0,
	      "a note with a token is not encoded");
	CHECK(frame_encode(FRAME_body_ask, 0, &fits, &b, &e) != 0,
	      "a question without a token is not encoded");
	CHECK(frame_encode((enum frame_type)255, 0, &fits, &b, &e) != 0,
	      "an unknown type is not encoded");
	b.limit = b.len + 10;
	CHECK(frame_encode(FRAME_body_drop, 0, &fits, &b, &e) != 0,
	      "a frame that does not fit is not encoded");
	CHECK_STR(buf_str(&b), "before", "and nothing of it is appended");
	buf_release(&b);
}

static void
test_wire(void)
{
	static const char want[] = DROP "\2\0\0\0ab";
	struct frame_body_drop drop = { "ab" };
	struct buf b = { .limit = 0 };

	encode(FRAME_body_drop, 0, &drop, &b);
	CHECK_INT(b.len, sizeof(want), "a frame has the length of its bytes");
	CHECK_MEM(b.data, want, sizeof(want), "bytes on the wire are fixed");
	buf_release(&b);
}

static void
test_info(void)
{
	const struct frame_info *info = frame_info(FRAME_scan);

	CHECK(info->from == (1u << ROLE_QUEUE | 1u << ROLE_CONTROL |
			     1u << ROLE_FILTER) &&
		      info->to == (1u << ROLE_FILTER | 1u << ROLE_WORKER) &&
		      info->fd == FRAME_WITH_FD && info->part == FRAME_ASK,
	      "a row of proto.def is in frame_info()");
	info = frame_info(FRAME_conf);
	CHECK((info->to &
	       (1u << ROLE_PARENT | 1u << ROLE_CTL | 1u << ROLE_WORKER)) == 0 &&
		      (info->to & 1u << ROLE_STORE) != 0,
	      "ANY_ROLE is all roles but parent, worker and ctl");
	CHECK(frame_info(0) == NULL && frame_info(255) == NULL &&
		      frame_info(0x10000 + FRAME_conf) == NULL,
	      "other types are not known");
}

static void
test_roles(void)
{
	enum role r;
	int i, same = 0;

	for (i = 0; i < ROLE_COUNT; i++)
		same += role_parse(role_name((enum role)i), &r) == 0 &&
			r == (enum role)i;
	CHECK_INT(same, ROLE_COUNT, "names of roles are read back");
	CHECK(role_parse("", &r) != 0 && role_parse("Queue", &r) != 0 &&
		      role_parse("unknown", &r) != 0,
	      "other names are no roles");
	CHECK_STR(role_name((enum role)99), "unknown",
		  "a number that is no role has a name all the same");
}

int
main(void)
{
	memset(long_text, 'x', sizeof(long_text) - 1);
	test_all();
	test_refused();
	test_not_encoded();
	test_wire();
	test_info();
	test_roles();
	return check_done();
}
