/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Paths, mailboxes and domain keys: what is taken, as what, and what is
 * refused.
 */
#include <string.h>

#include "address.h"
#include "check.h"
#include "str.h"

#define X10 "aaaaaaaaaa"
#define X60 X10 X10 X10 X10 X10 X10
#define LABEL63 X60 "aaa"
/* 252 characters of domain */
#define LONG_DOMAIN LABEL63 "." LABEL63 "." LABEL63 "." X60

#define NIL ADDRESS_ALLOW_NULL
#define U8 ADDRESS_ALLOW_UTF8
#define PM ADDRESS_ALLOW_POSTMASTER

/* text NULL: refused.  rest: what is left behind the path. */
static const struct path_row {
	const char *what;
	const char *in;
	int flags;
	const char *text;
	const char *domain;
	const char *rest;
} paths[] = {
	{ "a mailbox", "<a@b.example>", 0, "a@b.example", "b.example", "" },
	{ "what stands behind stays", "<a@b.example> SIZE=1", 0, "a@b.example",
	  "b.example", " SIZE=1" },
	{ "the null path", "<>", NIL, "", "", "" },
	{ "the null path where it is not allowed", "<>", 0, NULL, NULL, NULL },
	{ "postmaster alone", "<PostMaster>", PM, "PostMaster", "", "" },
	{ "postmaster alone where not allowed", "<postmaster>", 0, NULL, NULL,
	  NULL },
	{ "another name alone", "<abuse>", PM, NULL, NULL, NULL },
	{ "postmaster with a domain", "<postmaster@b.example>", PM,
	  "postmaster@b.example", "b.example", "" },
	{ "all of atext", "<!#$%&'*+-/=?^_`{|}~.9aZ@b.example>", 0,
	  "!#$%&'*+-/=?^_`{|}~.9aZ@b.example", "b.example", "" },
	{ "case stays", "<A.b@C.Example>", 0, "A.b@C.Example", "C.Example",
	  "" },
	{ "a domain of one label", "<root@localhost>", 0, "root@localhost",
	  "localhost", "" },
	{ "underscores in the domain", "<a@_x.y_z.example>", 0,
	  "a@_x.y_z.example", "_x.y_z.example", "" },
	{ "digits in the domain", "<a@1.2>", 0, "a@1.2", "1.2", "" },
	{ "a quoted local part", "<\"a b\"@b.example>", 0, "\"a b\"@b.example",
	  "b.example", "" },
	{ "brackets and @ in quotes", "<\"<a@b>\"@b.example>", 0,
	  "\"<a@b>\"@b.example", "b.example", "" },
	{ "escapes in quotes", "<\"a\\\"\\\\\"@b.example>", 0,
	  "\"a\\\"\\\\\"@b.example", "b.example", "" },
	{ "empty quotes", "<\"\"@b.example>", 0, "\"\"@b.example", "b.example",
	  "" },
	{ "an IPv4 literal", "<a@[192.0.2.1]>", 0, "a@[192.0.2.1]",
	  "[192.0.2.1]", "" },
	{ "an IPv6 literal", "<a@[IPv6:2001:db8::1]>", 0,
	  "a@[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]", "" },
	{ "a mapped IPv6 literal", "<a@[ipv6:::ffff:192.0.2.1]>", 0,
	  "a@[ipv6:::ffff:192.0.2.1]", "[ipv6:::ffff:192.0.2.1]", "" },
	{ "a source route is dropped", "<@x.example,@y.example:a@b.example>", 0,
	  "a@b.example", "b.example", "" },
	{ "a source route of a literal", "<@[192.0.2.1]:a@b.example>", 0,
	  "a@b.example", "b.example", "" },
	{ "a local part of 65, as SRS makes them", "<" X60 "aaaaa@b.example>",
	  0, X60 "aaaaa@b.example", "b.example", "" },
	{ "a local part of 252", "<" X60 X60 X60 X60 X10 "aa@b>", 0,
	  X60 X60 X60 X60 X10 "aa@b", "b", "" },
	{ "a local part of 253", "<" X60 X60 X60 X60 X10 "aaa@b>", 0, NULL,
	  NULL, NULL },
	{ "a path of 256", "<a@" LONG_DOMAIN ">", 0, "a@" LONG_DOMAIN,
	  LONG_DOMAIN, "" },
	{ "a path of 257", "<ab@" LONG_DOMAIN ">", 0, NULL, NULL, NULL },
	{ "a label of 63", "<a@" LABEL63 ">", 0, "a@" LABEL63, LABEL63, "" },
	{ "a label of 64", "<a@" LABEL63 "a>", 0, NULL, NULL, NULL },
	{ "UTF-8 where allowed", "<j\xc3\xb6rg@b\xc3\xbc.example>", U8,
	  "j\xc3\xb6rg@b\xc3\xbc.example", "b\xc3\xbc.example", "" },
	{ "UTF-8 in quotes", "<\"\xc3\xb6 \"@b.example>", U8,
	  "\"\xc3\xb6 \"@b.example", "b.example", "" },
	{ "UTF-8 where not allowed", "<j\xc3\xb6rg@b.example>", 0, NULL, NULL,
	  NULL },
	{ "UTF-8 in the domain where not allowed", "<a@b\xc3\xbc.example>", 0,
	  NULL, NULL, NULL },
	{ "UTF-8 that is none", "<j\xc3@b.example>", U8, NULL, NULL, NULL },
	{ "an escaped byte above 127", "<\"\\\xc3\xb6\"@b.example>", U8, NULL,
	  NULL, NULL },
	{ "nothing", "", NIL, NULL, NULL, NULL },
	{ "no opening bracket", "a@b.example>", 0, NULL, NULL, NULL },
	{ "no closing bracket", "<a@b.example", 0, NULL, NULL, NULL },
	{ "an opening bracket alone", "<", NIL, NULL, NULL, NULL },
	{ "a space in front", "< a@b.example>", 0, NULL, NULL, NULL },
	{ "a space behind", "<a@b.example >", 0, NULL, NULL, NULL },
	{ "a space in between", "<a b@c.example>", 0, NULL, NULL, NULL },
	{ "two brackets", "<<a@b.example>>", 0, NULL, NULL, NULL },
	{ "no local part", "<@b.example>", 0, NULL, NULL, NULL },
	{ "no domain", "<a@>", 0, NULL, NULL, NULL },
	{ "two @", "<a@b@c.example>", 0, NULL, NULL, NULL },
	{ "a dot in front", "<.a@b.example>", 0, NULL, NULL, NULL },
	{ "a dot at the end", "<a.@b.example>", 0, NULL, NULL, NULL },
	{ "two dots", "<a..b@c.example>", 0, NULL, NULL, NULL },
	{ "a dot behind the domain", "<a@b.example.>", 0, NULL, NULL, NULL },
	{ "a dot before the domain", "<a@.b.example>", 0, NULL, NULL, NULL },
	{ "an empty label", "<a@b..example>", 0, NULL, NULL, NULL },
	{ "a hyphen in front of a label", "<a@-b.example>", 0, NULL, NULL,
	  NULL },
	{ "a hyphen behind a label", "<a@b-.example>", 0, NULL, NULL, NULL },
	{ "a letter no domain has", "<a@b!c.example>", 0, NULL, NULL, NULL },
	{ "quotes that do not end", "<\"a@b.example>", 0, NULL, NULL, NULL },
	{ "quotes that end in an escape", "<\"a\\", 0, NULL, NULL, NULL },
	{ "text behind quotes", "<\"a\"b@c.example>", 0, NULL, NULL, NULL },
	{ "a control in quotes", "<\"a\tb\"@c.example>", 0, NULL, NULL, NULL },
	{ "a literal that is no address", "<a@[192.0.2.256]>", 0, NULL, NULL,
	  NULL },
	{ "an IPv6 literal without its tag", "<a@[2001:db8::1]>", 0, NULL, NULL,
	  NULL },
	{ "an IPv4 literal with the tag", "<a@[IPv6:192.0.2.1]>", 0, NULL, NULL,
	  NULL },
	{ "a tag alone", "<a@[IPv6:]>", 0, NULL, NULL, NULL },
	{ "an unknown tag", "<a@[x:y]>", 0, NULL, NULL, NULL },
	{ "a literal that does not end", "<a@[192.0.2.1>", 0, NULL, NULL,
	  NULL },
	{ "text behind a literal", "<a@[192.0.2.1]x>", 0, NULL, NULL, NULL },
	{ "a source route without a mailbox", "<@x.example:>", 0, NULL, NULL,
	  NULL },
	{ "a source route with a bad comma", "<@x.example,y:a@b.example>", 0,
	  NULL, NULL, NULL },
	{ "a source route without a colon", "<@x.example,a@b.example>", 0, NULL,
	  NULL, NULL },
};

