/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Greylisting: who is put off and who passes, what is remembered of it,
 * and that no flood displaces those who are known.
 */
#include "greylist.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "dict.h"
#include "remember.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define MINUTE 60000LL
#define DAY (1440 * MINUTE)
#define START (1700000000000LL)

static struct knobs knobs;
static struct dict rows; /* what would be in seen.db: "at value" */
static int rows_listed;

void
remember_put(const char *kind, const char *key, const char *value,
	     int64_t at_ms)
{
	char name[900], text[120];

	str_fmt(name, sizeof(name), "%s|%s", kind, key);
	str_fmt(text, sizeof(text), "%lld|%s", (long long)at_ms, value);
	free(dict_set(&rows, name, xstrdup(text)));
}

void
remember_del(const char *kind, const char *key)
{
	char name[900];

	str_fmt(name, sizeof(name), "%s|%s", kind, key);
	free(dict_del(&rows, name));
}

struct stats *
role_stats(void)
{
	return NULL;
}

const struct knobs *
role_knobs(void)
{
	return &knobs;
}

int
peer_answer(peer_id p, uint32_t token, enum frame_type type, const void *body,
	    int fd)
{
	(void)p, (void)token, (void)body, (void)fd;
	rows_listed += type == FRAME_ctl_row;
	return 0;
}

static void
flush(void)
{
	bool has_more = true;

	while (has_more)
		greylist_flush("", &has_more);
}

static const char *
judge_it(const char *ip, const char *sender, const char *rcpt, int64_t at_ms,
	 bool is_dry)
{
	static const char *const words[] = { "new", "early", "passed", "known",
					     "client" };
	struct greylist_triplet t = { .sender = sender, .rcpt = rcpt };
	int64_t wait_ms;

	(void)ip_parse(ip, &t.client, NULL);
	return words[greylist_judge(&t, &knobs, START + at_ms, is_dry,
				    &wait_ms)];
}

/* One after the other; only what is asked counts, no timer. */
static const struct {
	const char *words, *ip, *sender, *rcpt;
	int64_t at_ms;
	const char *want;
} steps[] = {
	{ "the first time", "192.0.2.1", "a@b.example", "r@o.example", 0,
	  "new" },
	{ "too early", "192.0.2.1", "a@b.example", "r@o.example", 4 * MINUTE,
	  "early" },
	{ "another recipient", "192.0.2.1", "a@b.example", "s@o.example",
	  4 * MINUTE, "new" },
	{ "another sender", "192.0.2.1", "c@b.example", "r@o.example",
	  4 * MINUTE, "new" },
	{ "the null sender", "192.0.2.1", "", "r@o.example", 4 * MINUTE,
	  "new" },
	{ "another network", "192.0.3.1", "a@b.example", "r@o.example",
	  4 * MINUTE, "new" },
	{ "in time, from the host beside, in other letters", "192.0.2.200",
	  "A@B.example", "R@o.example", 5 * MINUTE, "passed" },
	{ "and again", "192.0.2.1", "a@b.example", "r@o.example", 6 * MINUTE,
	  "known" },
	{ "the null sender in time", "192.0.2.9", "", "r@o.example", 9 * MINUTE,
	  "passed" },
	{ "too late is the first time", "192.0.3.1", "a@b.example",
	  "r@o.example", 3 * DAY, "new" },
	{ "whoever is known is for long", "192.0.2.1", "a@b.example",
	  "r@o.example", 30 * DAY, "known" },
	{ "from the last time on", "192.0.2.1", "a@b.example", "r@o.example",
	  60 * DAY, "known" },
	{ "but not for ever", "192.0.2.1", "a@b.example", "r@o.example",
	  97 * DAY, "new" },
	{ "IPv6", "2001:db8::1", "a@b.example", "r@o.example", 97 * DAY,
	  "new" },
	{ "by its /64", "2001:db8::ffff:1", "a@b.example", "r@o.example",
	  97 * DAY + 5 * MINUTE, "passed" },
	{ "and no more", "2001:db8:0:1::1", "a@b.example", "r@o.example",
	  97 * DAY + 5 * MINUTE, "new" },
	{ "numbers in a sender", "192.0.2.1", "list-12-r=o@b.example",
	  "r@o.example", 98 * DAY, "new" },
	{ "are as others", "192.0.2.1", "list-7345-r=o@b.example",
	  "r@o.example", 98 * DAY + 5 * MINUTE, "passed" },
	{ "but not in its domain", "192.0.2.1", "list-1-r=o@b2.example",
	  "r@o.example", 98 * DAY + 5 * MINUTE, "new" },
	{ "a clock that was set back a year", "192.0.2.1",
	  "list-1-r=o@b.example", "r@o.example", -300 * DAY, "new" },
};

static void
test_steps(void)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		CHECK_STR(judge_it(steps[i].ip, steps[i].sender, steps[i].rcpt,
				   steps[i].at_ms, false),
			  steps[i].want, "%s", steps[i].words);
	flush();
	CHECK_INT(rows.count, 0, "nothing is left of it after a flush");
}

