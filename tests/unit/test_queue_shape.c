/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Queued mail by age, domain and sender.
 */
#include "queue_shape.h"

#include <string.h>

#include "check.h"
#include "str.h"

#define MINUTE_US INT64_C(60000000)
#define NOW (INT64_C(100000) * MINUTE_US)

static struct buf out;
static size_t rows;

/* NAME=TOTAL:AGE,AGE... */
static void
add_row(void *arg, const struct record *r)
{
	struct value v[RECORD_FIELDS_MAX];
	size_t n = 0;

	(void)arg;
	rows++;
	(void)record_read(buf_span(&r->b), v, &n, NULL);
	CHECK(n == QUEUE_SHAPE_AGES + 2 && str_eq(v[0].name, "name") &&
		      str_eq(v[2].name, "below_5m") &&
		      str_eq(v[n - 1].name, "above_1280m"),
	      "a row has all ages");
	(void)buf_printf(&out, "%s=%lld:", v[0].str, (long long)v[1].num);
	for (size_t i = 2; i < n; i++)
		(void)buf_printf(&out, "%lld", (long long)v[i].num);
	(void)buf_printf(&out, " ");
}

static void
add(struct queue_shape *s, int64_t minutes, const char *sender,
    const char *first, const char *second)
{
	struct rcpt rcpts[2] = { { .address = first }, { .address = second } };
	struct envelope env;

	envelope_init(&env);
	env.sender = sender;
	env.received_us = NOW - minutes * MINUTE_US;
	env.rcpts = rcpts;
	env.rcpt_count = second == NULL ? 1 : 2;
	queue_shape_add(s, &env, NOW);
}

static void
check_rows(struct queue_shape *s, const char *want, const char *words)
{
	buf_clear(&out);
	rows = 0;
	queue_shape_rows(s, add_row, NULL);
	CHECK(str_eq(buf_str(&out), want), "%s: %s", words, buf_str(&out));
	queue_shape_free(s);
}

static void
fill(struct queue_shape *s)
{
	add(s, 0, "a@x.example", "u@b.example", "v@B.example");
	add(s, 5, "A@x.example", "u@c.example", "v@b.example");
	add(s, 4, "", "postmaster", NULL);
	add(s, 1279, "b@x.example", "u@c.example", NULL);
	add(s, 1280, "b@x.example", "u@b.example", NULL);
	add(s, -9, "b@x.example", "\"x@y\"@b.example", NULL);
}

static void
test_shapes(void)
{
	struct queue_shape *s = queue_shape_new(false);

	fill(s);
	check_rows(s,
		   "TOTAL=8:4200000011 b.example=5:3100000001 "
		   "c.example=2:0100000010 postmaster=1:1000000000 ",
		   "recipients by domain");
	s = queue_shape_new(true);
	fill(s);
	check_rows(s,
		   "TOTAL=6:3100000011 b@x.example=3:1000000011 "
		   "a@x.example=2:1100000000 <>=1:1000000000 ",
		   "messages by sender");
	check_rows(queue_shape_new(false), "TOTAL=0:0000000000 ", "nothing");
}

static void
test_many(void)
{
	struct queue_shape *s = queue_shape_new(false);
	char rcpt[64];

	for (int i = 0; i < 60000; i++) {
		str_fmt(rcpt, sizeof(rcpt), "u@d%d.example", i);
		add(s, 0, "", rcpt, NULL);
	}
	add(s, 0, "", "v@d7.example", NULL);
	buf_clear(&out);
	rows = 0;
	queue_shape_rows(s, add_row, NULL);
	CHECK(rows == QUEUE_SHAPE_ROWS + 2, "the rows are bounded: %zu", rows);
	CHECK(str_has_prefix(buf_str(&out), "TOTAL=60001:60001000000000 "
					    "d7.example=2:2"),
	      "the largest comes first");
	CHECK(strstr(buf_str(&out), " (others)=59500:") != NULL,
	      "what is left is counted in one row");
	queue_shape_free(s);
}

int
main(void)
{
	test_shapes();
	test_many();
	buf_release(&out);
	return check_done();
}