static void
check_path(const struct path_row *row)
{
	struct span in = span_of(row->in);
	struct address a;
	struct err e = { "" };
	size_t used = 0;
	int rc;

	rc = address_parse_path(in, row->flags, &a, &used, &e);
	if (row->text == NULL) {
		CHECK(rc == -1 && e.text[0] != '\0', "%s is refused",
		      row->what);
		return;
	}
	if (!CHECK(rc == 0, "%s is taken: %s", row->what, e.text))
		return;
	CHECK_STR(a.text, row->text, "%s: text", row->what);
	CHECK_STR(address_domain(&a), row->domain, "%s: domain", row->what);
	CHECK_STR(row->in + used, row->rest, "%s: rest", row->what);
	CHECK_INT(a.local_len,
		  a.domain_at > 0 ? a.domain_at - 1 : strlen(a.text),
		  "%s: length of the local part", row->what);
	CHECK_INT(a.is_literal, row->domain[0] == '[', "%s: literal",
		  row->what);
	CHECK_INT(a.is_utf8, (row->flags & U8) != 0, "%s: UTF-8", row->what);
}

static const struct bare_row {
	const char *what;
	const char *in;
	int flags;
	bool is_good;
} bares[] = {
	{ "an address", "a@b.example", 0, true },
	{ "a quoted address", "\"a b\"@b.example", 0, true },
	{ "an empty text", "", 0, false },
	{ "an empty text where allowed", "", NIL, true },
	{ "postmaster where allowed", "postmaster", PM, true },
	{ "a name alone", "joe", 0, false },
	{ "text behind an address", "a@b.example ", 0, false },
	{ "brackets", "<a@b.example>", 0, false },
	{ "a source route", "@x.example:a@b.example", 0, false },
	{ "an address that is not ASCII", "\xc3\xb6@b.example", 0, false },
	{ "one that may be so", "\xc3\xb6@b.example", U8, true },
};

