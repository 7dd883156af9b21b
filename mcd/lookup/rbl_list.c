/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A list is counted: the table of those in use, questions under way and
 * tests each hold it.
 */
#include "rbl_list.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dns.h"
#include "log.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define TEST_MS 5000 /* for an entry to be answered */
#define SILENT_MAX 5 /* questions in a row without an answer */
#define AGAIN_MS 1000 /* between tests that questions lead to */

struct half {
	struct rbl_list *of;
	enum rbl_what what; /* one of those it is tested by */
	enum health health;
	bool is_testing;
	unsigned due; /* entries that are not answered */
	char wrong[160]; /* what this test has found, "" nothing */
	char why[160]; /* of the suspension */
	unsigned silent;
	int64_t tested_ms;
	struct timer timer;
	struct list waiting;
};

struct rbl_list {
	struct rbl row;
	char *value;
	unsigned holds;
	bool is_used;
	size_t stats_row;
	struct half half[RBL_HALVES];
};

static struct {
	struct rbl_list *list[RBL_LISTS_MAX];
	size_t count;
	struct rbl_list *next[RBL_LISTS_MAX]; /* rows that come in */
	size_t next_count;
} self;

static void test_half(void *arg);

static struct half *
half_of(struct rbl_list *l, unsigned what)
{
	return &l->half[what == RBL_IP4 ? 0 : what == RBL_IP6 ? 1 : 2];
}

static const char *
half_name(const struct half *h)
{
	return h->what == RBL_IP4   ? "IPv4"
	       : h->what == RBL_IP6 ? "IPv6"
				    : "names";
}

/* What administrators see: how many halves are suspended, and why. */
static void
show_health(const struct rbl_list *l)
{
	const char *why = "";
	int64_t count = 0, lists = 0;
	size_t i, k;

	for (i = RBL_HALVES; i-- > 0;)
		if (l->half[i].health == HEALTH_SUSPENDED) {
			count++;
			why = l->half[i].why;
		}
	stats_row_set(role_stats(), TABLE_RBL, l->stats_row, RBL_SUSPENDED,
		      l->is_used ? count : 0);
	stats_row_text(role_stats(), TABLE_RBL, l->stats_row, why);
	for (i = 0; i < self.count; i++)
		for (k = 0; k < RBL_HALVES; k++)
			if (self.list[i]->half[k].health == HEALTH_SUSPENDED) {
				lists++;
				break;
			}
	stats_set(role_stats(), STAT_rbl_suspended, lists);
}

static void
wake(struct half *h)
{
	struct list mine;
	struct list *n;

	/* A waiter may wait again, and must not be met twice. */
	list_init(&mine);
	list_splice(&mine, &h->waiting);
	while ((n = list_pop(&mine)) != NULL) {
		struct rbl_wait *w = list_entry(n, struct rbl_wait, node);

		w->fn(w);
	}
}

static void
suspend(struct half *h, const char *why)
{
	if (h->health != HEALTH_SUSPENDED)
		log_warn("- rbl suspended list=%s half=%s why=%s",
			 h->of->row.name, half_name(h), log_text(why));
	h->health = HEALTH_SUSPENDED;
	(void)str_copy(h->why, sizeof(h->why), why);
	show_health(h->of);
	if (!h->is_testing)
		timer_set(&h->timer, role_knobs()->rbl_retry);
}

static void
resume(struct half *h)
{
	if (h->health == HEALTH_SUSPENDED)
		log_warn("- rbl in use again list=%s half=%s", h->of->row.name,
			 half_name(h));
	h->health = HEALTH_GOOD;
	h->silent = 0;
	show_health(h->of);
	timer_set(&h->timer, role_knobs()->rbl_probe);
}

static void
end_test(struct half *h)
{
	h->is_testing = false;
	if (h->of->is_used) {
		if (h->wrong[0] != '\0')
			suspend(h, h->wrong);
		else
			resume(h);
	}
	wake(h);
	rbl_list_let_go(h->of);
}

static void
found(struct half *h, const char *text)
{
	if (h->wrong[0] == '\0')
		(void)str_fmt(h->wrong, sizeof(h->wrong), "test %s: %s",
			      half_name(h), text);
}

