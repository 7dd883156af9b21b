/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * history.db: events in, traces out, expiry, and what becomes of one that
 * is damaged, newer or somebody else's.
 */
#include "history.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "file.h"
#include "str.h"
#include "tally.h"
#include "trace.h"

#define A "06ab3c8def000001"
#define B "06ab3c8def000002"
#define C "06ab3c8def000003"
#define D "06ab3c8def000004"
#define HOUR INT64_C(3600000000)

static char dir[256];
static struct err e;

static void
run(const char *before, const char *behind)
{
	char full[400];

	str_fmt(full, sizeof(full), "%s %s%s", before, dir, behind);
	if (system(full) != 0)
		exit(EXIT_FAILURE);
}

static struct history *
open_history(void)
{
	struct history *h = NULL;

	e.text[0] = '\0';
	(void)history_open(dir, &h, &e);
	return h;
}

static const struct ledger_event events[] = {
	{ .at_us = HOUR,
	  .verb = LEDGER_ACCEPTED,
	  .name = A,
	  .rcpt = "joe@b.example",
	  .sender = "ann@a.example",
	  .source = "smtp",
	  .client = "192.0.2.1",
	  .message_id = "<1@a.example>",
	  .subject = "100% Half price",
	  .size = 9 },
	{ .at_us = HOUR,
	  .verb = LEDGER_ACCEPTED,
	  .name = A,
	  .rcpt = "sue@b.example",
	  .sender = "ann@a.example",
	  .source = "smtp",
	  .client = "192.0.2.1",
	  .message_id = "<1@a.example>",
	  .subject = "100% Half price",
	  .size = 9 },
	{ .at_us = 2 * HOUR,
	  .verb = LEDGER_DELIVERED,
	  .name = A ".1",
	  .rcpt = "joe@b.example",
	  .relay = "mx[192.0.2.9]:25",
	  .status = "250 ok",
	  .delay_ms = 5 },
	{ .at_us = 2 * HOUR,
	  .verb = LEDGER_HELD,
	  .name = A ".2",
	  .rcpt = "sue@b.example",
	  .reason = "hold_mail" },
	{ .at_us = 3 * HOUR,
	  .verb = LEDGER_ACCEPTED,
	  .name = B,
	  .rcpt = "ann@a.example",
	  .source = "own",
	  .subject = "Undelivered" },
	{ .at_us = 4 * HOUR,
	  .verb = LEDGER_ACCEPTED,
	  .name = C,
	  .rcpt = "joe@b.example",
	  .sender = "joe@b.example",
	  .client = "2001:db8::1",
	  .subject = "half",
	  .is_recovered = true },
};
#define EVENTS (sizeof(events) / sizeof(*events))

static int
add_events(struct history *h)
{
	if (history_begin(h, &e) < 0)
		return -1;
	for (size_t i = 0; i < EVENTS; i++)
		if (history_add(h, &events[i], &e) < 0)
			return -1;
	return history_commit(h, "2026112214", 4711, &e);
}

struct seen {
	struct buf text;
	size_t stop_at;
	size_t count;
};

static int
see(void *arg, const struct record *r)
{
	struct value values[RECORD_FIELDS_MAX];
	struct seen *s = arg;
	size_t n;

	if (record_read(buf_span(&r->b), values, &n, NULL) < 0)
		return -1;
	(void)buf_printf(&s->text, "%s%s %s", s->text.len > 0 ? ", " : "",
			 record_find(values, n, "event")->str,
			 record_find(values, n, "id")->str + 15);
	return ++s->count == s->stop_at;
}

static const char *
traced(struct history *h, const char *any)
{
	static struct seen s;
	struct history_cursor at = { 0, 0 };

	buf_clear(&s.text);
	s.count = 0;
	s.stop_at = 0;
	if (history_trace(h, any, &at, 100, see, &s, &e) != 0)
		return "error or more";
	return buf_str(&s.text);
}

#define ALL_OF_A "accepted 1, accepted 1, delivered 1.1, held 1.2"

