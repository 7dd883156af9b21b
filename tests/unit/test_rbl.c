/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DNS lists: rows as they are read and written, the names that are asked
 * for, and what replies mean.
 */
#include "rbl.h"

#include "check.h"
#include "str.h"

#define BASE "zone=a.example lists=ip4 replies="

static void
check_rows(void)
{
	static const struct {
		const char *words, *value,
			*want; /* the whole row, or an error */
	} rows[] = {
		{ "a short row has the defaults", BASE "127.0.0.2",
		  "zone=a.example lists=ip4 use= points=1.0 on=yes "
		  "replies=127.0.0.2 test=TEST,INVALID" },
		{ "a whole one stays as it is",
		  "zone=Z.example lists=ip4,ip6,domain,host "
		  "use=refuse,prerbl,urirbl,trusted points=-2.5 on=no "
		  "replies=127.0.0.2=3.0/SBL,127.0.0.4-7/XBL,127.0.*.bit8=0.0 "
		  "test=yes.example,no.example text=Listed, see a=b",
		  "zone=z.example lists=ip4,ip6,domain,host "
		  "use=refuse,prerbl,urirbl,trusted points=-2.5 on=no "
		  "replies=127.0.0.2=3.0/SBL,127.0.0.4-7/XBL,127.0.*.bit8=0.0 "
		  "test=yes.example,no.example text=Listed, see a=b" },
		{ "no zone", "lists=ip4 replies=127.0.0.2", "it has no zone" },
		{ "nothing listed", "zone=a.example replies=127.0.0.2",
		  "it lists nothing: expected some of ip4, ip6, domain, host" },
		{ "no replies", "zone=a.example lists=ip4",
		  "it has no replies, such as 127.0.0.2" },
		{ "a key that there is not", BASE "127.0.0.2 zoen=b",
		  "\"zoen\" is nothing that a list has" },
		{ "a word without a value", BASE "127.0.0.2 on",
		  "\"on\": expected KEY=VALUE" },
		{ "a zone that is none", "zone=a..b lists=ip4",
		  "zone: expected a domain of at most 128 characters, such as "
		  "zen.example.org" },
		{ "something else listed", "zone=a lists=ip5",
		  "\"ip5\" is none of ip4, ip6, domain, host" },
		{ "a name to test that is none", BASE "127.0.0.2 test=A",
		  "test: expected two names, one that must be listed and one "
		  "that must not: TEST,INVALID" },
		{ "a label that is none", BASE "127.0.0.2/a-b",
		  "reply 127.0.0.2/a-b: a label is 1 to 16 letters, digits "
		  "and _" },
	};
	struct buf out = { 0 };
	struct rbl r;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&out);
		if (rbl_read(&r, "list", rows[i].value, &e) == 0)
			rbl_write(&r, &out);
		else
			(void)buf_add_str(&out, e.text);
		CHECK_STR(buf_str(&out), rows[i].want, "%s", rows[i].words);
	}
	CHECK(rbl_read(&r, "A list", BASE "127.0.0.2", &e) != 0,
	      "a name with other characters is refused");
	buf_release(&out);
}

static void
check_patterns(void)
{
	static const char *const wrong[] = {
		"127.0.0",     "127.0.0.2.3",
		"127.0.0.256", "128.0.0.1",
		"*.0.0.1",     "127.0.0.7-4",
		"127.0.0.bit", "127.0.0.bit0",
		"127.0.0.x",   "127.0.0.-2",
		"127.0.0.2=x", "127.0.0.2=2000.0",
		"127.0.0.",    "",
		",127.0.0.2",  "127.0.0.2,",
	};
	struct buf row = { 0 };
	struct rbl r;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		buf_clear(&row);
		(void)buf_printf(&row, BASE "%s", wrong[i]);
		CHECK(rbl_read(&r, "list", buf_str(&row), &e) != 0,
		      "\"%s\" is no reply", wrong[i]);
	}
	buf_release(&row);
}

static void
check_replies(void)
{
	static const struct {
		const char *words, *replies;
		unsigned char a[4];
		uint32_t hits;
	} rows[] = {
		{ "the very address", "127.0.0.2", { 127, 0, 0, 2 }, 1 },
		{ "another", "127.0.0.2", { 127, 0, 0, 3 }, 0 },
		{ "in a range", "127.0.0.4-7", { 127, 0, 0, 7 }, 1 },
		{ "behind it", "127.0.0.4-7", { 127, 0, 0, 8 }, 0 },
		{ "the second of two",
		  "127.0.0.2,127.0.0.3",
		  { 127, 0, 0, 3 },
		  2 },
		{ "a bit among others",
		  "127.0.0.bit8,127.0.0.bit64",
		  { 127, 0, 0, 72 },
		  3 },
		{ "a bit that is not set",
		  "127.0.0.bit8",
		  { 127, 0, 0, 65 },
		  0 },
		{ "any octet", "127.0.*.2-3", { 127, 0, 17, 3 }, 1 },
		{ "refused by the list",
		  "127.*.*.*",
		  { 127, 255, 255, 254 },
		  0 },
		{ "no address of a list", "127.0.0.2", { 192, 0, 2, 1 }, 0 },
	};
	struct buf row = { 0 };
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t hits = 0;
		struct rbl r;

		buf_clear(&row);
		(void)buf_printf(&row, BASE "%s", rows[i].replies);
		CHECK_INT(rbl_read(&r, "list", buf_str(&row), &e), 0, "%s",
			  rows[i].replies);
		CHECK_INT(rbl_take(&r,
				   (struct span){ (const char *)rows[i].a, 4 },
				   &hits, &e),
			  rows[i].hits != 0, "%s", rows[i].words);
		CHECK_INT(hits, rows[i].hits, "%s: which", rows[i].words);
	}
	buf_release(&row);
}

