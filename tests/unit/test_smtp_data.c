/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The text behind DATA in both directions, against an oracle that splits
 * it at CRLF: every short text of the four bytes that matter, in every way
 * of being cut into pieces.
 */
#include <string.h>

#include "buf.h"
#include "check.h"
#include "smtp.h"

#define LEN_MAX 8
#define TAIL "\r\n.\r\nQUIT\r\n"

struct result {
	struct buf out;
	size_t used;
	bool has_bare;
	size_t line_max;
};

static const char alphabet[] = { '\r', '\n', '.', 'a' };

/* What a line of the sender becomes, its CRLF behind it. */
static void
oracle_line(const char *p, size_t len, bool makes_crlf, struct result *r)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		bool is_bare = p[i] == '\r' || p[i] == '\n';

		r->has_bare |= is_bare;
		if (is_bare && makes_crlf) {
			buf_add_str(&r->out, "\r\n");
			n = 0;
			continue;
		}
		buf_add_char(&r->out, p[i]);
		n++;
		if (n > r->line_max)
			r->line_max = n;
	}
	buf_add_str(&r->out, "\r\n");
}

/* raw holds an end mark. */
static void
oracle(const char *raw, size_t len, bool makes_crlf, struct result *r)
{
	const char *p = raw;
	const char *crlf;

	buf_clear(&r->out);
	r->has_bare = false;
	r->line_max = 0;
	for (;;) {
		crlf = memmem(p, len - (size_t)(p - raw), "\r\n", 2);
		if (crlf == p + 1 && *p == '.')
			break;
		if (*p == '.' && crlf != p)
			p++;
		oracle_line(p, (size_t)(crlf - p), makes_crlf, r);
		p = crlf + 2;
	}
	r->used = (size_t)(crlf + 2 - raw);
}

static void
receive(const char *raw, size_t len, bool makes_crlf, struct result *r)
{
	struct smtp_data d;
	int64_t n;

	buf_clear(&r->out);
	smtp_data_init(&d);
	d.makes_crlf = makes_crlf;
	n = smtp_data_receive(&d, (struct span){ raw, len }, &r->out);
	r->used = d.state == SMTP_DATA_END && n > 0 ? (size_t)n : 0;
	r->has_bare = d.has_bare;
	r->line_max = d.line_max;
}

static bool
same(const struct result *a, const struct result *b)
{
	return a->used == b->used && a->has_bare == b->has_bare &&
	       a->line_max == b->line_max &&
	       span_eq(buf_span(&a->out), buf_span(&b->out));
}

/* Text number n of len bytes. */
static void
make_text(char *dst, size_t len, unsigned n)
{
	size_t i;

	for (i = 0; i < len; i++) {
		dst[i] = alphabet[n % sizeof(alphabet)];
		n /= sizeof(alphabet);
	}
}

static void
show(const char *p, size_t len)
{
	printf("# ");
	for (; len > 0; len--, p++) {
		if (*p == '\r')
			printf("\\r");
		else if (*p == '\n')
			printf("\\n");
		else
			putchar(*p);
	}
	putchar('\n');
}

static bool
same_data(const struct smtp_data *a, const struct smtp_data *b)
{
	return a->state == b->state && a->has_bare == b->has_bare &&
	       a->has_nul == b->has_nul && a->has_8bit == b->has_8bit &&
	       a->line_len == b->line_len && a->line_max == b->line_max;
}

/*
 * Byte for byte, and byte for byte up to i and the rest as one piece, is
 * the same for every i.  That this holds for all shorter texts too makes
 * every other way of cutting the same.
 */
static bool
is_same_cut(const char *raw, size_t len, bool makes_crlf, struct buf *one,
	    struct buf *two)
{
	struct smtp_data before[LEN_MAX + sizeof(TAIL)];
	size_t out_len[LEN_MAX + sizeof(TAIL)];
	struct smtp_data d;
	size_t used = 0;
	size_t i;
	int64_t n;

	buf_clear(one);
	smtp_data_init(&d);
	d.makes_crlf = makes_crlf;
	while (used < len && d.state != SMTP_DATA_END) {
		before[used] = d;
		out_len[used] = one->len;
		if (smtp_data_receive(&d, (struct span){ raw + used, 1 },
				      one) != 1)
			return false;
		used++;
	}
	for (i = 0; i < used; i++) {
		buf_clear(two);
		buf_add(two, one->data, out_len[i]);
		n = smtp_data_receive(&before[i],
				      (struct span){ raw + i, len - i }, two);
		if (n < 0 || i + (size_t)n != used ||
		    !same_data(&before[i], &d) ||
		    !span_eq(buf_span(one), buf_span(two)))
			return false;
	}
	return true;
}

