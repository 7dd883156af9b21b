/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of knobs: its rows make sense, and their notation is read back
 * to what was written.
 */
#include "setting.h"

#include <string.h>

#include "check.h"
#include "str.h"

static const struct {
	const char *words;
	const char *knob;
	const char *text;
	int64_t value;
	const char *want; /* error, NULL for none */
} cases[] = {
	{ "a number", "filter_window", "500", 500, NULL },
	{ "a duration", "retry_first", "1h30m", 5400000, NULL },
	{ "a bare duration is seconds", "retry_first", "90", 90000, NULL },
	{ "a size", "message_size_max", "25M", 26214400, NULL },
	{ "a yes", "hold_mail", "yes", 1, NULL },
	{ "an off", "hold_mail", "OFF", 0, NULL },
	{ "no number", "filter_window", "many", 0,
	  "setting filter_window: \"many\" is not a whole number: expected 1 "
	  "to 100000 messages" },
	{ "nothing", "filter_window", "", 0,
	  "setting filter_window: \"\" is not a whole number: expected 1 to "
	  "100000 messages" },
	{ "a number too small", "filter_window", "0", 0,
	  "setting filter_window: \"0\" is out of range: expected 1 to 100000 "
	  "messages" },
	{ "a negative number", "filter_window", "-1", 0,
	  "setting filter_window: \"-1\" is out of range: expected 1 to "
	  "100000 messages" },
	{ "a duration too long", "retry_first", "2d", 0,
	  "setting retry_first: \"2d\" is out of range: expected 1s to 1d" },
	{ "no duration", "retry_first", "5 apples", 0,
	  "setting retry_first: \"5 apples\" is not a duration such as 250ms, "
	  "15s, 2m, 1h30m or 5d: expected 1s to 1d" },
	{ "a size too large", "message_size_max", "2G", 0,
	  "setting message_size_max: \"2G\" is out of range: expected 64k to "
	  "1G" },
	{ "a size beyond 63 bits", "message_size_max", "18446744073709551615",
	  0,
	  "setting message_size_max: \"18446744073709551615\" is out of "
	  "range: expected 64k to 1G" },
	{ "neither yes nor no", "hold_mail", "maybe", 0,
	  "setting hold_mail: \"maybe\" is neither yes nor no" },
};

static void
check_cases(void)
{
	struct knob_value value;
	const struct knob *k;
	struct err e;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		k = knob_find(cases[i].knob, &e);
		if (!CHECK(k != NULL, "%s is a knob", cases[i].knob))
			continue;
		value.number = 0;
		e.text[0] = '\0';
		rc = knob_parse(k, cases[i].text, &value, &e);
		CHECK_STR(rc == 0 ? NULL : e.text, cases[i].want, "%s",
			  cases[i].words);
		CHECK_INT(value.number, cases[i].value, "%s: value",
			  cases[i].words);
		CHECK_INT(knob_parse(k, cases[i].text, &value, NULL), rc,
			  "%s: the same without a place for an error",
			  cases[i].words);
	}
}

static void
check_names(void)
{
	struct err e;

	CHECK(knob_find("filter_windw", &e) == NULL, "a mistyped knob");
	CHECK_STR(e.text,
		  "setting \"filter_windw\": not known; did you mean "
		  "filter_window?",
		  "the nearest one is named");
	CHECK(knob_find("colour", &e) == NULL, "a knob unlike any");
	CHECK_STR(e.text,
		  "setting \"colour\": not known; \"mcctl setting list\" "
		  "shows all",
		  "where to look is said");
	CHECK(knob_find("", NULL) == NULL, "no name is no knob");
}

/* What is written of value is read back to it. */
static bool
is_read_back(const struct knob *k, const struct knob_value *v)
{
	char text[KNOB_TEXT_SIZE];
	struct knob_value again;

	knob_text(k, v, text, sizeof(text));
	return knob_parse(k, text, &again, NULL) == 0 &&
	       knob_value_eq(&again, v);
}

