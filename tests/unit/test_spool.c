/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * IDs, paths and folders of the spool, reading envelopes from it, and
 * walking it with strays in it.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "check.h"
#include "file.h"
#include "str.h"

static char dir[200];
static int spool_fd;

static const struct id_row {
	struct id_parts parts;
	const char *id, *folder;
} id_rows[] = {
	{ { 0, 0, 0 }, "0000000000000000", "00" },
	{ { 1, 2, 3 }, "0000000000804003", "00" },
	{ { 1048576, 0, 0 }, "0000008000000000", "01" },
	{ { INT64_C(63) << 20, 0, 0 }, "00000fr000000000", "3f" },
	{ { INT64_C(64) << 20, 0, 0 }, "00000g0000000000", "00" },
	{ { (INT64_C(1) << 52) - 1, 4095, 65535 }, "zzzzzzzzzzzzzzzz", "3f" },
};

static void
test_ids(void)
{
	char id[ENVELOPE_ID_LEN + 1], folder[3];
	struct id_parts parts;
	size_t i;

	for (i = 0; i < sizeof(id_rows) / sizeof(id_rows[0]); i++) {
		const struct id_row *row = &id_rows[i];

		id_make(&row->parts, id);
		CHECK_STR(id, row->id, "an ID of time %lld",
			  (long long)row->parts.wall_us);
		CHECK(envelope_name_valid(id, false), "%s is a valid name", id);
		CHECK(id_parse(id, &parts) == 0 &&
			      parts.wall_us == row->parts.wall_us &&
			      parts.node == row->parts.node &&
			      parts.sequence == row->parts.sequence,
		      "%s is read back", id);
		spool_folder(id, folder);
		CHECK_STR(folder, row->folder, "the folder of %s", id);
	}
}

static void
test_id_order(void)
{
	char before[ENVELOPE_ID_LEN + 1] = "", id[ENVELOPE_ID_LEN + 1];
	struct id_parts parts = { 0, 5, 9 }, back;
	int i, good = 0;

	for (i = 0; i < 1000; i++) {
		parts.wall_us += 1 + parts.wall_us / 50;
		parts.sequence = (unsigned)(i * 7919) & 0xffff;
		id_make(&parts, id);
		good += strcmp(before, id) < 0 && id_parse(id, &back) == 0 &&
			back.wall_us == parts.wall_us && back.node == 5 &&
			back.sequence == parts.sequence;
		str_copy(before, sizeof(before), id);
	}
	CHECK_INT(good, 1000, "IDs sort by their time");
}

static const char *const not_ids[] = { "",
				       "0",
				       "000000000000000",
				       "00000000000000000",
				       "000000000000000i",
				       "000000000000000A",
				       "000000000000000/",
				       "../../../../../x",
				       "0000000000000000.",
				       "0000000000000000.0",
				       "0000000000000000.01",
				       "0000000000000000.x",
				       "0000000000000000.c",
				       ".0000000000000000",
				       "0000000000000000.99999999",
				       "0000000000000000/1" };

static void
test_not_ids(void)
{
	char path[SPOOL_PATH_SIZE];
	struct id_parts parts;
	size_t i;

	for (i = 0; i < sizeof(not_ids) / sizeof(not_ids[0]); i++) {
		CHECK(id_parse(not_ids[i], &parts) != 0, "\"%s\" is no ID",
		      not_ids[i]);
		spool_envelope_path(STATE_HOLD, not_ids[i], path);
		CHECK_STR(path, "", "\"%s\" has no path", not_ids[i]);
	}
}

static void
test_paths(void)
{
	char path[SPOOL_PATH_SIZE];

	spool_envelope_path(STATE_QUARANTINE, "00000fr000000000.256", path);
	CHECK_STR(path, "quarantine/3f/00000fr000000000.256",
		  "the path of an envelope");
	spool_envelope_tmp(STATE_INCOMING, "0000008000000000", path);
	CHECK_STR(path, "incoming/01/.0000008000000000.tmp",
		  "the path of one being written");
	spool_body_path("0000008000000000", path);
	CHECK_STR(path, "body/01/0000008000000000", "the path of a body");
	spool_body_path("0000008000000000.c", path);
	CHECK_STR(path, "body/01/0000008000000000.c",
		  "the path of a cleaned body");
	spool_body_path("0000008000000000.1", path);
	CHECK_STR(path, "", "a child has no body of its own");
	spool_body_path("../etc/passwd", path);
	CHECK_STR(path, "", "nor has anything else");
}

