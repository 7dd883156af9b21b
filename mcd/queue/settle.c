/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What follows from the results of a delivery, in this order: they are
 * durable in the ledger; the sender's notification is durable; the
 * envelope durably loses or keeps the recipients; the next attempt.
 */
#include <stdlib.h>
#include <string.h>

#include "bounce.h"
#include "change.h"
#include "clock.h"
#include "deliver.h"
#include "drift.h"
#include "job.h"
#include "keep.h"
#include "ledger_writer.h"
#include "log.h"
#include "loop.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define LOST_WAIT_MS 1000 /* outgoing answered nothing, and is still there */

/* Changes one envelope by the results of one or more jobs. */
struct update {
	struct list node;
	struct message *m;
	struct list jobs;
	struct arena arena;
	struct envelope env;
	struct dsn_rcpt *failed;
	size_t failed_count;
	bool is_bounced; /* the notification is durable */
	struct timer timer;
};

static struct {
	struct list waiting; /* jobs whose message is busy */
	size_t pending; /* jobs */
	void (*idle)(struct message *m);
} self;

void
settle_init(void (*idle)(struct message *m))
{
	memset(&self, 0, sizeof(self));
	list_init(&self.waiting);
	self.idle = idle;
}

size_t
settle_pending(void)
{
	return self.pending;
}

/* First: the ledger. */

static void
count_result(const struct job *j, const struct target *t, enum ledger_verb verb)
{
	struct stats *s = role_stats();
	size_t row = stats_row(s, TABLE_DOMAIN, schedule_domain(j->g));

	(void)t;
	if (verb == LEDGER_DELIVERED) {
		stats_add(s, STAT_delivered, 1);
		stats_row_add(s, TABLE_DOMAIN, row, DOMAIN_DELIVERED, 1);
	} else if (verb == LEDGER_DEFERRED) {
		stats_add(s, STAT_deferred, 1);
		stats_row_add(s, TABLE_DOMAIN, row, DOMAIN_DEFERRED, 1);
	} else {
		stats_add(s, STAT_bounced, 1);
		stats_row_add(s, TABLE_DOMAIN, row, DOMAIN_BOUNCED, 1);
	}
}

static void
tell_result(const struct job *j, const struct target *t, bool is_null_sender)
{
	struct ledger_event ev = {
		.verb = LEDGER_DEFERRED,
		.at_us = j->at_us,
		.name = j->m->name,
		.rcpt = t->address,
		.relay = t->relay,
		.status = t->status,
		.size = j->m->size,
		.delay_ms = (j->at_us - j->m->received_us) / 1000,
	};

	if (t->outcome == OUTCOME_DELIVERED)
		ev.verb = LEDGER_DELIVERED;
	else if (t->outcome == OUTCOME_FAILED || t->is_expired)
		ev.verb = LEDGER_BOUNCED;
	if (ev.verb == LEDGER_BOUNCED && t->is_expired)
		ev.reason = "expired";
	if (ev.verb == LEDGER_BOUNCED && is_null_sender)
		ev.reason = "double bounce";
	ledger_append(&ev);
	count_result(j, t, ev.verb);
	log_info("%s %s rcpt=%s relay=%s delay=%lld.%03lld status=%s%s%s",
		 j->m->name, ledger_verb_name(ev.verb), log_text(t->address),
		 log_text(t->relay), (long long)(ev.delay_ms / 1000),
		 (long long)(ev.delay_ms % 1000), log_text(t->status),
		 ev.reason != NULL ? " reason=" : "",
		 ev.reason != NULL ? log_text(ev.reason) : "");
}

static void update_start(struct message *m);

static void
on_synced(void *arg)
{
	struct job *j = arg;

	list_push(&self.waiting, &j->node);
	if (!j->m->is_busy)
		update_start(j->m);
}

void
settle_job(struct job *j)
{
	bool is_old = deliver_active_ms(j->m) >= role_knobs()->expire &&
		      drift_is_sane();
	size_t i, told = 0;

	self.pending++;
	j->at_us = clock_wall_us();
	for (i = 0; i < j->count; i++) {
		if (!j->targets[i].is_told)
			continue;
		told++;
		j->targets[i].is_expired =
			is_old && j->targets[i].outcome == OUTCOME_DEFERRED;
		tell_result(j, &j->targets[i], j->m->has_null_sender);
	}
	if (told == 0 && !j->is_lost)
		log_error("%s delivery without a result", j->m->name);
	ledger_sync(on_synced, j);
}

