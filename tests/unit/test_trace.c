/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a word of a trace is taken for, and which events it finds.
 */
#include "trace.h"

#include <string.h>

#include "check.h"
#include "str.h"

#define ID "06ab3c8def000001"

static const char *const kinds[] = { [TRACE_ID] = "id",
				     [TRACE_CLIENT] = "client",
				     [TRACE_ADDRESS] = "address",
				     [TRACE_SUBJECT] = "subject" };

static const struct {
	const char *words, *any, *want;
} words[] = {
	{ "a queue id", ID, "id " ID },
	{ "a child's name means its ID", ID ".12", "id " ID },
	{ "an id that is too short is a subject", "06ab3c8def",
	  "subject 06ab3c8def" },
	{ "an IPv4 address", "192.0.2.1", "client 192.0.2.1" },
	{ "an IPv6 address in its usual form", "2001:DB8:0:0::1",
	  "client 2001:db8::1" },
	{ "an address of a person", "Joe@B.example", "address Joe@B.example" },
	{ "a Message-ID", "<1@a.example>", "address <1@a.example>" },
	{ "anything else is words of a subject", "50% off", "subject 50% off" },
	{ "nothing is a subject", "", "subject " },
};

static void
test_kind(void)
{
	char word[TRACE_WORD_MAX + 1];
	char got[TRACE_WORD_MAX + 40];
	char longest[3000];

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		enum trace_kind kind = trace_kind(words[i].any, word);

		str_fmt(got, sizeof(got), "%s %s", kinds[kind], word);
		CHECK_STR(got, words[i].want, "%s", words[i].words);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	(void)trace_kind(longest, word);
	CHECK_INT(strlen(word), TRACE_WORD_MAX, "a word too long is cut");
}

static const struct ledger_event event = {
	.at_us = INT64_C(1795356309123456),
	.verb = LEDGER_ACCEPTED,
	.name = ID ".2",
	.rcpt = "joe@b.example",
	.sender = "Ann@a.example",
	.source = "smtp",
	.client = "2001:db8::1",
	.message_id = "<1@a.example>",
	.subject = "Half price",
	.relay = "",
	.status = "",
	.reason = "",
	.who = "",
	.size = 7,
};

static const struct {
	const char *words, *any;
	bool matches, takes_all;
} matches[] = {
	{ "its ID", ID, true, true },
	{ "another ID", "06ab3c8def000002", false, false },
	{ "its client", "2001:db8:0::1", true, true },
	{ "another client", "2001:db8::2", false, false },
	{ "its sender, in whatever case", "ANN@a.example", true, true },
	{ "its recipient, of the event alone", "JOE@b.example", true, false },
	{ "its Message-ID", "<1@a.example>", true, true },
	{ "its Message-ID without brackets", "1@a.example", true, true },
	{ "a part of it is another", "1@a.exampl", false, false },
	{ "words of the subject, in any order and case", "price HALF", true,
	  true },
	{ "all of them", "half full", false, false },
	{ "whole ones", "half pric", false, false },
	{ "or their beginnings", "half pric*", true, true },
	{ "whatever stands between", "half, price!", true, true },
	{ "% is no wildcard", "H%p", false, false },
};

static void
test_matches(void)
{
	char word[TRACE_WORD_MAX + 1];

	for (size_t i = 0; i < sizeof(matches) / sizeof(*matches); i++) {
		enum trace_kind kind = trace_kind(matches[i].any, word);

		CHECK(trace_matches(&event, kind, word) == matches[i].matches &&
			      trace_takes_all(&event, kind, word) ==
				      matches[i].takes_all,
		      "%s", matches[i].words);
	}
}

static void
test_record(void)
{
	struct value values[RECORD_FIELDS_MAX];
	struct record r = { 0 };
	struct buf json = { 0 };
	size_t n = 0;

	trace_record(&event, &r);
	(void)record_read(buf_span(&r.b), values, &n, NULL);
	(void)record_json(values, n, &json);
	CHECK(strstr(buf_str(&json), "\"time\": \"2026-11-22T14:05:09.123Z\", "
				     "\"id\": \"" ID ".2\", \"event\": "
				     "\"accepted\", \"rcpt\": "
				     "\"joe@b.example\"") != NULL,
	      "a row begins with when, what and to whom");
	record_release(&r);
	buf_release(&json);
}

int
main(void)
{
	test_kind();
	test_matches();
	test_record();
	return check_done();
}