/* All texts of len bytes; returns how many went wrong. */
static unsigned
receive_all(size_t len, bool makes_crlf)
{
	struct result want = { .used = 0 };
	struct result got = { .used = 0 };
	struct buf one = { 0 };
	char raw[LEN_MAX + sizeof(TAIL)];
	size_t whole = len + sizeof(TAIL) - 1;
	unsigned wrong = 0;
	unsigned n;

	for (n = 0; n < 1u << 2 * len; n++) {
		make_text(raw, len, n);
		memcpy(raw + len, TAIL, sizeof(TAIL));
		oracle(raw, whole, makes_crlf, &want);
		receive(raw, whole, makes_crlf, &got);
		if (same(&want, &got) &&
		    is_same_cut(raw, len, makes_crlf, &one, &got.out) &&
		    is_same_cut(raw, whole, makes_crlf, &one, &got.out))
			continue;
		if (wrong++ == 0)
			show(raw, whole);
	}
	buf_release(&want.out);
	buf_release(&got.out);
	buf_release(&one);
	return wrong;
}

/* The message as it is once sent: no bare CR or LF, a last line end. */
static void
mended(const char *p, size_t len, struct buf *out)
{
	size_t i;

	buf_clear(out);
	for (i = 0; i < len; i++) {
		if (p[i] == '\r' && i + 1 < len && p[i + 1] == '\n')
			i++;
		if (p[i] == '\r' || p[i] == '\n')
			buf_add_str(out, "\r\n");
		else
			buf_add_char(out, p[i]);
	}
	if (len > 0 && p[len - 1] != '\r' && p[len - 1] != '\n')
		buf_add_str(out, "\r\n");
}

static void
send_text(const char *p, size_t len, struct buf *out)
{
	struct smtp_stuff s;

	buf_clear(out);
	smtp_stuff_init(&s);
	smtp_stuff_send(&s, (struct span){ p, len }, out);
	smtp_stuff_end(&s, out);
}

/* As is_same_cut(). */
static bool
is_same_sent(const char *p, size_t len, struct buf *one, struct buf *two)
{
	struct smtp_stuff before[LEN_MAX];
	size_t out_len[LEN_MAX];
	struct smtp_stuff s;
	size_t i;

	buf_clear(one);
	smtp_stuff_init(&s);
	for (i = 0; i < len; i++) {
		before[i] = s;
		out_len[i] = one->len;
		smtp_stuff_send(&s, (struct span){ p + i, 1 }, one);
	}
	for (i = 0; i < len; i++) {
		buf_clear(two);
		buf_add(two, one->data, out_len[i]);
		smtp_stuff_send(&before[i], (struct span){ p + i, len - i },
				two);
		if (before[i].had_cr != s.had_cr ||
		    (!s.had_cr && before[i].in_line != s.in_line) ||
		    !span_eq(buf_span(one), buf_span(two)))
			return false;
	}
	return true;
}

/* What was sent is one message, and the one that was to be sent. */
static bool
round_trip(const char *p, size_t len, struct buf *sent, struct buf *want,
	   struct result *got)
{
	mended(p, len, want);
	send_text(p, len, sent);
	receive(sent->data, sent->len, false, got);
	return got->used == sent->len && !got->has_bare &&
	       span_eq(buf_span(want), buf_span(&got->out));
}

static unsigned
send_all(size_t len)
{
	struct result got = { .used = 0 };
	struct buf sent = { 0 };
	struct buf want = { 0 };
	char text[LEN_MAX];
	unsigned wrong = 0;
	unsigned n;

	for (n = 0; n < 1u << 2 * len; n++) {
		make_text(text, len, n);
		if (is_same_sent(text, len, &sent, &want) &&
		    round_trip(text, len, &sent, &want, &got))
			continue;
		if (wrong++ == 0)
			show(text, len);
	}
	buf_release(&sent);
	buf_release(&want);
	buf_release(&got.out);
	return wrong;
}

static const struct smuggle_row {
	const char *mark; /* put between two texts */
	const char *strict; /* what it becomes as it is */
	const char *mended; /* what it becomes with makes_crlf */
} smuggles[] = {
	{ "\n.\n", "\n.\n", "\r\n.\r\n" },
	{ "\n.\r", "\n.\r", "\r\n.\r\n" },
	{ "\r.\n", "\r.\n", "\r\n.\r\n" },
	{ "\r.\r", "\r.\r", "\r\n.\r\n" },
	{ "\n.\r\n", "\n.\r\n", "\r\n.\r\n" },
	{ "\r.\r\n", "\r.\r\n", "\r\n.\r\n" },
	{ "\r\n.\n", "\r\n\n", "\r\n\r\n" },
	{ "\r\n.\r", "\r\n\r", "\r\n\r\n" },
	{ "\r\n.\r\r\n", "\r\n\r\r\n", "\r\n\r\n\r\n" },
	{ "\r\r\n.\r\r\n", "\r\r\n\r\r\n", "\r\n\r\n\r\n\r\n" },
	{ "\n\n.\r\n", "\n\n.\r\n", "\r\n\r\n.\r\n" },
	{ "\r\n..\r\n", "\r\n.\r\n", "\r\n.\r\n" },
	{ "\r\n.\t\r\n", "\r\n\t\r\n", "\r\n\t\r\n" },
	{ "\r\n .\r\n", "\r\n .\r\n", "\r\n .\r\n" },
	{ "\r\n.\x0b\r\n", "\r\n\x0b\r\n", "\r\n\x0b\r\n" },
};

