/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The ledger: lines there and back, damaged ones refused, files walked and
 * opened for appending after crashes.
 */
#include "ledger.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "check.h"
#include "file.h"
#include "str.h"

#define ID "06ab3c8def000001"

static char dir[200];
static int ledger_fd;
static struct arena arena;

static struct ledger_event
full_event(void)
{
	struct ledger_event ev = {
		.at_us = INT64_C(1795356309123456),
		.verb = LEDGER_DEFERRED,
		.name = ID ".2",
		.rcpt = "joe user@b.example",
		.sender = "ann@a.example",
		.source = "smtp",
		.client = "2001:db8::1",
		.message_id = "<1=2@a.example>",
		.subject = "gr\xC3\xBC\xC3\x9F"
			   "e 100%\r\n\xFF",
		.relay = "mx.b.example[192.0.2.1]:25",
		.status = "451 4.7.1 later",
		.reason = "~",
		.who = "root",
		.size = UINT64_MAX,
		.delay_ms = INT64_MIN,
		.is_recovered = true,
	};

	return ev;
}

static const char full_line[] =
	"2026-11-22T14:05:09.123456Z deferred " ID ".2 "
	"rcpt=joe%20user@b.example sender=ann@a.example source=smtp "
	"client=2001:db8::1 message_id=<1=2@a.example> "
	"subject=gr\xC3\xBC\xC3\x9F"
	"e%20100%25%0D%0A%FF relay=mx.b.example[192.0.2.1]:25 "
	"status=451%204.7.1%20later reason=~ who=root "
	"size=18446744073709551615 delay_ms=-9223372036854775808 recovered=1";

static bool
same(const char *a, const char *b)
{
	return str_eq(a ? a : "", b ? b : "");
}

static bool
same_event(const struct ledger_event *a, const struct ledger_event *b)
{
	return a->at_us == b->at_us && a->verb == b->verb &&
	       same(a->name, b->name) && same(a->rcpt, b->rcpt) &&
	       same(a->sender, b->sender) && same(a->source, b->source) &&
	       same(a->client, b->client) &&
	       same(a->message_id, b->message_id) &&
	       same(a->subject, b->subject) && same(a->relay, b->relay) &&
	       same(a->status, b->status) && same(a->reason, b->reason) &&
	       same(a->who, b->who) && a->size == b->size &&
	       a->delay_ms == b->delay_ms && a->is_recovered == b->is_recovered;
}

/* A line with the checksum it should have, LF behind. */
static void
seal(struct buf *b, const char *text, size_t len)
{
	buf_add(b, text, len);
	buf_printf(b, " ~%08lX\n", (unsigned long)crc32_update(0, text, len));
}

static struct span
without_lf(const struct buf *b)
{
	return (struct span){ b->data, b->len - 1 };
}

static void
test_line(void)
{
	struct ledger_event ev = full_event(), back;
	struct buf b = { .limit = 0 }, want = { .limit = 0 };
	struct err e = { "" };

	CHECK_INT(ledger_write(&ev, &b), 0, "an event is written");
	seal(&want, full_line, sizeof(full_line) - 1);
	CHECK_STR(buf_str(&b), buf_str(&want), "in this form");
	CHECK(ledger_read(without_lf(&b), &arena, &back, &e) == 0 &&
		      same_event(&ev, &back),
	      "and read back: %s", e.text);
	buf_clear(&b);
	ev = (struct ledger_event){ .verb = LEDGER_ACCEPTED, .name = ID };
	CHECK_INT(ledger_write(&ev, &b), 0, "an event of little is written");
	CHECK(ledger_read(without_lf(&b), &arena, &back, &e) == 0 &&
		      same_event(&ev, &back) && back.rcpt != NULL &&
		      back.who != NULL,
	      "and read back, its strings \"\"");
	buf_release(&b);
	buf_release(&want);
}

static void
test_verbs(void)
{
	struct ledger_event ev = { .name = ID }, back;
	struct buf b = { .limit = 0 };
	int i, good = 0;

	for (i = 0; i < LEDGER_VERB_COUNT; i++) {
		buf_clear(&b);
		ev.verb = (enum ledger_verb)i;
		good += ledger_write(&ev, &b) == 0 &&
			strstr(b.data, ledger_verb_name(ev.verb)) != NULL &&
			ledger_read(without_lf(&b), &arena, &back, NULL) == 0 &&
			back.verb == ev.verb;
	}
	CHECK_INT(good, LEDGER_VERB_COUNT, "each verb is written and read");
	CHECK_STR(ledger_verb_name((enum ledger_verb)99), "unknown",
		  "others are unknown");
	buf_release(&b);
}

