/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The queue role: wires its modules to the peers, publishes the gauges,
 * and ends in order.  It never opens a socket and never reads mail but
 * for the header of a bounce.
 */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "at_data.h"
#include "broom.h"
#include "committer.h"
#include "deliver.h"
#include "drift.h"
#include "health.h"
#include "intake.h"
#include "keep.h"
#include "ledger_writer.h"
#include "log.h"
#include "loop.h"
#include "message.h"
#include "policies.h"
#include "quarantine.h"
#include "queue_act.h"
#include "queue_ctl.h"
#include "recover.h"
#include "report.h"
#include "schedule.h"
#include "stage.h"

#define GAUGES_MS 500
#define STOP_LOOK_MS 10

static struct {
	struct timer gauges;
	bool is_draining;
	unsigned empty_looks; /* in a row, while it drains */
	bool is_stopping;
	int64_t stop_by_ms;
	struct timer stop;
} self;

/* Gauges. */

/* From incoming's word on it begins no message, and what it had begun is seen
 * at the first look after that. */
static int64_t
drain_state(void)
{
	bool is_empty = self.is_draining &&
			stats_get(role_stats(), STAT_in_draining) != 0 &&
			intake_open_count() == 0 &&
			message_count(STATE_INCOMING) == 0 &&
			message_count(STATE_FILTERING) == 0 &&
			message_count(STATE_OUTGOING) == 0;

	self.empty_looks = is_empty ? self.empty_looks + 1 : 0;
	return self.empty_looks > 1 ? 2 : self.is_draining;
}

static void
set_gauges(void *arg)
{
	static const enum stat_id gauges[STATE_COUNT] = {
		[STATE_INCOMING] = STAT_queue_incoming,
		[STATE_FILTERING] = STAT_queue_filtering,
		[STATE_OUTGOING] = STAT_queue_outgoing,
		[STATE_HOLD] = STAT_queue_hold,
		[STATE_QUARANTINE] = STAT_queue_quarantine,
		[STATE_CORRUPT] = STAT_queue_corrupt,
	};
	struct stats *s = role_stats();
	int i;

	(void)arg;
	for (i = 0; i < STATE_COUNT; i++)
		stats_set(s, gauges[i], (int64_t)message_count((enum state)i));
	stats_set(s, STAT_queue_bytes, message_bytes());
	stats_set(s, STAT_queue_oldest_us, message_oldest_us());
	stats_set(s, STAT_queue_drain, drain_state());
	stats_set(s, STAT_queue_receiving, (int64_t)intake_open_count());
	stats_set(s, STAT_intake_open, health_is_open());
	stats_add(s, STAT_commit_batches, committer_batches());
	timer_set(&self.gauges, GAUGES_MS);
}

/* The ledger and store. */

static void
on_ledger_grown(const char *file, uint64_t size)
{
	struct frame_ledger_grown note = { .file = file, .size = size };

	if (peer_of(ROLE_STORE) != 0)
		(void)peer_note(peer_of(ROLE_STORE), FRAME_ledger_grown, &note,
				-1);
}

static void
on_ledger_ask(peer_id from, struct frame *f)
{
	const struct frame_ledger_ask *ask = FRAME_BODY(f, ledger_ask);
	struct frame_ledger_reply reply = { .status = ANSWER_LATER };
	struct ledger_found found;
	struct err e;
	int got = ledger_find(ask->after, ask->file, &found, &e);

	if (got < 0)
		log_warn("ledger_ask reason=%s", log_text(e.text));
	if (got == 0)
		reply.status = ANSWER_NO;
	if (got > 0) {
		reply.status = ANSWER_OK;
		reply.file = found.file;
		reply.size = found.size;
		reply.is_closed = found.is_closed;
	}
	(void)peer_answer(from, f->token, FRAME_ledger_reply, &reply,
			  got > 0 ? found.fd : -1);
}

static const struct ledger_writer_ops ledger_ops = {
	.grown = on_ledger_grown,
	.trouble = health_ledger,
};

/* Peers. */

static void
on_filter_slots(peer_id from, struct frame *f)
{
	(void)from;
	at_data_slots(FRAME_BODY(f, filter_slots)->slots);
	stage_slots(FRAME_BODY(f, filter_slots)->slots);
}

static void
on_up(peer_id p, enum role r)
{
	(void)p;
	if (r == ROLE_INCOMING)
		health_tell();
	else if (r == ROLE_OUTGOING)
		deliver_peer(!self.is_stopping);
	else if (r == ROLE_CONTROL)
		policies_forget();
}

static void
no_filters(void)
{
	at_data_slots(0);
	stage_slots(0);
}

