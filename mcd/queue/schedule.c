/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rings of destinations that have something to do and may do it, and a
 * heap of groups that wait.
 */
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

#include "dict.h"
#include "log.h"
#include "loop.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define RETRY_TURN 4 /* every so many starts a retry goes first */
#define LIMIT_KEEP_MS 60000
#define SETTLING_MAX 2000 /* groups whose results are being taken in */
#define UNTRIED_MAX 100 /* of these, not tried */
#define IDLE_MAX 2000 /* destinations without mail that are remembered */

struct dest {
	char *domain;
	struct list node; /* in a ring, or among the idle */
	struct list *ring; /* which */
	struct list fresh, retries; /* groups that are ready */
	struct list later; /* groups that wait for their time */
	struct due probe; /* when it is dead */
	size_t groups; /* all there are */
	size_t active;
	struct dest_load load;
	uint32_t round; /* how often it has come to life */
	bool may_probe; /* it is dead, and the time has come */
	int64_t limit; /* its own, 0: that of all */
	int64_t asked_ms; /* when its own was asked for, 0: never */
	bool is_limit_known;
	unsigned turn;
	size_t row; /* in the table of domains */
	char why[SCHEDULE_WHY]; /* it could not be reached the last time */
};

static struct {
	void (*start)(struct group *g);
	void (*ask_limit)(const char *domain);
	struct schedule_rules rules;
	struct dict dests;
	struct list idle; /* without groups, the oldest first */
	size_t idle_count;
	struct list proven, untouched, unproven, dead; /* rings */
	struct due_heap waiting, probes;
	size_t active, active_new, settling, untried;
	unsigned turn;
	int64_t steps; /* starts and results */
	bool is_open;
	struct timer timer; /* of the first that waits */
	struct defer pump;
} self;

/* Destinations. */

static struct dest_rules
rules_of(const struct dest *d)
{
	struct dest_rules r = self.rules.each;

	if (d->limit > 0)
		r.max = d->limit;
	if (!d->is_limit_known)
		r.max = 1;
	return r;
}

static bool
is_ready(const struct dest *d)
{
	return !list_is_empty(&d->fresh) || !list_is_empty(&d->retries);
}

/* The ring it belongs to now, NULL for none. */
static struct list *
ring_of(const struct dest *d)
{
	struct dest_rules r = rules_of(d);

	if (!is_ready(d))
		return NULL;
	if (d->load.is_dead)
		return d->may_probe && d->active == 0 ? &self.unproven
						      : &self.dead;
	if ((int64_t)d->active >= dest_load_limit(&d->load, &r))
		return NULL;
	if (d->load.is_proven)
		return &self.proven;
	return d->active == 0 && d->load.failures == 0 ? &self.untouched
						       : &self.unproven;
}

/* Into the right ring, or out of it. */
static void
settle(struct dest *d)
{
	struct list *ring = ring_of(d);

	if (ring != NULL)
		defer_add(&self.pump);
	if (list_is_on(&d->node) && d->ring == ring)
		return;
	list_del(&d->node);
	d->ring = ring;
	if (ring != NULL)
		list_push(ring, &d->node);
}

static struct dest *
dest_get(const char *domain)
{
	struct dest *d = dict_get(&self.dests, domain);

	if (d != NULL && d->groups == 0) {
		list_del(&d->node);
		self.idle_count--;
	}
	if (d != NULL)
		return d;
	d = xcalloc(1, sizeof(*d));
	d->domain = xstrdup(domain);
	d->is_limit_known = self.ask_limit == NULL;
	list_init(&d->node);
	list_init(&d->fresh);
	list_init(&d->retries);
	list_init(&d->later);
	d->row = stats_row(role_stats(), TABLE_DOMAIN, domain);
	(void)dict_set(&self.dests, domain, d);
	return d;
}

static void
dest_free(struct dest *d)
{
	list_del(&d->node);
	due_clear(&self.probes, &d->probe);
	(void)dict_del(&self.dests, d->domain);
	free(d->domain);
	free(d);
}

/* What was learnt of it is kept for its next mail. */
static void
dest_idle(struct dest *d)
{
	list_del(&d->node);
	if (dest_load_is_blank(&d->load)) {
		dest_free(d);
		return;
	}
	list_push(&self.idle, &d->node);
	if (++self.idle_count <= IDLE_MAX)
		return;
	self.idle_count--;
	dest_free(list_entry(self.idle.next, struct dest, node));
}

static void
dest_put(struct dest *d)
{
	stats_row_add(role_stats(), TABLE_DOMAIN, d->row, DOMAIN_QUEUED, -1);
	if (--d->groups > 0)
		settle(d);
	else
		dest_idle(d);
}