/* Every byte but NUL, alone and beside others. */
static void
test_bytes(void)
{
	struct ledger_event ev = { .name = ID }, back;
	struct buf b = { .limit = 0 };
	char subject[4] = "";
	int c, good = 0, plain = 0;
	size_t i;

	for (c = 1; c < 256; c++) {
		buf_clear(&b);
		subject[0] = subject[2] = (char)c;
		subject[1] = 'x';
		ev.subject = subject;
		ledger_write(&ev, &b);
		good += ledger_read(without_lf(&b), &arena, &back, NULL) == 0 &&
			same_event(&ev, &back);
		for (i = 0; i + 1 < b.len; i++)
			plain += (unsigned char)b.data[i] >= ' ' &&
				 b.data[i] != 127;
		plain -= (int)b.len - 1;
		arena_clear(&arena);
	}
	CHECK_INT(good, 255, "every byte is read back");
	CHECK_INT(plain, 0, "no control is in a line");
	buf_release(&b);
}

static const struct time_row {
	int64_t at_us;
	const char *text, *file;
} times[] = {
	{ 0, "1970-01-01T00:00:00.000000Z", "1970010100" },
	{ INT64_C(951782400000000) - 1, "2000-02-28T23:59:59.999999Z",
	  "2000022823" },
	{ INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z",
	  "2000022900" },
	{ INT64_C(1709251199000000), "2024-02-29T23:59:59.000000Z",
	  "2024022923" },
	{ INT64_C(4107542400000000), "2100-03-01T00:00:00.000000Z",
	  "2100030100" },
	{ INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z",
	  "9999123123" },
};

static void
test_times(void)
{
	struct ledger_event ev = { .name = ID }, back;
	struct buf b = { .limit = 0 };
	char file[LEDGER_NAME_SIZE];
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		buf_clear(&b);
		ev.at_us = times[i].at_us;
		ledger_write(&ev, &b);
		CHECK(str_has_prefix(buf_str(&b), times[i].text),
		      "%s is written", times[i].text);
		CHECK(ledger_read(without_lf(&b), &arena, &back, NULL) == 0 &&
			      back.at_us == times[i].at_us,
		      "%s is read", times[i].text);
		ledger_file(times[i].at_us, file);
		CHECK_STR(file, times[i].file, "%s is in its file",
			  times[i].text);
	}
	ledger_file(-1, file);
	CHECK_STR(file, "1970010100", "a time before is in the first file");
	ledger_file(INT64_MAX, file);
	CHECK_STR(file, "9999123123", "a time behind is in the last");
	buf_release(&b);
}

static void
test_years(void)
{
	struct ledger_event ev = { .name = ID }, back;
	struct buf b = { .limit = 0 };
	int64_t day_us = INT64_C(86400000000);
	char file[LEDGER_NAME_SIZE], before[LEDGER_NAME_SIZE] = "";
	int bad = 0;

	for (ev.at_us = 0; ev.at_us < 180 * 366 * day_us; ev.at_us += day_us) {
		buf_clear(&b);
		ledger_write(&ev, &b);
		ledger_file(ev.at_us, file);
		bad += ledger_read(without_lf(&b), &arena, &back, NULL) != 0 ||
		       back.at_us != ev.at_us || strcmp(before, file) >= 0;
		str_copy(before, sizeof(before), file);
		arena_clear(&arena);
	}
	CHECK_INT(bad, 0, "each day of 180 years is read back, in order");
	buf_release(&b);
}

