/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A ring of destinations that have something to do and may do it, and a
 * heap of groups that wait.
 */
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

#include "dict.h"
#include "log.h"
#include "loop.h"
#include "role.h"
#include "xalloc.h"

#define RETRY_TURN 4 /* every so many starts a retry goes first */
#define LIMIT_KEEP_MS 60000

struct dest {
	char *domain;
	struct list node; /* in the ring */
	struct list fresh, retries; /* groups that are ready */
	size_t groups; /* all there are */
	size_t active;
	int64_t limit; /* its own, 0: that of all */
	int64_t asked_ms; /* when its own was asked for, 0: never */
	bool is_limit_known;
	unsigned turn;
	size_t row; /* in the table of domains */
};

static struct {
	void (*start)(struct group *g);
	void (*ask_limit)(const char *domain);
	struct dict dests;
	struct list ring;
	struct due_heap waiting;
	size_t active;
	int64_t limit_all, limit_each;
	bool is_open;
	struct timer timer; /* of the first that waits */
	struct defer pump;
} self;

static bool
is_ready(const struct dest *d)
{
	return !list_is_empty(&d->fresh) || !list_is_empty(&d->retries);
}

/* Into the ring or out of it, as it should be. */
static void
settle(struct dest *d)
{
	int64_t limit = d->limit > 0 ? d->limit : self.limit_each;
	bool should;

	if (!d->is_limit_known)
		limit = 1;
	should = is_ready(d) && (int64_t)d->active < limit;

	if (should && !list_is_on(&d->node))
		list_push(&self.ring, &d->node);
	else if (!should)
		list_del(&d->node);
	if (should)
		defer_add(&self.pump);
}

static struct dest *
dest_get(const char *domain)
{
	struct dest *d = dict_get(&self.dests, domain);

	if (d != NULL)
		return d;
	d = xcalloc(1, sizeof(*d));
	d->domain = xstrdup(domain);
	d->is_limit_known = self.ask_limit == NULL;
	list_init(&d->node);
	list_init(&d->fresh);
	list_init(&d->retries);
	d->row = stats_row(role_stats(), TABLE_DOMAIN, domain);
	(void)dict_set(&self.dests, domain, d);
	return d;
}

static void
dest_put(struct dest *d)
{
	stats_row_add(role_stats(), TABLE_DOMAIN, d->row, DOMAIN_QUEUED, -1);
	if (--d->groups > 0) {
		settle(d);
		return;
	}
	list_del(&d->node);
	(void)dict_del(&self.dests, d->domain);
	free(d->domain);
	free(d);
}

static void
set_timer(void)
{
	struct due *first = due_first(&self.waiting);
	int64_t wait;

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
	list_push(g->is_retry ? &g->dest->retries : &g->dest->fresh, &g->node);
	settle(g->dest);
}

static void
make_wait(struct group *g, int64_t wait_ms)
{
	if (wait_ms <= 0) {
		make_ready(g);
		return;
	}
	due_set(&self.waiting, &g->due, loop_now_ms() + wait_ms);
	if (due_first(&self.waiting) == &g->due)
		set_timer();
}

static void
on_timer(void *arg)
{
	struct due *d;

	(void)arg;
	while ((d = due_first(&self.waiting)) != NULL &&
	       d->at_ms <= loop_now_ms()) {
		due_clear(&self.waiting, d);
		make_ready(list_entry(d, struct group, due));
	}
	set_timer();
}

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

static void
pump(void *arg)
{
	struct group *g;
	struct dest *d;
	struct list *n;

	(void)arg;
	while (self.is_open && (int64_t)self.active < self.limit_all &&
	       (n = list_pop(&self.ring)) != NULL) {
		d = list_entry(n, struct dest, node);
		look_up_limit(d);
		g = take_group(d);
		g->is_active = true;
		d->active++;
		self.active++;
		settle(d);
		self.start(g);
	}
}

void
schedule_init(void (*start)(struct group *g),
	      void (*ask_limit)(const char *domain))
{
	memset(&self, 0, sizeof(self));
	self.start = start;
	self.ask_limit = ask_limit;
	self.limit_all = self.limit_each = 1;
	list_init(&self.ring);
	timer_init(&self.timer, on_timer, NULL);
	defer_init(&self.pump, pump, NULL);
}

void
schedule_release(void)
{
	timer_release(&self.timer);
	defer_release(&self.pump);
	due_release(&self.waiting);
	dict_release(&self.dests, NULL);
}

void
schedule_limits(int64_t all, int64_t each)
{
	size_t it = 0;
	const char *key;
	void *d;

	self.limit_all = all;
	self.limit_each = each;
	while (dict_next(&self.dests, &it, &key, &d))
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
	g->dest = NULL;
	dest_put(d);
}

void
schedule_drop(struct message *m)
{
	uint32_t i;

	for (i = 0; i < m->group_count; i++) {
		if (m->groups[i].is_active)
			bug("%s: dropped while it is delivered", m->name);
		group_end(&m->groups[i]);
	}
	free(m->groups);
	m->groups = NULL;
	m->group_count = 0;
}

void
schedule_done(struct group *g, int64_t wait_ms)
{
	g->is_active = false;
	g->is_retry = true;
	g->dest->active--;
	self.active--;
	defer_add(&self.pump);
	if (wait_ms < 0) {
		group_end(g);
		return;
	}
	settle(g->dest);
	make_wait(g, wait_ms);
}

void
schedule_now(struct message *m)
{
	uint32_t i;

	for (i = 0; i < m->group_count; i++) {
		if (!due_is_set(&m->groups[i].due))
			continue;
		due_clear(&self.waiting, &m->groups[i].due);
		make_ready(&m->groups[i]);
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
		if (g->dest == NULL || (g->is_active && !with_active))
			continue;
		if (!due_is_set(&g->due))
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

const char *
schedule_domain(const struct group *g)
{
	return g->dest != NULL ? g->dest->domain : "";
}

size_t
schedule_active(void)
{
	return self.active;
}
