/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The account of a spool and a ledger that are made by hand: what balances,
 * what is lost, and what is said about it.
 */
#include "audit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "envelope.h"
#include "file.h"
#include "ledger.h"
#include "spool.h"
#include "str.h"

#define A "06ab3c8def000001"
#define B "06ab3c8def000002"
#define C "06ab3c8def000003"

static char dir[256];
static int spool_fd;

static void
make_folder(const char *path)
{
	if (mkdirat(spool_fd, path, 0700) < 0)
		exit(EXIT_FAILURE);
}

/* Without the syncs of spool_make_folders(). */
static void
make_hashed(const char *top)
{
	char path[64];

	make_folder(top);
	for (int i = 0; i < SPOOL_FOLDERS; i++) {
		str_fmt(path, sizeof(path), "%s/%02x", top, i);
		make_folder(path);
	}
}

static void
run(const char *before, const char *behind)
{
	char full[400];

	str_fmt(full, sizeof(full), "%s '%s' %s", before, dir, behind);
	if (system(full) != 0)
		exit(EXIT_FAILURE);
}

static void
spool_make(void)
{
	const char *tmp = getenv("TMPDIR");

	str_fmt(dir, sizeof(dir), "%s/audit.XXXXXX",
		tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		exit(EXIT_FAILURE);
	spool_fd = file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	make_folder("ledger");
	make_hashed("body");
	for (int i = 0; i < STATE_COUNT; i++)
		make_hashed(state_name((enum state)i));
}

/* Empties it for the next test. */
static void
spool_empty(void)
{
	run("find", "-type f -delete");
}

static void
put_file(const char *path, const char *data, size_t len, int flags)
{
	int fd = file_open(spool_fd, path, O_WRONLY | O_CREAT | flags, 0600);

	if (fd < 0 || file_write_all(fd, data, len) < 0)
		exit(EXIT_FAILURE);
	file_shut(&fd);
}

static void
put_line(const char *file, const char *line)
{
	char path[64];
	size_t header = strlen(LEDGER_HEADER);

	str_fmt(path, sizeof(path), "ledger/%s", file);
	if (faccessat(spool_fd, path, F_OK, 0) < 0)
		put_file(path, LEDGER_HEADER, header, 0);
	put_file(path, line, strlen(line), O_APPEND);
}

/* An event of the ledger: words are "VERB NAME RCPT [SOURCE]". */
static void
put_event(const char *words)
{
	char copy[256];
	char *rest = copy;
	struct buf line = { 0 };
	struct ledger_event ev = { .at_us = INT64_C(1795356309123456) };
	const char *verb;

	str_copy(copy, sizeof(copy), words);
	verb = strsep(&rest, " ");
	while (!str_eq(ledger_verb_name(ev.verb), verb))
		ev.verb++;
	ev.name = strsep(&rest, " ");
	ev.rcpt = strsep(&rest, " ");
	ev.source = rest;
	if (ledger_write(&ev, &line) < 0)
		exit(EXIT_FAILURE);
	put_line("2026112214", buf_str(&line));
	buf_release(&line);
}

/* An envelope: words are "STATE NAME RCPT...", with a body of four bytes
 * unless the first is "bodiless". */
static void
put_envelope(const char *words)
{
	char copy[256], path[SPOOL_PATH_SIZE], id[ENVELOPE_ID_LEN + 1];
	char *rest = copy;
	bool has_body = !str_has_prefix(words, "bodiless ");
	struct rcpt rcpts[8];
	struct envelope env;
	struct buf text = { 0 };
	enum state s;
	struct err e;
	char *word;

	str_copy(copy, sizeof(copy), words + (has_body ? 0 : 9));
	if (state_parse(strsep(&rest, " "), &s) < 0)
		exit(EXIT_FAILURE);
	envelope_init(&env);
	str_copy(env.name, sizeof(env.name), strsep(&rest, " "));
	str_copy(id, sizeof(id), env.name);
	env.body = id;
	env.size = 4;
	env.generation = 1;
	env.sender = "s@a.example";
	env.received_us = 1;
	env.rcpts = rcpts;
	while ((word = strsep(&rest, " ")) != NULL)
		rcpts[env.rcpt_count++] = (struct rcpt){
			.address = word, .orcpt = "", .notify = "", .status = ""
		};
	if (envelope_write(&env, &text, &e) < 0) {
		printf("# %s\n", e.text);
		exit(EXIT_FAILURE);
	}
	spool_envelope_path(s, env.name, path);
	put_file(path, text.data, text.len, 0);
	spool_body_path(id, path);
	if (has_body)
		put_file(path, "mail", 4, 0);
	buf_release(&text);
}

/* A file with no envelope in it; more is put behind its name. */
static void
put_damaged(enum state s, const char *name, const char *more)
{
	char path[SPOOL_PATH_SIZE];

	spool_envelope_path(s, name, path);
	str_copy(path + strlen(path), sizeof(path) - strlen(path), more);
	put_file(path, "what?\n", 6, 0);
}

static void
add_lost(void *arg, const struct audit_lost *l)
{
	(void)buf_printf(arg, "%s%s %s%s%s",
			 ((struct buf *)arg)->len > 0 ? "; " : "", l->name,
			 l->rcpt, l->why[0] != '\0' ? ": " : "", l->why);
}

/* The members that are not 0, and what is lost. */
static const char *
audited(void)
{
	static struct buf b;
	struct buf lost = { 0 };
	struct audit a;
	struct err e = { "" };

	buf_clear(&b);
	if (audit_run(spool_fd, false, &a, add_lost, &lost, &e) < 0) {
		(void)buf_printf(&b, "error: %s", e.text);
		return buf_str(&b);
	}
#define MEMBER(name)                                                           \
	if (a.name != 0)                                                       \
		(void)buf_printf(&b, "%s%s=%lld", b.len > 0 ? " " : "", #name, \
				 (long long)a.name);
	MEMBER(accepted)
	MEMBER(own)
	MEMBER(unrecorded)
	MEMBER(older)
	MEMBER(delivered)
	MEMBER(bounced)
	MEMBER(discarded)
	MEMBER(deleted)
	MEMBER(held)
	MEMBER(quarantined)
	MEMBER(queued)
	MEMBER(parked)
	MEMBER(lost)
	MEMBER(duplicates)
	MEMBER(damaged_lines)
	MEMBER(damaged_envelopes)
#undef MEMBER
	if (lost.len > 0)
		(void)buf_printf(&b, " (%s)", buf_str(&lost));
	buf_release(&lost);
	return buf_str(&b);
}

#define EVENTS_MAX 8

static const struct {
	const char *words;
	const char *events[EVENTS_MAX];
	const char *envelopes[EVENTS_MAX];
	const char *want;
} rows[] = {
	{ "nothing balances", { NULL }, { NULL }, "" },
	{ "each end has its column",
	  { "accepted " A " a@x", "delivered " A " a@x", "accepted " A " b@x",
	    "bounced " A " b@x", "accepted " B " a@x", "discarded " B " a@x",
	    "accepted " B " b@x", "deleted " B " b@x" },
	  { NULL },
	  "accepted=4 delivered=1 bounced=1 discarded=1 deleted=1" },
	{ "each state has its column",
	  { "accepted " A " a@x", "accepted " A " b@x", "accepted " B " a@x",
	    "accepted " B " b@x", "accepted " C " a@x" },
	  { "incoming " A " a@x", "filtering " A " b@x", "outgoing " B " a@x",
	    "hold " B " b@x", "quarantine " C " a@x" },
	  "accepted=5 held=1 quarantined=1 queued=3" },
	{ "deferred is queued, not an end",
	  { "accepted " A " a@x", "deferred " A " a@x", "deferred " A " a@x" },
	  { "outgoing " A " a@x" },
	  "accepted=1 queued=1" },
	{ "a notification of ours is own",
	  { "accepted " A " a@x own", "delivered " A " a@x" },
	  { NULL },
	  "accepted=1 own=1 delivered=1" },
	{ "children count under their ID",
	  { "accepted " A " a@x", "accepted " A " b@x", "delivered " A ".1 a@x",
	    "held " A ".2 b@x" },
	  { "hold " A ".2 b@x" },
	  "accepted=2 delivered=1 held=1" },
	{ "what is delivered twice is a duplicate",
	  { "accepted " A " a@x", "delivered " A " a@x", "delivered " A " a@x",
	    "delivered " A " a@x" },
	  { NULL },
	  "accepted=1 delivered=1 duplicates=2" },
	{ "finished, and still in the spool, is finished",
	  { "accepted " A " a@x", "delivered " A " a@x" },
	  { "outgoing " A " a@x" },
	  "accepted=1 delivered=1" },
	{ "in the spool and not in the ledger is unrecorded",
	  { NULL },
	  { "incoming " A " a@x b@x" },
	  "accepted=2 unrecorded=2 queued=2" },
	{ "accepted before the ledger begins is older",
	  { "delivered " A " a@x" },
	  { NULL },
	  "accepted=1 older=1 delivered=1" },
	{ "neither finished nor there is lost",
	  { "accepted " A " a@x", "accepted " A " b@x", "delivered " A " a@x" },
	  { NULL },
	  "accepted=2 delivered=1 lost=1 (" A " b@x)" },
	{ "deferred and then gone is lost",
	  { "accepted " A " a@x", "deferred " A " a@x" },
	  { NULL },
	  "accepted=1 lost=1 (" A " a@x)" },
	{ "a released one that is gone is lost",
	  { "accepted " A " a@x", "held " A " a@x", "released " A " a@x" },
	  { "outgoing " B " a@x" },
	  "accepted=2 unrecorded=1 queued=1 lost=1 (" A " a@x)" },
	{ "an envelope without its body is lost",
	  { "accepted " A " a@x" },
	  { "bodiless outgoing " A " a@x" },
	  "accepted=1 lost=1 (" A " a@x: its body is missing, or not of its "
	  "size)" },
	{ "an envelope without a body that the ledger does not know",
	  { NULL },
	  { "bodiless hold " A " a@x" },
	  "accepted=1 unrecorded=1 lost=1 (" A
	  " a@x: its body is missing, or not of its size)" },
	{ "parked for its missing body is not lost: it is told already",
	  { "accepted " A " a@x" },
	  { "bodiless corrupt " A " a@x" },
	  "accepted=1 parked=1" },
	{ "one that was damaged and deleted is deleted, whoever got it",
	  { "accepted " A " a@x", "accepted " A " b@x", "delivered " A " a@x",
	    "deleted " A ".1 " },
	  { NULL },
	  "accepted=2 delivered=1 deleted=1" },
	{ "an event without a recipient is no recipient",
	  { "parked " A " ", "accepted " A " a@x", "delivered " A " a@x" },
	  { NULL },
	  "accepted=1 delivered=1" },
};

static void
test_rows(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (int n = 0; n < EVENTS_MAX && rows[i].events[n]; n++)
			put_event(rows[i].events[n]);
		for (int n = 0; n < EVENTS_MAX && rows[i].envelopes[n]; n++)
			put_envelope(rows[i].envelopes[n]);
		CHECK_STR(audited(), rows[i].want, "%s", rows[i].words);
		spool_empty();
	}
}