static bool
is_number_read_back(const struct knob *k, int64_t number)
{
	struct knob_value v = { .number = number };

	return k->type == KNOB_TYPE_TEXT || k->type == KNOB_TYPE_ENUM ||
	       is_read_back(k, &v);
}

static void
check_rows(void)
{
	struct knob_value dflt;
	const struct knob *k;
	size_t i, j;

	for (i = 0; i < knob_count; i++) {
		k = &knob_table[i];
		dflt = knob_default(k);
		CHECK(k->min <= dflt.number && dflt.number <= k->max &&
			      (k->type != KNOB_TYPE_TEXT ||
			       k->max < KNOB_TEXT_SIZE),
		      "%s: the default is in range", k->name);
		CHECK(is_read_back(k, &dflt) &&
			      is_number_read_back(k, k->min) &&
			      is_number_read_back(k, k->max),
		      "%s: default, least and most are read back", k->name);
		CHECK((k->levels & LEVEL_GLOBAL) != 0 &&
			      (k->way & WAY_BOTH) != 0 && *k->help != '\0' &&
			      *k->unit != '\0',
		      "%s: the row is whole", k->name);
		for (j = 0; j < i; j++)
			if (str_eq(knob_table[j].name, k->name))
				CHECK(false, "%s: named once", k->name);
	}
}

static void
check_texts(void)
{
	static const struct {
		const char *knob;
		int64_t value;
		const char *want;
	} rows[] = {
		{ "message_size_max", 65536, "64k" },
		{ "message_size_max", 65537, "65537" },
		{ "message_size_max", 1073741824, "1G" },
		{ "spool_reserve", 0, "0" },
		{ "spool_reserve", 1099511627776, "1T" },
		{ "stop_data_time", 0, "0s" },
		{ "retry_max", 14400000, "4h" },
		{ "hold_mail", 1, "yes" },
		{ "filter_window", 1000, "1000" },
	};
	char text[KNOB_TEXT_SIZE];
	struct knob_value v = { 0 };
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		v.number = rows[i].value;
		knob_text(knob_find(rows[i].knob, NULL), &v, text,
			  sizeof(text));
		CHECK_STR(text, rows[i].want, "%s as text", rows[i].knob);
	}
}

/* Types by knobs of the test's own. */
static const struct knob points = {
	.name = "points",
	.type = KNOB_TYPE_POINTS,
	.min = -10000,
	.max = 10000,
};
static const struct knob word = {
	.name = "word",
	.type = KNOB_TYPE_ENUM,
	.max = INT64_MAX,
	.words = "none|may|must",
};
static const struct knob line = {
	.name = "line",
	.type = KNOB_TYPE_TEXT,
	.max = 10,
	.words = "dflt",
};

static void
check_types(void)
{
	static const struct {
		const struct knob *k;
		const char *text;
		const char *want; /* as it is written, NULL: refused */
	} rows[] = {
		{ &points, "2", "2.0" },
		{ &points, "2.50", "2.5" },
		{ &points, "-0.125", "-0.125" },
		{ &points, "+1.001", "1.001" },
		{ &points, "10.000", "10.0" },
		{ &points, "10.001", NULL },
		{ &points, "1.0001", NULL },
		{ &points, "1.", NULL },
		{ &points, ".5", "0.5" },
		{ &points, "-", NULL },
		{ &points, "", NULL },
		{ &points, "1e3", NULL },
		{ &points, "99999999999999999999", NULL },
		{ &word, "may", "may" },
		{ &word, "MUST", "must" },
		{ &word, "ma", NULL },
		{ &word, "may|must", NULL },
		{ &word, "", NULL },
		{ &line, "", "" },
		{ &line, "{Spam?}", "{Spam?}" },
		{ &line, "ten bytes.", "ten bytes." },
		{ &line, "eleven byte", NULL },
		{ &line, "two\nlines", NULL },
		{ &line, "\xff", NULL },
	};
	char text[KNOB_TEXT_SIZE];
	struct knob_value v;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rc = knob_parse(rows[i].k, rows[i].text, &v, NULL);
		if (rc == 0)
			knob_text(rows[i].k, &v, text, sizeof(text));
		CHECK_STR(rc == 0 ? text : NULL, rows[i].want, "%s of \"%s\"",
			  rows[i].k->name, rows[i].text);
	}
}