/* Times. */

static void
set_timer(void)
{
	struct due *first = due_first(&self.waiting);
	struct due *probe = due_first(&self.probes);
	int64_t wait;

	if (first == NULL || (probe != NULL && probe->at_ms < first->at_ms))
		first = probe;
	if (first == NULL) {
		timer_clear(&self.timer);
		return;
	}
	wait = first->at_ms - loop_now_ms();
	timer_set(&self.timer, wait > 0 ? wait : 0);
}

static void
make_ready(struct group *g)
{
	struct message *m = g->m;

	if (m->ready_groups >= SCHEDULE_SHARE) {
		g->at = GROUP_BACKLOG;
		list_push(&m->backlog, &g->node);
		return;
	}
	m->ready_groups++;
	g->at = GROUP_READY;
	list_push(g->is_retry ? &g->dest->retries : &g->dest->fresh, &g->node);
	settle(g->dest);
}

/* A group of m does not take turns any more: the next of it may. */
static void
leave_turns(struct message *m)
{
	struct list *n;

	m->ready_groups--;
	n = list_pop(&m->backlog);
	if (n != NULL)
		make_ready(list_entry(n, struct group, node));
}

static void
make_due(struct group *g)
{
	due_clear(&self.waiting, &g->due);
	list_del(&g->node);
	make_ready(g);
}

static void
make_wait(struct group *g, int64_t wait_ms)
{
	if (wait_ms <= 0) {
		make_ready(g);
		return;
	}
	g->at = GROUP_WAITS;
	list_push(&g->dest->later, &g->node);
	due_set(&self.waiting, &g->due, loop_now_ms() + wait_ms);
	if (due_first(&self.waiting) == &g->due)
		set_timer();
}

/* A dead destination may be tried once; with whatever it has. */
static void
let_probe(struct dest *d)
{
	due_clear(&self.probes, &d->probe);
	d->may_probe = true;
	if (d->groups == 0)
		return;
	if (!is_ready(d) && !list_is_empty(&d->later))
		make_due(list_entry(d->later.next, struct group, node));
	settle(d);
}

static void
on_timer(void *arg)
{
	struct due *d;

	(void)arg;
	while ((d = due_first(&self.waiting)) != NULL &&
	       d->at_ms <= loop_now_ms())
		make_due(list_entry(d, struct group, due));
	while ((d = due_first(&self.probes)) != NULL &&
	       d->at_ms <= loop_now_ms())
		let_probe(list_entry(d, struct dest, probe));
	set_timer();
}

/* Turns. */

/* A limit may change at any time, and costs a question to know. */
static void
look_up_limit(struct dest *d)
{
	int64_t now = loop_now_ms();

	if (self.ask_limit == NULL ||
	    (d->asked_ms != 0 && now - d->asked_ms < LIMIT_KEEP_MS))
		return;
	d->asked_ms = now;
	self.ask_limit(d->domain);
}

static struct group *
take_group(struct dest *d)
{
	bool retry_first = ++d->turn % RETRY_TURN == 0;
	struct list *n = NULL;

	if (!retry_first)
		n = list_pop(&d->fresh);
	if (n == NULL)
		n = list_pop(&d->retries);
	if (n == NULL)
		n = list_pop(&d->fresh);
	return list_entry(n, struct group, node);
}

/* The ring whose turn it is, NULL when nobody gets a slot now. */
static struct list *
next_ring(void)
{
	int64_t all = self.rules.all, used = (int64_t)self.active_new;
	struct list *unknown = NULL;

	if ((int64_t)self.active >= all || self.settling >= SETTLING_MAX)
		return NULL;
	if (used < (all + 1) / 2 && !list_is_empty(&self.unproven))
		unknown = &self.unproven;
	/* The first try of a destination has room behind those that hang. */
	if (used < all - all / 4 && !list_is_empty(&self.untouched))
		unknown = &self.untouched;
	if (unknown != NULL &&
	    (list_is_empty(&self.proven) || self.turn++ % 2 == 0))
		return unknown;
	return list_is_empty(&self.proven) ? NULL : &self.proven;
}

static void
start_one(struct dest *d)
{
	struct group *g;

	look_up_limit(d);
	g = take_group(d);
	g->at = GROUP_ACTIVE;
	g->started = ++self.steps;
	g->is_probe = d->load.is_dead;
	g->is_new_slot = !d->load.is_proven;
	g->is_untried = false;
	d->may_probe = false;
	d->active++;
	self.active++;
	self.active_new += g->is_new_slot;
	settle(d);
	self.start(g);
}

