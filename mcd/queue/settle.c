/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What follows from the results of a delivery, in this order: they are
 * durable in the ledger; the sender's notification is durable; the
 * envelope durably loses or keeps the recipients; the next attempt.
 */
#include <stdlib.h>
#include <string.h>

#include "addressees.h"
#include "bounce.h"
#include "change.h"
#include "clock.h"
#include "deliver.h"
#include "dict.h"
#include "drift.h"
#include "job.h"
#include "keep.h"
#include "ledger_writer.h"
#include "log.h"
#include "loop.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define LOST_WAIT_MS 1000 /* outgoing answered nothing, once */
#define LOST_WAIT_MAX_MS 600000
#define BATCH_RCPTS 1000 /* results that change the envelope at once */
#define BATCH_GROUPS 10 /* a message of more domains is not written for each */
#define BATCH_MS_MAX 1000 /* results wait for others so long at most */
#define STATUS_KEPT 200 /* bytes of an answer that the envelope keeps */
#define EXPIRE_STEP_MS 1000 /* the last attempt is not sooner than this */

/*
 * The results of a message on their way into its envelope.  They are
 * durable in the ledger; jobs that come in while a change is under way are
 * for the next one.
 */
struct update {
	struct message *m;
	struct list jobs; /* of the change under way */
	struct list next; /* and of the one after it */
	size_t next_rcpts;
	bool is_running;
	struct arena arena;
	struct envelope env;
	struct dict told; /* address -> target, of jobs */
	struct dsn_rcpt *notes;
	size_t note_count;
	bool is_noted; /* the notification is durable */
	bool is_poison; /* it goes to hold */
	struct timer timer; /* another try */
	struct timer wait; /* for more results */
};

static struct {
	size_t pending; /* jobs */
	void (*idle)(struct message *m);
} self;

void
settle_init(void (*idle)(struct message *m))
{
	memset(&self, 0, sizeof(self));
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
	if (ev.verb == LEDGER_BOUNCED && is_null_sender) {
		ev.reason = "double bounce";
		stats_add(role_stats(), STAT_double_bounces, 1);
	}
	ledger_append(&ev);
	count_result(j, t, ev.verb);
	/* Outgoing has told the rest. */
	if (ev.reason != NULL)
		log_info("%s %s rcpt=%s reason=%s", j->m->name,
			 ledger_verb_name(ev.verb), log_text(t->address),
			 log_text(ev.reason));
}

static void update_look(struct update *u);
static void update_try(void *arg);
static void on_waited(void *arg);

static struct update *
update_of(struct message *m)
{
	struct update *u = m->update;

	if (u != NULL)
		return u;
	u = m->update = xcalloc(1, sizeof(*u));
	u->m = m;
	list_init(&u->jobs);
	list_init(&u->next);
	timer_init(&u->timer, update_try, u);
	timer_init(&u->wait, on_waited, u);
	return u;
}

static void
on_synced(void *arg)
{
	struct job *j = arg;
	struct update *u = update_of(j->m);

	list_push(&u->next, &j->node);
	u->next_rcpts += j->count;
	update_look(u);
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
		j->targets[i].at_us = j->at_us;
		j->targets[i].is_expired =
			is_old && j->targets[i].outcome == OUTCOME_DEFERRED;
		tell_result(j, &j->targets[i], j->m->has_null_sender);
	}
	if (told == 0 && !j->is_lost)
		log_error("%s delivery without a result", j->m->name);
	ledger_sync(on_synced, j);
}

/* Then: the envelope. */

static void
add_note(struct update *u, const struct target *t, const struct rcpt *r,
	 enum dsn_action action, int64_t at_us)
{
	struct dsn_rcpt *d;

	if (!bounce_is_due(&u->env, r, action))
		return;
	d = &u->notes[u->note_count++];
	d->action = action;
	d->address = r->address;
	d->orcpt = r->orcpt;
	d->enhanced = t->is_expired	      ? "4.4.7"
		      : action == DSN_RELAYED ? "2.1.9"
					      : t->enhanced;
	d->relay = t->relay;
	d->diagnostic = t->status;
	d->last_attempt_us = at_us;
}

/* Whether it has been in the queue for longer than senders are to wait
 * without a word. */
static bool
is_delayed(const struct update *u)
{
	int64_t after = role_knobs()->delay_warning;

	return after > 0 && deliver_active_ms(u->m) >= after && drift_is_sane();
}

