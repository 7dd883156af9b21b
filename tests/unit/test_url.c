/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses in text and the tricks in them.
 */
#include "url.h"

#include "check.h"
#include "str.h"

/* example and org are suffixes; so is co.example. */
static const char *
registrable(const char *host, bool *is_known)
{
	size_t n = strlen(host);
	const char *p = host + n, *found = NULL;
	int dots = 0;

	*is_known = n > 4 && (strcmp(host + n - 4, ".org") == 0 ||
			      (n > 8 && strcmp(host + n - 8, ".example") == 0));
	if (!*is_known)
		return NULL;
	if (n > 11 && strcmp(host + n - 11, ".co.example") == 0)
		dots = -1;
	for (; p > host; p--)
		if (p[-1] == '.' && ++dots == 2) {
			found = p;
			break;
		}
	return found != NULL ? found : host;
}

static const struct url_hooks hooks = { NULL, registrable };

/* want: "TEXT host domain flags" joined by "|", in hex. */
static const struct {
	const char *text, *want;
} rows[] = {
	{ "see http://a.example/x?y#z.", "http://a.example/x?y#z a.example 0" },
	{ "(https://A.B.example)", "https://a.b.example/ b.example 0" },
	{ "<http://a.example:80/>, http://a.example:81",
	  "http://a.example/ a.example 0|http://a.example:81/ a.example 20" },
	{ "www.a.example", "http://www.a.example/ a.example 0" },
	{ "go to shop.a.co.example/buy now",
	  "http://shop.a.co.example/buy a.co.example 100" },
	{ "file.txt and Mr.Smith", "" },
	{ "me@a.example", "mailto:me@a.example a.example 200" },
	{ "mailto:x@a.example?subject=y", "mailto:x@a.example a.example 200" },
	{ "http://bank.example@evil.example/",
	  "http://evil.example/ evil.example 4" },
	{ "http://2130706433/", "http://127.0.0.1/ 127.0.0.1 3" },
	{ "http://0x7f.1/", "http://127.0.0.1/ 127.0.0.1 3" },
	{ "http://0177.0.0.01/", "http://127.0.0.1/ 127.0.0.1 3" },
	{ "http://1.2.3.4/", "http://1.2.3.4/ 1.2.3.4 1" },
	{ "http://[2001:DB8::1]/", "http://2001:db8::1/ 2001:db8::1 1" },
	{ "http://a%2eexample/", "http://a.example/ a.example 10" },
	{ "http://a\xe3\x80\x82"
	  "example/",
	  "http://a.example/ a.example 10" },
	{ "http://\xef\xbd\x81.example/", "http://a.example/ a.example 10" },
	{ "http://a\xe2\x80\x8b"
	  "b.example/",
	  "http://ab.example/ ab.example 10" },
	{ "http://b\xc3\xbc"
	  "cher.example/",
	  "http://xn--bcher-kva.example/ xn--bcher-kva.example 8" },
	{ "http://\xd0\xbf\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.example",
	  "http://xn--e1afmkfd.example/ xn--e1afmkfd.example 8" },
	{ "http://r.example/?url=http%3A%2F%2Fevil.example%2Fx&a=b",
	  "http://r.example/?url=http%3A%2F%2Fevil.example%2Fx&a=b r.example "
	  "80|http://evil.example/x evil.example 40" },
	{ "http://r.example/?u=https%253A%252F%252Fevil.example",
	  "http://r.example/?u=https%253A%252F%252Fevil.example r.example 80|"
	  "https://evil.example/ evil.example 40" },
	{ "http:\\\\a.example\\x", "http://a.example\\x a.example 100" },
	{ "http://a.example\\@b.example/",
	  "http://a.example\\@b.example/ a.example 0" },
	{ "http://localhost/ http://-/ http:// http://..", "" },
	{ "http://a.example http://a.example/ HTTP://A.EXAMPLE",
	  "http://a.example/ a.example 0" },
};

static void
check_rows(void)
{
	static struct url_set s;
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena arena = { 0 };
		struct buf got = { 0 };

		url_set_init(&s, &arena, &hooks);
		url_find(&s, span_of(rows[i].text));
		for (k = 0; k < s.count; k++)
			buf_printf(&got, "%s%s %s %x", k > 0 ? "|" : "",
				   s.items[k].text, s.items[k].domain,
				   (unsigned)s.items[k].flags);
		CHECK_STR(buf_str(&got), rows[i].want, "%s", rows[i].text);
		buf_release(&got);
		arena_release(&arena);
	}
}

static void
check_links(void)
{
	static struct url_set s;
	struct arena arena = { 0 };

	url_set_init(&s, &arena, &hooks);
	url_add(&s, span_of("//a.example/x"), 0);
	url_add(&s, span_of("ht tps:/\\b.example"), 0);
	url_add(&s, span_of("cid:x@y"), 0);
	url_add(&s, span_of("#top"), 0);
	url_add(&s, span_of("javascript:alert(1)"), 0);
	url_add(&s, span_of("page.html"), 0);
	CHECK_INT(s.count, 2, "links that lead somewhere");
	CHECK_STR(s.items[0].text, "http://a.example/x", "one without scheme");
	CHECK_STR(s.items[1].text, "https://b.example/", "one with tricks");
	arena_release(&arena);
}

static void
check_limits(void)
{
	static struct url_set s;
	struct arena arena = { 0 };
	struct buf b = { 0 };
	int i;

	for (i = 0; i < 300000; i++)
		buf_printf(&b, "a%d.example/", i);
	url_set_init(&s, &arena, &hooks);
	url_find(&s, buf_span(&b));
	CHECK_INT(s.count, URL_SET_MAX, "many are cut");
	CHECK(s.is_full, "and that is told");
	buf_clear(&b);
	for (i = 0; i < 300000; i++)
		buf_add_str(&b, "a.org/");
	url_set_init(&s, &arena, &hooks);
	url_find(&s, buf_span(&b));
	CHECK(s.count > 0, "one that repeats itself is passed");
	buf_release(&b);
	arena_release(&arena);
}

int
main(void)
{
	check_rows();
	check_links();
	check_limits();
	return check_done();
}