static int
mode_of(const char *path)
{
	struct stat st;

	return fstatat(spool_fd, path, &st, 0) == 0 ? (int)st.st_mode : -1;
}

static void
test_folders(void)
{
	int i, k, good = 0;
	char path[64];
	struct err e = { "" };

	CHECK_INT(spool_make_folders(spool_fd, &e), 0, "folders are made: %s",
		  e.text);
	for (i = 0; i < STATE_COUNT; i++) {
		for (k = 0; k < SPOOL_FOLDERS; k++) {
			snprintf(path, sizeof(path), "%s/%02x",
				 state_name((enum state)i), (unsigned)k);
			good += mode_of(path) == (S_IFDIR | 0700);
		}
	}
	CHECK_INT(good, STATE_COUNT * SPOOL_FOLDERS, "64 for each state");
	CHECK(mode_of("body/00") == (S_IFDIR | 0700) &&
		      mode_of("body/3f") == (S_IFDIR | 0700) &&
		      mode_of("ledger") == (S_IFDIR | 0700),
	      "those of bodies and ledger too");
	CHECK_INT(unlinkat(spool_fd, "hold/2a", AT_REMOVEDIR), 0,
		  "one is taken away");
	CHECK(spool_make_folders(spool_fd, &e) == 0 &&
		      mode_of("hold/2a") == (S_IFDIR | 0700),
	      "and made again");
}

