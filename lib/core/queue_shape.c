/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Counting queued mail by name and age.
 */
#include "queue_shape.h"

#include <stdlib.h>
#include <string.h>

#include "dict.h"
#include "str.h"
#include "xalloc.h"

#define NAMES_MAX 50000 /* that are told apart */
#define FIRST_AGE_US INT64_C(300000000)

static const char *const ages[QUEUE_SHAPE_AGES] = {
	"below_5m",   "below_10m",  "below_20m",  "below_40m",	 "below_80m",
	"below_160m", "below_320m", "below_640m", "below_1280m", "above_1280m",
};

struct count {
	const char *name; /* borrowed */
	int64_t total;
	int64_t ages[QUEUE_SHAPE_AGES];
};

struct queue_shape {
	bool is_by_sender;
	struct dict counts; /* of struct count, by name */
	struct count all, others;
};

struct queue_shape *
queue_shape_new(bool is_by_sender)
{
	struct queue_shape *s = xcalloc(1, sizeof(*s));

	s->is_by_sender = is_by_sender;
	s->all.name = "TOTAL";
	s->others.name = "(others)";
	return s;
}

void
queue_shape_free(struct queue_shape *s)
{
	if (s == NULL)
		return;
	dict_release(&s->counts, free);
	free(s);
}

static struct count *
count_of(struct queue_shape *s, const char *name)
{
	struct count *c = dict_get(&s->counts, name);

	if (c != NULL)
		return c;
	if (s->counts.count >= NAMES_MAX)
		return &s->others;
	c = xcalloc(1, sizeof(*c));
	(void)dict_set(&s->counts, name, c);
	return c;
}

static void
count_one(struct queue_shape *s, const char *address, size_t age)
{
	const char *at = strrchr(address, '@');
	const char *name = s->is_by_sender || at == NULL ? address : at + 1;
	struct count *c;
	char lower[512];

	(void)str_copy(lower, sizeof(lower), name);
	str_lower(lower);
	c = count_of(s, lower[0] != '\0' ? lower : "<>");
	c->total++;
	c->ages[age]++;
	s->all.total++;
	s->all.ages[age]++;
}

void
queue_shape_add(struct queue_shape *s, const struct envelope *env,
		int64_t now_us)
{
	int64_t limit_us = FIRST_AGE_US;
	size_t age = 0;

	while (age < QUEUE_SHAPE_AGES - 1 &&
	       now_us - env->received_us >= limit_us) {
		age++;
		limit_us *= 2;
	}
	if (s->is_by_sender) {
		count_one(s, env->sender, age);
		return;
	}
	for (size_t i = 0; i < env->rcpt_count; i++)
		count_one(s, env->rcpts[i].address, age);
}

static int
compare(const void *a, const void *b)
{
	const struct count *x = *(struct count *const *)a;
	const struct count *y = *(struct count *const *)b;

	if (x->total != y->total)
		return x->total > y->total ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void
give(const struct count *c, void (*row)(void *arg, const struct record *r),
     void *arg)
{
	struct record r = { 0 };

	record_str(&r, "name", c->name);
	record_int(&r, "total", c->total);
	for (size_t i = 0; i < QUEUE_SHAPE_AGES; i++)
		record_int(&r, ages[i], c->ages[i]);
	row(arg, &r);
	record_release(&r);
}

/* The counts in their order; their names are the dictionary's. */
static struct count **
sorted(const struct queue_shape *s)
{
	struct count **list = xcalloc(s->counts.count + 1, sizeof(*list));
	size_t it = 0, n = 0;
	const char *name;
	void *value;

	while (dict_next(&s->counts, &it, &name, &value)) {
		list[n] = value;
		list[n++]->name = name;
	}
	qsort(list, n, sizeof(*list), compare);
	return list;
}

void
queue_shape_rows(const struct queue_shape *s,
		 void (*row)(void *arg, const struct record *r), void *arg)
{
	struct count **list = sorted(s);
	struct count rest = s->others;

	give(&s->all, row, arg);
	for (size_t i = 0; i < s->counts.count; i++) {
		if (i < QUEUE_SHAPE_ROWS) {
			give(list[i], row, arg);
			continue;
		}
		rest.total += list[i]->total;
		for (size_t k = 0; k < QUEUE_SHAPE_AGES; k++)
			rest.ages[k] += list[i]->ages[k];
	}
	if (rest.total > 0)
		give(&rest, row, arg);
	free(list);
}
