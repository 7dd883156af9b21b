/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl history and stats: sums of what history.db has counted, read from
 * the file, whether mcd runs or not.
 */
#include "tally.h"

#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "clock.h"
#include "command.h"
#include "rights.h"
#include "str.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define HOUR_S 3600
#define TOP_DEFAULT 20
#define TOP_MAX 100000

/* --by */
struct period {
	const char *name;
	int64_t since_ms; /* unless it is said */
	const char *behind; /* what stands behind its first hour, in UTC */
	int chars; /* of that hour, as ISO 8601 has it */
};
static const struct period periods[] = {
	{ "hour", DAY_MS, ":00Z", 13 },
	{ "day", 30 * DAY_MS, "", 10 },
	{ "month", 400 * DAY_MS, "", 7 },
};
#define PERIODS (sizeof(periods) / sizeof(periods[0]))

struct sums {
	struct ctx *c;
	const struct period *period;
	enum tally_side side;
	int64_t hour; /* where this period began; -1: none yet */
	int64_t n[TALLY_COLUMNS];
};

static void
period_text(const struct period *p, int64_t hour, char *dst, size_t size)
{
	char when[40];

	clock_iso8601(when, sizeof(when), hour * TALLY_HOUR_US);
	str_fmt(dst, size, "%.*s%s", p->chars, when, p->behind);
}

/* The hour at which the period of an hour begins. */
static int64_t
period_begin(const struct period *p, int64_t hour)
{
	time_t at = (time_t)(hour * HOUR_S);
	struct tm tm;

	if (p == &periods[0] || gmtime_r(&at, &tm) == NULL)
		return hour;
	hour -= tm.tm_hour;
	return p == &periods[1] ? hour : hour - (tm.tm_mday - 1) * INT64_C(24);
}

static void
add_counts(struct ctx *c, const int64_t *n, struct record *r)
{
	char text[32];

	for (int i = 0; i < TALLY_COLUMNS; i++) {
		const char *name = tally_column_name((enum tally_column)i);

		if (i != TALLY_bytes || c->out.json) {
			record_int(r, name, n[i]);
			continue;
		}
		str_bytes(text, sizeof(text), (uint64_t)n[i]);
		record_str(r, name, text);
	}
}

static void
print_period(struct sums *s)
{
	struct record r = { 0 };
	char when[32];

	if (s->hour < 0)
		return;
	period_text(s->period, s->hour, when, sizeof(when));
	if (s->c->out.json)
		record_int(&r, "since", s->hour * HOUR_S);
	record_str(&r, s->period->name, when);
	add_counts(s->c, s->n, &r);
	out_row(&s->c->out, &r);
	record_release(&r);
}

static int
add_hour(void *arg, const struct tally_row *row)
{
	struct sums *s = arg;
	int64_t begin = period_begin(s->period, row->hour);

	if (begin != s->hour) {
		print_period(s);
		memset(s->n, 0, sizeof(s->n));
		s->hour = begin;
	}
	for (int i = 0; i < TALLY_COLUMNS; i++)
		s->n[i] += row->n[i];
	return 0;
}

static int
print_domain(void *arg, const struct tally_row *row)
{
	struct sums *s = arg;
	struct record r = { 0 };

	record_str(&r, "domain", row->domain);
	record_str(&r, "of", tally_side_name(s->side));
	add_counts(s->c, row->n, &r);
	out_row(&s->c->out, &r);
	record_release(&r);
	return 0;
}

static int
take_since(struct ctx *c, int64_t ms, const struct period *p,
	   struct tally_query *q)
{
	const char *text = option_value(c, "since");
	int64_t since_ms = ms;
	struct err e;

	if (text != NULL && str_to_duration_ms(text, &since_ms, &e) < 0)
		return complain(c, EX_DATAERR, "--since: %s", e.text);
	q->since_hour = (clock_wall_ms() - since_ms) / HOUR_MS;
	if (q->since_hour < 0)
		q->since_hour = 0;
	q->since_hour = period_begin(p, q->since_hour);
	return EX_OK;
}

static int
take_domain(struct ctx *c, char *key, struct tally_query *q)
{
	const char *text = option_value(c, "domain");
	int code;

	if (text == NULL)
		return EX_OK;
	code = domain_key(c, text, key);
	q->domain = key;
	return code;
}

static int
take_period(struct ctx *c, const struct period **out)
{
	const char *names[PERIODS + 1] = { NULL };
	const char *text = option_value(c, "by");

	*out = &periods[0];
	for (size_t i = 0; i < PERIODS; i++) {
		names[i] = periods[i].name;
		if (text != NULL && str_eq(text, names[i])) {
			*out = &periods[i];
			return EX_OK;
		}
	}
	return text == NULL ? EX_OK : complain_unknown(c, "--by", text, names);
}

/* Root's rights are left before the file is opened. */
static int
run_query(struct ctx *c, const struct tally_query *q, tally_fn *fn,
	  struct sums *s)
{
	struct err e;

	s->side = q->side;
	if (rights_become(&c->conf, c->conf.user_main, &e) < 0)
		return complain(c, EX_NOPERM, "%s", e.text);
	if (tally_read(c->conf.lib_dir, q, fn, s, &e) < 0)
		return complain(c, EX_IOERR, "%s", e.text);
	return EX_OK;
}

int
cmd_history(struct ctx *c)
{
	struct sums s = { .c = c, .hour = -1 };
	struct tally_query q = { .side = TALLY_ALL };
	char key[256];
	int code = take_period(c, &s.period);

	if (code == EX_OK)
		code = take_since(c, s.period->since_ms, s.period, &q);
	if (code == EX_OK)
		code = take_domain(c, key, &q);
	if (q.domain != NULL)
		q.side = option_is_given(c, "senders") ? TALLY_SENDER
						       : TALLY_RCPT;
	if (code == EX_OK)
		code = run_query(c, &q, add_hour, &s);
	if (code == EX_OK)
		print_period(&s);
	return code;
}

int
cmd_stats(struct ctx *c)
{
	struct sums s = { .c = c };
	struct tally_query q = { .side = TALLY_RCPT };
	char key[256];
	int code = take_since(c, DAY_MS, &periods[0], &q);

	if (code == EX_OK)
		code = take_domain(c, key, &q);
	if (code == EX_OK)
		code = option_count(c, "top", TOP_DEFAULT, TOP_MAX, &q.top);
	if (option_is_given(c, "senders"))
		q.side = TALLY_SENDER;
	if (code == EX_OK)
		code = run_query(c, &q, print_domain, &s);
	/* Of one domain both sides are wanted. */
	if (code == EX_OK && q.domain != NULL && q.side == TALLY_RCPT) {
		q.side = TALLY_SENDER;
		code = run_query(c, &q, print_domain, &s);
	}
	return code;
}