/* Without a slot: nothing is sent. */
static void
start_untried(struct dest *d)
{
	struct group *g = take_group(d);

	g->at = GROUP_SETTLING;
	g->is_untried = g->is_unreached = true;
	g->is_probe = false;
	g->round = d->round;
	self.settling++;
	self.untried++;
	leave_turns(g->m);
	settle(d);
	self.start(g);
}

static void
pump(void *arg)
{
	struct list *ring, *n;

	(void)arg;
	while (self.is_open && (ring = next_ring()) != NULL) {
		n = list_pop(ring);
		start_one(list_entry(n, struct dest, node));
	}
	while (self.is_open && self.untried < UNTRIED_MAX &&
	       (n = list_pop(&self.dead)) != NULL)
		start_untried(list_entry(n, struct dest, node));
}

/* Results. */

static void
plan_probe(struct dest *d)
{
	struct dest_rules r = rules_of(d);
	int64_t wait = dest_load_probe_wait(&d->load, &r);

	d->may_probe = false;
	due_set(&self.probes, &d->probe, loop_now_ms() + wait);
	set_timer();
}

/* What was deferred while it could not be reached is due now. */
static void
revive(struct dest *d)
{
	struct list *n, *tmp;
	struct group *g;

	log_info("- destination_up domain=%s", log_text(d->domain));
	due_clear(&self.probes, &d->probe);
	d->may_probe = false;
	d->round++;
	list_for_safe(n, tmp, &d->later)
	{
		g = list_entry(n, struct group, node);
		if (g->is_unreached)
			make_due(g);
	}
}

static void
take_result(struct group *g, enum dest_result result, const char *why)
{
	struct dest *d = g->dest;
	struct dest_rules r = rules_of(d);

	g->is_unreached = result == DEST_UNREACHABLE;
	g->round = d->round;
	if (g->is_unreached)
		(void)str_copy(d->why, sizeof(d->why), why);
	switch (dest_load_take(&d->load, &r, result, (int64_t)d->active,
			       g->started, ++self.steps)) {
	case DEST_DIED:
		log_warn("- destination_down domain=%s reason=%s",
			 log_text(d->domain), log_text(d->why));
		plan_probe(d);
		break;
	case DEST_REVIVED:
		revive(d);
		break;
	case DEST_SAME:
		if (d->load.is_dead && g->is_probe)
			plan_probe(d);
		break;
	}
}

void
schedule_result(struct group *g, enum dest_result result, const char *why)
{
	struct dest *d = g->dest;

	if (g->at != GROUP_ACTIVE)
		return;
	take_result(g, result, why);
	g->at = GROUP_SETTLING;
	self.settling++;
	d->active--;
	self.active--;
	self.active_new -= g->is_new_slot;
	leave_turns(g->m);
	settle(d);
	defer_add(&self.pump);
}

/* Messages. */

void
schedule_init(void (*start)(struct group *g),
	      void (*ask_limit)(const char *domain))
{
	memset(&self, 0, sizeof(self));
	self.start = start;
	self.ask_limit = ask_limit;
	self.rules.all = 1;
	self.rules.each = (struct dest_rules){ .initial = 1, .max = 1 };
	list_init(&self.idle);
	list_init(&self.proven);
	list_init(&self.untouched);
	list_init(&self.unproven);
	list_init(&self.dead);
	timer_init(&self.timer, on_timer, NULL);
	defer_init(&self.pump, pump, NULL);
}

void
schedule_release(void)
{
	struct list *n;

	while ((n = list_pop(&self.idle)) != NULL)
		dest_free(list_entry(n, struct dest, node));
	timer_release(&self.timer);
	defer_release(&self.pump);
	due_release(&self.waiting);
	due_release(&self.probes);
	dict_release(&self.dests, NULL);
}

void
schedule_set_rules(const struct schedule_rules *rules)
{
	size_t it = 0;
	const char *key;
	void *d;

	self.rules = *rules;
	while (dict_next(&self.dests, &it, &key, &d))
		if (((struct dest *)d)->groups > 0)
			settle(d);
	defer_add(&self.pump);
}

void
schedule_limit_of(const char *domain, int64_t limit)
{
	struct dest *d = dict_get(&self.dests, domain);

	if (d == NULL)
		return;
	d->limit = limit;
	d->is_limit_known = true;
	if (d->groups > 0)
		settle(d);
}

void
schedule_open(bool is_open)
{
	self.is_open = is_open;
	defer_add(&self.pump);
}