static void
check_ranges(void)
{
	static const struct {
		const struct knob *k;
		const char *text, *want;
	} rows[] = {
		{ &points, "x",
		  "setting points: \"x\" is not a number such as 2.5: "
		  "expected -10.0 to 10.0" },
		{ &word, "x",
		  "setting word: \"x\" is none of its words: expected none, "
		  "may or must" },
		{ &line, "eleven byte",
		  "setting line: \"eleven byte\" is out of range: expected a "
		  "line of at most 10 bytes" },
	};
	struct knob_value v;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		e.text[0] = '\0';
		(void)knob_parse(rows[i].k, rows[i].text, &v, &e);
		CHECK_STR(e.text, rows[i].want, "what %s takes",
			  rows[i].k->name);
	}
}

static void
check_lines(void)
{
	struct knobs a, b;
	struct buf out = { 0 };
	struct buf tiny = { .limit = 10 };
	struct err e;

	knobs_default(&a);
	CHECK(knobs_write(&a, &out) == 0 && out.len == 0,
	      "defaults need no line");
	CHECK_INT(a.filter_window, 1000, "a default");
	a.filter_window = 7;
	a.retry_first = 1000;
	a.hold_mail = 1;
	memset(a.header_prefix, 0, sizeof(a.header_prefix));
	str_copy(a.header_prefix, sizeof(a.header_prefix), "X-Ours=");
	CHECK_INT(knobs_write(&a, &out), 0, "four that differ");
	CHECK_STR(buf_str(&out),
		  "filter_window=7\nhold_mail=yes\n"
		  "header_prefix=X-Ours=\nretry_first=1s\n",
		  "are four lines");
	knobs_default(&b);
	CHECK(knobs_read(buf_span(&out), &b, &e) == 0 &&
		      memcmp(&a, &b, sizeof(a)) == 0,
	      "which are read back");
	CHECK(knobs_read(SPAN_LIT("of_next_year=1\nfilter_window=8\n"), &b,
			 &e) == 0 &&
		      b.filter_window == 8 && b.hold_mail == 1,
	      "an unknown name is skipped, the rest stays");
	CHECK_INT(knobs_write(&a, &tiny), -1, "a full buffer is an error");
	buf_release(&out);
	buf_release(&tiny);
}

static void
check_bad_lines(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "filter_window", "knobs: the last line is cut" },
		{ "filter_window\n",
		  "knobs: \"filter_window\" is not name=value" },
		{ "hold_mail=2\n",
		  "setting hold_mail: \"2\" is neither yes nor no" },
	};
	struct buf longer = { 0 };
	struct knobs k;
	struct err e;
	size_t i;

	knobs_default(&k);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_INT(knobs_read(span_of(rows[i].text), &k, &e), -1,
			  "damaged lines, %zu", i);
		CHECK_STR(e.text, rows[i].want, "which is said");
	}
	CHECK_INT(knobs_read(SPAN_LIT("hold_mail=\0\n"), &k, &e), -1, "a NUL");
	for (i = 0; i < 300; i++)
		buf_add_char(&longer, 'x');
	buf_add_char(&longer, '\n');
	CHECK_INT(knobs_read(buf_span(&longer), &k, &e), -1, "a long line");
	buf_release(&longer);
}

int
main(void)
{
	check_cases();
	check_names();
	check_rows();
	check_texts();
	check_types();
	check_ranges();
	check_lines();
	check_bad_lines();
	return check_done();
}