static void
on_listed(void *arg, const struct dns_answer *a)
{
	struct half *h = arg;
	struct err why = { "" };
	uint32_t hits;

	switch (rbl_answer_judge(&h->of->row, a, &hits, &why)) {
	case RBL_ANSWER_YES:
		break;
	case RBL_ANSWER_NO:
		found(h, "its test entry is not there");
		break;
	default:
		found(h, why.text);
	}
	if (--h->due == 0)
		end_test(h);
}

static void
on_clean(void *arg, const struct dns_answer *a)
{
	struct half *h = arg;
	struct err why = { "" };
	uint32_t hits;

	switch (rbl_answer_judge(&h->of->row, a, &hits, &why)) {
	case RBL_ANSWER_NO:
		break;
	case RBL_ANSWER_YES:
		found(h, "it lists what must not be listed");
		break;
	default:
		found(h, why.text);
	}
	if (--h->due == 0)
		end_test(h);
}

static void
test_half(void *arg)
{
	struct half *h = arg;
	char name[RBL_QUERY_SIZE];

	if (h->is_testing || !h->of->is_used)
		return;
	timer_clear(&h->timer);
	h->is_testing = true;
	h->tested_ms = loop_now_ms();
	h->wrong[0] = '\0';
	h->due = 2;
	(void)rbl_list_hold(h->of);
	/* Answers may come at once. */
	if (rbl_query_test(&h->of->row, h->what, true, name))
		dns_ask(name, DNS_TYPE_A, TEST_MS, on_listed, h);
	if (rbl_query_test(&h->of->row, h->what, false, name))
		dns_ask(name, DNS_TYPE_A, TEST_MS, on_clean, h);
}

static void
begin_half(struct rbl_list *l, unsigned what)
{
	struct half *h = half_of(l, what);

	h->of = l;
	h->what = (enum rbl_what)what;
	list_init(&h->waiting);
	timer_init(&h->timer, test_half, h);
}

static struct rbl_list *
list_new(const struct rbl *row, const char *value)
{
	struct rbl_list *l = xcalloc(1, sizeof(*l));
	unsigned i;

	l->row = *row;
	l->value = xstrdup(value);
	l->holds = 1;
	for (i = 0; i < RBL_HALVES; i++)
		begin_half(l, i == 0 ? RBL_IP4 : i == 1 ? RBL_IP6 : RBL_DOMAIN);
	return l;
}

struct rbl_list *
rbl_list_hold(struct rbl_list *l)
{
	l->holds++;
	return l;
}

void
rbl_list_let_go(struct rbl_list *l)
{
	unsigned i;

	if (--l->holds > 0)
		return;
	for (i = 0; i < RBL_HALVES; i++)
		timer_release(&l->half[i].timer);
	free(l->value);
	free(l);
}

static void
start_using(struct rbl_list *l)
{
	unsigned all = l->row.lists, i;

	l->is_used = true;
	l->stats_row = stats_row(role_stats(), TABLE_RBL, l->row.name);
	show_health(l);
	for (i = 0; i < RBL_HALVES && l->row.is_on; i++)
		if ((all & (i == 0   ? RBL_IP4
			    : i == 1 ? RBL_IP6
				     : RBL_DOMAIN | RBL_HOST)) != 0)
			test_half(&l->half[i]);
}

/* What waits for a test goes on when that ends, as suspended. */
static void
stop_using(struct rbl_list *l)
{
	unsigned i;

	l->is_used = false;
	for (i = 0; i < RBL_HALVES; i++) {
		timer_clear(&l->half[i].timer);
		l->half[i].health = HEALTH_SUSPENDED;
		(void)str_copy(l->half[i].why, sizeof(l->half[i].why),
			       "is in use no more");
	}
	show_health(l);
	rbl_list_let_go(l);
}

static struct rbl_list *
find_same(const struct rbl *row, const char *value)
{
	size_t i;

	for (i = 0; i < self.count; i++)
		if (str_eq(self.list[i]->row.name, row->name) &&
		    str_eq(self.list[i]->value, value))
			return self.list[i];
	return NULL;
}

