/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Words that choose queued messages, and their rows.
 */
#include "queue_view.h"

#include <string.h>

#include "check.h"
#include "str.h"

#define ID "06ab3c8def000001"
#define NOW INT64_C(1795356309000000)

static struct rcpt rcpts[25];
static struct envelope env;

static void
make_envelope(void)
{
	static char addresses[25][32];

	envelope_init(&env);
	str_copy(env.name, sizeof(env.name), ID);
	env.sender = "Ann@A.example";
	env.received_us = NOW - 3600 * INT64_C(1000000);
	env.size = 4711;
	env.rcpts = rcpts;
	env.rcpt_count = sizeof(rcpts) / sizeof(*rcpts);
	for (size_t i = 0; i < env.rcpt_count; i++) {
		str_fmt(addresses[i], sizeof(addresses[i]), "u%zu@b.example",
			i);
		rcpts[i] = (struct rcpt){ .address = addresses[i],
					  .orcpt = "",
					  .notify = "",
					  .status = "",
					  .attempts = (uint32_t)i % 3 };
	}
	rcpts[24].address = "Last@C.example";
	rcpts[7].status = "451 4.7.1 later";
}

static const struct {
	const char *words, *filter;
	bool is_chosen;
} choices[] = {
	{ "nothing said chooses all", "", true },
	{ "blanks are nothing", "   ", true },
	{ "its state", "state:outgoing", true },
	{ "the bare name of its state", "outgoing", true },
	{ "another state", "state:hold", false },
	{ "the last of a kind counts", "hold outgoing", true },
	{ "a part of the sender, in whatever case", "from:ANN@a", true },
	{ "another sender", "from:bob@", false },
	{ "the last of many recipients", "rcpt:last@", true },
	{ "no recipient of its", "rcpt:x@b.example", false },
	{ "older than half an hour", "older:30m", true },
	{ "just as old", "older:1h", true },
	{ "not that old", "older:1h1s", false },
	{ "all have to hold", "from:ann rcpt:last state:hold", false },
	{ "its begin", "from:^ann", true },
	{ "another begin", "from:^nn", false },
	{ "its end", "from:@a.EXAMPLE$", true },
	{ "another end", "from:a.exampl$", false },
	{ "all of it", "from:^ann@a.example$", true },
	{ "not all of it", "from:^ann@a.exampl$", false },
	{ "one that is not null", "from:^$", false },
	{ "a begin that is any", "from:^", true },
	{ "the end of one recipient", "rcpt:@c.example$", true },
	{ "younger than two hours", "younger:2h", true },
	{ "not younger than its age", "younger:1h", false },
	{ "as large", "size:4711", true },
	{ "not larger", "size:+5k", false },
	{ "no larger than", "size:-5k", true },
	{ "not that small", "size:-4710", false },
	{ "between", "size:4k size:-5k", true },
	{ "held", "held:yes", false },
	{ "in the three queues", "held:no", true },
	{ "what is shown does not choose", "show:ids", true },
	{ "and they do", "from:ann rcpt:last older:1m outgoing", true },
};

static void
test_choices(void)
{
	struct queue_filter f;
	struct err e;

	for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++)
		CHECK(queue_filter_parse(choices[i].filter, &f, &e) == 0 &&
			      queue_filter_matches(&f, STATE_OUTGOING, &env,
						   NOW) == choices[i].is_chosen,
		      "%s", choices[i].words);
}

static const struct {
	const char *filter, *want;
} wrong[] = {
	{ "state:outgoign",
	  "\"outgoign\" is no state; did you mean outgoing?" },
	{ "xyz", "\"xyz\" is no state" },
	{ "form:a", "\"form:\" is not known; there are from:, rcpt:, "
		    "state:, older:, younger:, size: and held:" },
	{ "older:soon", NULL },
	{ "younger:soon", NULL },
	{ "size:big", NULL },
	{ "held:maybe", NULL },
	{ "show:all", NULL },
	{ "state:", "\"\" is no state" },
};

static void
test_wrong(void)
{
	char longest[2000];
	struct queue_filter f;
	struct err e;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		bool is_refused =
			queue_filter_parse(wrong[i].filter, &f, &e) < 0;

		CHECK(is_refused && (wrong[i].want == NULL ||
				     str_eq(e.text, wrong[i].want)),
		      "%s is refused: %s", wrong[i].filter, e.text);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	CHECK(queue_filter_parse(longest, &f, &e) < 0,
	      "a filter too long is refused");
}

/* What is remembered of a message may be enough. */
static void
test_glance(void)
{
	struct queue_filter f;
	struct err e;

	(void)queue_filter_parse("state:hold size:10 older:1h", &f, &e);
	CHECK(!queue_filter_needs_envelope(&f),
	      "state, size and age need no envelope");
	CHECK(queue_filter_admits(&f, STATE_HOLD, 10, 0, INT64_C(3600000000)),
	      "they are enough to choose");
	CHECK(!queue_filter_admits(&f, STATE_HOLD, 9, 0, INT64_C(3600000000)),
	      "and to leave");
	(void)queue_filter_parse("from:^$", &f, &e);
	CHECK(queue_filter_needs_envelope(&f), "the null sender needs it");
	env.sender = "";
	CHECK(queue_filter_matches(&f, STATE_HOLD, &env, NOW),
	      "the null sender is found");
	env.sender = "Ann@A.example";
	(void)queue_filter_parse("rcpt:x", &f, &e);
	CHECK(queue_filter_needs_envelope(&f), "a recipient needs it");
}

static const char *
json_of(struct record *r)
{
	static struct buf json;
	struct value values[RECORD_FIELDS_MAX];
	size_t n = 0;

	buf_clear(&json);
	(void)record_read(buf_span(&r->b), values, &n, NULL);
	(void)record_json(values, n, &json);
	record_release(r);
	return buf_str(&json);
}

static void
test_rows(void)
{
	struct record r = { 0 };
	const char *json;

	queue_row(&r, &env, STATE_OUTGOING, 9, NOW);
	json = json_of(&r);
	CHECK(strstr(json, "\"id\": \"" ID "\", \"state\": \"outgoing\", "
			   "\"size\": 4711, \"age_s\": 3600, \"sender\": "
			   "\"Ann@A.example\"") != NULL,
	      "a row begins with what it is");
	CHECK(strstr(json, "u19@b.example\"]") != NULL &&
		      strstr(json, "\"rcpts\": 25") != NULL,
	      "it shows some recipients, and how many there are");
	CHECK(strstr(json, "\"attempts\": 2, \"next_s\": 9, \"status\": "
			   "\"451 4.7.1 later\"") != NULL,
	      "it shows the most attempts and the first status");
	queue_row(&r, &env, STATE_OUTGOING, 0, NOW - 7200 * INT64_C(1000000));
	CHECK(strstr(json_of(&r), "\"age_s\": 0") != NULL,
	      "a clock that was set back makes no age below 0");
	queue_row_full(&r, &env, STATE_HOLD, 0, NOW);
	CHECK(strstr(json_of(&r), "\"direction\": \"in\"") != NULL,
	      "the full row has the envelope's members");
	queue_rcpt_row(&r, &rcpts[7]);
	CHECK(strstr(json_of(&r), "{\"rcpt\": \"u7@b.example\", \"attempts\": "
				  "1, \"status\": \"451 4.7.1 later\"") != NULL,
	      "a recipient has its own row");
}

int
main(void)
{
	make_envelope();
	test_choices();
	test_wrong();
	test_glance();
	test_rows();
	return check_done();
}