static const struct {
	const char *words, *any, *want;
} rows[] = {
	{ "an ID finds its events and its children's", A, ALL_OF_A },
	{ "so does a child's name", A ".2", ALL_OF_A },
	{ "a recipient finds what is about it, and what it sent",
	  "JOE@b.example", "accepted 1, delivered 1.1, accepted 3" },
	{ "a sender finds all of its messages, and what it got",
	  "Ann@A.example", ALL_OF_A ", accepted 2" },
	{ "a Message-ID", "<1@a.example>", ALL_OF_A },
	{ "a Message-ID without its brackets", "1@a.example", ALL_OF_A },
	{ "a client", "192.0.2.1", ALL_OF_A },
	{ "a client in another spelling", "2001:db8:0::1", "accepted 3" },
	{ "a word of a subject, in whatever case", "HALF",
	  ALL_OF_A ", accepted 3" },
	{ "words in any order", "price half", ALL_OF_A },
	{ "all of them", "half nowhere", "" },
	{ "whole ones", "hal", "" },
	{ "or what they begin with", "hal* pri*", ALL_OF_A },
	{ "% is no letter", "100%", ALL_OF_A },
	{ "what has no word is a part", "% ", ALL_OF_A },
	{ "and no wildcard", "H%e", "" },
	{ "nor is _", "h_lf", "" },
	{ "what is not there", "nobody@b.example", "" },
	{ "what looks like SQL is a word", "'; DROP TABLE event; --", "" },
};

static void
test_trace(void)
{
	struct history *h = open_history();
	struct seen s = { .stop_at = 2 };
	struct history_cursor at = { 0, 0 };
	int more;

	CHECK(h != NULL && add_events(h) == 0, "events go in: %s", e.text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		CHECK_STR(traced(h, rows[i].any), rows[i].want, "%s",
			  rows[i].words);
	(void)history_trace(h, A, &at, 3, see, &s, &e);
	CHECK(s.count == 2, "who has seen enough gets no more");
	s.stop_at = 0;
	buf_clear(&s.text);
	at = (struct history_cursor){ 0, 0 };
	more = history_trace(h, A, &at, 3, see, &s, &e);
	CHECK(more == 1 && at.event > 0, "a full page has a cursor");
	buf_clear(&s.text);
	more = history_trace(h, A, &at, 3, see, &s, &e);
	CHECK(more == 0 && str_eq(buf_str(&s.text), "held 1.2"),
	      "the next page is the rest");
	buf_release(&s.text);
	history_close(h);
}

/* All pages of one row, one after the other, with the cursor as text. */
static void
test_pages(void)
{
	static const char *const words[] = {
		A, "joe@b.example", "ann@a.example", "192.0.2.1", "half", "%"
	};
	struct history *h = open_history();
	char text[HISTORY_CURSOR_SIZE];

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct history_cursor at = { 0, 0 };
		struct seen s = { .stop_at = 0 };

		for (int n = 0; n < 20 && history_trace(h, words[i], &at, 1,
							see, &s, &e) == 1;
		     n++) {
			history_cursor_text(&at, text);
			if (history_cursor_parse(text, &at) < 0)
				break;
		}
		CHECK_STR(buf_str(&s.text), traced(h, words[i]),
			  "%s: page by page is all", words[i]);
		buf_release(&s.text);
	}
	history_close(h);
}

static void
test_cursor(void)
{
	static const char *const bad[] = { "",	  "1",	  "1.",	  ".1",
					   "a.1", "1.-1", "1.2.3" };
	struct history_cursor at;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		CHECK(history_cursor_parse(bad[i], &at) < 0,
		      "\"%s\" is no cursor", bad[i]);
}

static const struct {
	const char *text, *subject, *words;
	bool is_found;
} subjects[] = {
	{ "words are whole", "price", "Half price", true },
	{ "a part of one is none", "pric", "Half price", false },
	{ "but with *", "pric*", "Half price", true },
	{ "all of them, in any order", "price half", "Half price", true },
	{ "one that is not there", "price no", "Half price", false },
	{ "what has no word", "%", "100% more", true },
	{ "a script that parts no words", "\xe5\xa4\xa9",
	  "\xe4\xbb\x8a\xe5\xa4\xa9", true },
	{ "letters of two bytes are letters", "rz", "im M\xc3\xa4rz", false },
	{ "in their own case", "M\xc3\xa4rz", "im M\xc3\xa4rz", true },
};

/* The same without a database. */
static void
test_subjects(void)
{
	for (size_t i = 0; i < sizeof(subjects) / sizeof(*subjects); i++) {
		struct ledger_event ev = { .subject = subjects[i].words };

		CHECK_INT(trace_takes_all(&ev, TRACE_SUBJECT,
					  subjects[i].subject),
			  subjects[i].is_found, "%s", subjects[i].text);
	}
}