/* What a result makes of a recipient; false: it is done. */
static bool
apply_result(struct update *u, struct rcpt *r, const struct target *t,
	     int64_t at_us)
{
	char status[STATUS_KEPT + 1];

	if (t->outcome == OUTCOME_FAILED || t->is_expired) {
		add_note(u, t, r, DSN_FAILED, at_us);
		return false;
	}
	if (t->outcome == OUTCOME_DELIVERED) {
		if (!t->has_dsn)
			add_note(u, t, r, DSN_RELAYED, at_us);
		return false;
	}
	if (!r->is_delay_told && is_delayed(u)) {
		r->is_delay_told = true;
		add_note(u, t, r, DSN_DELAYED, at_us);
	}
	r->attempts++;
	str_printable(status, sizeof(status), t->status, strlen(t->status));
	r->status = arena_strdup(&u->arena, status);
	return true;
}

/* Goes through the recipients; those that are done go out of the list. */
static void
apply_results(struct update *u)
{
	struct envelope *env = &u->env;
	size_t i, kept = 0;
	struct target *t;

	u->notes = arena_array(&u->arena, u->told.count + 1, sizeof(*u->notes));
	u->note_count = 0;
	for (i = 0; i < env->rcpt_count; i++) {
		t = dict_get(&u->told, env->rcpts[i].address);
		if (t == NULL || apply_result(u, &env->rcpts[i], t, t->at_us))
			env->rcpts[kept++] = env->rcpts[i];
	}
	env->rcpt_count = kept;
}

/* Never past the time when it expires: that is tried once more then. */
static int64_t
retry_wait_ms(const struct update *u, uint32_t attempts)
{
	const struct knobs *k = role_knobs();
	int64_t left = k->expire - deliver_active_ms(u->m);
	int64_t wait = schedule_retry_ms(attempts, k->retry_first, k->retry_max,
					 (uint32_t)random());

	if (left < EXPIRE_STEP_MS)
		left = EXPIRE_STEP_MS;
	return wait > left && drift_is_sane() ? left : wait;
}

/*
 * Outgoing may have died of this message; nobody knows of which of those
 * that were under way.  Each comes back twice as late as before, so that the
 * others get through, and the one that kills is parked in the end.
 */
static void
count_deaths(struct update *u)
{
	bool any_lost = false, any_told = u->told.count > 0;
	size_t jobs = 0;
	struct list *n;

	list_for(n, &u->jobs)
	{
		jobs++;
		any_lost = any_lost || list_entry(n, struct job, node)->is_lost;
	}
	if (any_told)
		u->env.deaths = 0;
	else if (any_lost)
		u->env.deaths++;
	u->is_poison =
		!any_told && u->m->jobs == jobs &&
		(int64_t)u->env.deaths >= role_knobs()->outgoing_poison_deaths;
}

static int64_t
lost_wait_ms(uint32_t deaths)
{
	int64_t wait = LOST_WAIT_MS;

	while (deaths-- > 1 && wait < LOST_WAIT_MAX_MS)
		wait *= 2;
	if (wait > LOST_WAIT_MAX_MS)
		wait = LOST_WAIT_MAX_MS;
	/* Apart, so that not all of them meet again. */
	return wait + random() % (wait / 2);
}

/* When the group of a job comes again: at once for those who had no turn. */
static void
plan_group(const struct update *u, struct job *j)
{
	if (j->least == UINT32_MAX)
		j->wait_ms = -1;
	else if (j->least > j->level)
		j->wait_ms = retry_wait_ms(u, j->least);
	else if (j->is_lost)
		j->wait_ms = lost_wait_ms(u->env.deaths);
	else if (j->count == JOB_RCPTS_MAX)
		j->wait_ms = 0;
	else
		j->wait_ms = LOST_WAIT_MS;
}

/* The fewest attempts of those who are left in each job's domain. */
static void
find_least(struct update *u)
{
	char key[ADDRESS_DOMAIN_MAX + 1];
	struct dict by_domain = { 0 };
	const struct rcpt *r;
	struct list *n;
	struct job *j;
	size_t i;

	list_for(n, &u->jobs)
	{
		j = list_entry(n, struct job, node);
		j->least = UINT32_MAX;
		(void)dict_set(&by_domain, schedule_domain(j->g), j);
	}
	for (i = 0; i < u->env.rcpt_count; i++) {
		r = &u->env.rcpts[i];
		addressees_key(r->address, key);
		j = dict_get(&by_domain, key);
		if (j != NULL && r->attempts < j->least)
			j->least = r->attempts;
	}
	dict_release(&by_domain, NULL);
}

