/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Messages and what is seen of them: parts, names, contents, symptoms.
 */
#include "mime.h"

#include "buf.h"
#include "check.h"
#include "str.h"
#include "xalloc.h"

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define ONE "aGVsbG8sIHdvcmxkISBoZWxsbywgd29ybGQhIGhlbGxv\r\n"
#define ONE_IS "hello, world! hello, world! hello"

/*
 * want: leaf parts in order, "TYPE/SUBTYPE[NAME]=CONTENTS" joined by "|",
 * "~" in front of a reading that most do not take; symptoms as words.
 */
static const struct {
	const char *what, *text, *want, *symptoms;
} rows[] = {
	{ "no header of MIME", "Subject: a\r\n\r\nbody\r\n",
	  "text/plain=body\r\n", "" },
	{ "an empty message", "", "text/plain=", "" },
	{ "line ends of Unix", "Subject: a\n\nbody\n", "text/plain=body\n",
	  "" },
	{ "the line of an mbox in front", "From a@b Mon\nSubject: a\n\nx",
	  "text/plain=x", "" },
	{ "two parts",
	  MIXED "preamble\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: "
		"text/html\r\n\r\ntwo\r\n--b--\r\nepilogue",
	  "text/plain=one|text/html=two", "" },
	{ "padding behind a delimiter", MIXED "--b  \r\n\r\none\r\n--b-- \r\n",
	  "text/plain=one", "" },
	{ "a delimiter begins like another",
	  MIXED "--b\r\nContent-Type: multipart/alternative; boundary=b1\r\n"
		"\r\n--b1\r\n\r\nin\r\n--b1--\r\n--b\r\n\r\nout\r\n--b--\r\n",
	  "text/plain=in|text/plain=out", "" },
	{ "the last delimiter is missing", MIXED "--b\r\n\r\none",
	  "text/plain=one", "no-end" },
	{ "base64",
	  "Content-Type: image/png; name=a.png\r\n"
	  "Content-Transfer-Encoding: BASE64\r\n\r\n" ONE,
	  "image/png[a.png]=" ONE_IS, "" },
	{ "quoted-printable",
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	  "a=20b=\r\nc=3D=\nd",
	  "text/plain=a bc=d", "" },
	{ "a message inside",
	  "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ninner",
	  "text/plain=inner", "" },
	{ "an encoded message inside",
	  "Content-Type: message/global\r\nContent-Transfer-Encoding: "
	  "base64\r\n\r\nU3ViamVjdDogYQoKaW5uZXI=",
	  "text/plain=inner", "" },
	{ "a digest's parts are messages",
	  "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n"
	  "Subject: in\r\n\r\ninner\r\n--b--\r\n",
	  "text/plain=inner", "" },
	{ "a name by RFC 2231",
	  "Content-Disposition: attachment; filename*=utf-8''a%20%C3%A9.exe\r\n"
	  "\r\nx",
	  "text/plain[a \xc3\xa9.exe]=x", "" },
	{ "a name in pieces",
	  "Content-Disposition: attachment; filename*0*=utf-8''a%20; "
	  "filename*1=\"b.exe\"\r\n\r\nx",
	  "text/plain[a b.exe]=x", "" },
	{ "a name with encoded words",
	  "Content-Type: a/b; name=\"=?utf-8?B?w6kuZXhl?=\"\r\n\r\nx",
	  "a/b[\xc3\xa9.exe]=x", "" },
	{ "RFC 2231 goes before the plain name, both are seen",
	  "Content-Type: a/b; name=a.png; name*=''a.exe\r\n\r\nx",
	  "a/b[a.exe,a.png]=x", "odd-name" },
	{ "pieces out of order",
	  "Content-Type: a/b; name*1=exe; name*0=\"a.\"\r\n\r\nx",
	  "a/b[a.exe,exea.]=x", "" },
	{ "names in two fields",
	  "Content-Type: a/b; name=a.png\r\nContent-Disposition: inline; "
	  "filename=a.exe\r\n\r\nx",
	  "a/b[a.exe,a.png]=x", "odd-name" },
	{ "a comment in a name", "Content-Type: a/b; name=a.e(.png)xe\r\n\r\nx",
	  "a/b[a.exe,a.e(.png)xe]=x", "odd-name" },
	{ "two types",
	  "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx",
	  "text/plain=x", "duplicate-type" },
	{ "two encodings are both read",
	  "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: "
	  "base64\r\n\r\n" ONE,
	  "text/plain=" ONE "|~text/plain=" ONE_IS, "duplicate-encoding" },
	{ "an encoding in a comment's company",
	  "Content-Transfer-Encoding: base64 (x)\r\n\r\n" ONE,
	  "text/plain=" ONE_IS, "odd-encoding" },
	{ "an encoding nobody declared",
	  "X: a\r\n Content-Transfer-Encoding: base64\r\n\r\n" ONE,
	  "text/plain=" ONE "|~text/plain=" ONE_IS, "hidden-field" },
	{ "a list of names in DKIM's h= is no field",
	  "DKIM-Signature: a; h=From:\r\n Content-Type:To; b=a/b\r\n\r\nx",
	  "text/plain=x", "" },
	{ "base64 that goes on behind its end",
	  "Content-Transfer-Encoding: base64\r\n\r\nQUI=\r\nQ0Q=\r\n",
	  "text/plain=ABCD|~text/plain=AB\x10\xd1", "base64-split" },
	{ "a multipart without a boundary",
	  "Content-Type: multipart/mixed\r\n\r\n--b\r\nContent-Type: a/b\r\n"
	  "\r\nx\r\n--b--\r\n",
	  "multipart/mixed=--b\r\nContent-Type: a/b\r\n\r\nx\r\n--b--\r\n|"
	  "~a/b=x\r\n",
	  "no-boundary hidden-part" },
	{ "a boundary that some read otherwise",
	  "Content-Type: multipart/mixed; boundary=(x)b\r\n\r\n--x\r\n"
	  "Content-Type: a/b\r\n\r\ny\r\n--x--",
	  "multipart/mixed=--x\r\nContent-Type: a/b\r\n\r\ny\r\n--x--|"
	  "~a/b=y\r\n",
	  "boundary-unused hidden-part" },
	{ "a delimiter that ends in CR",
	  MIXED "--b\rContent-Type: a/b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--",
	  "text/plain=y|~a/b=x\r\n", "hidden-part" },
	{ "uuencode in a text",
	  "\r\nbegin 644 a.bin\r\n286%A86%A86%A86%A86%A86%A\r\n`\r\nend\r\n",
	  "text/plain=begin 644 "
	  "a.bin\r\n286%A86%A86%A86%A86%A86%A\r\n`\r\nend\r\n"
	  "|~application/octet-stream[a.bin]=aaaaaaaaaaaaaaaaaa",
	  "uuencode-inside" },
	{ "a header that runs into the body",
	  "Content-Transfer-Encoding: base64\r\n" ONE, "text/plain=" ONE_IS,
	  "no-header-end" },
	{ "a piece of a message", "Content-Type: message/partial\r\n\r\nx",
	  "message/partial=x", "partial" },
};

