/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Retention.  A look goes through the table in slices, the oldest first,
 * reads envelopes it has not seen yet, and removes what has to go: by way
 * of the ledger, as a discard by policy.
 */
#include "quarantine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "change.h"
#include "clock.h"
#include "drift.h"
#include "keep.h"
#include "ledger_writer.h"
#include "log.h"
#include "loop.h"
#include "quar.h"
#include "queue_verb.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define SLICE_STEPS 500 /* messages looked at in one turn */
#define SLICE_READS 20 /* envelopes read in one turn */
#define SLICE_WAIT_MS 20
#define LOOK_WAIT_MS 600000 /* between looks, unless times are short */
#define LOOK_WAIT_MIN_MS 500
#define DROPS_MAX 64 /* on their way at a time */
#define TICK_MS 1000

static struct {
	struct timer step, tick;
	char cursor[ENVELOPE_NAME_SIZE];
	int64_t bytes; /* seen in this look */
	int64_t excess; /* over the share, left to remove */
	size_t drops;
	int64_t started_ms;
	int64_t ran_before_s; /* by processes before this one */
	int64_t told_s; /* of this one, in the counter */
	bool is_stopped;
} self;

/* One that goes. */
struct drop {
	struct arena arena;
	struct message *m;
};

/* The clock. */

int64_t
quarantine_clock_s(void)
{
	return 1 + self.ran_before_s +
	       (clock_mono_ms() - self.started_ms) / 1000;
}

static void
on_tick(void *arg)
{
	int64_t ran_s = (clock_mono_ms() - self.started_ms) / 1000;

	(void)arg;
	stats_add(role_stats(), STAT_queue_ran, ran_s - self.told_s);
	self.told_s = ran_s;
	timer_set(&self.tick, TICK_MS);
}

static int64_t
keep_ms(enum quar_kind kind)
{
	const struct knobs *k = role_knobs();

	switch (kind) {
	case QUAR_VIRUS:
		return k->quarantine_keep_virus;
	case QUAR_DANGEROUS:
		return k->quarantine_keep_dangerous;
	default:
		return k->quarantine_keep_spam;
	}
}

static bool
is_expired(const struct message *m)
{
	int64_t keep = keep_ms((enum quar_kind)m->kind);
	int64_t now_s = quarantine_clock_s();

	if (keep == 0 || !drift_is_sane())
		return false;
	if (m->parked_s > 0 && m->parked_s <= now_s)
		return (now_s - m->parked_s) * 1000 >= keep;
	/* The count was lost, or it was parked before there was one. */
	return (clock_wall_us() - m->received_us) / 1000 >= 2 * keep;
}

/* Removal. */

static void
on_removed(struct message *m, int result, void *arg)
{
	(void)result, (void)arg;
	self.drops--;
	act_fail_waiting(m);
}

static void
on_synced(void *arg)
{
	struct drop *d = arg;

	change_remove(d->m, on_removed, NULL);
	arena_release(&d->arena);
	free(d);
}

/* -1: not now. */
static int
drop(struct message *m, const char *why)
{
	struct ledger_event ev = { .verb = LEDGER_DISCARDED, .reason = why };
	struct drop *d;
	struct envelope env;
	struct err e;

	if (self.drops >= DROPS_MAX || ledger_is_failing())
		return -1;
	d = xcalloc(1, sizeof(*d));
	if (spool_read_envelope(keep_fd(), STATE_QUARANTINE, m->name, &d->arena,
				&env, &e) != ENVELOPE_OK) {
		arena_release(&d->arena);
		free(d);
		return -1;
	}
	d->m = m;
	m->is_busy = true;
	self.drops++;
	log_info("%s quarantine removed reason=%s", m->name, log_text(why));
	change_ledger(m, &env, &ev);
	ledger_sync(on_synced, d);
	return 0;
}

/* A look. */

/* False: there is nothing to be known of it now. */
static bool
get_known(struct message *m)
{
	struct arena arena = { 0 };
	enum envelope_result got;
	struct envelope env;
	struct err e = { "" };

	if (m->is_known)
		return true;
	got = spool_read_envelope(keep_fd(), STATE_QUARANTINE, m->name, &arena,
				  &env, &e);
	if (got == ENVELOPE_OK && keep_body_check(&env, &e) == BODY_BAD)
		got = ENVELOPE_BAD;
	else if (got == ENVELOPE_OK)
		message_learn(m, &env);
	arena_release(&arena);
	if (got == ENVELOPE_BAD && e.text[0] != '\0')
		change_park(m, NULL, e.text);
	return m->is_known;
}

static void
look_at(struct message *m)
{
	if (is_expired(m)) {
		if (drop(m, "its time in quarantine is over") == 0)
			stats_add(role_stats(), STAT_quarantine_expired, 1);
		return;
	}
	if (self.excess > 0 &&
	    drop(m, "quarantine is over its share of the disk") == 0) {
		stats_add(role_stats(), STAT_quarantine_pushed_out, 1);
		self.excess -= (int64_t)m->size;
		return;
	}
	self.bytes += (int64_t)m->size;
}