static void
test_not_written(void)
{
	struct ledger_event good = full_event(), ev;
	struct buf b = { .limit = 0 };
	char text[3001], address[401];

	memset(text, '\1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memset(address, '\1', sizeof(address) - 1);
	address[sizeof(address) - 1] = '\0';
	ev = good;
	ev.name = "nobody";
	CHECK(ledger_write(&ev, &b) != 0, "not without a name");
	ev = good;
	ev.name = NULL;
	CHECK(ledger_write(&ev, &b) != 0, "not without any name");
	ev = good;
	ev.at_us = -1;
	CHECK(ledger_write(&ev, &b) != 0, "not before 1970");
	ev = good;
	ev.at_us = INT64_MAX;
	CHECK(ledger_write(&ev, &b) != 0, "not behind 9999");
	ev = good;
	ev.verb = LEDGER_VERB_COUNT;
	CHECK(ledger_write(&ev, &b) != 0, "not without a verb");
	ev = good;
	ev.rcpt = text;
	CHECK(ledger_write(&ev, &b) != 0, "not with an address cut");
	CHECK_INT(b.len, 0, "and then nothing is written");
	ev = good;
	ev.source = ev.client = ev.message_id = ev.subject = text;
	ev.relay = ev.status = ev.reason = ev.who = text;
	ev.rcpt = ev.sender = address;
	CHECK(ledger_write(&ev, &b) == 0 && b.len <= LEDGER_LINE_MAX,
	      "the longest texts are cut to a line: %zu bytes", b.len);
	CHECK(ledger_read(without_lf(&b), &arena, &ev, NULL) == 0 &&
		      strlen(ev.status) == 1000 && strlen(ev.rcpt) == 400,
	      "which is read back");
	b.limit = b.len + 20;
	CHECK(ledger_write(&good, &b) != 0, "not where there is no room");
	buf_release(&b);
}

#define TIME "2026-11-23T14:05:09.123456Z"
#define START TIME " held " ID

static const struct refused {
	const char *words, *text, *why;
} refused[] = {
	{ "nothing", "", "time" },
	{ "a time alone", TIME, "verb" },
	{ "no name", TIME " held", "name" },
	{ "an empty name", TIME " held ", "name" },
	{ "a name that is none", TIME " held nobody", "name" },
	{ "a long name", TIME " held " ID ID, "name" },
	{ "another verb", TIME " lost " ID, "verb" },
	{ "a verb in capitals", TIME " Held " ID, "verb" },
	{ "month 13", "2026-13-23T14:05:09.123456Z held " ID, "time" },
	{ "month 0", "2026-00-23T14:05:09.123456Z held " ID, "time" },
	{ "day 0", "2026-11-00T14:05:09.123456Z held " ID, "time" },
	{ "31 November", "2026-11-31T14:05:09.123456Z held " ID, "time" },
	{ "29 February 2026", "2026-02-29T14:05:09.123456Z held " ID, "time" },
	{ "hour 24", "2026-11-23T24:05:09.123456Z held " ID, "time" },
	{ "minute 60", "2026-11-23T14:60:09.123456Z held " ID, "time" },
	{ "second 60", "2026-11-23T14:05:60.123456Z held " ID, "time" },
	{ "1969", "1969-11-23T14:05:09.123456Z held " ID, "time" },
	{ "another zone", "2026-11-23T14:05:09.123456+ held " ID, "time" },
	{ "a sign in a time", "2026-11-23T14:05:09.-23456Z held " ID, "time" },
	{ "two spaces", TIME "  held " ID, "verb" },
	{ "a space at the end", START " ", "without =" },
	{ "a word", START " word", "without =" },
	{ "an unknown key", START " colour=red", "unknown" },
	{ "a key twice", START " rcpt=a rcpt=b", "out of order" },
	{ "keys in another order", START " sender=a rcpt=b", "out of order" },
	{ "an empty value", START " rcpt=", "rcpt: malformed" },
	{ "an empty key", START " =a", "unknown" },
	{ "an escape cut", START " rcpt=a%2", "rcpt: malformed" },
	{ "an escape of nothing", START " rcpt=a%", "rcpt: malformed" },
	{ "an escape in small letters", START " rcpt=a%2f", "rcpt: malformed" },
	{ "an escaped NUL", START " rcpt=a%00", "rcpt: malformed" },
	{ "a raw control", START " rcpt=a\tb", "rcpt: malformed" },
	{ "a number that is none", START " size=1k", "size: malformed" },
	{ "a number with a sign", START " size=-1", "size: malformed" },
	{ "a number too large", START " size=18446744073709551616",
	  "size: malformed" },
	{ "a delay too large", START " delay_ms=9223372036854775808",
	  "delay_ms: malformed" },
	{ "recovered=0", START " recovered=0", "recovered: malformed" },
};

static void
test_refused(void)
{
	struct buf b = { .limit = 0 };
	struct ledger_event ev;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		buf_clear(&b);
		seal(&b, refused[i].text, strlen(refused[i].text));
		e.text[0] = '\0';
		CHECK(ledger_read(without_lf(&b), &arena, &ev, &e) != 0 &&
			      strstr(e.text, refused[i].why) != NULL,
		      "%s: %s", refused[i].words, e.text);
	}
	buf_clear(&b);
	seal(&b, START " rcpt=a\0b", sizeof(START " rcpt=a\0b") - 1);
	CHECK(ledger_read(without_lf(&b), &arena, &ev, NULL) != 0, "a NUL");
	buf_release(&b);
}

