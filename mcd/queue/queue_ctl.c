/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Commands of mcctl, one row each.
 */
#include "queue_ctl.h"

#include <sysexits.h>

#include "clock.h"
#include "message.h"
#include "queue_act.h"
#include "queue_list.h"
#include "str.h"

void
queue_ctl_done(struct asker to, uint32_t exit_code, const char *text,
	       const char *cursor)
{
	struct frame_ctl_done b = { .exit_code = exit_code,
				    .text = text,
				    .cursor = cursor };

	(void)peer_answer(to.peer, to.token, FRAME_ctl_done, &b, -1);
}

void
queue_ctl_row(struct asker to, const struct record *r)
{
	struct frame_ctl_row b = { .record = buf_span(&r->b) };

	(void)peer_answer(to.peer, to.token, FRAME_ctl_row, &b, -1);
}

static void
run_count(struct asker from, const struct frame_ctl_ask *ask)
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
	queue_ctl_row(from, &r);
	record_release(&r);
	queue_ctl_done(from, EX_OK, "", "");
}

static const struct command {
	const char *name;
	void (*run)(struct asker from, const struct frame_ctl_ask *ask);
} commands[] = {
	{ "queue-count", run_count },
	{ "queue-list", queue_list },
	{ "queue-shape", queue_shape },
	{ "queue-show", queue_show },
	{ "queue-retry", queue_retry },
	{ "queue-hold", queue_hold },
	{ "queue-unhold", queue_unhold },
	{ "queue-delete", queue_delete },
	{ "quarantine-release", queue_quar_release },
	{ "quarantine-delete", queue_quar_delete },
};

void
queue_ctl_on_ask(peer_id from, struct frame *f)
{
	const struct frame_ctl_ask *ask = FRAME_BODY(f, ctl_ask);
	struct asker asker = { .peer = from, .token = f->token };
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (str_eq(ask->command, commands[i].name)) {
			commands[i].run(asker, ask);
			return;
		}
	}
	queue_ctl_done(asker, EX_USAGE, "the queue knows no such command", "");
}