static int64_t
share_bytes(void)
{
	struct statvfs st;

	if (fstatvfs(keep_fd(), &st) != 0)
		return INT64_MAX;
	return (int64_t)(st.f_blocks * st.f_frsize / 100) *
	       role_knobs()->quarantine_share;
}

/* The pause before the next look: short where mail is kept shortly. */
static int64_t
pause_ms(void)
{
	int64_t wait = LOOK_WAIT_MS;
	int k;

	for (k = 0; k < QUAR_KIND_COUNT; k++) {
		int64_t keep = keep_ms((enum quar_kind)k);

		if (keep > 0 && keep / 4 < wait)
			wait = keep / 4;
	}
	return wait > LOOK_WAIT_MIN_MS ? wait : LOOK_WAIT_MIN_MS;
}

static void
end_look(void)
{
	int64_t share = share_bytes();
	bool was_over = self.excess > 0;

	stats_set(role_stats(), STAT_quarantine_bytes, self.bytes);
	self.excess = self.bytes > share ? self.bytes - share : 0;
	if (self.excess > 0 && !was_over)
		log_warn("quarantine takes %lld bytes, over its share of the "
			 "disk (quarantine_share): the oldest go",
			 (long long)self.bytes);
	self.bytes = 0;
	self.cursor[0] = '\0';
	timer_set(&self.step, self.excess > 0 ? LOOK_WAIT_MIN_MS : pause_ms());
}

static void
on_step(void *arg)
{
	struct message *m;
	int i, reads = 0;

	(void)arg;
	if (self.is_stopped)
		return;
	for (i = 0; i < SLICE_STEPS && reads < SLICE_READS; i++) {
		m = message_after(self.cursor);
		if (m == NULL) {
			end_look();
			return;
		}
		(void)str_copy(self.cursor, sizeof(self.cursor), m->name);
		if (m->state != STATE_QUARANTINE || m->is_gone || m->is_busy)
			continue;
		reads += !m->is_known;
		if (get_known(m))
			look_at(m);
	}
	timer_set(&self.step, SLICE_WAIT_MS);
}

/* The index of store. */

#define PAGE_STEPS 5000
#define PAGE_ROWS 64

static void
send_row(peer_id to, uint32_t token, const struct message *m)
{
	struct arena arena = { 0 };
	struct buf rcpts = { .limit = 0 };
	struct frame_quar_row b;
	struct quar_row r;
	struct envelope env;
	struct err e;

	if (spool_read_envelope(keep_fd(), STATE_QUARANTINE, m->name, &arena,
				&env, &e) == ENVELOPE_OK) {
		quar_row_of(&env, &rcpts, &r);
		b = (struct frame_quar_row){ .name = r.name,
					     .received_us = r.received_us,
					     .kind = r.kind,
					     .size = r.size,
					     .sender = r.sender,
					     .client_ip = r.client_ip,
					     .message_id = r.message_id,
					     .subject = r.subject,
					     .reason = r.reason,
					     .rcpt_count = r.rcpt_count,
					     .rcpts = buf_span(&rcpts) };
		(void)peer_answer(to, token, FRAME_quar_row, &b, -1);
	}
	buf_release(&rcpts);
	arena_release(&arena);
}

static bool
is_shown(const struct message *m)
{
	return m != NULL && m->state == STATE_QUARANTINE && !m->is_gone;
}

void
quarantine_on_ask(peer_id from, struct frame *f)
{
	const struct frame_quar_ask *ask = FRAME_BODY(f, quar_ask);
	struct frame_quar_done done = { .status = ANSWER_OK, .upto = "" };
	char cursor[ENVELOPE_NAME_SIZE];
	struct message *m;
	int i, rows = 0;

	if (ask->name[0] != '\0') {
		m = message_find(ask->name);
		if (is_shown(m))
			send_row(from, f->token, m);
		done.upto = ask->name;
		(void)peer_answer(from, f->token, FRAME_quar_done, &done, -1);
		return;
	}
	(void)str_copy(cursor, sizeof(cursor), ask->after);
	for (i = 0; i < PAGE_STEPS && rows < PAGE_ROWS; i++) {
		m = message_after(cursor);
		if (m == NULL)
			break;
		(void)str_copy(cursor, sizeof(cursor), m->name);
		if (!is_shown(m))
			continue;
		send_row(from, f->token, m);
		rows++;
	}
	done.upto = i == PAGE_STEPS || rows == PAGE_ROWS ? cursor : "";
	(void)peer_answer(from, f->token, FRAME_quar_done, &done, -1);
}

/* Begin and end. */

void
quarantine_wake(void)
{
	self.cursor[0] = '\0';
	self.bytes = 0;
	timer_set(&self.step, LOOK_WAIT_MIN_MS);
}

void
quarantine_stop(void)
{
	self.is_stopped = true;
}

void
quarantine_init(void)
{
	memset(&self, 0, sizeof(self));
	self.started_ms = clock_mono_ms();
	if (role_stats() != NULL)
		self.ran_before_s = stats_get(role_stats(), STAT_queue_ran);
	timer_init(&self.step, on_step, NULL);
	timer_init(&self.tick, on_tick, NULL);
	timer_set(&self.tick, TICK_MS);
	quarantine_wake();
}

void
quarantine_release(void)
{
	timer_release(&self.step);
	timer_release(&self.tick);
}