static bool
is_among(struct rbl_list *const *lists, size_t count, const struct rbl_list *l)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (lists[i] == l)
			return true;
	return false;
}

/* Whether a list of this name stays. */
static bool
has_name(const char *name)
{
	size_t i;

	for (i = 0; i < self.count; i++)
		if (str_eq(self.list[i]->row.name, name))
			return true;
	return false;
}

static void
take_over(void)
{
	struct rbl_list *old[RBL_LISTS_MAX];
	size_t old_count = self.count, i;
	char name[RBL_NAME_SIZE];

	memcpy(old, self.list, sizeof(old));
	memcpy(self.list, self.next, sizeof(self.list));
	self.count = self.next_count;
	self.next_count = 0;
	for (i = 0; i < old_count; i++)
		if (!is_among(self.list, self.count, old[i])) {
			(void)str_copy(name, sizeof(name), old[i]->row.name);
			stop_using(old[i]);
			if (!has_name(name))
				stats_row_drop(role_stats(), TABLE_RBL, name);
		}
	for (i = 0; i < self.count; i++)
		if (!self.list[i]->is_used)
			start_using(self.list[i]);
}

void
rbl_list_row(const char *name, const char *value, bool is_last)
{
	struct rbl_list *l;
	struct rbl row;

	if (name[0] != '\0' && self.next_count < RBL_LISTS_MAX &&
	    rbl_read(&row, name, value, NULL) == 0) {
		l = find_same(&row, value);
		self.next[self.next_count++] =
			l != NULL ? l : list_new(&row, value);
	}
	if (is_last)
		take_over();
}

void
rbl_lists_renew(void)
{
	size_t i, k;

	for (i = 0; i < self.count; i++)
		for (k = 0; k < RBL_HALVES; k++)
			if (timer_is_set(&self.list[i]->half[k].timer))
				test_half(&self.list[i]->half[k]);
}

struct rbl_list *
rbl_list_at(size_t i)
{
	return i < self.count ? self.list[i] : NULL;
}

const struct rbl *
rbl_list_row_of(const struct rbl_list *l)
{
	return &l->row;
}

enum health
rbl_list_health(const struct rbl_list *l, unsigned what, const char **why)
{
	const struct half *h = &l->half[what == RBL_IP4	  ? 0
					: what == RBL_IP6 ? 1
							  : 2];

	*why = h->why;
	return h->health;
}

void
rbl_list_wait(struct rbl_list *l, unsigned what, struct rbl_wait *w)
{
	list_push(&half_of(l, what)->waiting, &w->node);
}

/* One answer that is wrong may be about that one name only: the test says
 * whether it is the list. */
static void
suspect(struct half *h)
{
	if (h->health == HEALTH_GOOD && !h->is_testing &&
	    loop_now_ms() - h->tested_ms >= AGAIN_MS)
		timer_set(&h->timer, 0);
}

void
rbl_list_count(struct rbl_list *l, unsigned what, enum rbl_answer got,
	       const char *why, int64_t time_us)
{
	struct half *h = half_of(l, what);
	bool is_wrong = got != RBL_ANSWER_YES && got != RBL_ANSWER_NO;

	/* Another may have its row by now. */
	if (!l->is_used)
		return;
	stats_row_add(role_stats(), TABLE_RBL, l->stats_row, RBL_TIME_US,
		      time_us);
	stats_row_add(role_stats(), TABLE_RBL, l->stats_row,
		      is_wrong		      ? RBL_ERRORS
		      : got == RBL_ANSWER_YES ? RBL_HITS
					      : RBL_MISSES,
		      1);
	stats_add(role_stats(), STAT_rbl_questions, 1);
	if (is_wrong)
		stats_add(role_stats(), STAT_rbl_errors, 1);
	else if (got == RBL_ANSWER_YES)
		stats_add(role_stats(), STAT_rbl_hits, 1);
	h->silent = got == RBL_ANSWER_SILENT ? h->silent + 1 : 0;
	if (got == RBL_ANSWER_REFUSED)
		suspend(h, why);
	else if (got == RBL_ANSWER_BROKEN || h->silent >= SILENT_MAX)
		suspect(h);
}
