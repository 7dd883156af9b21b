/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Answers of spamd, right and wrong, and the dialogue over a descriptor.
 */
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "spamd.h"
#include "spamd_report.h"
#include "str.h"

#define OK "SPAMD/1.1 0 EX_OK\r\n"
#define HEAD "Spam: True ; 8.5 / 5.0\r\n\r\n"
#define FIRST "mcgate 1 score=8.5 required=5.0 tests="

/* An answer with the right length before the body. */
static struct span
answer(struct buf *b, const char *body)
{
	buf_clear(b);
	(void)buf_printf(b, OK "Content-length: %lu\r\n" HEAD "%s",
			 (unsigned long)strlen(body), body);
	return buf_span(b);
}

static const struct {
	const char *what, *body;
	int count; /* -1: refused */
	const char *name; /* of the last */
	long long points;
	const char *note;
} reports[] = {
	{ "one rule", FIRST "FRT_SOMA=7.5\n", 1, "FRT_SOMA", 7500, "" },
	{ "two rules, one with a note over two lines",
	  FIRST "A=1,FRT_SOMA=7.5\n 1.0 A        first\n"
		" 7.5 FRT_SOMA BODY: a long\n              word\n\n",
	  2, "FRT_SOMA", 7500, "BODY: a long word" },
	{ "no rule", FIRST "none\n", 0, "", 0, "" },
	{ "no rule, and no word for it", FIRST "\n", 0, "", 0, "" },
	{ "a negative rule", FIRST "A=-1.255\n", 1, "A", -1255, "" },
	{ "digits that are too small", FIRST "A=0.0019\n", 1, "A", 1, "" },
	{ "an exponent", FIRST "A=1e-05\n", 1, "A", 0, "" },
	{ "minus nothing", FIRST "A=-0\n", 1, "A", 0, "" },
	{ "notes of rules that did not hit", FIRST "A=1\n 9.0 B  no\n", 1, "A",
	  1000, "" },
	{ "a second first line changes nothing",
	  FIRST "A=1\nmcgate 1 score=0 required=5 tests=B=9\n", 1, "A", 1000,
	  "" },
	{ "only the first note of a rule",
	  FIRST "A=1\n 1.0 A one\n 1.0 A two\n", 1, "A", 1000, "one" },
	{ "another template", "Spam detection software\n", -1, "", 0,
	  "mcgate.cf" },
	{ "another version", "mcgate 2 score=8.5\n", -1, "", 0, "mcgate.cf" },
	{ "no line end", FIRST "A=1", -1, "", 0, "empty" },
	{ "no points", FIRST "A\n", -1, "", 0, "rule 1" },
	{ "no name", FIRST "=1\n", -1, "", 0, "rule 1" },
	{ "a comma at the end", FIRST "A=1,\n", -1, "", 0, "rule 2" },
	{ "text behind", FIRST "A=1 B=1\n", -1, "", 0, "list of rules" },
	{ "points beyond sense", FIRST "A=1001\n", -1, "", 0, "sense" },
	{ "points as long as a line", FIRST "A=99999999999\n", -1, "", 0,
	  "rule 1" },
	{ "a positive exponent", FIRST "A=1e5\n", -1, "", 0, "list" },
	{ "no score", "mcgate 1 score=x required=5 tests=none\n", -1, "", 0,
	  "first line" },
};

static void
test_reports(void)
{
	struct arena a = { 0 };
	struct buf b = { 0 };
	struct spamd_report r;
	struct err e;
	size_t i;
	int rc;

	for (i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
		rc = spamd_report_read(answer(&b, reports[i].body), &a, &r, &e);
		if (reports[i].count < 0) {
			CHECK(rc == -1 &&
				      strstr(e.text, reports[i].note) != NULL,
			      "%s: refused, says %s", reports[i].what,
			      reports[i].note);
			continue;
		}
		CHECK_INT(rc == 0 ? (int)r.count : -1, reports[i].count, "%s",
			  reports[i].what);
		if (rc != 0 || reports[i].count < 1)
			continue;
		CHECK_STR(r.rules[r.count - 1].name, reports[i].name,
			  "its name");
		CHECK_INT(r.rules[r.count - 1].points, reports[i].points,
			  "its points");
		CHECK_STR(r.rules[r.count - 1].note, reports[i].note,
			  "what it is about");
	}
	buf_release(&b);
	arena_release(&a);
}

static const struct {
	const char *what, *text, *says;
} heads[] = {
	{ "nothing", "", "cut" },
	{ "half a line", "SPAMD/1.1 0 EX", "cut" },
	{ "no end of the head", OK "Content-length: 3\r\n", "cut" },
	{ "another protocol", "HTTP/1.1 200 OK\r\n\r\n", "not one of spamd" },
	{ "an error", "SPAMD/1.0 76 Bad header line\r\n", "answers 76 Bad" },
	{ "no length", OK "\r\nx\n", "its length" },
	{ "a length that is none", OK "Content-length: x\r\n\r\n",
	  "malformed" },
	{ "a length below 0", OK "Content-length: -1\r\n\r\n", "malformed" },
	{ "less than it says", OK "Content-length: 9\r\n\r\nx\n", "cut: 2 of" },
	{ "more than it says", OK "Content-length: 1\r\n\r\nx\n", "longer" },
	{ "an endless head",
	  OK "a\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\n"
	     "a\na\na\na\na\na\na\na\na\na\na\na\na\na\na\n",
	  "too many header" },
};