static void
test_damaged(void)
{
	struct ledger_event ev = full_event(), back;
	struct buf b = { .limit = 0 };
	size_t i, len;
	int accepted = 0;

	ledger_write(&ev, &b);
	len = b.len - 1;
	for (i = 0; i < len; i++) {
		b.data[i] ^= 4;
		accepted +=
			ledger_read(without_lf(&b), &arena, &back, NULL) == 0;
		b.data[i] ^= 4;
	}
	CHECK_INT(accepted, 0, "a changed bit is seen wherever it is");
	for (i = 0; i < len; i++)
		accepted += ledger_read((struct span){ b.data, i }, &arena,
					&back, NULL) == 0;
	CHECK_INT(accepted, 0, "a cut line is seen wherever it is cut");
	buf_release(&b);
}

/* What a walk has given. */
struct seen {
	int good, bad, stop_at;
	char first[64], last[64], bad_text[200];
};

static int
see(void *arg, const struct ledger_event *ev)
{
	struct seen *seen = arg;

	if (seen->good == 0)
		str_copy(seen->first, sizeof(seen->first), ev->rcpt);
	str_copy(seen->last, sizeof(seen->last), ev->rcpt);
	return ++seen->good == seen->stop_at ? 42 : 0;
}

static void
see_bad(void *arg, const char *file, uint64_t line, const char *why)
{
	struct seen *seen = arg;

	seen->bad++;
	snprintf(seen->bad_text, sizeof(seen->bad_text), "%s:%llu: %s", file,
		 (unsigned long long)line, why);
}

static void
put_file(const char *name, const struct buf *b)
{
	int fd = file_open(ledger_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || file_write_all(fd, b->data, b->len) != 0)
		abort();
	file_shut(&fd);
}

static void
add_event(struct buf *b, int number)
{
	char rcpt[64];
	struct ledger_event ev = { .verb = LEDGER_ACCEPTED, .name = ID };

	snprintf(rcpt, sizeof(rcpt), "user%d@b.example", number);
	ev.rcpt = rcpt;
	ev.at_us = number;
	ledger_write(&ev, b);
}

static void
test_folder(void)
{
	struct buf b = { .limit = 0 };
	struct seen seen = { .good = 0 };
	struct err e = { "" };

	CHECK_INT(ledger_each(ledger_fd, NULL, see, see_bad, &seen, &e), 0,
		  "an empty folder is read");
	buf_add_str(&b, LEDGER_HEADER);
	add_event(&b, 3);
	put_file("2026112315", &b);
	buf_clear(&b);
	buf_add_str(&b, LEDGER_HEADER);
	add_event(&b, 1);
	buf_add_str(&b, "damaged\n");
	add_event(&b, 2);
	buf_add_str(&b, "2026-11-23T14:05:09.1");
	put_file("2026112314", &b);
	buf_clear(&b);
	put_file("2026112316", &b);
	put_file("2026112317.old", &b);
	put_file("notes", &b);
	CHECK_INT(ledger_each(ledger_fd, "", see, see_bad, &seen, &e), 0,
		  "a folder is read: %s", e.text);
	CHECK_INT(seen.good, 3, "all its events");
	CHECK(str_eq(seen.first, "user1@b.example") &&
		      str_eq(seen.last, "user3@b.example"),
	      "in the order of the hours");
	CHECK_STR(seen.bad_text, "2026112314:3: too short",
		  "a damaged line is told");
	CHECK_INT(seen.bad, 1, "a line cut by a crash is not");
	memset(&seen, 0, sizeof(seen));
	CHECK(ledger_each(ledger_fd, "2026112315", see, NULL, &seen, &e) == 0 &&
		      seen.good == 1,
	      "it can be read from some hour on");
	memset(&seen, 0, sizeof(seen));
	seen.stop_at = 2;
	CHECK(ledger_each(ledger_fd, NULL, see, NULL, &seen, &e) == 42 &&
		      seen.good == 2,
	      "the function stops it with its own answer");
	buf_clear(&b);
	buf_add_str(&b, "mcgate-ledger: 3\nnew things\n");
	put_file("2026112316", &b);
	CHECK(ledger_each(ledger_fd, NULL, see, see_bad, &seen, &e) == -1 &&
		      strstr(e.text, "written by a newer one") != NULL,
	      "a newer version is refused: %s", e.text);
	unlinkat(ledger_fd, "2026112316", 0);
	buf_release(&b);
}