static void
on_down(peer_id p, enum role r)
{
	if (r == ROLE_INCOMING)
		intake_peer_down(p);
	else if (r == ROLE_OUTGOING && peer_of(ROLE_OUTGOING) == 0)
		deliver_peer(false);
	else if (r == ROLE_FILTER && peer_of(ROLE_FILTER) == 0)
		no_filters();
}

static const struct peer_handler handlers[] = {
	{ FRAME_body_ask, intake_on_body_ask },
	{ FRAME_body_drop, intake_on_body_drop },
	{ FRAME_body_forget, intake_on_body_forget },
	{ FRAME_commit, intake_on_commit },
	{ FRAME_commit_rcpt, intake_on_commit_rcpt },
	{ FRAME_commit_end, intake_on_commit_end },
	{ FRAME_filter_slots, on_filter_slots },
	{ FRAME_ledger_ask, on_ledger_ask },
	{ FRAME_ctl_ask, queue_ctl_on_ask },
	{ FRAME_quar_ask, quarantine_on_ask },
	{ 0, NULL },
};

/* Begin and end. */

static void
init(const struct conf *conf)
{
	struct err e;

	memset(&self, 0, sizeof(self));
	if (keep_open(role_home(), (unsigned)conf->node, &e) != 0)
		fatal(75, "%s", e.text);
	drift_init();
	health_init();
	broom_init();
	committer_start(keep_fd(), keep_key(), (int)conf->committers);
	ledger_writer_start(keep_ledger_fd(), &ledger_ops);
	policies_init();
	report_init();
	schedule_init(deliver_start, deliver_ask_limit);
	deliver_init(queue_act_idle);
	stage_init(queue_act_idle);
	at_data_init();
	intake_init(stage_enter);
	queue_act_init();
	quarantine_init();
	if (recover_run(&e) != 0)
		fatal(74, "%s", e.text);
	timer_init(&self.gauges, set_gauges, NULL);
	set_gauges(NULL);
}

static void
set_rules(const struct knobs *k)
{
	/* No less often than one message alone would be tried. */
	int64_t probe_ms =
		k->dest_probe < k->retry_first ? k->dest_probe : k->retry_first;
	struct schedule_rules rules = {
		.all = k->outgoing_concurrency,
		.each = { .initial = k->dest_concurrency_initial,
			  .max = k->dest_concurrency,
			  .dead_after = k->dest_dead_after,
			  .probe_ms = probe_ms,
			  .probe_max_ms = k->retry_max },
	};

	schedule_set_rules(&rules);
}

/* Whatever waits for a time is tried now, once. */
static void
flush_queues(void)
{
	struct message *m = message_after("");

	for (; m != NULL; m = message_after(m->name)) {
		if (m->state == STATE_OUTGOING && m->groups != NULL)
			schedule_now(m);
		else if (m->state == STATE_FILTERING)
			stage_now(m);
	}
}

static void
set_drain(bool is_draining)
{
	if (is_draining == self.is_draining)
		return;
	self.is_draining = is_draining;
	self.empty_looks = 0;
	log_info("- drain %s", is_draining ? "begins" : "ends");
	if (is_draining)
		flush_queues();
	set_gauges(NULL);
}

static void
take_knobs(const struct knobs *k)
{
	policies_forget();
	set_rules(k);
	set_drain(k->drain != 0);
	ledger_writer_set_keep(k->ledger_keep);
	quarantine_wake();
	stage_wake();
}

static bool
is_at_rest(void)
{
	return committer_pending() == 0 && deliver_pending() == 0 &&
	       ledger_waiting() == 0;
}

static void
look_at_stop(void *arg)
{
	(void)arg;
	if (!is_at_rest() && loop_now_ms() < self.stop_by_ms) {
		timer_set(&self.stop, STOP_LOOK_MS);
		return;
	}
	if (!is_at_rest())
		log_warn("stop: not all was finished in time; it is on disk");
	committer_stop();
	ledger_writer_stop();
	set_gauges(NULL);
	recover_release();
	quarantine_release();
	at_data_release();
	report_release();
	stage_release();
	schedule_release();
	deliver_release();
	broom_release();
	health_release();
	keep_close();
	role_exit();
}

static void
stop(int64_t data_ms, int64_t reply_ms)
{
	(void)data_ms;
	if (self.is_stopping)
		role_exit();
	self.is_stopping = true;
	self.stop_by_ms = loop_now_ms() + reply_ms;
	health_stopping();
	stage_stop();
	quarantine_stop();
	report_stop();
	deliver_peer(false);
	timer_init(&self.stop, look_at_stop, NULL);
	timer_set(&self.stop, 0);
}

const struct role_ops queue_ops = {
	.role = ROLE_QUEUE,
	.init = init,
	.knobs = take_knobs,
	.stop = stop,
	.peers = { .handlers = handlers, .up = on_up, .down = on_down },
};