static void
check_smuggle(const struct smuggle_row *row, bool makes_crlf)
{
	const char *want = makes_crlf ? row->mended : row->strict;
	struct result got = { .used = 0 };
	struct buf raw = { 0 };
	struct buf text = { 0 };

	buf_printf(&raw, "one%stwo\r\n.\r\n", row->mark);
	buf_printf(&text, "one%stwo\r\n", want);
	receive(raw.data, raw.len, makes_crlf, &got);
	CHECK(got.used == raw.len &&
		      span_eq(buf_span(&got.out), buf_span(&text)),
	      "an odd end mark ends nothing, row %d, %s", (int)(row - smuggles),
	      makes_crlf ? "mended" : "as it is");
	buf_release(&raw);
	buf_release(&text);
	buf_release(&got.out);
}

static void
check_bytes(void)
{
	static const struct {
		const char *what;
		struct span in;
		bool has_nul, has_8bit;
	} rows[] = {
		{ "plain text", SPAN_LIT("some plain text\r\n"), false, false },
		{ "a NUL", SPAN_LIT("some plain \0text\r\n"), true, false },
		{ "a NUL at the end", SPAN_LIT("\0"), true, false },
		{ "a byte of 1 and one of 127",
		  SPAN_LIT("\1\x7f\1\x7f\1\1\1"
			   "\1\1"),
		  false, false },
		{ "8 bits", SPAN_LIT("some plain \xe9text\r\n"), false, true },
		{ "8 bits at the end", SPAN_LIT("\x80"), false, true },
		{ "both behind the end mark",
		  SPAN_LIT(".\r\n\0\xff\0\xff\0"
			   "\xff\0"),
		  false, false },
	};
	struct buf out = { 0 };
	struct smtp_stuff s;
	struct smtp_data d;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&out);
		smtp_data_init(&d);
		smtp_data_receive(&d, rows[i].in, &out);
		CHECK(d.has_nul == rows[i].has_nul &&
			      d.has_8bit == rows[i].has_8bit,
		      "seen in the text: %s", rows[i].what);
	}
	smtp_stuff_init(&s);
	buf_clear(&out);
	smtp_data_init(&d);
	CHECK(smtp_data_receive(&d, (struct span){ NULL, 0 }, &out) == 0 &&
		      smtp_stuff_send(&s, (struct span){ NULL, 0 }, &out) ==
			      0 &&
		      out.len == 0,
	      "no bytes in, no bytes out");
	smtp_data_receive(&d, SPAN_LIT("\r\n\0.\r\n"), &out);
	CHECK(d.state == SMTP_DATA_CRLF, "a NUL before the dot is text");
	out.limit = out.len + 3;
	CHECK_INT(smtp_data_receive(&d, SPAN_LIT("four\r\n"), &out), -1,
		  "a buffer that is full is said");
	buf_release(&out);
}

/* Long texts in pieces of odd sizes, with long lines in between. */
static void
check_long(void)
{
	static char text[100000];
	struct result whole = { .used = 0 };
	struct result got = { .used = 0 };
	struct buf sent = { 0 };
	struct smtp_data d;
	uint64_t x = 1;
	unsigned wrong = 0;
	size_t i, n, at;
	int round;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < sizeof(text); i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			n = x >> 33 & (round & 1 ? 0xfff : 0x1f);
			text[i] = n < 4 ? alphabet[n] : 'a' + (char)(n % 26);
		}
		send_text(text, sizeof(text), &sent);
		receive(sent.data, sent.len, true, &whole);
		smtp_data_init(&d);
		buf_clear(&got.out);
		for (at = 0; at < sent.len; at += n) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			n = 1 + (x >> 33) % 5000;
			if (n > sent.len - at)
				n = sent.len - at;
			smtp_data_receive(&d,
					  (struct span){ sent.data + at, n },
					  &got.out);
		}
		mended(text, sizeof(text), &sent);
		wrong += d.state != SMTP_DATA_END || d.has_bare ||
			 d.line_max != whole.line_max ||
			 !span_eq(buf_span(&sent), buf_span(&got.out)) ||
			 !span_eq(buf_span(&sent), buf_span(&whole.out));
	}
	CHECK_INT(wrong, 0, "long texts in odd pieces come through");
	buf_release(&sent);
	buf_release(&whole.out);
	buf_release(&got.out);
}

int
main(void)
{
	size_t i;

	for (i = 0; i <= LEN_MAX; i++) {
		CHECK_INT(receive_all(i, false), 0,
			  "texts of %zu bytes as they are, cut anywhere", i);
		CHECK_INT(receive_all(i, true), 0,
			  "texts of %zu bytes mended, cut anywhere", i);
		CHECK_INT(send_all(i), 0,
			  "texts of %zu bytes come back as sent", i);
	}
	for (i = 0; i < sizeof(smuggles) / sizeof(smuggles[0]); i++) {
		check_smuggle(&smuggles[i], false);
		check_smuggle(&smuggles[i], true);
	}
	check_bytes();
	check_long();
	return check_done();
}