/* Then: the envelope. */

/* The jobs of m that wait. */
static void
collect_jobs(struct update *u)
{
	struct list *n, *tmp;
	struct job *j;

	list_for_safe(n, tmp, &self.waiting)
	{
		j = list_entry(n, struct job, node);
		if (j->m != u->m)
			continue;
		list_del(&j->node);
		list_push(&u->jobs, &j->node);
	}
}

/* What was told of this recipient, or NULL.  Both the envelope and the
 * targets of a job are in one order. */
static struct target *
find_told(struct update *u, const struct rcpt *r, struct job **of)
{
	struct list *n;
	struct job *j;

	list_for(n, &u->jobs)
	{
		j = list_entry(n, struct job, node);
		if (j->next >= j->count ||
		    !str_eq(j->targets[j->next].address, r->address))
			continue;
		*of = j;
		return &j->targets[j->next++];
	}
	return NULL;
}

static int64_t
retry_wait_ms(uint32_t attempts)
{
	const struct knobs *k = role_knobs();
	int64_t wait = k->retry_first;
	uint32_t i;

	for (i = 1; i < attempts && wait < k->retry_max; i++)
		wait += wait / 2;
	if (wait > k->retry_max)
		wait = k->retry_max;
	/* Apart by a tenth either way, so that they do not all come at once. */
	return wait - wait / 10 + rand() % (wait / 5 + 1);
}

static void
add_failed(struct update *u, const struct job *j, const struct rcpt *r,
	   const struct target *t)
{
	struct dsn_rcpt *d;

	if (!bounce_is_due(&u->env, r))
		return;
	d = &u->failed[u->failed_count++];
	d->address = r->address;
	d->orcpt = r->orcpt;
	d->enhanced = t->enhanced[0] != '\0' ? t->enhanced
		      : t->is_expired	     ? "4.4.7"
					     : "5.0.0";
	d->relay = t->relay;
	d->diagnostic = t->status;
	d->last_attempt_us = j->at_us;
}

/* Goes through the recipients; those that are done go out of the list. */
static void
apply_results(struct update *u)
{
	struct envelope *env = &u->env;
	size_t i, kept = 0;
	struct target *t;
	struct job *j;
	struct rcpt *r;

	u->failed =
		arena_array(&u->arena, env->rcpt_count + 1, sizeof(*u->failed));
	u->failed_count = 0;
	for (i = 0; i < env->rcpt_count; i++) {
		r = &env->rcpts[i];
		t = find_told(u, r, &j);
		if (t != NULL && t->is_told &&
		    (t->outcome == OUTCOME_FAILED || t->is_expired)) {
			add_failed(u, j, r, t);
			continue;
		}
		if (t != NULL && t->is_told && t->outcome == OUTCOME_DELIVERED)
			continue;
		if (t != NULL && t->is_told) {
			r->attempts++;
			r->status = t->status;
		}
		env->rcpts[kept++] = *r;
	}
	env->rcpt_count = kept;
}

/* When the group of a job comes again: at once for those who had no turn. */
static void
plan_group(struct update *u, struct job *j)
{
	uint32_t least = UINT32_MAX;
	size_t i;

	for (i = 0; i < u->env.rcpt_count; i++) {
		if (deliver_is_of(&u->env.rcpts[i], j->g) &&
		    u->env.rcpts[i].attempts < least)
			least = u->env.rcpts[i].attempts;
	}
	if (least == UINT32_MAX)
		j->wait_ms = -1;
	else if (least > j->level)
		j->wait_ms = retry_wait_ms(least);
	else if (j->count == JOB_RCPTS_MAX)
		j->wait_ms = 0;
	else
		j->wait_ms = LOST_WAIT_MS;
}

