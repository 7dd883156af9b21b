/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Writing the ledger: order, syncs, a new file after a failure, and what
 * store is given.
 */
#include "ledger_writer.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "file.h"
#include "loop.h"
#include "str.h"

#define DEADLINE_MS 20000
#define HOUR_US INT64_C(3600000000)

static char dir[200], grown_file[LEDGER_NAME_SIZE];
static int ledger_fd;
static uint64_t grown_size;
static size_t synced, trouble, all_well;
static struct timer deadline;
static bool is_late;

static void
on_grown(const char *file, uint64_t size)
{
	(void)str_copy(grown_file, sizeof(grown_file), file);
	grown_size = size;
}

static void
on_trouble(const char *why)
{
	if (why != NULL)
		trouble++;
	else
		all_well++;
}

static const struct ledger_writer_ops ops = { on_grown, on_trouble };

static void
on_late(void *arg)
{
	(void)arg;
	is_late = true;
	loop_stop();
}

static void
on_synced(void *arg)
{
	(void)arg;
	synced++;
	loop_stop();
}

static void
wait_sync(void)
{
	timer_set(&deadline, DEADLINE_MS);
	ledger_sync(on_synced, NULL);
	loop_run();
	timer_clear(&deadline);
}

static void
append(int64_t at_us, const char *rcpt)
{
	struct ledger_event ev = { .at_us = at_us,
				   .verb = LEDGER_ACCEPTED,
				   .name = "0000000000000001",
				   .rcpt = rcpt };

	ledger_append(&ev);
}

/* All recipients in the ledger from file on, in their order. */
static int
add_rcpt(void *arg, const struct ledger_event *ev)
{
	struct buf *b = arg;

	return buf_printf(b, "%s ", ev->rcpt);
}

static const char *
rcpts_from(const char *from)
{
	static struct buf b;
	static struct err e;

	buf_clear(&b);
	if (ledger_each(ledger_fd, from, add_rcpt, NULL, &b, &e) != 0)
		return e.text;
	return buf_str(&b);
}

static uint64_t
size_of(const char *file)
{
	struct stat st;

	return fstatat(ledger_fd, file, &st, 0) == 0 ? (uint64_t)st.st_size : 0;
}

static void
test_sync(int64_t at_us)
{
	char hour[LEDGER_NAME_SIZE];
	struct ledger_found found;
	struct err e;

	ledger_file(at_us, hour);
	append(at_us, "a@x");
	append(at_us, "b@x");
	wait_sync();
	CHECK_INT(synced, 1, "a sync is told");
	CHECK_STR(rcpts_from(hour), "a@x b@x ", "the lines are there");
	CHECK_STR(grown_file, hour, "in the file of their hour");
	CHECK_INT(grown_size, size_of(hour), "whose size is told");
	CHECK_INT(ledger_waiting(), 0, "nothing waits");
	wait_sync();
	CHECK_INT(synced, 2, "a sync of nothing new is told too");
	CHECK_INT(ledger_find("", "", &found, &e), 1, "store finds the file");
	CHECK_STR(found.file, hour, "by its name");
	CHECK_INT(found.size, grown_size, "and durable size");
	CHECK(!found.is_closed, "which may grow");
	file_shut(&found.fd);
	CHECK_INT(ledger_find(hour, "", &found, &e), 0, "and no other");
	CHECK(ledger_find("", "../lock", &found, &e) < 0,
	      "names are those of the ledger");
}

static void
test_next_hour(int64_t at_us)
{
	char hour[LEDGER_NAME_SIZE], old[LEDGER_NAME_SIZE];
	struct ledger_found found;
	struct err e;

	ledger_file(at_us, old);
	ledger_file(at_us + HOUR_US, hour);
	append(at_us, "c@x");
	append(at_us + HOUR_US, "d@x");
	append(at_us, "late@x");
	wait_sync();
	CHECK_STR(rcpts_from(hour), "d@x late@x ",
		  "a clock that goes back does not open an old file");
	CHECK_STR(rcpts_from(old), "a@x b@x c@x d@x late@x ",
		  "all lines are in order");
	CHECK(ledger_find("", old, &found, &e) == 1 && found.is_closed,
	      "the old file is closed");
	file_shut(&found.fd);
}

/* A folder in the file's place is a file that cannot be written. */
static void
test_failure(int64_t at_us)
{
	char hour[LEDGER_NAME_SIZE], letter[LEDGER_NAME_SIZE + 1];

	ledger_file(at_us + 2 * HOUR_US, hour);
	(void)str_fmt(letter, sizeof(letter), "%sa", hour);
	if (mkdirat(ledger_fd, hour, 0700) != 0)
		abort();
	append(at_us + 2 * HOUR_US, "e@x");
	wait_sync();
	CHECK_INT(trouble, 1, "the failure is told");
	CHECK_INT(all_well, 1, "and that it is over");
	CHECK_STR(rcpts_from(letter), "e@x ", "the lines are in a new file");
	CHECK_STR(grown_file, letter, "which is told");
	append(at_us + 2 * HOUR_US, "f@x");
	wait_sync();
	CHECK_STR(rcpts_from(letter), "e@x f@x ", "and goes on");
	if (unlinkat(ledger_fd, hour, AT_REMOVEDIR) != 0)
		abort();
}

static void
test_restart(int64_t at_us)
{
	char letter[LEDGER_NAME_SIZE + 1], hour[LEDGER_NAME_SIZE];
	int fd;

	ledger_file(at_us + 2 * HOUR_US, hour);
	(void)str_fmt(letter, sizeof(letter), "%sa", hour);
	fd = file_open(ledger_fd, letter, O_WRONLY | O_APPEND, 0);
	if (file_write_all(fd, "2026-11-23T14 cut by a cra", 26) != 0)
		abort();
	file_shut(&fd);
	append(at_us + 2 * HOUR_US, "g@x");
	wait_sync();
	CHECK_STR(rcpts_from(letter), "e@x f@x g@x ",
		  "after a crash the last file goes on, its cut line is off");
}

int
main(void)
{
	const char *top = getenv("TMPDIR");
	int64_t at_us = clock_wall_us() / HOUR_US * HOUR_US;
	char command[300];

	(void)str_fmt(dir, sizeof(dir), "%s/ledger.XXXXXX",
		      top != NULL ? top : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	ledger_fd = file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	loop_init();
	timer_init(&deadline, on_late, NULL);
	ledger_writer_start(ledger_fd, &ops);
	test_sync(at_us);
	test_next_hour(at_us);
	test_failure(at_us);
	ledger_writer_stop();
	ledger_writer_start(ledger_fd, &ops);
	test_restart(at_us);
	append(at_us + 2 * HOUR_US, "h@x");
	ledger_writer_stop();
	CHECK(strstr(rcpts_from(""), "g@x h@x ") != NULL,
	      "a stop writes what waits");
	CHECK(!is_late, "all came in time");
	file_shut(&ledger_fd);
	(void)str_fmt(command, sizeof(command), "rm -rf '%s'", dir);
	if (system(command) != 0)
		return EXIT_FAILURE;
	return check_done();
}