void
schedule_add(struct message *m, const char *const *domains, size_t n,
	     int64_t wait_ms, bool is_retry)
{
	size_t i;

	m->groups = xcalloc(n, sizeof(*m->groups));
	m->group_count = (uint32_t)n;
	m->ready_groups = 0;
	list_init(&m->backlog);
	for (i = 0; i < n; i++) {
		struct group *g = &m->groups[i];

		list_init(&g->node);
		g->m = m;
		g->is_retry = is_retry;
		g->dest = dest_get(domains[i]);
		g->dest->groups++;
		stats_row_add(role_stats(), TABLE_DOMAIN, g->dest->row,
			      DOMAIN_QUEUED, 1);
		make_wait(g, wait_ms);
	}
}

/* Nobody of it is left. */
static void
group_end(struct group *g)
{
	struct dest *d = g->dest;

	if (d == NULL)
		return;
	due_clear(&self.waiting, &g->due);
	list_del(&g->node);
	g->at = GROUP_OVER;
	g->dest = NULL;
	dest_put(d);
}

void
schedule_drop(struct message *m)
{
	uint32_t i;

	for (i = 0; i < m->group_count; i++) {
		if (m->groups[i].at >= GROUP_ACTIVE)
			bug("%s: dropped while it is delivered", m->name);
		group_end(&m->groups[i]);
	}
	free(m->groups);
	m->groups = NULL;
	m->group_count = 0;
	m->ready_groups = 0;
}

void
schedule_done(struct group *g, int64_t wait_ms)
{
	if (g->at == GROUP_ACTIVE)
		schedule_result(g, DEST_UNKNOWN, "");
	self.settling--;
	self.untried -= g->is_untried;
	g->is_untried = false;
	defer_add(&self.pump);
	if (wait_ms < 0) {
		group_end(g);
		return;
	}
	/* It came to life while this was written down. */
	if (g->is_unreached && g->round != g->dest->round)
		wait_ms = 0;
	if (wait_ms > 0)
		g->is_retry = true;
	make_wait(g, wait_ms);
}

void
schedule_now(struct message *m)
{
	struct group *g;
	uint32_t i;

	for (i = 0; i < m->group_count; i++) {
		g = &m->groups[i];
		if (g->at == GROUP_WAITS)
			make_due(g);
		if (g->dest != NULL && g->dest->load.is_dead &&
		    g->dest->active == 0)
			let_probe(g->dest);
	}
}

static int64_t
least_wait_ms(const struct message *m, bool with_active)
{
	int64_t least = -1, wait;
	const struct group *g;
	uint32_t i;

	for (i = 0; i < m->group_count; i++) {
		g = &m->groups[i];
		if (g->at == GROUP_OVER ||
		    (g->at >= GROUP_ACTIVE && !with_active))
			continue;
		if (g->at != GROUP_WAITS)
			return 0;
		wait = g->due.at_ms - loop_now_ms();
		if (wait < 0)
			wait = 0;
		if (least < 0 || wait < least)
			least = wait;
	}
	return least;
}

int64_t
schedule_wait_ms(const struct message *m)
{
	int64_t wait = least_wait_ms(m, true);

	return wait > 0 ? wait : 0;
}

int64_t
schedule_rest_ms(const struct message *m)
{
	return least_wait_ms(m, false);
}

bool
schedule_is_going_on(const struct message *m)
{
	return m->ready_groups > 0;
}

const char *
schedule_domain(const struct group *g)
{
	return g->dest != NULL ? g->dest->domain : "";
}

void
schedule_why(const struct group *g, char *dst, size_t size)
{
	const struct dest *d = g->dest;
	int64_t wait = 0;
	char when[32];

	if (d == NULL) {
		dst[0] = '\0';
		return;
	}
	if (due_is_set(&d->probe))
		wait = d->probe.at_ms - loop_now_ms();
	str_duration(when, sizeof(when), wait > 0 ? wait / 1000 * 1000 : 0);
	(void)str_fmt(dst, size,
		      "not tried: %s could not be reached the last %lld "
		      "times%s%s; next probe in %s",
		      d->domain, (long long)(d->load.failures + d->load.probes),
		      d->why[0] != '\0' ? ": " : "", d->why, when);
}

size_t
schedule_active(void)
{
	return self.active;
}

int64_t
schedule_retry_ms(uint32_t attempts, int64_t first, int64_t max,
		  uint32_t random)
{
	int64_t wait = first;
	uint32_t i;

	for (i = 1; i < attempts && wait < max; i++)
		wait += wait / 2;
	if (wait > max)
		wait = max;
	return wait - wait / 10 + random % (wait / 5 + 1);
}
