/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Commands of mcctl, one row each.
 */
#include "queue_ctl.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "record.h"
#include "str.h"

#define EX_OK 0
#define EX_USAGE 64

struct command {
	const char *name;
	void (*run)(peer_id from, uint32_t token,
		    const struct frame_ctl_ask *ask);
};

static void
done(peer_id to, uint32_t token, uint32_t exit_code, const char *text,
     const char *cursor)
{
	struct frame_ctl_done b = { .exit_code = exit_code,
				    .text = text,
				    .cursor = cursor };

	(void)peer_answer(to, token, FRAME_ctl_done, &b, -1);
}

static void
row(peer_id to, uint32_t token, struct record *r)
{
	struct frame_ctl_row b = { .record = buf_span(&r->b) };

	(void)peer_answer(to, token, FRAME_ctl_row, &b, -1);
}

static void
run_count(peer_id from, uint32_t token, const struct frame_ctl_ask *ask)
{
	struct record r = { .count = 0 };
	int64_t oldest_us = message_oldest_us(), age = 0;
	int s;

	(void)ask;
	for (s = 0; s < STATE_COUNT; s++)
		record_int(&r, state_name((enum state)s),
			   (int64_t)message_count((enum state)s));
	record_int(&r, "bytes", message_bytes());
	if (oldest_us != 0)
		age = (clock_wall_us() - oldest_us) / 1000000;
	record_int(&r, "oldest_s", age > 0 ? age : 0);
	row(from, token, &r);
	record_release(&r);
	done(from, token, EX_OK, "", "");
}

static const struct command commands[] = {
	{ "queue-count", run_count },
};

void
queue_ctl_on_ask(peer_id from, struct frame *f)
{
	const struct frame_ctl_ask *ask = FRAME_BODY(f, ctl_ask);
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (str_eq(ask->command, commands[i].name)) {
			commands[i].run(from, f->token, ask);
			return;
		}
	}
	done(from, f->token, EX_USAGE, "the queue knows no such command", "");
}

void
queue_ctl_init(void)
{
}

void
queue_ctl_idle(struct message *m)
{
	(void)m;
}