static const struct ledger_event judged[] = {
	{ .at_us = 4 * HOUR,
	  .verb = LEDGER_JUDGED,
	  .name = D ".1",
	  .rcpt = "joe@b.example",
	  .verdict = "spam",
	  .action = "deliver",
	  .score = 7500,
	  .threshold = 5000,
	  .fate = 2,
	  .explanation = "sum 7.5 5.0 spam deliver\n" },
	{ .at_us = 4 * HOUR,
	  .verb = LEDGER_JUDGED,
	  .name = D ".1",
	  .rcpt = "sue@b.example",
	  .verdict = "spam",
	  .fate = 2 },
};

static int
add_judged(struct history *h)
{
	if (history_begin(h, &e) < 0 || history_add(h, &judged[0], &e) < 0 ||
	    history_add(h, &judged[1], &e) < 0)
		return -1;
	return history_commit(h, "2026112214", 4711, &e);
}

static int
see_judged(void *arg, const struct record *r)
{
	struct value values[RECORD_FIELDS_MAX];
	struct buf *out = arg;
	size_t n;

	if (record_read(buf_span(&r->b), values, &n, NULL) < 0)
		return -1;
	(void)buf_printf(out, "%s %s %s/%s %lld %s;",
			 record_find(values, n, "rcpt")->str,
			 record_find(values, n, "verdict")->str,
			 record_find(values, n, "score")->str,
			 record_find(values, n, "threshold")->str,
			 (long long)record_find(values, n, "fate")->num,
			 record_find(values, n, "explanation")->str);
	return 0;
}

static void
test_judged(void)
{
	struct history *h = open_history();
	struct history_cursor at = { 0, 0 };
	struct buf seen = { 0 };

	CHECK_INT(add_judged(h), 0, "decisions go in: %s", e.text);
	CHECK_INT(history_judged(h, D, &at, 100, see_judged, &seen, &e), 0,
		  "those of an ID are found: %s", e.text);
	CHECK_STR(buf_str(&seen),
		  "joe@b.example spam 7.5/5.0 2 sum 7.5 5.0 spam deliver\n;"
		  "sue@b.example spam 0.0/0.0 2 ;",
		  "with their words");
	CHECK_STR(traced(h, D), "judged 4.1, judged 4.1", "a trace has them");
	buf_clear(&seen);
	CHECK(history_judged(h, A, &at, 100, see_judged, &seen, &e) == 0 &&
		      seen.len == 0,
	      "other events are none");
	buf_release(&seen);
	history_close(h);
}

static void
test_position(void)
{
	char file[LEDGER_NAME_SIZE];
	struct history *h = open_history();
	uint64_t offset = 1;

	CHECK(history_position(h, file, &offset, &e) == 0 &&
		      str_eq(file, "2026112214") && offset == 4711,
	      "the position is kept with the events");
	CHECK(history_begin(h, &e) == 0 && history_add(h, &events[0], &e) == 0,
	      "a batch is begun");
	history_rollback(h);
	CHECK_STR(traced(h, "2001:db8::1"), "accepted 3",
		  "what is rolled back is not there");
	CHECK(history_begin(h, &e) == 0, "and another can be begun");
	history_rollback(h);
	history_close(h);
}

/* A clock that was ahead leaves a file whose name is behind all others. */
static void
test_places(void)
{
	char file[LEDGER_NAME_SIZE];
	struct history *h = open_history();
	uint64_t offset = 1;

	(void)history_begin(h, &e);
	CHECK_INT(history_commit(h, "2030010100", 99, &e), 0,
		  "a file of an hour to come: %s", e.text);
	CHECK(history_offset(h, "2026112214", &offset, &e) == 0 &&
		      offset == 4711,
	      "where each file was left is kept");
	CHECK(history_offset(h, "2026112215", &offset, &e) == 0 && offset == 0,
	      "one that was not read is not begun");
	CHECK(history_last_file(h, "2026112300", file, &offset, &e) == 0 &&
		      str_eq(file, "2026112214") && offset == 4711,
	      "the last one up to an hour");
	CHECK(history_last_file(h, "2020010100", file, &offset, &e) == 0 &&
		      file[0] == '\0' && offset == 0,
	      "there may be none");
	CHECK(history_expire(h, HOUR, &e) == 0 &&
		      history_offset(h, "2026112214", &offset, &e) == 0 &&
		      offset == 4711,
	      "places stay while the events do");
	history_close(h);
}