static void
test_damage(void)
{
	put_event("accepted " A " a@x");
	put_event("accepted " B " a@x");
	put_event("accepted " C " a@x");
	put_damaged(STATE_CORRUPT, A, "");
	put_damaged(STATE_OUTGOING, B ".1", "");
	put_damaged(STATE_CORRUPT, C, "~1");
	CHECK_STR(audited(), "accepted=3 queued=1 parked=2 damaged_envelopes=3",
		  "recipients of files that cannot be read are with them");
	put_line("2026112214", "this is no line\n");
	put_line("2026112215", "2026-11-22T15:05:09.123456Z acce");
	CHECK_STR(audited(),
		  "accepted=3 queued=1 parked=2 damaged_lines=1 "
		  "damaged_envelopes=3",
		  "a damaged line is counted, a cut one is not");
	put_file("ledger/2026112216", "mcgate-ledger: 99\n", 18, 0);
	CHECK(str_has_prefix(audited(), "error: ledger 2026112216: of version"),
	      "a ledger of a newer version is refused");
	spool_empty();
}

static void
test_no_spool(void)
{
	char path[300];

	str_fmt(path, sizeof(path), "%s/ledger", dir);
	if (rmdir(path) < 0)
		exit(EXIT_FAILURE);
	CHECK(str_has_prefix(audited(), "error: ledger"),
	      "without a ledger there is no account");
}

/* Many recipients: the table grows, and all of them are found again. */
static void
test_many(void)
{
	char words[128];

	for (int i = 0; i < 10000; i++) {
		str_fmt(words, sizeof(words), "accepted " A " u%d@x", i);
		put_event(words);
	}
	for (int i = 0; i < 9999; i++) {
		str_fmt(words, sizeof(words), "delivered " A " u%d@x", i);
		put_event(words);
	}
	CHECK_STR(audited(),
		  "accepted=10000 delivered=9999 lost=1 (" A " u9999@x)",
		  "the one that is lost is found among many");
	spool_empty();
}

int
main(void)
{
	spool_make();
	test_rows();
	test_damage();
	test_many();
	test_no_spool();
	file_shut(&spool_fd);
	run("rm -rf", "");
	return check_done();
}
