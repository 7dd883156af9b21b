/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * JSON: what is read of it, what is refused, and where it ends.
 */
#include "json_read.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "str.h"

/* All nodes on one line: type, name and text, in their order. */
static void
outline(const struct json *j, struct buf *out)
{
	static const char types[] = "zbnsao";

	for (size_t i = 0; i < j->count; i++)
		buf_printf(out, "%s%c%s%s:%s", i > 0 ? " " : "",
			   types[j->nodes[i].type],
			   j->nodes[i].name != NULL ? "." : "",
			   j->nodes[i].name != NULL ? j->nodes[i].name : "",
			   j->nodes[i].text);
}

static const struct {
	const char *text, *want, *words;
} good[] = {
	{ "{}", "o:", "an empty object" },
	{ " [ ] ", "a:", "an empty array, blanks around" },
	{ "-0.5e+3", "n:-0.5e+3", "a number is its text" },
	{ "{\"a\":1,\"b\":[true,null,\"x\"]}",
	  "o: n.a:1 a.b: b:true z:null s:x",
	  "nodes come in the order they begin in" },
	{ "[[1,2],{\"n\":\"\"},3]", "a: a: n:1 n:2 o: s.n: n:3",
	  "an empty string, arrays in arrays" },
	{ "\"a\\\"b\\\\\\/\\n\\u00e4\\u20ac\"",
	  "s:a\"b\\/\n\xc3\xa4\xe2\x82\xac", "escapes" },
	{ "\"\\ud83d\\ude00 \\ud83d \\u0000\"",
	  "s:\xf0\x9f\x98\x80 \xef\xbf\xbd \xef\xbf\xbd",
	  "a pair is one character, half of one and NUL are none" },
	{ "\"\\ud83d\\u0041\"",
	  "s:\xef\xbf\xbd"
	  "A",
	  "half a pair before another character" },
	{ "\"a\\u0041\\u0042c\"", "s:aABc", "letters as escapes" },
};

static const char *const bad[] = {
	"",	 "{",	  "}",	     "[1,]",	"{\"a\"}",  "{\"a\":}",
	"{a:1}", "\"abc", "\"\\x\"", "\"\\u12", "01",	    "1.",
	"1e",	 "tru",	  "[1 2]",   "1 2",	"\"a\tb\"", "{\"a\":1,}",
	"{1:2}", "+1",	  "nullx",   "-",	"[",	    "\"\\",
};

static void
test_read(void)
{
	struct json j = { .count = 0 };
	struct buf out = { .limit = 0 };
	struct err e = { "" };

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		buf_clear(&out);
		if (json_read(&j, span_of(good[i].text), &e) < 0)
			buf_add_str(&out, e.text);
		else
			outline(&j, &out);
		CHECK_STR(buf_str(&out), good[i].want, "%s", good[i].words);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(json_read(&j, span_of(bad[i]), NULL) == -1 &&
			      j.count == 0,
		      "refused whole: %s", bad[i]);
	buf_release(&out);
	json_release(&j);
}

static void
test_limits(void)
{
	char deep[2 * (JSON_DEPTH_MAX + 2)];
	struct json j = { .count = 0 };
	struct buf many = { .limit = 0 };

	memset(deep, '[', sizeof(deep) / 2);
	memset(deep + sizeof(deep) / 2, ']', sizeof(deep) / 2);
	CHECK(json_read(&j, (struct span){ deep, sizeof(deep) }, NULL) == -1,
	      "too deep is refused");
	CHECK(json_read(&j, (struct span){ deep + 3, sizeof(deep) - 6 },
			NULL) == 0,
	      "as deep as may be is read");
	buf_add_char(&many, '[');
	for (int i = 0; i < JSON_NODES_MAX; i++)
		buf_add_str(&many, "1,");
	buf_add_str(&many, "1]");
	CHECK(json_read(&j, buf_span(&many), NULL) == -1,
	      "too many nodes are refused");
	buf_release(&many);
	json_release(&j);
}

static void
test_members(void)
{
	struct json j = { .count = 0 }, copy = { .count = 0 };
	const char *text = "{\"in\":{\"b\":1},\"b\":2,\"list\":[3,4]}";
	const struct json_node *n;

	CHECK(json_read(&j, span_of(text), NULL) == 0, "it is read");
	json_copy(&copy, &j);
	json_release(&j);
	n = json_member(&copy, 0, "b");
	CHECK_STR(n != NULL ? n->text : "none", "2",
		  "the member of the outer object, of a copy");
	n = json_member(&copy, 1, "b");
	CHECK_STR(n != NULL ? n->text : "none", "1", "and of the inner one");
	CHECK(json_member(&copy, 0, "none") == NULL, "there is no such member");
	n = json_member(&copy, 0, "list");
	CHECK(n != NULL && n->end == copy.count && (n + 1)->text[0] == '3',
	      "the nodes of a list stand behind it");
	json_release(&copy);
}

int
main(void)
{
	test_read();
	test_limits();
	test_members();
	return check_done();
}
