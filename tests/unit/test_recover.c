/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The start over made-up spools: what crashes, damage and newer versions
 * leave behind, and what becomes of it.
 */
#include "recover.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broom.h"
#include "check.h"
#include "clock.h"
#include "committer.h"
#include "deliver.h"
#include "file.h"
#include "health.h"
#include "keep.h"
#include "ledger_writer.h"
#include "log.h"
#include "loop.h"
#include "message.h"
#include "peer.h"
#include "queue_act.h"
#include "schedule.h"
#include "spool.h"
#include "stage.h"
#include "str.h"

#define DEADLINE_MS 20000
#define SIZE 20 /* of every body */

static char dir[200];
static int fd; /* of the spool */
static char ids[8][ENVELOPE_ID_LEN + 1];
static struct timer look;
static int64_t end_ms;

/* A spool is made. */

static void
put(const char *path, const char *text, size_t len)
{
	int f = file_open(fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (f < 0 || file_write_all(f, text, len) != 0)
		abort();
	file_shut(&f);
}

static void
put_body(const char *id, size_t size)
{
	static const char text[SIZE * 2 + 1] =
		"0123456789012345678901234567890123456789";
	char path[SPOOL_PATH_SIZE];

	spool_body_path(id, path);
	put(path, text, size);
}

static const char *const rcpt_names[] = { "a@one.example", "b@two.example",
					  "c@one.example" };

static void
fill(struct envelope *env, const char *name, uint64_t generation,
     struct rcpt *rcpts)
{
	static char id[ENVELOPE_ID_LEN + 1];
	size_t i;

	envelope_init(env);
	(void)str_copy(env->name, sizeof(env->name), name);
	keep_id_of(name, id);
	env->body = id;
	env->size = SIZE;
	env->generation = generation;
	env->received_us = clock_wall_us();
	env->sender = "s@one.example";
	env->rcpts = rcpts;
	env->rcpt_count = 3;
	for (i = 0; i < 3; i++)
		rcpts[i] = (struct rcpt){ .address = rcpt_names[i],
					  .orcpt = "",
					  .notify = "",
					  .status = "" };
}

static void
put_text(enum state s, const char *name, const struct envelope *env)
{
	struct buf text = { .limit = 0 };
	char path[SPOOL_PATH_SIZE];
	struct err e;

	if (envelope_write(env, &text, &e) != 0)
		bug("%s", e.text);
	spool_envelope_path(s, name, path);
	put(path, text.data, text.len);
	buf_release(&text);
}

static void
put_envelope(enum state s, const char *name, uint64_t generation)
{
	struct rcpt rcpts[3];
	struct envelope env;

	fill(&env, name, generation, rcpts);
	put_text(s, name, &env);
}

static void
put_mail(enum state s, const char *name)
{
	char id[ENVELOPE_ID_LEN + 1];

	keep_id_of(name, id);
	put_body(id, SIZE);
	put_envelope(s, name, 1);
}

/* A parent in filtering that is being split in two. */
static void
put_parent(const char *name)
{
	struct child children[2] = {
		{ .number = 1, .state = STATE_OUTGOING, .reason = "" },
		{ .number = 2, .state = STATE_HOLD, .reason = "held" },
	};
	struct rcpt rcpts[3];
	struct envelope env;

	fill(&env, name, 2, rcpts);
	rcpts[0].child = rcpts[2].child = 1;
	rcpts[1].child = 2;
	env.children = children;
	env.child_count = 2;
	put_text(STATE_FILTERING, name, &env);
}

/* And looked at. */

static bool
is_file(const char *path)
{
	return faccessat(fd, path, F_OK, 0) == 0;
}

static bool
is_in(enum state s, const char *name)
{
	char path[SPOOL_PATH_SIZE];

	spool_envelope_path(s, name, path);
	return is_file(path);
}

static bool
has_body(const char *id)
{
	char path[SPOOL_PATH_SIZE];

	spool_body_path(id, path);
	return is_file(path);
}

static bool
knows(enum state s, const char *name)
{
	struct message *m = message_find(name);

	return m != NULL && !m->is_gone && m->state == (uint8_t)s;
}

static void
on_look(void *arg)
{
	(void)arg;
	loop_stop();
}

/* Runs the loop until ready, or the deadline. */
static bool
wait_for(bool (*ready)(void))
{
	end_ms = clock_mono_ms() + DEADLINE_MS;
	while (!ready() && clock_mono_ms() < end_ms) {
		timer_set(&look, 5);
		loop_run();
	}
	return ready();
}

static bool
is_quiet(void)
{
	return committer_pending() == 0 && ledger_waiting() == 0;
}

static void
on_grown(const char *file, uint64_t size)
{
	(void)file;
	(void)size;
}

static const struct ledger_writer_ops ledger_ops = { on_grown, health_ledger };

static void
no_message(struct message *m)
{
	(void)m;
}

static int
start(void)
{
	struct err e;
	int result;

	if (keep_open(dir, 0, &e) != 0)
		bug("%s", e.text);
	health_init();
	broom_init();
	committer_start(keep_fd(), keep_key(), 2);
	ledger_writer_start(keep_ledger_fd(), &ledger_ops);
	schedule_init(deliver_start, NULL);
	deliver_init(no_message);
	stage_init(no_message);
	stage_stop(); /* no message moves on from where it is found */
	result = recover_run(&e);
	if (!wait_for(is_quiet))
		return -1;
	return result;
}

static void
stop(void)
{
	struct message *m;

	committer_stop();
	ledger_writer_stop();
	for (m = message_after(""); m != NULL; m = message_after(m->name)) {
		if (m->groups != NULL)
			schedule_drop(m);
	}
	message_free_all();
	recover_release();
	stage_release();
	schedule_release();
	broom_release();
	health_release();
	keep_close();
}

static void
clear(void)
{
	static unsigned n;
	char command[500];
	struct err e;
	size_t i;

	(void)str_fmt(command, sizeof(command), "rm -rf '%s'/*", dir);
	if (system(command) != 0 || spool_make_folders(fd, &e) != 0)
		abort();
	for (i = 0; i < 8; i++) {
		struct id_parts parts = {
			.wall_us = clock_wall_us() + (int64_t)++n,
		};

		id_make(&parts, ids[i]);
	}
}

/* Cases. */

static void
test_ordinary(void)
{
	clear();
	put_mail(STATE_INCOMING, ids[0]);
	put_mail(STATE_FILTERING, ids[1]);
	put_mail(STATE_OUTGOING, ids[2]);
	put_mail(STATE_HOLD, ids[3]);
	put_mail(STATE_QUARANTINE, ids[4]);
	put_mail(STATE_CORRUPT, ids[5]);
	CHECK_INT(start(), 0, "an ordinary spool starts");
	CHECK(knows(STATE_INCOMING, ids[0]) && knows(STATE_FILTERING, ids[1]) &&
		      knows(STATE_OUTGOING, ids[2]) &&
		      knows(STATE_HOLD, ids[3]) &&
		      knows(STATE_QUARANTINE, ids[4]) &&
		      knows(STATE_CORRUPT, ids[5]),
	      "each message is in its state");
	CHECK_INT(message_bytes(), 3 * SIZE, "bytes of the queues are known");
	CHECK_INT(message_find(ids[2])->group_count, 2,
		  "a message in outgoing has its domains");
	CHECK(has_body(ids[4]) && has_body(ids[5]),
	      "bodies of what is parked stay");
	stop();
}

static void
test_orphans(void)
{
	char path[SPOOL_PATH_SIZE];

	clear();
	put_body(ids[0], SIZE);
	put_mail(STATE_INCOMING, ids[1]);
	spool_envelope_tmp(STATE_INCOMING, ids[2], path);
	put(path, "half", 4);
	put("body/00/.probe", "probe\n", 6);
	CHECK_INT(start(), 0, "a spool with leavings starts");
	CHECK(!has_body(ids[0]), "a body without an envelope is removed");
	CHECK(has_body(ids[1]), "one that has one stays");
	CHECK(!is_file(path), "a temporary file is removed");
	CHECK(!is_file("body/00/.probe"), "so is a probe");
	stop();
}

static void
test_doubles(void)
{
	clear();
	put_mail(STATE_FILTERING, ids[0]);
	put_envelope(STATE_OUTGOING, ids[0], 2);
	put_mail(STATE_OUTGOING, ids[1]);
	put_envelope(STATE_HOLD, ids[1], 3);
	put_mail(STATE_INCOMING, ids[2]);
	put_envelope(STATE_FILTERING, ids[2], 1);
	put_mail(STATE_FILTERING, ids[3]);
	put_envelope(STATE_QUARANTINE, ids[3], 2);
	CHECK_INT(start(), 0, "a spool with doubles starts");
	CHECK(knows(STATE_OUTGOING, ids[0]) && !is_in(STATE_FILTERING, ids[0]),
	      "the higher generation wins in outgoing");
	CHECK(knows(STATE_HOLD, ids[1]) && !is_in(STATE_OUTGOING, ids[1]),
	      "and in hold");
	CHECK(knows(STATE_FILTERING, ids[2]) && !is_in(STATE_INCOMING, ids[2]),
	      "of equal ones that in filtering");
	CHECK(knows(STATE_QUARANTINE, ids[3]) &&
		      !is_in(STATE_FILTERING, ids[3]),
	      "and in quarantine, which is not read else");
	stop();
}

static void
test_damage(void)
{
	char path[SPOOL_PATH_SIZE];

	clear();
	put_mail(STATE_OUTGOING, ids[0]);
	spool_envelope_path(STATE_OUTGOING, ids[0], path);
	put(path, "mcgate-envelope: 1\nrub", 22);
	put_mail(STATE_OUTGOING, ids[1]);
	spool_envelope_path(STATE_OUTGOING, ids[1], path);
	put(path, "mcgate-envelope: 99\n", 20);
	put_envelope(STATE_INCOMING, ids[2], 1);
	put_mail(STATE_INCOMING, ids[3]);
	put_body(ids[3], SIZE - 1);
	put_mail(STATE_FILTERING, ids[4]);
	spool_envelope_path(STATE_OUTGOING, ids[4], path);
	put(path, "", 0);
	put_mail(STATE_OUTGOING, ids[5]);
	CHECK_INT(start(), 0, "a damaged spool starts");
	CHECK(knows(STATE_CORRUPT, ids[0]) && is_in(STATE_CORRUPT, ids[0]),
	      "a damaged envelope is parked");
	CHECK(has_body(ids[0]), "and its body stays");
	CHECK(is_in(STATE_CORRUPT, ids[1]), "so is one of a newer version");
	CHECK(is_in(STATE_CORRUPT, ids[2]), "and one without a body");
	CHECK(is_in(STATE_CORRUPT, ids[3]), "and one with a short body");
	CHECK(knows(STATE_FILTERING, ids[4]),
	      "where one of two is damaged the other is the message");
	CHECK(knows(STATE_OUTGOING, ids[5]), "others are not harmed");
	stop();
}

static bool
is_split(void)
{
	return message_find(ids[0]) == NULL;
}

static void
test_split(int with_child)
{
	char child[2][ENVELOPE_NAME_SIZE];
	struct arena a = { 0 };
	struct envelope env;
	struct err e;
	int i;

	clear();
	for (i = 0; i < 2; i++)
		(void)str_fmt(child[i], sizeof(child[i]), "%s.%d", ids[0],
			      i + 1);
	put_body(ids[0], SIZE);
	put_parent(ids[0]);
	if (with_child)
		put_envelope(STATE_OUTGOING, child[0], 3);
	CHECK_INT(start(), 0, "a split that was cut short is found");
	CHECK(wait_for(is_split), "and is made");
	CHECK(!is_in(STATE_FILTERING, ids[0]), "the parent is gone");
	CHECK(knows(STATE_OUTGOING, child[0]) && knows(STATE_HOLD, child[1]),
	      "the children are where they belong");
	CHECK(has_body(ids[0]), "the body stays");
	CHECK(spool_read_envelope(fd, STATE_OUTGOING, child[0], &a, &env, &e) ==
			      ENVELOPE_OK &&
		      env.rcpt_count == 2 &&
		      str_eq(env.rcpts[1].address, rcpt_names[2]),
	      "each with its recipients");
	arena_release(&a);
	stop();
}

static int
count_recovered(void *arg, const struct ledger_event *ev)
{
	*(size_t *)arg += ev->verb == LEDGER_ACCEPTED && ev->is_recovered;
	return 0;
}

static size_t
recovered(void)
{
	int ledger = file_open(fd, "ledger", O_RDONLY | O_DIRECTORY, 0);
	size_t n = 0;
	struct err e;

	if (ledger_each(ledger, "", count_recovered, NULL, &n, &e) != 0)
		n = 999;
	file_shut(&ledger);
	return n;
}

static void
test_ledger(void)
{
	clear();
	put_mail(STATE_INCOMING, ids[0]);
	put_mail(STATE_OUTGOING, ids[1]);
	CHECK_INT(start(), 0, "a spool without a ledger starts");
	stop();
	CHECK_INT(recovered(), 6, "its accepted lines are written again");
	CHECK_INT(start(), 0, "it starts once more");
	stop();
	CHECK_INT(recovered(), 6, "lines that are there are not");
	put_mail(STATE_INCOMING, ids[2]);
	CHECK_INT(start(), 0, "and with a message the ledger does not know");
	stop();
	CHECK_INT(recovered(), 9, "only its lines are written");
}

/* Bodies that bring their envelope. */

static const struct trailer_key foreign = { { 1, 2 } };

static void
put_sealed(const char *id, const struct trailer_key *with, uint32_t harm)
{
	struct buf text = { .limit = 0 }, all = { .limit = 0 };
	char path[SPOOL_PATH_SIZE], end[TRAILER_END_SIZE];
	struct rcpt rcpts[3];
	struct envelope env;
	struct err e;

	fill(&env, id, 1, rcpts);
	if (envelope_write(&env, &text, &e) != 0)
		bug("%s", e.text);
	(void)buf_add(&all, "01234567890123456789", SIZE);
	trailer_end(with, buf_span(&text),
		    crc32_update(0, all.data, SIZE) + harm, end);
	(void)buf_add_span(&all, buf_span(&text));
	(void)buf_add(&all, end, sizeof(end));
	spool_body_path(id, path);
	put(path, all.data, all.len);
	buf_release(&all);
	buf_release(&text);
}

static void
link_to(enum state s, const char *id)
{
	char body[SPOOL_PATH_SIZE], path[SPOOL_PATH_SIZE];

	spool_body_path(id, body);
	spool_envelope_path(s, id, path);
	if (linkat(fd, body, fd, path, 0) != 0)
		abort();
}

/* A line of the ledger, in the hour of at_us. */
static void
put_line(enum ledger_verb verb, const char *name, const char *rcpt,
	 int64_t at_us)
{
	struct ledger_event ev = {
		.at_us = at_us, .verb = verb, .name = name, .rcpt = rcpt
	};
	int ledger = file_open(fd, "ledger", O_RDONLY | O_DIRECTORY, 0), f;
	struct buf line = { .limit = 0 };
	char file[LEDGER_NAME_SIZE];
	uint64_t size;
	struct err e;

	ledger_file(at_us, file);
	f = ledger_open(ledger, file, &size, &e);
	if (f < 0 || ledger_write(&ev, &line) != 0 ||
	    file_write_all(f, line.data, line.len) != 0)
		abort();
	buf_release(&line);
	file_shut(&f);
	file_shut(&ledger);
}

/* The spool's key, which the first start makes. */
static const struct trailer_key *
our_key(void)
{
	static struct trailer_key key;

	if (start() != 0)
		abort();
	key = *keep_key();
	stop();
	return &key;
}

static size_t
rcpts_of(enum state s, const char *id)
{
	struct arena a = { 0 };
	struct envelope env;
	struct err e;
	size_t n = 99;

	if (spool_read_envelope(fd, s, id, &a, &env, &e) == ENVELOPE_OK)
		n = env.rcpt_count;
	arena_release(&a);
	return n;
}

static void
test_sealed(void)
{
	const struct trailer_key *key;

	clear();
	key = our_key();
	put_sealed(ids[0], key, 0);
	link_to(STATE_INCOMING, ids[0]);
	put_sealed(ids[1], key, 0);
	put_sealed(ids[2], key, 1);
	put_sealed(ids[3], &foreign, 0);
	put_sealed(ids[4], key, 1);
	put_line(LEDGER_ACCEPTED, ids[4], rcpt_names[0], clock_wall_us());
	put_sealed(ids[5], key, 0);
	link_to(STATE_INCOMING, ids[5]);
	link_to(STATE_FILTERING, ids[5]);
	CHECK_INT(start(), 0, "a spool with sealed bodies starts");
	CHECK(knows(STATE_INCOMING, ids[0]), "one with its envelope is known");
	CHECK(knows(STATE_INCOMING, ids[1]) && is_in(STATE_INCOMING, ids[1]),
	      "one without is made again");
	CHECK_INT(rcpts_of(STATE_INCOMING, ids[1]), 3, "for all recipients");
	CHECK(message_find(ids[2]) == NULL && !has_body(ids[2]),
	      "one that had not come to the disk whole goes");
	CHECK(knows(STATE_CORRUPT, ids[3]) && is_in(STATE_CORRUPT, ids[3]) &&
		      has_body(ids[3]),
	      "one that was not sealed by us is parked");
	CHECK(knows(STATE_CORRUPT, ids[4]) && has_body(ids[4]),
	      "so is a damaged one that the ledger knows as accepted");
	CHECK(knows(STATE_FILTERING, ids[5]) && !is_in(STATE_INCOMING, ids[5]),
	      "of two names of one body that in filtering is the message");
	stop();
	CHECK_INT(recovered(), 15, "accepted lines are written for all");
	CHECK_INT(start(), 0, "and starts again");
	CHECK(knows(STATE_INCOMING, ids[1]) && knows(STATE_CORRUPT, ids[3]),
	      "with the same");
	stop();
}

static void
test_came_back(void)
{
	const struct trailer_key *key;
	int64_t now = clock_wall_us();
	char child[ENVELOPE_NAME_SIZE];
	int i;

	clear();
	key = our_key();
	for (i = 0; i < 4; i++)
		put_sealed(ids[i], key, 0);
	(void)str_fmt(child, sizeof(child), "%s.2", ids[0]);
	put_line(LEDGER_DELIVERED, ids[0], rcpt_names[0], now);
	put_line(LEDGER_BOUNCED, child, rcpt_names[1], now);
	put_line(LEDGER_DELETED, child, rcpt_names[2], now);
	put_line(LEDGER_DEFERRED, ids[1], rcpt_names[0], now);
	put_line(LEDGER_DELIVERED, ids[1], rcpt_names[1], now);
	put_line(LEDGER_DELIVERED, ids[1], rcpt_names[1], now);
	put_line(LEDGER_HELD, ids[2], rcpt_names[0], now);
	CHECK_INT(start(), 0, "a spool with bodies that came back starts");
	CHECK(message_find(ids[0]) == NULL && !has_body(ids[0]),
	      "one whose recipients have all they were to have goes");
	CHECK(knows(STATE_INCOMING, ids[1]), "one with some left is mail");
	CHECK_INT(rcpts_of(STATE_INCOMING, ids[1]), 2, "for those");
	CHECK_INT(rcpts_of(STATE_INCOMING, ids[2]), 3,
		  "what is no result counts for nothing");
	CHECK_INT(rcpts_of(STATE_INCOMING, ids[3]), 3,
		  "what the ledger does not know is for all");
	stop();
	CHECK_INT(start(), 0, "and starts again");
	CHECK_INT(rcpts_of(STATE_INCOMING, ids[1]), 2, "with the same");
	stop();
}

/* A result in a file that is not among the last. */
static void
test_long_ago(void)
{
	struct id_parts parts = { .wall_us = clock_wall_us() - 86400000000 };
	const struct trailer_key *key;
	char old[ENVELOPE_ID_LEN + 1];
	int i;

	clear();
	key = our_key();
	id_make(&parts, old);
	put_sealed(old, key, 0);
	put_line(LEDGER_DELIVERED, old, rcpt_names[0], parts.wall_us + 10);
	put_line(LEDGER_DELIVERED, old, rcpt_names[2],
		 parts.wall_us + 5 * 3600000000);
	for (i = 5; i >= 0; i--)
		put_line(LEDGER_ACCEPTED, ids[0], rcpt_names[0],
			 clock_wall_us() - i * 3600000000);
	CHECK_INT(start(), 0, "a spool with a body of yesterday starts");
	CHECK_INT(rcpts_of(STATE_INCOMING, old), 1,
		  "results are found in older files");
	stop();
}

static void
test_ids(void)
{
	struct id_parts parts = { .wall_us = clock_wall_us() + 3600000000 };
	char future[ENVELOPE_ID_LEN + 1], next[ENVELOPE_ID_LEN + 1];
	struct err e;

	clear();
	id_make(&parts, future);
	put_mail(STATE_HOLD, future);
	CHECK_INT(start(), 0, "a spool from a clock that was fast starts");
	keep_new_id(next);
	CHECK(strcmp(next, future) > 0, "new IDs are greater than all seen");
	CHECK(keep_open(dir, 0, &e) != 0 && strstr(e.text, "another") != NULL,
	      "a second owner is refused");
	stop();
}

int
main(void)
{
	static const struct peer_ops ops = { .handlers = NULL };
	const char *top = getenv("TMPDIR");
	char command[300];

	(void)str_fmt(dir, sizeof(dir), "%s/recover.XXXXXX",
		      top != NULL ? top : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	fd = file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	loop_init();
	peer_init(ROLE_QUEUE, &ops);
	timer_init(&look, on_look, NULL);
	queue_act_init();
	test_ordinary();
	test_orphans();
	test_doubles();
	test_damage();
	test_split(0);
	test_split(1);
	test_ledger();
	test_sealed();
	test_came_back();
	test_long_ago();
	test_ids();
	timer_release(&look);
	file_shut(&fd);
	(void)str_fmt(command, sizeof(command), "rm -rf '%s'", dir);
	if (system(command) != 0)
		return EXIT_FAILURE;
	return check_done();
}