/* key NULL: refused. */
static const struct key_row {
	const char *what;
	const char *domain;
	const char *key;
	bool is_domain;
} keys[] = {
	{ "lower case", "b.example", "b.example", true },
	{ "upper case", "B.EXAMPLE", "b.example", true },
	{ "a dot behind", "B.example.", "b.example", false },
	{ "one label", "LOCALHOST", "localhost", true },
	{ "an A-label", "XN--BCHER-KVA.example", "xn--bcher-kva.example",
	  true },
	{ "a U-label",
	  "B\xc3\x9c"
	  "CHER.example",
	  "xn--bcher-kva.example", false },
	{ "a U-label, decomposed",
	  "Bu\xcc\x88"
	  "cher.example",
	  "xn--bcher-kva.example", false },
	{ "a U-label beside an A-label",
	  "b\xc3\xbc"
	  "cher.XN--BCHER-KVA.example.",
	  "xn--bcher-kva.xn--bcher-kva.example", false },
	{ "sharp s, non-transitional", "fa\xc3\x9f.example",
	  "xn--fa-hia.example", false },
	{ "dots of other scripts",
	  "b\xc3\xbc"
	  "cher\xe3\x80\x82"
	  "example\xef\xbc\x8e"
	  "test",
	  "xn--bcher-kva.example.test", false },
	{ "full-width letters", "\xef\xbc\xa2.example", "b.example", false },
	{ "a letter that would be a slash", "\xe2\x84\x80.example", NULL,
	  false },
	{ "a letter that would be a blank",
	  "a\xe3\x80\x80"
	  "b.example",
	  NULL, false },
	{ "a sign that no domain has", "\xf0\x9f\x98\x80.example", NULL,
	  false },
	{ "two directions", "a\xd7\x90.example", NULL, false },
	{ "a damaged A-label beside it", "xn--\xc3\xbc.example", NULL, false },
	{ "letters of nothing", "\xc2\xad.example", NULL, false },
	{ "an IPv4 literal", "[192.0.2.1]", "[192.0.2.1]", false },
	{ "an IPv6 literal", "[IPv6:2001:DB8::1]", "[IPv6:2001:DB8::1]",
	  false },
	{ "no text", "", NULL, false },
	{ "a dot alone", ".", NULL, false },
	{ "two dots behind", "b.example..", NULL, false },
	{ "a space", "b .example", NULL, false },
	{ "a colon", "b.example:25", NULL, false },
	{ "bytes that are no UTF-8", "b\xff.example", NULL, false },
	{ "a literal and more", "[192.0.2.1]x", NULL, false },
	{ "253 characters", LONG_DOMAIN "a", LONG_DOMAIN "a", true },
	{ "254 characters", LONG_DOMAIN "aa", NULL, false },
};

