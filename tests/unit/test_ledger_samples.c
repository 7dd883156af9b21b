/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The kept samples of all versions of the ledger, and what a decision
 * takes in it.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "check.h"
#include "explanation.h"
#include "file.h"
#include "ledger.h"
#include "str.h"

struct seen {
	int good, bad;
	char first[64], last[64], bad_text[200];
};

static int
see(void *arg, const struct ledger_event *ev)
{
	struct seen *seen = arg;

	if (seen->good == 0)
		str_copy(seen->first, sizeof(seen->first), ev->rcpt);
	str_copy(seen->last, sizeof(seen->last), ev->rcpt);
	seen->good++;
	return 0;
}

static void
see_bad(void *arg, const char *file, uint64_t line, const char *why)
{
	struct seen *seen = arg;

	seen->bad++;
	snprintf(seen->bad_text, sizeof(seen->bad_text), "%s:%llu: %s", file,
		 (unsigned long long)line, why);
}

/* Files of all versions that there were are read for ever. */
static void
test_samples(void)
{
	static const struct {
		const char *file;
		size_t events;
		const char *first, *last;
	} rows[] = {
		{ "version-1", 13, "joe user@b.example",
		  "postmaster@a.example" },
		{ "version-2", 15, "joe user@b.example",
		  "postmaster@a.example" },
	};
	const char *srcdir = getenv("MCGATE_SRCDIR");
	struct seen seen;
	struct err e = { "" };
	uint64_t offset;
	char path[1000];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&seen, 0, sizeof(seen));
		offset = 0;
		snprintf(path, sizeof(path), "%s/tests/data/ledger/%s",
			 srcdir ? srcdir : ".", rows[i].file);
		fd = file_open(AT_FDCWD, path, O_RDONLY, 0);
		CHECK(fd >= 0, "the sample %s is there", rows[i].file);
		CHECK_INT(ledger_each_line(fd, rows[i].file, &offset, 0, see,
					   see_bad, &seen, &e),
			  0, "it is read: %s", e.text);
		CHECK_INT(seen.bad, 0, "nothing in it is damaged: %s",
			  seen.bad_text);
		CHECK_INT(seen.good, (int)rows[i].events, "all its events");
		CHECK_STR(seen.first, rows[i].first, "the first");
		CHECK_STR(seen.last, rows[i].last, "the last");
		file_shut(&fd);
	}
}

/* Of the worst bytes as much as is kept: it is still one line. */
static void
test_judged(void)
{
	char words[EXPLANATION_MAX + 100], rcpt[401], reason[401];
	struct ledger_event ev = { .verb = LEDGER_JUDGED,
				   .name = "06ab3c8def000001.256",
				   .rcpt = rcpt,
				   .reason = reason,
				   .verdict = "virus",
				   .action = "quarantine",
				   .score = INT64_MIN,
				   .threshold = INT64_MAX,
				   .fate = UINT64_MAX,
				   .explanation = words };
	struct ledger_event back;
	struct arena arena = { 0 };
	struct buf b = { 0 };
	struct span line;
	struct err e = { "" };

	memset(words, '\n', sizeof(words) - 1);
	memset(rcpt, ' ', sizeof(rcpt) - 1);
	memset(reason, '%', sizeof(reason) - 1);
	words[sizeof(words) - 1] = rcpt[400] = reason[400] = '\0';
	CHECK_INT(ledger_write(&ev, &b), 0, "the largest decision is written");
	line = buf_span(&b);
	line.len--;
	CHECK_INT(ledger_read(line, &arena, &back, &e), 0, "and read: %s",
		  e.text);
	CHECK(strlen(back.explanation) == EXPLANATION_MAX &&
		      str_eq(back.verdict, "virus") &&
		      str_eq(back.action, "quarantine") &&
		      back.score == INT64_MIN && back.threshold == INT64_MAX &&
		      back.fate == UINT64_MAX,
	      "its words are cut, all else is whole");
	arena_release(&arena);
	buf_release(&b);
}

int
main(void)
{
	test_samples();
	test_judged();
	return check_done();
}