static void
test_expire(void)
{
	struct history *h = open_history();
	uint64_t offset = 1;

	CHECK_INT(history_expire(h, 2 * HOUR, &e), 0, "old events go");
	CHECK_STR(traced(h, A), "delivered 1.1, held 1.2",
		  "those from before the time, and no others");
	CHECK_INT(history_expire(h, 100 * HOUR, &e), 0, "all are old");
	CHECK_STR(traced(h, A), "", "none is left");
	CHECK_INT(history_expire(h, INT64_C(1800000000000000), &e), 0,
		  "in 2027");
	CHECK(history_offset(h, "2026112214", &offset, &e) == 0 && offset == 0,
	      "the place in a file of 2026 is forgotten");
	CHECK(history_offset(h, "2030010100", &offset, &e) == 0 && offset == 99,
	      "that in a newer one is not");
	history_close(h);
}

static void
overwrite(const char *text, off_t at)
{
	char path[300];
	int fd;

	str_fmt(path, sizeof(path), "%s/history.db", dir);
	fd = file_open(AT_FDCWD, path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0 || pwrite(fd, text, strlen(text), at) < 0)
		exit(EXIT_FAILURE);
	file_shut(&fd);
}

static int
count_aside(void)
{
	DIR *folder = opendir(dir);
	struct dirent *d;
	int n = 0;

	while (folder != NULL && (d = readdir(folder)) != NULL)
		n += str_has_prefix(d->d_name, "history.db.damaged.");
	if (folder != NULL)
		closedir(folder);
	return n;
}

static void
test_damage(void)
{
	struct history *h;
	char file[LEDGER_NAME_SIZE];
	uint64_t offset = 1;

	run("rm -f", "/history.db*");
	overwrite("this is no database, and long enough to be told from one "
		  "by its first hundred bytes, which are read at the start",
		  0);
	h = open_history();
	CHECK(h != NULL && history_position(h, file, &offset, &e) == 0 &&
		      file[0] == '\0' && offset == 0,
	      "what is no database is made again: %s", e.text);
	CHECK_INT(count_aside(), 1, "and kept aside");
	history_close(h);
}

static void
exec_sql(const char *sql)
{
	char path[300];
	sqlite3 *db;

	str_fmt(path, sizeof(path), "%s/history.db", dir);
	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		exit(EXIT_FAILURE);
	sqlite3_close(db);
}

/* What version 4 has brought. */
#define DROP_INDEX "DROP TABLE word; DROP TABLE fill; DROP TABLE tally;"
/* What version 3 has brought. */
#define DROP_JUDGED                                \
	"ALTER TABLE event DROP COLUMN verdict;"   \
	"ALTER TABLE event DROP COLUMN action;"    \
	"ALTER TABLE event DROP COLUMN score;"     \
	"ALTER TABLE event DROP COLUMN threshold;" \
	"ALTER TABLE event DROP COLUMN fate;"      \
	"ALTER TABLE event DROP COLUMN explanation;"

static void
test_versions(void)
{
	struct history *h;
	uint64_t offset = 1;

	exec_sql("PRAGMA user_version = 99");
	h = open_history();
	CHECK(h == NULL && strstr(e.text, "newer") != NULL,
	      "one of a newer version is left: %s", e.text);
	CHECK_INT(count_aside(), 1, "where it is");
	exec_sql(DROP_INDEX DROP_JUDGED "PRAGMA user_version = 2;");
	h = open_history();
	CHECK(h != NULL && add_judged(h) == 0,
	      "one of version 2 learns of decisions: %s", e.text);
	history_close(h);
	exec_sql(DROP_INDEX DROP_JUDGED
		 "DROP TABLE file; PRAGMA user_version = 1;"
		 "UPDATE position SET file = '2026112214', offset = 47;");
	h = open_history();
	CHECK(h != NULL && history_offset(h, "2026112214", &offset, &e) == 0 &&
		      offset == 47,
	      "one of version 1 goes on where it was: %s", e.text);
	history_close(h);
	exec_sql("DROP TABLE event;");
	h = open_history();
	CHECK(h != NULL && add_events(h) == 0,
	      "one whose tables are others is made again: %s", e.text);
	history_close(h);
}

