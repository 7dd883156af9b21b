/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Words that choose mail in quarantine, and its rows.
 */
#include "quar.h"

#include <string.h>

#include "check.h"
#include "str.h"

#define NOW INT64_C(1795356309000000)

static struct rcpt rcpts[] = { { .address = "Ann@A.example" },
			       { .address = "bob@sub.b.example" } };
static struct envelope env;
static struct buf text;
static struct quar_row row;

static void
make_row(void)
{
	envelope_init(&env);
	str_copy(env.name, sizeof(env.name), "06ab3c8def000001.2");
	env.sender = "News@Shop.example";
	env.subject = "Very Cheap pills";
	env.reason = "spam 7.5/5.0: bayes";
	env.received_us = NOW - 3600 * INT64_C(1000000);
	env.size = 4711;
	env.is_spam = true;
	env.rcpts = rcpts;
	env.rcpt_count = 2;
	quar_row_of(&env, &text, &row);
}

static const struct {
	const char *words, *filter;
	bool is_chosen;
} choices[] = {
	{ "nothing said chooses all", "", true },
	{ "its kind", "kind:spam", true },
	{ "the bare name of its kind", "spam", true },
	{ "another kind", "virus", false },
	{ "the last kind counts", "virus spam", true },
	{ "the domain of a recipient", "domain:A.example", true },
	{ "of the last one", "domain:sub.b.example", true },
	{ "a part of a domain is none", "domain:b.example", false },
	{ "nor is its beginning", "domain:a", false },
	{ "a part of a recipient", "rcpt:BOB@", true },
	{ "not across two of them", "rcpt:examplebob", false },
	{ "a part of the sender", "from:news@shop", true },
	{ "another sender", "from:olds", false },
	{ "a word of the subject", "subject:cheap", true },
	{ "two, in whatever order", "subject:PILLS subject:very", true },
	{ "one of two is missing", "subject:very subject:dear", false },
	{ "as old", "older:1h", true },
	{ "not so old", "older:61m", false },
	{ "newer than two hours", "newer:2h", true },
	{ "not newer than an hour", "newer:1h", false },
	{ "all have to hold", "spam domain:a.example subject:dear", false },
};

static void
test_choices(void)
{
	struct quar_filter f;
	struct err e;

	for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++)
		CHECK(quar_filter_parse(choices[i].filter, &f, &e) == 0 &&
			      quar_filter_matches(&f, &row, NOW) ==
				      choices[i].is_chosen,
		      "%s", choices[i].words);
}

static const struct {
	const char *filter, *want;
} wrong[] = {
	{ "spim", "\"spim\" is no kind of mail in quarantine; did you mean "
		  "spam?" },
	{ "form:a", NULL },
	{ "older:soon", NULL },
	{ "subject:1 subject:2 subject:3 subject:4 subject:5 subject:6 "
	  "subject:7 subject:8 subject:9 subject:10 subject:11 subject:12 "
	  "subject:13 subject:14 subject:15 subject:16 subject:17",
	  "subject: more than 16 words" },
};

static void
test_wrong(void)
{
	char longest[2000];
	struct quar_filter f;
	struct err e;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		bool is_refused =
			quar_filter_parse(wrong[i].filter, &f, &e) < 0;

		CHECK(is_refused && (wrong[i].want == NULL ||
				     str_eq(e.text, wrong[i].want)),
		      "%.20s is refused: %s", wrong[i].filter, e.text);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	CHECK(quar_filter_parse(longest, &f, &e) < 0,
	      "a filter too long is refused");
}

static void
test_kinds(void)
{
	CHECK(quar_kind_of(&env) == QUAR_SPAM, "spam is spam");
	env.is_dangerous = true;
	CHECK(quar_kind_of(&env) == QUAR_DANGEROUS,
	      "what nobody could look into is dangerous, spam or not");
	env.is_virus = true;
	CHECK(quar_kind_of(&env) == QUAR_VIRUS, "a virus is a virus");
	env.is_virus = env.is_dangerous = false;
}

static void
test_rows(void)
{
	struct value values[RECORD_FIELDS_MAX];
	struct buf json = { 0 };
	struct record r = { 0 };
	size_t n = 0;

	quar_record_full(&r, &row, NOW);
	CHECK(record_read(buf_span(&r.b), values, &n, NULL) == 0 &&
		      record_json(values, n, &json) == 0 &&
		      strstr(buf_str(&json),
			     "{\"id\": \"06ab3c8def000001.2\", \"kind\": "
			     "\"spam\", \"size\": 4711, \"age_s\": 3600, "
			     "\"sender\": \"News@Shop.example\", \"rcpt\": "
			     "[\"Ann@A.example\", \"bob@sub.b.example\"], "
			     "\"rcpts\": 2, \"subject\": \"Very Cheap "
			     "pills\"") == buf_str(&json),
	      "a row says what it is, and to whom: %s", buf_str(&json));
	record_release(&r);
	buf_release(&json);
}

int
main(void)
{
	make_row();
	test_choices();
	test_wrong();
	test_kinds();
	test_rows();
	buf_release(&text);
	return check_done();
}