/* n mails that pass after their delay. */
static void
pass(const char *ip, int n, int64_t at_ms)
{
	char rcpt[40];

	for (int i = 0; i < n; i++) {
		str_fmt(rcpt, sizeof(rcpt), "r%d@o.example", i);
		(void)judge_it(ip, "a@b.example", rcpt, at_ms, false);
		(void)judge_it(ip, "a@b.example", rcpt, at_ms + 5 * MINUTE,
			       false);
	}
}

static void
test_clients(void)
{
	pass("192.0.2.1", 4, 0);
	CHECK_STR(judge_it("192.0.2.1", "n@b.example", "r@o.example", 0, true),
		  "new", "a client that has come through four times");
	pass("192.0.2.1", 5, 0);
	CHECK_STR(judge_it("192.0.2.7", "n@b.example", "r@o.example", 0, false),
		  "client", "and five");
	CHECK_STR(judge_it("192.0.3.7", "n@b.example", "r@o.example", 0, true),
		  "new", "is not the one beside");
	CHECK_STR(judge_it("192.0.2.7", "n@b.example", "r@o.example", 37 * DAY,
			   true),
		  "new", "and is forgotten as others are");
	knobs.greylist_client_passes = 0;
	CHECK_STR(judge_it("192.0.2.7", "n@b.example", "r@o.example", 0, true),
		  "new", "or no client is known");
	knobs.greylist_client_passes = 5;
	flush();
}

static void
test_dry(void)
{
	CHECK_STR(judge_it("192.0.2.1", "", "r@o.example", 0, true), "new",
		  "who only asks is told");
	CHECK_INT(rows.count, 0, "and nothing is kept");
	(void)judge_it("192.0.2.1", "", "r@o.example", 0, false);
	CHECK_STR(judge_it("192.0.2.1", "", "r@o.example", 5 * MINUTE, true),
		  "passed", "as it would be");
	CHECK_STR(judge_it("192.0.2.1", "", "r@o.example", 5 * MINUTE, false),
		  "passed", "and then is");
	flush();
}

/* What was written is read into empty tables. */
static void
restart(void)
{
	struct dict kept = rows;
	const char *name;
	void *value;
	size_t it = 0;

	memset(&rows, 0, sizeof(rows));
	flush();
	while (dict_next(&kept, &it, &name, &value)) {
		char kind[900];
		char *bar;
		int64_t at_ms = strtoll(value, NULL, 10);

		str_copy(kind, sizeof(kind), name);
		bar = strchr(kind, '|');
		*bar++ = '\0';
		greylist_recall(kind, bar, strchr(value, '|') + 1, at_ms);
	}
	dict_release(&rows, free);
	rows = kept;
}

static void
test_restart(void)
{
	pass("192.0.2.1", 5, 0);
	(void)judge_it("192.0.9.1", "a@b.example", "r@o.example", 0, false);
	pass("192.0.8.1", 1, 0);
	restart();
	CHECK_STR(judge_it("192.0.9.1", "a@b.example", "r@o.example",
			   4 * MINUTE, false),
		  "early", "after a restart it is known who waits, since when");
	CHECK_STR(judge_it("192.0.9.1", "a@b.example", "r@o.example",
			   5 * MINUTE, false),
		  "passed", "and comes through");
	CHECK_STR(judge_it("192.0.8.1", "a@b.example", "r0@o.example",
			   5 * MINUTE, false),
		  "known", "who has come through");
	CHECK_STR(judge_it("192.0.2.1", "n@b.example", "x@o.example",
			   5 * MINUTE, false),
		  "client", "and which clients are known");
	greylist_recall(REMEMBER_GREY, "k", "", 0);
	greylist_recall(REMEMBER_GREY, "k", "1 x 1", 0);
	greylist_recall(REMEMBER_GREY, "k", "1 1", 0);
	flush();
}

static void
test_flood(void)
{
	char ip[40], cursor[32] = "", next[32];
	int pages = 0;

	pass("192.0.2.1", 1, 0);
	for (int i = 0; i < 100100; i++) {
		str_fmt(ip, sizeof(ip), "10.%d.%d.1", i / 256 % 256, i % 256);
		(void)judge_it(ip, i < 65536 ? "a@b.example" : "c@b.example",
			       "r@o.example", 10 * MINUTE, false);
	}
	CHECK_STR(judge_it("192.0.2.1", "a@b.example", "r0@o.example",
			   10 * MINUTE, false),
		  "known", "a flood displaces nobody who is known");
	CHECK_STR(judge_it("10.0.0.1", "a@b.example", "r@o.example",
			   10 * MINUTE, true),
		  "new", "but the first of those who wait");
	CHECK_STR(judge_it("10.0.200.1", "a@b.example", "r@o.example",
			   10 * MINUTE, true),
		  "early", "not others");
	CHECK_INT(rows.count, 100002, "no more is kept");
	do {
		greylist_list(1, 1, "c@b", cursor, next, sizeof(next));
		str_copy(cursor, sizeof(cursor), next);
	} while (cursor[0] != '\0' && ++pages < 1000);
	CHECK_INT(rows_listed, 0, "old ones are not listed");
	flush();
}

int
main(void)
{
	knobs_default(&knobs);
	test_steps();
	test_clients();
	test_dry();
	test_restart();
	test_flood();
	dict_release(&rows, free);
	return check_done();
}