/* After a failed sync an hour goes on in a file with a letter. */
static void
test_letters(void)
{
	static const char *const files[] = { "2026112402", "2026112401b",
					     "2026112401", "2026112401a" };
	struct buf b = { .limit = 0 };
	struct seen seen = { .good = 0 };
	uint64_t size;
	size_t i;
	int fd;

	for (i = 0; i < 4; i++) {
		buf_clear(&b);
		buf_add_str(&b, LEDGER_HEADER);
		add_event(&b, (int)i);
		put_file(files[i], &b);
	}
	CHECK(ledger_each(ledger_fd, "2026112401", see, NULL, &seen, NULL) ==
			      0 &&
		      seen.good == 4 && str_eq(seen.first, "user2@b.example"),
	      "an hour begins with the file without a letter");
	memset(&seen, 0, sizeof(seen));
	CHECK(ledger_each(ledger_fd, "2026112401b", see, NULL, &seen, NULL) ==
			      0 &&
		      seen.good == 2 && str_eq(seen.first, "user1@b.example") &&
		      str_eq(seen.last, "user0@b.example"),
	      "letters follow, then the next hour");
	fd = ledger_open(ledger_fd, "2026112401z", &size, NULL);
	CHECK(fd >= 0, "a file with a letter is opened");
	file_shut(&fd);
	CHECK(!ledger_file_valid("2026112401ab") &&
		      !ledger_file_valid("2026112401A") &&
		      !ledger_file_valid("202611240a") &&
		      !ledger_file_valid("2026112401."),
	      "more than a small letter is no file of the ledger");
	buf_release(&b);
}

/* Many lines, so that they lie across the pieces that are read. */
static void
test_large(void)
{
	struct buf b = { .limit = 0 };
	struct seen seen = { .good = 0 };
	struct err e = { "" };
	uint64_t offset = 0, end;
	int fd, i, calls = 0;

	buf_add_str(&b, LEDGER_HEADER);
	for (i = 0; i < 20000; i++)
		add_event(&b, i);
	for (i = 0; i < 40000; i++)
		buf_add_str(&b, "0123456789");
	buf_add_char(&b, '\n');
	add_event(&b, 20000);
	put_file("2026112320", &b);
	fd = file_open(ledger_fd, "2026112320", O_RDONLY, 0);
	CHECK_INT(
		ledger_each_line(fd, "x", &offset, 0, see, see_bad, &seen, &e),
		0, "a large file is read");
	CHECK_INT(seen.good, 20001, "all its events");
	CHECK_INT(seen.bad, 1, "a line without end is told once");
	CHECK_STR(seen.bad_text, "x:20002: longer than a line may be",
		  "with its number");
	CHECK_INT(offset, b.len, "and passed");
	memset(&seen, 0, sizeof(seen));
	for (offset = 0, end = 1; end < 300000; end += 1777, calls++)
		ledger_each_line(fd, "x", &offset, end, see, see_bad, &seen,
				 &e);
	CHECK(seen.bad == 0 && seen.good > 2000 &&
		      strtol(seen.last + 4, NULL, 10) == seen.good - 1,
	      "in %d pieces each event comes once: %d", calls, seen.good);
	file_shut(&fd);
	buf_release(&b);
}