static void
say_part(struct buf *b, const struct mime_part *p)
{
	size_t i;

	buf_printf(b, "%s%s%s/%s", b->len > 0 ? "|" : "",
		   p->is_other ? "~" : "", p->type, p->subtype);
	for (i = 0; i < p->name_count; i++)
		buf_printf(b, "%s%s", i == 0 ? "[" : ",", p->names[i]);
	buf_add_str(b, i > 0 ? "]=" : "=");
	buf_add_span(b, p->data);
}

static void
say_symptoms(struct buf *b, uint32_t bits)
{
	size_t i;

	for (i = 0; i < MIME_BIT_COUNT; i++)
		if (bits & (1u << i))
			buf_printf(b, "%s%s", b->len > 0 ? " " : "",
				   mime_symptoms[i].word);
}

static void
check_rows(void)
{
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mime *m = mime_new(span_of(rows[i].text), NULL);
		struct buf parts = { 0 }, symptoms = { 0 };

		for (k = 0; k < m->part_count; k++)
			if (m->parts[k].is_leaf)
				say_part(&parts, &m->parts[k]);
		say_symptoms(&symptoms, m->symptoms);
		CHECK_STR(buf_str(&parts), rows[i].want, "%s: parts",
			  rows[i].what);
		CHECK_STR(buf_str(&symptoms), rows[i].symptoms, "%s: symptoms",
			  rows[i].what);
		buf_release(&parts);
		buf_release(&symptoms);
		mime_free(m);
	}
}