static void
put_file(const char *path, const void *p, size_t len)
{
	int fd = file_open(spool_fd, path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (fd < 0 || file_write_all(fd, p, len) != 0) {
		perror(path);
		abort();
	}
	file_shut(&fd);
}

/* An envelope of that name in the file of the other. */
static void
put_envelope(enum state s, const char *name, const char *file)
{
	struct rcpt rcpt = { .address = "a@b.example",
			     .orcpt = "",
			     .notify = "",
			     .status = "" };
	struct buf text = { .limit = 0 };
	char path[SPOOL_PATH_SIZE];
	struct envelope env;
	struct err e;

	envelope_init(&env);
	str_copy(env.name, sizeof(env.name), name);
	env.generation = 1;
	env.body = "0000008000000000";
	env.rcpts = &rcpt;
	env.rcpt_count = 1;
	if (envelope_write(&env, &text, &e) != 0) {
		printf("# %s\n", e.text);
		abort();
	}
	spool_envelope_path(s, file, path);
	put_file(path, text.data, text.len);
	buf_release(&text);
}

static void
reads(const char *name, enum envelope_result want, const char *text,
      const char *words)
{
	struct arena a = { .head = NULL };
	struct envelope env;
	struct err e = { "" };
	enum envelope_result got;

	got = spool_read_envelope(spool_fd, STATE_HOLD, name, &a, &env, &e);
	CHECK(got == want && strstr(e.text, text) != NULL &&
		      (text[0] != '\0' || e.text[0] == '\0'),
	      "%s: %s", words, e.text);
	arena_release(&a);
}

static void
test_read(void)
{
	put_envelope(STATE_HOLD, "0000008000000000", "0000008000000000");
	put_envelope(STATE_HOLD, "0000008000000001", "0000008000000002");
	put_file("hold/01/0000008000000003", "mcgate", 6);
	put_file("hold/01/0000008000000004", "", 0);
	if (mkdirat(spool_fd, "hold/01/0000008000000005", 0700) != 0 ||
	    mkfifoat(spool_fd, "hold/01/0000008000000006", 0600) != 0 ||
	    symlinkat("0000008000000000", spool_fd,
		      "hold/01/0000008000000007") != 0)
		abort();
	reads("0000008000000000", ENVELOPE_OK, "", "an envelope is read");
	reads("0000008000000009", ENVELOPE_BAD, "",
	      "one that is not there is known by its empty text");
	reads("../../etc/passwd", ENVELOPE_BAD, "",
	      "a name that is none is not there");
	reads("0000008000000002", ENVELOPE_BAD,
	      "is the envelope of 0000008000000001",
	      "another's envelope is refused");
	reads("0000008000000003", ENVELOPE_BAD, "hold/01/0000008000000003",
	      "a damaged one is refused with its path");
	reads("0000008000000004", ENVELOPE_BAD, "hold/01/0000008000000004",
	      "an empty one too");
	reads("0000008000000005", ENVELOPE_BAD, "not a file",
	      "a folder is refused");
	reads("0000008000000006", ENVELOPE_BAD, "not a file",
	      "a fifo is refused and nobody waits for it");
	reads("0000008000000007", ENVELOPE_BAD, "hold/01/0000008000000007",
	      "a link is not followed");
}

static void
test_read_later(void)
{
	struct arena a = { .head = NULL };
	struct rlimit limit, few;
	struct envelope env;
	enum envelope_result got;
	struct err e = { "" };

	getrlimit(RLIMIT_NOFILE, &limit);
	few = limit;
	few.rlim_cur = (rlim_t)spool_fd + 1;
	setrlimit(RLIMIT_NOFILE, &few);
	got = spool_read_envelope(spool_fd, STATE_HOLD, "0000008000000000", &a,
				  &env, &e);
	setrlimit(RLIMIT_NOFILE, &limit);
	CHECK(got == ENVELOPE_LATER,
	      "without descriptors it is later, not damaged: %s", e.text);
	arena_release(&a);
}

struct seen {
	struct buf names;
	int stop_at, count;
};

static int
see(void *arg, enum state s, const char *name, int is_stray)
{
	struct seen *seen = arg;

	buf_printf(&seen->names, "%s%s%s ", s == STATE_OUTGOING ? "" : "?",
		   is_stray ? "!" : "", name);
	return ++seen->count == seen->stop_at ? 42 : 0;
}

static int
see_body(void *arg, const char *body, int is_stray)
{
	return see(arg, STATE_OUTGOING, body, is_stray);
}

static void
test_scan(void)
{
	struct seen seen = { .stop_at = 0 };
	struct err e = { "" };

	CHECK_INT(spool_scan(spool_fd, STATE_OUTGOING, see, &seen, &e), 0,
		  "an empty state is scanned");
	CHECK_INT(seen.count, 0, "and nothing found");
	put_file("outgoing/01/0000008000000007", "", 0);
	put_file("outgoing/01/0000008000000000", "", 0);
	put_file("outgoing/01/0000008000000000.2", "", 0);
	put_file("outgoing/01/.0000008000000000.tmp", "", 0);
	put_file("outgoing/01/core", "", 0);
	put_file("outgoing/00/0000008000000000", "", 0);
	put_file("outgoing/3f/00000fr000000000", "", 0);
	CHECK_INT(spool_scan(spool_fd, STATE_OUTGOING, see, &seen, &e), 0,
		  "a state is scanned");
	CHECK_STR(buf_str(&seen.names),
		  "!00/0000008000000000 !01/.0000008000000000.tmp "
		  "0000008000000000 0000008000000000.2 0000008000000007 "
		  "!01/core 00000fr000000000 ",
		  "sorted within a folder, strays with their folder");
	buf_clear(&seen.names);
	seen.count = 0;
	seen.stop_at = 2;
	CHECK_INT(spool_scan(spool_fd, STATE_OUTGOING, see, &seen, &e), 42,
		  "the function stops a scan with its own answer");
	CHECK_INT(seen.count, 2, "at once");
	seen.stop_at = 0;
	buf_clear(&seen.names);
	put_file("body/01/0000008000000000", "", 0);
	put_file("body/01/0000008000000000.c", "", 0);
	put_file("body/01/0000008000000000.1", "", 0);
	CHECK_INT(spool_scan_bodies(spool_fd, see_body, &seen, &e), 0,
		  "bodies are scanned");
	CHECK_STR(buf_str(&seen.names),
		  "0000008000000000 !01/0000008000000000.1 "
		  "0000008000000000.c ",
		  "with their strays");
	if (renameat(spool_fd, "outgoing/20", spool_fd, "outgoing/xx") != 0)
		abort();
	CHECK(spool_scan(spool_fd, STATE_OUTGOING, see, &seen, &e) == -1 &&
		      strstr(e.text, "outgoing/20") != NULL,
	      "a folder that cannot be read is an error: %s", e.text);
	buf_release(&seen.names);
}

/* Takes away all below the folder. */
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

	snprintf(dir, sizeof(dir), "%s/mcgate-spool.XXXXXX",
		 tmp ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	spool_fd = file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	test_ids();
	test_id_order();
	test_not_ids();
	test_paths();
	test_folders();
	test_read();
	test_read_later();
	test_scan();
	file_shut(&spool_fd);
	remove_all();
	return check_done();
}
