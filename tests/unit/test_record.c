/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Records: there and back, as JSON whatever the bytes are, and what is
 * refused of the encoded form.
 */
#include "record.h"

#include "check.h"
#include "log.h"
#include "str.h"

static struct value values[RECORD_FIELDS_MAX];
static size_t count;

static void
json_is(struct record *r, const char *want, const char *words)
{
	struct buf out = { .limit = 0 };
	struct err e = { "" };

	if (record_read(buf_span(&r->b), values, &count, &e) != 0 ||
	    record_json(values, count, &out) != 0)
		buf_add_str(&out, e.text);
	CHECK_STR(buf_str(&out), want, "%s", words);
	buf_release(&out);
}

static void
test_types(void)
{
	struct record r = { .count = 0 };

	json_is(&r, "{}", "an empty record is an empty object");
	record_str(&r, "id", "abc");
	record_int(&r, "size", INT64_MIN);
	record_int(&r, "more", 7);
	record_bool(&r, "is_own", true);
	record_bool(&r, "is_held", false);
	record_null(&r, "reason");
	record_str(&r, "none", NULL);
	record_list(&r, "rcpts", "a@b.example\nc@d.example");
	record_list(&r, "nobody", "");
	record_list(&r, "blank", "a\n\nb\n");
	json_is(&r,
		"{\"id\": \"abc\", \"size\": -9223372036854775808, "
		"\"more\": 7, \"is_own\": true, \"is_held\": false, "
		"\"reason\": null, \"none\": null, "
		"\"rcpts\": [\"a@b.example\", \"c@d.example\"], "
		"\"nobody\": [], \"blank\": [\"a\", \"\", \"b\"]}",
		"each type has its form");
	CHECK(record_find(values, count, "size")->num == INT64_MIN &&
		      record_find(values, count, "id")->type == VALUE_STR &&
		      record_find(values, count, "nothing") == NULL,
	      "values are found by name");
	record_clear(&r);
	json_is(&r, "{}", "a cleared record is empty");
	record_release(&r);
}

static const struct text {
	const char *words, *text, *json;
} texts[] = {
	{ "plain text", "hello", "\"hello\"" },
	{ "nothing", "", "\"\"" },
	{ "quotes and backslashes", "\"\\", "\"\\\"\\\\\"" },
	{ "named controls", "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
	{ "other controls", "\1\33[2J\177", "\"\\u0001\\u001b[2J\\u007f\"" },
	{ "UTF-8", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80",
	  "\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80\"" },
	{ "controls of Latin-1 and ends of line of Unicode",
	  "\xC2\x80\xC2\x9F\xE2\x80\xA8\xE2\x80\xA9",
	  "\"\\u0080\\u009f\\u2028\\u2029\"" },
	{ "bytes that are not UTF-8", "a\xFF\xC3",
	  "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"" },
	{ "an overlong form", "\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },
	{ "half a pair of UTF-16", "\xED\xA0\x80",
	  "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
};

static void
test_texts(void)
{
	struct buf out = { .limit = 0 };
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_clear(&out);
		CHECK_INT(json_string(&out, texts[i].text), 0, "%s: written",
			  texts[i].words);
		CHECK_STR(buf_str(&out), texts[i].json, "%s as JSON",
			  texts[i].words);
	}
	buf_clear(&out);
	for (i = 1; i < 256; i++) {
		char one[2] = { (char)i, '\0' };

		json_string(&out, one);
	}
	CHECK(str_is_utf8(out.data, out.len), "every byte becomes UTF-8");
	for (i = 0; i < out.len; i++) {
		if ((unsigned char)out.data[i] < ' ' || out.data[i] == 127)
			break;
	}
	CHECK_INT(i, out.len, "and no control");
	buf_release(&out);
}

static void
test_refusing_buffer(void)
{
	struct buf out = { .limit = 0 };
	struct record r = { .count = 0 };
	size_t limit;
	int written = 0;

	record_str(&r, "a", "b\"c");
	record_list(&r, "d", "e\nf");
	record_bool(&r, "g", true);
	record_read(buf_span(&r.b), values, &count, NULL);
	record_json(values, count, &out);
	limit = out.len;
	buf_clear(&out);
	for (out.limit = 1; out.limit < limit; out.limit++)
		written +=
			record_json(values, count, &out) == 0 || out.len != 0;
	CHECK_INT(written, 0, "JSON that does not fit is not begun");
	out.limit = limit;
	CHECK_INT(record_json(values, count, &out), 0,
		  "JSON that just fits is written");
	buf_release(&out);
	record_release(&r);
}

static void
test_too_long(void)
{
	static char text[100000];
	struct record r = { .count = 0 };
	struct buf list = { .limit = 0 };
	const char *s;
	int i;

	memset(text, 'x', sizeof(text) - 1);
	record_str(&r, "long", text);
	for (i = 0; i < 20000; i++)
		buf_printf(&list, "user%d@a.example\n", i);
	record_list(&r, "list", buf_str(&list));
	for (i = 0; i < 60; i++)
		record_int(&r, "number_of_something_or_other", i);
	CHECK(r.b.len <= RECORD_MAX, "a record fits its frame: %zu", r.b.len);
	CHECK_INT(record_read(buf_span(&r.b), values, &count, NULL), 0,
		  "and is whole");
	s = values[0].str;
	CHECK(strlen(s) < sizeof(text) - 1 && str_eq(s + strlen(s) - 4, "x..."),
	      "a long text is cut and says so");
	CHECK_STR(values[1].str, "...", "a list without room too");
	record_clear(&r);
	record_list(&r, "list", buf_str(&list));
	record_read(buf_span(&r.b), values, &count, NULL);
	s = values[0].str;
	CHECK_STR(s + strlen(s) - 14, "@a.example\n...",
		  "a long list is cut behind an item");
	record_clear(&r);
	for (i = 0; i < 49999; i++)
		memcpy(text + i * 2, "\xC3\xA4", 2);
	record_str(&r, "long", text);
	record_read(buf_span(&r.b), values, &count, NULL);
	CHECK(str_is_utf8(values[0].str, strlen(values[0].str)),
	      "no character is cut in two");
	buf_release(&list);
	record_release(&r);
}

static const struct refused {
	const char *words;
	struct span bytes;
} refused[] = {
	{ "an unknown type", SPAN_LIT("\5a\0") },
	{ "a type alone", SPAN_LIT("\0") },
	{ "a name without its end", SPAN_LIT("\4abc") },
	{ "a text without its end", SPAN_LIT("\0a\0bc") },
	{ "a text that is missing", SPAN_LIT("\0a\0") },
	{ "a number of seven bytes", SPAN_LIT("\1a\0\1\2\3\4\5\6\7") },
	{ "a truth that is neither", SPAN_LIT("\2a\0\2\0\0\0\0\0\0\0") },
	{ "a field behind a good one", SPAN_LIT("\4a\0\5") },
};

static void
test_refused(void)
{
	struct buf many = { .limit = 0 };
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		CHECK(record_read(refused[i].bytes, values, &count, NULL) != 0,
		      "%s is refused", refused[i].words);
	for (i = 0; i <= RECORD_FIELDS_MAX; i++)
		buf_add(&many, "\4a", 3);
	CHECK(record_read(buf_span(&many), values, &count, NULL) != 0,
	      "a field too many is refused");
	buf_release(&many);
}

int
main(void)
{
	test_types();
	test_texts();
	test_refusing_buffer();
	test_too_long();
	test_refused();
	return check_done();
}
