/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * HTML and what its reader sees; and that time is linear.
 */
#include "html_text.h"

#include <time.h>

#include "check.h"
#include "html.h"
#include "str.h"

static const struct {
	const char *what, *html, *text, *hidden;
	unsigned seen;
} rows[] = {
	{ "text", "a b", "a b", "", 0 },
	{ "entities", "&lt;&#65;&#x42;&eacute;&amp;&nbsp;x&bogus;",
	  "<AB\xc3\xa9& x&bogus;", "", 0 },
	{ "an entity without its end", "a&ltb &copy 1 &notit;",
	  "a<b \xc2\xa9 1 \xc2\xacit;", "", 0 },
	{ "windows-1252 by number", "&#128;&#0;", "\xe2\x82\xac\xef\xbf\xbd",
	  "", 0 },
	{ "blocks", "<p>a<p>b<br>c<div>d</div>e", "a\nb\nc\nd\ne", "", 0 },
	{ "cells", "<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc\n", "",
	  0 },
	{ "words cut by tags stay whole", "vi<b>a</b>gr<!-- x -->a", "viagra",
	  "", 0 },
	{ "and by characters of no width", "vi&#8203;a&shy;gra", "viagra", "",
	  0 },
	{ "scripts and styles are no text",
	  "a<script>x</b></script><style>y</style>b", "ab", "", HTML_SCRIPT },
	{ "a title is", "<title>a&amp;b</title>c", "a&b\nc", "", 0 },
	{ "a comment ends late", "a<!-- <b> -- > --!>b<!-->c<!--->d", "abcd",
	  "", 0 },
	{ "no comment ends at the end", "a<!-- b", "a", "", 0 },
	{ "less-than that is none", "1 < 2 <3", "1 < 2 <3", "", 0 },
	{ "a tag that is cut off", "a<b href=\"", "a", "", 0 },
	{ "hidden by display", "a<div style='Display : NONE'>b<p>c</div>d",
	  "a\nd", "b c", HTML_HIDDEN_TEXT },
	{ "hidden by size", "a<span style=\"font-size:0px\">b</span>c", "ac",
	  "b", HTML_TINY_TEXT },
	{ "shown again inside",
	  "<td style='font-size:0'><p style='font-size:14px'>b</p>", "b\n", "",
	  0 },
	{ "in the colour of the page", "a<font color=white>b</font>c", "ac",
	  "b", HTML_SAME_COLOR },
	{ "white on black is seen",
	  "<td bgcolor=#000000><font color=\"#FFF\">b</font>", "b", "", 0 },
	{ "almost white on white", "<p style='color:#fefefe'>b", "", "b",
	  HTML_SAME_COLOR },
	{ "alt of an image", "<img src=x alt='a b'>", "a b", "", 0 },
	{ "form", "<form action=x><input type=PASSWORD>", "", "",
	  HTML_FORM | HTML_PASSWORD },
	{ "handler", "<p onclick=x>", "", "", HTML_HANDLER },
	{ "conditional", "<!--[if mso]>a<![endif]-->b", "b", "",
	  HTML_CONDITIONAL },
};

static void
check_rows(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct html_view v = { 0 };

		html_view_read(&v, span_of(rows[i].html), 1 << 20);
		CHECK_STR(buf_str(&v.text), rows[i].text, "%s: text",
			  rows[i].what);
		CHECK_STR(buf_str(&v.hidden), rows[i].hidden, "%s: hidden",
			  rows[i].what);
		CHECK_INT(v.seen, rows[i].seen, "%s: what was met",
			  rows[i].what);
		html_view_release(&v);
	}
}

static const struct {
	const char *html, *url;
	enum html_link_kind kind;
} links[] = {
	{ "<a href=http://a/?b&amp;c=1>", "http://a/?b&c=1", HTML_HREF },
	{ "<A HREF = ' ht\ntp://a '>", "http://a", HTML_HREF },
	{ "<a\fhref=\"x>y\">", "x>y", HTML_HREF },
	{ "<a/href=x/>", "x/", HTML_HREF },
	{ "<a href=x href=y>", "x", HTML_HREF },
	{ "<img SRC=x>", "x", HTML_SRC },
	{ "<form action=x>", "x", HTML_ACTION },
	{ "<base href=x>", "x", HTML_BASE_HREF },
	{ "<meta http-equiv=Refresh content='0; URL=x'>", "x", HTML_META },
	{ "<td background=x>", "x", HTML_SRC },
};

static void
check_links(void)
{
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct html_view v = { 0 };

		html_view_read(&v, span_of(links[i].html), 1 << 20);
		CHECK(v.link_count == 1 && v.links[0].kind == links[i].kind,
		      "one link of its kind in %s", links[i].html);
		CHECK_STR(v.link_count > 0 ? v.links[0].url : NULL,
			  links[i].url, "address in %s", links[i].html);
		html_view_release(&v);
	}
}

static void
repeat(struct buf *b, const char *text, size_t n)
{
	buf_clear(b);
	while (n-- > 0)
		buf_add_str(b, text);
}

/* Seconds of processor time to read it. */
static double
seconds(struct span in)
{
	struct html_view v = { 0 };
	struct timespec a, b;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	html_view_read(&v, in, 1 << 20);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	html_view_release(&v);
	return (double)(b.tv_sec - a.tv_sec) +
	       (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

/* What is quadratic elsewhere: each of a million took a minute or more. */
static void
check_linear(void)
{
	static const char *const units[] = {
		"<div>", "<b",	    "<a b=c ",
		"<!-- ", "</",	    "<title>",
		"&",	 "&#",	    "<p style='color:red'>",
		"<td>",	 "--",	    "<!",
		"</a",	 "<script>"
	};
	struct buf b = { 0 };
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		double t;

		repeat(&b, units[i], 1000000);
		t = seconds(buf_span(&b));
		CHECK(t < 20, "a million of %s are read in time (%.2f s)",
		      units[i], t);
	}
	repeat(&b, "a=b ", 100000);
	buf_add_str(&b, ">x");
	b.data[0] = '<';
	CHECK(seconds(buf_span(&b)) < 2, "100,000 attributes on one tag");
	buf_release(&b);
}

int
main(void)
{
	check_rows();
	check_links();
	check_linear();
	return check_done();
}