static void
test_heads(void)
{
	struct arena a = { 0 };
	struct spamd_report r;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		e.text[0] = '\0';
		CHECK(spamd_report_read(span_of(heads[i].text), &a, &r, &e) ==
				      -1 &&
			      strstr(e.text, heads[i].says) != NULL,
		      "%s: says %s", heads[i].what, heads[i].says);
	}
	arena_release(&a);
	CHECK(spamd_is_pong(SPAN_LIT("SPAMD/1.5 0 PONG\r\n")), "a pong");
	CHECK(!spamd_is_pong(SPAN_LIT("SPAMD/1.5 1 PONG\r\n")), "none");
}

static void
test_places(void)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{ "", 0 },
		{ "/run/s", 0 },
		{ "127.0.0.1@783", 0 },
		{ "::1@783", 0 },
		{ "run/s", -1 },
		{ "127.0.0.1", -1 },
		{ "localhost@1", -1 },
		{ "::1@0", -1 },
		{ "::1@65536", -1 },
		{ "@783", -1 },
		{ "::1@", -1 },
	};
	struct spamd_place at;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_INT(spamd_place_parse(rows[i].text, &at, &e), rows[i].rc,
			  "\"%s\" as a place", rows[i].text);
	CHECK(spamd_place_parse("", &at, &e) == 0 && !at.is_set, "none");
	CHECK(spamd_place_parse("::1@783", &at, &e) == 0 && at.is_set &&
		      at.path == NULL && at.at.port == 783,
	      "an address");
}

/* The other side: reads all, or not, and says what it was given. */
struct side {
	int fd;
	const char *says;
	size_t repeat;
	bool reads;
	size_t got;
};

static void *
side_run(void *arg)
{
	struct side *s = arg;
	char piece[4096];
	ssize_t n;
	size_t i;

	while (s->reads && (n = read(s->fd, piece, sizeof(piece))) > 0)
		s->got += (size_t)n;
	for (i = 0; i < s->repeat; i++)
		if (send(s->fd, s->says, strlen(s->says), MSG_NOSIGNAL) < 0)
			break;
	(void)close(s->fd);
	return NULL;
}

static enum spamd_end
talk(struct side *s, size_t size, int64_t ms, struct buf *reply)
{
	char *text = calloc(1, size + 1);
	enum spamd_end end;
	pthread_t t;
	struct err e;
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		abort();
	s->fd = fd[1];
	(void)pthread_create(&t, NULL, side_run, s);
	end = spamd_talk(fd[0], "REPORT", (struct span){ text, size },
			 clock_mono_ms() + ms, reply, &e);
	(void)close(fd[0]);
	(void)pthread_join(t, NULL);
	free(text);
	return end;
}

static void
test_talk(void)
{
	struct buf reply = { 0 };
	struct side s = { .says = "answer", .repeat = 1, .reads = true };

	CHECK_INT(talk(&s, 1000000, 20000, &reply), SPAMD_ANSWERED,
		  "a question and its answer");
	CHECK_INT(s.got,
		  1000000 + strlen("REPORT SPAMC/1.5\r\n"
				   "Content-length: 1000000\r\n\r\n"),
		  "all of it is sent");
	CHECK_STR(buf_str(&reply), "answer", "all of it is read");
	s = (struct side){ .says = "no", .repeat = 1 };
	(void)talk(&s, 1000000, 20000, &reply);
	CHECK(str_has_prefix(buf_str(&reply), "no"),
	      "what is said before all was sent is read");
	s = (struct side){ .says = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
			   .repeat = 100000,
			   .reads = true };
	CHECK_INT(talk(&s, 10, 20000, &reply), SPAMD_TOO_LONG,
		  "an endless answer ends");
	CHECK(reply.len <= SPAMD_REPLY_MAX, "within its limit");
	buf_release(&reply);
}

static void
test_late(void)
{
	struct buf reply = { 0 };
	struct err e;
	int fd[2];
	int64_t begin = clock_mono_ms();

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		abort();
	CHECK_INT(
		spamd_talk(fd[0], "PING", SPAN_LIT(""), begin + 50, &reply, &e),
		SPAMD_LATE, "silence ends at the deadline");
	CHECK(clock_mono_ms() - begin >= 50, "and not before");
	(void)close(fd[0]);
	(void)close(fd[1]);
	buf_release(&reply);
}

int
main(void)
{
	test_reports();
	test_heads();
	test_places();
	test_talk();
	test_late();
	return check_done();
}