static void
check_key(const struct key_row *row)
{
	char key[ADDRESS_DOMAIN_MAX + 1] = "";
	int rc = address_domain_key(row->domain, key, NULL);

	if (row->key == NULL)
		CHECK_INT(rc, -1, "domain key of %s is refused", row->what);
	else
		CHECK_STR(rc == 0 ? key : "refused", row->key,
			  "domain key of %s", row->what);
	CHECK_INT(address_is_domain(row->domain), row->is_domain,
		  "%s is a host name or not", row->what);
}

static const struct {
	const char *what, *local, *key;
} locals[] = {
	{ "upper case", "A.b+C", "a.b+c" },
	{ "beyond ASCII", "\xc3\x84x", "\xc3\xa4x" },
	{ "decomposed", "A\xcc\x88x", "\xc3\xa4x" },
	{ "Greek", "\xce\x91", "\xce\xb1" },
	{ "no case", "\xe4\xb8\xad", "\xe4\xb8\xad" },
	{ "no UTF-8", "A\xff", "a\xff" },
	{ "too long", "1234567890123456", NULL },
	{ "just not too long", "123456789012345", "123456789012345" },
	{ "too long beyond ASCII", "12345678901234\xc3\xa4", NULL },
};

static void
check_locals(void)
{
	char key[16], again[16];

	for (size_t i = 0; i < sizeof(locals) / sizeof(*locals); i++) {
		int rc = address_local_key(locals[i].local, key, sizeof(key),
					   NULL);

		CHECK_STR(rc == 0 ? key : NULL, locals[i].key,
			  "key of a local part: %s", locals[i].what);
		if (rc == 0 &&
		    address_local_key(key, again, sizeof(again), NULL) == 0)
			CHECK_STR(again, key, "of which it is the key");
	}
}

static void
check_nul(void)
{
	struct address a;
	size_t used;

	CHECK_INT(address_parse_path((struct span){ "<a\0@b.example>", 14 }, 0,
				     &a, &used, NULL),
		  -1, "a NUL in the local part is refused");
	CHECK_INT(address_parse_path((struct span){ "<\"\0\"@b.example>", 16 },
				     0, &a, &used, NULL),
		  -1, "a NUL in quotes is refused");
	CHECK_INT(address_parse_path((struct span){ "<a@[192.0.2.1\0]>", 16 },
				     0, &a, &used, NULL),
		  -1, "a NUL in a literal is refused");
	CHECK_INT(address_parse_path((struct span){ NULL, 0 }, NIL, &a, &used,
				     NULL),
		  -1, "an empty span is refused");
}

int
main(void)
{
	struct address a;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		check_path(&paths[i]);
	for (i = 0; i < sizeof(bares) / sizeof(bares[0]); i++)
		CHECK_INT(address_parse(span_of(bares[i].in), bares[i].flags,
					&a, NULL),
			  bares[i].is_good ? 0 : -1, "%s by hand",
			  bares[i].what);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		check_key(&keys[i]);
	check_locals();
	check_nul();
	return check_done();
}