static void
plan_groups(struct update *u)
{
	int64_t least = INT64_MAX, wait;
	struct list *n;
	struct job *j;

	list_for(n, &u->jobs)
	{
		j = list_entry(n, struct job, node);
		plan_group(u, j);
		if (j->wait_ms >= 0 && j->wait_ms < least)
			least = j->wait_ms;
	}
	wait = schedule_rest_ms(u->m);
	if (wait >= 0 && wait < least)
		least = wait;
	u->env.next_attempt_ms =
		least == INT64_MAX ? 0 : clock_wall_ms() + least;
	u->env.active_ms = deliver_active_ms(u->m);
}

static void
update_free(struct update *u)
{
	timer_release(&u->timer);
	arena_release(&u->arena);
	free(u);
}

/* The jobs are over: their groups wait, or end. */
static void
end_jobs(struct update *u)
{
	struct list *n;
	struct job *j;

	while ((n = list_pop(&u->jobs)) != NULL) {
		j = list_entry(n, struct job, node);
		u->m->jobs--;
		self.pending--;
		schedule_done(j->g, j->wait_ms);
		arena_release(&j->arena);
		free(j);
	}
}

/* The message has more results to take in, or is idle. */
static void
after_update(struct message *m)
{
	struct list *n;

	m->is_busy = false;
	list_for(n, &self.waiting)
	{
		if (list_entry(n, struct job, node)->m == m) {
			update_start(m);
			return;
		}
	}
	if (m->jobs == 0)
		self.idle(m);
}

static void
on_changed(struct message *m, int result, void *arg)
{
	struct update *u = arg;

	if (result != 0) {
		timer_set(&u->timer, message_backoff_ms(m));
		return;
	}
	m->tries = 0;
	end_jobs(u);
	update_free(u);
	after_update(m);
}

static void
change_envelope(struct update *u)
{
	struct message *m = u->m;

	if (u->env.rcpt_count > 0) {
		change_write(m, &u->env, STATE_OUTGOING, on_changed, u);
		return;
	}
	log_info("%s done", m->name);
	end_jobs(u);
	update_free(u);
	schedule_drop(m);
	change_remove(m, NULL, NULL);
}

static void
on_bounced(void *arg, int result)
{
	struct update *u = arg;

	if (result != 0) {
		timer_set(&u->timer, message_backoff_ms(u->m));
		return;
	}
	u->is_bounced = true;
	change_envelope(u);
}

/* The envelope cannot be read any more: the results are in the ledger. */
static void
update_give_up(struct update *u, const char *why)
{
	struct message *m = u->m;
	struct list *n;

	list_for(n, &u->jobs) list_entry(n, struct job, node)->wait_ms = -1;
	end_jobs(u);
	update_free(u);
	m->is_busy = false;
	if (m->jobs > 0) {
		/* The last of them finds the same. */
		after_update(m);
		return;
	}
	deliver_leave(m);
	change_park(m, NULL, why);
}

/* Reads the envelope anew each time it is tried. */
static void
update_try(void *arg)
{
	struct update *u = arg;
	enum envelope_result got;
	struct list *n;
	struct err e;

	arena_clear(&u->arena);
	got = spool_read_envelope(keep_fd(), STATE_OUTGOING, u->m->name,
				  &u->arena, &u->env, &e);
	if (got == ENVELOPE_LATER) {
		log_warn("%s unread reason=%s", u->m->name, log_text(e.text));
		timer_set(&u->timer, message_backoff_ms(u->m));
		return;
	}
	if (got != ENVELOPE_OK) {
		update_give_up(u, e.text[0] != '\0' ? e.text
						    : "its envelope is gone");
		return;
	}
	list_for(n, &u->jobs) list_entry(n, struct job, node)->next = 0;
	apply_results(u);
	plan_groups(u);
	if (u->failed_count > 0 && !u->is_bounced)
		bounce_send(&u->env, u->failed, u->failed_count, on_bounced, u);
	else
		change_envelope(u);
}

static void
update_start(struct message *m)
{
	struct update *u = xcalloc(1, sizeof(*u));

	m->is_busy = true;
	u->m = m;
	list_init(&u->jobs);
	timer_init(&u->timer, update_try, u);
	collect_jobs(u);
	update_try(u);
}