static void
plan_groups(struct update *u)
{
	int64_t least = INT64_MAX, wait;
	struct list *n;
	struct job *j;

	find_least(u);
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
	u->m->update = NULL;
	timer_release(&u->timer);
	timer_release(&u->wait);
	dict_release(&u->told, NULL);
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
	dict_release(&u->told, NULL);
	memset(&u->told, 0, sizeof(u->told));
	u->is_running = u->is_noted = false;
}

/* The message has more results to take in, or is idle. */
static void
after_update(struct update *u)
{
	struct message *m = u->m;

	m->is_busy = false;
	if (!list_is_empty(&u->next)) {
		update_look(u);
		return;
	}
	update_free(u);
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
	after_update(u);
}

/* Parked, or else tried again: outgoing is not asked before. */
static void
on_parked(struct message *m, int result, void *arg)
{
	struct ledger_event ev = { .verb = LEDGER_PARKED, .reason = "poison" };
	struct update *u = arg;

	if (result != 0) {
		timer_set(&u->timer, message_backoff_ms(m));
		return;
	}
	m->tries = 0;
	log_error("%s parked reason=poison deaths=%lu of outgoing", m->name,
		  (unsigned long)u->env.deaths);
	stats_add(role_stats(), STAT_parked, 1);
	change_ledger(m, &u->env, &ev);
	m->is_busy = false;
	update_free(u);
	self.idle(m);
}

static void
park(struct update *u)
{
	struct message *m = u->m;
	struct list *n;

	if (m->jobs > 0) {
		list_for(n, &u->jobs)
		{
			list_entry(n, struct job, node)->wait_ms = -1;
		}
		end_jobs(u);
		deliver_leave(m);
	}
	/* Not the word of the filters: released it is not filtered again. */
	u->env.reason = "outgoing died of it";
	u->env.next_attempt_ms = 0;
	change_write(m, &u->env, STATE_HOLD, on_parked, u);
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
on_noted(void *arg, int result)
{
	struct update *u = arg;

	if (result != 0) {
		timer_set(&u->timer, message_backoff_ms(u->m));
		return;
	}
	u->is_noted = true;
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
	if (m->jobs > 0) {
		/* The last of them finds the same. */
		after_update(u);
		return;
	}
	m->is_busy = false;
	update_free(u);
	deliver_leave(m);
	change_park(m, NULL, why);
}

static int64_t
retry_until_us(const struct update *u)
{
	int64_t left = role_knobs()->expire - deliver_active_ms(u->m);

	return clock_wall_us() + (left > 0 ? left : 0) * 1000;
}

/* Reads the envelope anew each time it is tried. */
static void
update_try(void *arg)
{
	struct update *u = arg;
	enum envelope_result got;
	struct err e = { "" };

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
	if (u->is_poison) {
		park(u);
		return;
	}
	apply_results(u);
	count_deaths(u);
	plan_groups(u);
	if (u->is_poison) {
		park(u);
		return;
	}
	if (u->note_count > 0 && !u->is_noted)
		bounce_send(&u->env, u->notes, u->note_count, retry_until_us(u),
			    on_noted, u);
	else
		change_envelope(u);
}

/* As many jobs as fit into one change. */
static void
update_start(struct update *u)
{
	size_t rcpts = 0, i;
	struct list *n;
	struct job *j;

	timer_clear(&u->wait);
	u->m->is_busy = true;
	u->is_running = true;
	while (rcpts < BATCH_RCPTS && (n = list_pop(&u->next)) != NULL) {
		j = list_entry(n, struct job, node);
		list_push(&u->jobs, n);
		rcpts += j->count;
		for (i = 0; i < j->count; i++)
			if (j->targets[i].is_told)
				(void)dict_set(&u->told, j->targets[i].address,
					       &j->targets[i]);
	}
	u->next_rcpts -= rcpts;
	update_try(u);
}

static void
on_waited(void *arg)
{
	struct update *u = arg;

	if (!u->is_running && !u->m->is_busy)
		update_start(u);
}

/* The larger an envelope is, the longer results wait for others to be
 * written with. */
static void
update_look(struct update *u)
{
	const struct message *m = u->m;
	int64_t wait = m->group_count / 10;

	if (u->is_running || m->is_busy)
		return;
	if (m->group_count <= BATCH_GROUPS || u->next_rcpts >= BATCH_RCPTS ||
	    m->wish != WISH_NONE || !schedule_is_going_on(m)) {
		update_start(u);
		return;
	}
	if (!timer_is_set(&u->wait))
		timer_set(&u->wait, wait < BATCH_MS_MAX ? wait : BATCH_MS_MAX);
}