struct sums {
	int64_t n[TALLY_COLUMNS];
	size_t rows;
	char domain[64];
};

static int
add_sums(void *arg, const struct tally_row *r)
{
	struct sums *s = arg;

	for (int i = 0; i < TALLY_COLUMNS; i++)
		s->n[i] += r->n[i];
	if (s->rows++ == 0)
		(void)str_copy(s->domain, sizeof(s->domain), r->domain);
	return 0;
}

static struct sums
sums_of(enum tally_side side, const char *domain, unsigned top)
{
	struct tally_query q = { .side = side, .domain = domain, .top = top };
	struct sums s = { .rows = 0 };

	CHECK_INT(tally_read(dir, &q, add_sums, &s, &e), 0, "%s", e.text);
	return s;
}

static void
test_tallies(void)
{
	struct history *h;
	struct sums s;

	run("rm -f", "/history.db*");
	s = sums_of(TALLY_ALL, NULL, 0);
	CHECK(s.rows == 0, "no history is nothing");
	h = open_history();
	CHECK(h != NULL && add_events(h) == 0 && add_judged(h) == 0,
	      "events are counted: %s", e.text);
	s = sums_of(TALLY_ALL, NULL, 0);
	CHECK(s.rows == 4 && s.n[TALLY_accepted] == 4 &&
		      s.n[TALLY_bytes] == 18 && s.n[TALLY_delivered] == 1 &&
		      s.n[TALLY_spam] == 2,
	      "by the hour, once a recipient");
	s = sums_of(TALLY_RCPT, NULL, 10);
	CHECK(s.rows == 2 && str_eq(s.domain, "b.example"),
	      "by domain, the most first");
	s = sums_of(TALLY_RCPT, NULL, 1);
	CHECK(s.rows == 1 && s.n[TALLY_accepted] == 3, "as many as wanted");
	s = sums_of(TALLY_SENDER, "a.example", 1);
	CHECK(s.n[TALLY_accepted] == 2 && s.n[TALLY_delivered] == 1,
	      "a result counts for who has sent the message");
	CHECK(history_expire(h, 9000 * HOUR, &e) == 0 &&
		      sums_of(TALLY_RCPT, NULL, 10).rows == 0 &&
		      sums_of(TALLY_ALL, NULL, 0).rows == 4,
	      "domains go with the events, sums of all stay for a year");
	CHECK(history_expire(h, 20000 * HOUR, &e) == 0 &&
		      sums_of(TALLY_ALL, NULL, 0).rows == 0,
	      "and no longer");
	CHECK_STR(traced(h, "half"), "", "words go with the events");
	history_close(h);
}

/* An older version's events are counted and found step by step. */
static void
test_fill(void)
{
	struct history *h;
	int more;

	run("rm -f", "/history.db*");
	h = open_history();
	CHECK(h != NULL && add_events(h) == 0, "events: %s", e.text);
	history_close(h);
	exec_sql(DROP_INDEX "PRAGMA user_version = 3;");
	h = open_history();
	CHECK_STR(traced(h, "half"), "", "one of version 3 knows no words");
	while ((more = history_fill(h, &e)) == 1)
		;
	CHECK_INT(more, 0, "filling ends: %s", e.text);
	CHECK_STR(traced(h, "half"), ALL_OF_A ", accepted 3",
		  "and all of them are there");
	CHECK_INT(sums_of(TALLY_ALL, NULL, 0).n[TALLY_accepted], 4,
		  "and are counted");
	CHECK_INT(history_fill(h, &e), 0, "once");
	history_close(h);
}

static void
test_no_folder(void)
{
	struct history *h = NULL;

	CHECK(history_open("/nonexistent", &h, &e) < 0 && h == NULL,
	      "without a folder there is none: %s", e.text);
	history_close(NULL);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");

	str_fmt(dir, sizeof(dir), "%s/history.XXXXXX",
		tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return EXIT_FAILURE;
	test_trace();
	test_pages();
	test_cursor();
	test_subjects();
	test_judged();
	test_position();
	test_places();
	test_expire();
	test_damage();
	test_versions();
	test_tallies();
	test_fill();
	test_no_folder();
	run("rm -rf", "");
	return check_done();
}