static void
check_queries(void)
{
	struct ip four, six, mapped;
	char name[RBL_QUERY_SIZE], longer[260];
	struct rbl r;
	struct err e;

	CHECK_INT(rbl_read(&r, "my-list", BASE "127.0.0.2=2.0/a,127.0.0.3", &e),
		  0, "a list");
	CHECK(ip_parse("192.0.2.99", &four, NULL) == 0 &&
		      ip_parse("2001:db8:1:2:3:4:567:89ab", &six, NULL) == 0 &&
		      ip_parse("::ffff:192.0.2.99", &mapped, NULL) == 0,
	      "addresses");
	CHECK(rbl_query_ip(&r, &four, name), "IPv4 can be asked for");
	CHECK_STR(name, "99.2.0.192.a.example", "in reverse order");
	CHECK(rbl_query_ip(&r, &mapped, name), "so can a mapped one");
	CHECK_STR(name, "99.2.0.192.a.example", "as IPv4");
	CHECK(rbl_query_ip(&r, &six, name), "IPv6 too");
	/* RFC 5782 section 2.4 has this very address. */
	CHECK_STR(name,
		  "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0."
		  "1.0.0.2.a.example",
		  "nibble by nibble");
	CHECK(rbl_query_test(&r, RBL_IP6, true, name), "its IPv6 test");
	CHECK_STR(name,
		  "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		  "0.0.0.0.a.example",
		  "is ::ffff:7f00:2");
	CHECK(rbl_query_test(&r, RBL_IP4, false, name),
	      "its IPv4 counter-test");
	CHECK_STR(name, "1.0.0.127.a.example", "is 127.0.0.1");
	CHECK(rbl_query_test(&r, RBL_DOMAIN, true, name), "that of domains");
	CHECK_STR(name, "TEST.a.example", "is TEST");
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	CHECK(!rbl_query_name(&r, longer, name),
	      "too long a name is not asked");
	longer[253 - strlen(".a.example")] = '\0';
	CHECK(rbl_query_name(&r, longer, name), "the longest is");
	rbl_symptom(&r, 0, name);
	CHECK_STR(name, "RBL_MY_LIST_A", "a finding has the reply's label");
	rbl_symptom(&r, 1, name);
	CHECK_STR(name, "RBL_MY_LIST", "or none");
	CHECK_INT(rbl_points(&r, 0), 2000, "points of its own");
	CHECK_INT(rbl_points(&r, 1), 1000, "or those of the list");
}

static void
check_private(void)
{
	static const struct {
		const char *ip;
		bool is;
	} rows[] = {
		{ "192.0.2.1", false },
		{ "10.1.2.3", true },
		{ "172.16.0.1", true },
		{ "172.32.0.1", false },
		{ "192.168.3.4", true },
		{ "100.64.0.1", true },
		{ "100.128.0.1", false },
		{ "127.0.0.2", true },
		{ "169.254.1.1", true },
		{ "224.0.0.1", true },
		{ "255.255.255.255", true },
		{ "0.0.0.0", true },
		{ "::1", true },
		{ "::", true },
		{ "fe80::1", true },
		{ "fd00::1", true },
		{ "ff02::1", true },
		{ "2001:db8::1", false },
		{ "::ffff:10.0.0.1", true },
	};
	struct ip ip;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK(ip_parse(rows[i].ip, &ip, NULL) == 0 &&
			      rbl_is_private(&ip) == rows[i].is,
		      "%s is %s", rows[i].ip,
		      rows[i].is ? "not asked for" : "asked for");
}

static void
check_presets(void)
{
	struct rbl r;
	struct err e = { "" };
	size_t i;

	for (i = 0; i < rbl_preset_count; i++) {
		const struct rbl_preset *p = &rbl_presets[i];

		CHECK(rbl_read(&r, p->name, p->value, &e) == 0,
		      "%s can be read: %s", p->name, e.text);
		CHECK((r.use & RBL_REFUSE) == 0 && p->terms[0] != '\0',
		      "%s only scores, and its terms are told", p->name);
	}
	CHECK(rbl_preset("none") == NULL, "others are not known");
}

int
main(void)
{
	check_rows();
	check_patterns();
	check_replies();
	check_queries();
	check_private();
	check_presets();
	return check_done();
}