static void
test_no_header(void)
{
	struct buf b = { .limit = 0 };
	struct seen seen = { .good = 0 };
	uint64_t offset = 0;
	int fd;

	buf_add_str(&b, "mcgate-lodger: 1\n");
	add_event(&b, 1);
	put_file("2026112321", &b);
	fd = file_open(ledger_fd, "2026112321", O_RDONLY, 0);
	CHECK_INT(ledger_each_line(fd, "x", &offset, 0, see, see_bad, &seen,
				   NULL),
		  0, "a file with a damaged first line is read");
	CHECK(seen.good == 1 && str_eq(seen.bad_text, "x:1: no version line"),
	      "and told");
	file_shut(&fd);
	buf_release(&b);
}

static const struct torn {
	const char *words, *before, *behind;
} torn[] = {
	{ "a file that is not there", NULL, LEDGER_HEADER },
	{ "an empty file", "", LEDGER_HEADER },
	{ "a file cut in its first line", "mcgate-le", LEDGER_HEADER },
	{ "a file of one line", LEDGER_HEADER, LEDGER_HEADER },
	{ "a file with whole lines", LEDGER_HEADER "a\nb\n",
	  LEDGER_HEADER "a\nb\n" },
	{ "a file whose last line is cut", LEDGER_HEADER "a\nb",
	  LEDGER_HEADER "a\n" },
};

static void
test_open(void)
{
	struct buf b = { .limit = 0 };
	struct err e = { "" };
	uint64_t size;
	size_t i;
	int fd;

	for (i = 0; i < sizeof(torn) / sizeof(torn[0]); i++) {
		unlinkat(ledger_fd, "2026112322", 0);
		buf_clear(&b);
		if (torn[i].before != NULL) {
			buf_add_str(&b, torn[i].before);
			put_file("2026112322", &b);
		}
		fd = ledger_open(ledger_fd, "2026112322", &size, &e);
		CHECK(fd >= 0 && size == strlen(torn[i].behind), "%s is opened",
		      torn[i].words);
		if (file_write_all(fd, "+", 1) != 0)
			abort();
		file_shut(&fd);
		buf_clear(&b);
		file_read_at(ledger_fd, "2026112322", &b, 100000, NULL);
		CHECK(b.len == size + 1 && b.data[size] == '+' &&
			      memcmp(b.data, torn[i].behind, size) == 0,
		      "%s: what follows begins a line", torn[i].words);
	}
	buf_clear(&b);
	buf_add_str(&b, LEDGER_HEADER);
	for (i = 0; i < 100000; i++)
		buf_add_str(&b, "0123456789");
	put_file("2026112322", &b);
	fd = ledger_open(ledger_fd, "2026112322", &size, &e);
	CHECK_INT(size, sizeof(LEDGER_HEADER) - 1,
		  "a cut line of any length is taken off");
	file_shut(&fd);
	buf_clear(&b);
	buf_add_str(&b, "mcgate-ledger: 3\n");
	put_file("2026112322", &b);
	CHECK(ledger_open(ledger_fd, "2026112322", &size, &e) == LEDGER_OTHER &&
		      strstr(e.text, "newer") != NULL,
	      "a file of a newer version is left alone: %s", e.text);
	buf_clear(&b);
	buf_add_str(&b, "mcgate-ledger: 1\n");
	put_file("2026112322", &b);
	CHECK(ledger_open(ledger_fd, "2026112322", &size, &e) == LEDGER_OTHER,
	      "nor does one of an older version get our lines: %s", e.text);
	CHECK(ledger_open(ledger_fd, "../x", &size, &e) < 0 &&
		      ledger_open(ledger_fd, "20261123222", &size, &e) < 0 &&
		      ledger_open(ledger_fd, "", &size, &e) < 0,
	      "other names are no files of the ledger");
	buf_release(&b);
}

static void
remove_all(void)
{
	char command[300];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	if (system(command) != 0)
		printf("# %s stays\n", dir);
}

int
main(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/mcgate-ledger.XXXXXX",
		 tmp ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	ledger_fd = file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	test_line();
	test_verbs();
	test_bytes();
	test_times();
	test_years();
	test_not_written();
	test_refused();
	test_damaged();
	test_folder();
	test_letters();
	test_large();
	test_no_header();
	test_open();
	file_shut(&ledger_fd);
	arena_release(&arena);
	remove_all();
	return check_done();
}
