/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What administrators do with a message while another change of it is on
 * its way to the disk.
 */
#include "queue_act.h"

#include <fcntl.h>
#include <stdlib.h>
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
#include "recover.h"
#include "schedule.h"
#include "spool.h"
#include "stage.h"
#include "str.h"

#define DEADLINE_MS 20000
#define ID "01jq8z5m3k7n2p4r"

static char dir[200];
static int fd; /* of the spool */
static struct timer look;

static void
put(const char *path, const char *text, size_t len)
{
	int f = file_open(fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (f < 0 || file_write_all(f, text, len) != 0)
		abort();
	file_shut(&f);
}

/* A message in outgoing. */
static void
put_mail(void)
{
	struct rcpt r = { .address = "a@one.example",
			  .orcpt = "",
			  .notify = "",
			  .status = "" };
	struct buf text = { .limit = 0 };
	char path[SPOOL_PATH_SIZE];
	struct envelope env;
	struct err e;

	envelope_init(&env);
	(void)str_copy(env.name, sizeof(env.name), ID);
	env.body = ID;
	env.size = 6;
	env.generation = 1;
	env.received_us = clock_wall_us();
	env.sender = "s@one.example";
	env.rcpts = &r;
	env.rcpt_count = 1;
	if (envelope_write(&env, &text, &e) != 0)
		bug("%s", e.text);
	spool_envelope_path(STATE_OUTGOING, ID, path);
	put(path, text.data, text.len);
	buf_release(&text);
	spool_body_path(ID, path);
	put(path, "hello\n", 6);
}

static void
on_look(void *arg)
{
	(void)arg;
	loop_stop();
}

static bool
is_quiet(void)
{
	struct message *m = message_find(ID);

	return committer_pending() == 0 && ledger_waiting() == 0 &&
	       (m == NULL || !m->is_busy);
}

static void
settle_down(void)
{
	int64_t end_ms = clock_mono_ms() + DEADLINE_MS;

	do {
		timer_set(&look, 5);
		loop_run();
	} while (!is_quiet() && clock_mono_ms() < end_ms);
}

static void
on_grown(const char *file, uint64_t size)
{
	(void)file;
	(void)size;
}

static const struct ledger_writer_ops ledger_ops = { on_grown, health_ledger };

static void
start(void)
{
	struct err e;

	if (keep_open(dir, 0, &e) != 0)
		bug("%s", e.text);
	health_init();
	broom_init();
	committer_start(keep_fd(), keep_key(), 1);
	ledger_writer_start(keep_ledger_fd(), &ledger_ops);
	schedule_init(deliver_start, NULL);
	deliver_init(queue_act_idle);
	stage_init(queue_act_idle);
	stage_stop();
	queue_act_init();
	if (recover_run(&e) != 0)
		bug("%s", e.text);
	settle_down();
}

static void
stop(void)
{
	struct message *m = message_find(ID);

	committer_stop();
	ledger_writer_stop();
	if (m != NULL && m->groups != NULL)
		schedule_drop(m);
	message_free_all();
	recover_release();
	stage_release();
	schedule_release();
	broom_release();
	health_release();
	keep_close();
}

static void
ask(void (*command)(struct asker from, const struct frame_ctl_ask *ask))
{
	struct frame_ctl_ask a = {
		.command = "", .arg = ID, .cursor = "", .who = "me"
	};
	struct asker nobody = { 0, 0 };

	command(nobody, &a);
}

static enum state
state_now(void)
{
	struct message *m = message_find(ID);

	return m != NULL && !m->is_gone ? (enum state)m->state : STATE_COUNT;
}

static void
test_unhold_race(void)
{
	ask(queue_hold);
	CHECK(state_now() == STATE_OUTGOING && message_find(ID)->is_busy,
	      "a hold is on its way");
	ask(queue_unhold);
	settle_down();
	CHECK_STR(state_name(state_now()), "outgoing",
		  "an unhold that comes meanwhile is not lost");
	ask(queue_unhold);
	settle_down();
	CHECK_STR(state_name(state_now()), "outgoing",
		  "what is not held stays where it is");
	ask(queue_hold);
	ask(queue_unhold);
	ask(queue_hold);
	settle_down();
	CHECK_STR(state_name(state_now()), "hold",
		  "of three in a row the last counts");
	ask(queue_unhold);
	ask(queue_delete);
	settle_down();
	CHECK_INT(state_now(), STATE_COUNT, "a delete behind an unhold too");
}

int
main(void)
{
	static const struct peer_ops ops = { .handlers = NULL };
	const char *tmp = getenv("TMPDIR");
	char command[300];
	struct err e;

	(void)str_fmt(dir, sizeof(dir), "%s/mcgate-act.XXXXXX",
		      tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	fd = file_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 || spool_make_folders(fd, &e) != 0)
		abort();
	loop_init();
	peer_init(ROLE_QUEUE, &ops);
	timer_init(&look, on_look, NULL);
	put_mail();
	start();
	test_unhold_race();
	stop();
	timer_release(&look);
	file_shut(&fd);
	(void)str_fmt(command, sizeof(command), "rm -rf '%s'", dir);
	if (system(command) != 0)
		abort();
	return check_done();
}