static const struct {
	const char *what, *value, *want;
} words[] = {
	{ "plain", " Hello\r\n", "Hello" },
	{ "folded", "a\r\n b\r\n", "a b" },
	{ "Q", "=?iso-8859-1?q?caf=E9_a?= x", "caf\xc3\xa9 a x" },
	{ "blanks between words go",
	  "=?utf-8?b?YQ==?= \r\n =?utf-8?b?Yg==?=", "ab" },
	{ "a character cut in two",
	  "=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "\xc3\xa9" },
	{ "a language", "=?utf-8*en?q?a?=", "a" },
	{ "euro in windows-1252", "=?windows-1252?q?=80?=", "\xe2\x82\xac" },
	{ "koi8-r", "=?koi8-r?q?=C1?=", "\xd0\xb0" },
	{ "shift_jis", "=?shift_jis?b?grE=?=", "\xe3\x81\x93" },
	{ "no set of that name", "=?x-none?q?=E9?=", "\xc3\xa9" },
	{ "no word", "=?utf-8?x?a?= b", "=?utf-8?x?a?= b" },
	{ "8 bit", "caf\xe9", "caf\xc3\xa9" },
	{ "controls", "a\x01z", "a z" },
	{ "a line end inside a word", "=?utf-8?q?a=0D=0Ab?=", "ab" },
};

static void
check_words(void)
{
	struct buf raw = { 0 };
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct mime *m;

		buf_clear(&raw);
		buf_printf(&raw, "Subject:%s\r\n\r\n", words[i].value);
		m = mime_new(buf_span(&raw), NULL);
		CHECK_STR(mime_field(m, "subject")->value, words[i].want,
			  "a value: %s", words[i].what);
		mime_free(m);
	}
	buf_release(&raw);
}

static const struct {
	const char *charset, *body, *want;
} texts[] = {
	{ "utf-8", "caf\xc3\xa9", "caf\xc3\xa9" },
	{ "utf-8", "caf\xe9", "caf\xc3\xa9" },
	{ "x-bogus", "caf\xe9", "caf\xc3\xa9" },
	{ "iso-8859-15", "\xa4", "\xe2\x82\xac" },
	{ "gb2312", "\xc4\xe3", "\xe4\xbd\xa0" },
	{ "iso-2022-jp", "\x1b$B$3\x1b(B", "\xe3\x81\x93" },
	{ "utf-7", "a+AOk-b",
	  "a\xc3\xa9"
	  "b" },
	{ "euc-kr", "\xb0\xa1\xff", "\xea\xb0\x80\xef\xbf\xbd" },
};

static void
check_texts(void)
{
	struct buf raw = { 0 };
	struct span text;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mime *m;
		char *got;

		buf_clear(&raw);
		buf_printf(&raw, "Content-Type: text/plain; charset=%s\n\n%s",
			   texts[i].charset, texts[i].body);
		m = mime_new(buf_span(&raw), NULL);
		text = mime_text(m, 0);
		got = xstrndup(text.p, text.len);
		CHECK_STR(got, texts[i].want, "text of %s", texts[i].charset);
		free(got);
		mime_free(m);
	}
	buf_release(&raw);
}

/* Bombs: many parts, deep ones, long headers, much text. */
static void
check_limits(void)
{
	struct buf raw = { 0 };
	struct mime *m;
	int i;

	buf_add_str(&raw, MIXED);
	for (i = 0; i < 200000; i++)
		buf_add_str(&raw, "--b\r\n\r\nx\r\n");
	m = mime_new(buf_span(&raw), NULL);
	CHECK_INT(m->part_count, 1000, "200,000 parts are cut");
	CHECK(m->symptoms & MIME_TOO_MANY_PARTS, "and that is told");
	mime_free(m);

	buf_clear(&raw);
	for (i = 0; i < 100000; i++)
		buf_printf(&raw,
			   "Content-Type: multipart/mixed; boundary=b%d\n\n"
			   "--b%d\n",
			   i, i);
	m = mime_new(buf_span(&raw), NULL);
	CHECK(m->part_count <= 1000, "100,000 levels are cut");
	CHECK(m->symptoms & MIME_TOO_DEEP, "and that is told");
	mime_free(m);

	buf_clear(&raw);
	for (i = 0; i < 500000; i++)
		buf_add_str(&raw, "Subject: =?a?b?\r\n");
	m = mime_new(buf_span(&raw), NULL);
	CHECK(m->field_count <= 1000, "500,000 fields are cut");
	CHECK(m->symptoms & MIME_BIG_HEADER, "and that is told");
	mime_free(m);

	buf_clear(&raw);
	for (i = 0; i < 1000000; i++)
		buf_add_str(&raw, "--b\n");
	m = mime_new(buf_span(&raw), NULL);
	CHECK(m->part_count > 0, "a million lines of dashes are passed");
	mime_free(m);
	buf_release(&raw);
}

int
main(void)
{
	check_rows();
	check_words();
	check_texts();
	check_limits();
	return check_done();
}
