/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A dict of what is known, in the order it was learnt, bounded; callouts
 * under way with those who wait for them.  "@domain" is what is known of a
 * domain as a whole: yes when it takes whatever local part, no when it does
 * not.
 */
#include "verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dict.h"
#include "list.h"
#include "log.h"
#include "record.h"
#include "remember.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define KNOWN_MAX 100000
#define CALLOUTS_MAX 2000 /* under way and waiting */
#define SLACK_MS 2000 /* behind outgoing's own limit */
#define ROWS_MAX 200 /* of a page */
#define FLUSH_MAX 2000 /* at a question */
#define KEEP_MAX_MS (366LL * 86400 * 1000) /* more than any knob allows */

struct known {
	struct list node; /* the oldest first */
	char *key;
	enum callout result;
	int64_t until_ms; /* wall clock */
	char *text;
};

struct asker {
	struct list node;
	peer_id from;
	uint32_t token;
};

struct callout_job {
	struct list node;
	char rcpt[324];
	const char *domain; /* in rcpt */
	struct list askers;
	bool is_out; /* outgoing is asked */
	bool is_probe;
};

static struct {
	struct dict known; /* struct known by key */
	struct list order;
	struct list jobs;
	size_t job_count;
	bool is_begun;
} self;

static void next_jobs(const char *domain);

static void
begin(void)
{
	if (self.is_begun)
		return;
	self.is_begun = true;
	list_init(&self.order);
	list_init(&self.jobs);
}

static int64_t
now_ms(void)
{
	return clock_wall_us() / 1000;
}

static void
forget(struct known *k)
{
	remember_del(REMEMBER_CALLOUT, k->key);
	dict_del(&self.known, k->key);
	list_del(&k->node);
	free(k->key);
	free(k->text);
	free(k);
}

/* NULL when it is not known, or not any more. */
static const struct known *
find(const char *key)
{
	struct known *k = dict_get(&self.known, key);

	if (k != NULL && k->until_ms <= now_ms()) {
		forget(k);
		k = NULL;
	}
	return k;
}

static void
keep(const char *key, enum callout result, int64_t until_ms, const char *text)
{
	struct known *k = dict_get(&self.known, key);

	if (k != NULL)
		forget(k);
	if (self.known.count >= KNOWN_MAX)
		forget(list_entry(self.order.next, struct known, node));
	k = xcalloc(1, sizeof(*k));
	k->key = xstrdup(key);
	k->result = result;
	k->until_ms = until_ms;
	k->text = xstrdup(text);
	dict_set(&self.known, key, k);
	list_push(&self.order, &k->node);
}

/* As verify_recall() reads it: result, until when, and the words. */
static void
learn(const char *key, enum callout result, int64_t keep_ms, const char *text)
{
	int64_t now = now_ms();
	char value[512];

	keep(key, result, now + keep_ms, text);
	str_fmt(value, sizeof(value), "%d %" PRId64 " %.400s", (int)result,
		now + keep_ms, text);
	remember_put(REMEMBER_CALLOUT, key, value, now);
}

void
verify_recall(const char *key, const char *value, int64_t at_ms)
{
	char copy[512];
	char *until, *text;
	int64_t until_ms, left_ms;
	uint64_t result;

	(void)at_ms;
	begin();
	str_copy(copy, sizeof(copy), value);
	until = strchr(copy, ' ');
	text = until != NULL ? strchr(until + 1, ' ') : NULL;
	if (text != NULL) {
		*until++ = '\0';
		*text++ = '\0';
		if (str_to_u64(copy, &result, NULL) == 0 &&
		    result <= CALLOUT_UNREACHABLE &&
		    str_to_i64(until, &until_ms, NULL) == 0) {
			left_ms = until_ms - now_ms();
			if (left_ms > 0 && left_ms < KEEP_MAX_MS) {
				keep(key, (enum callout)result, until_ms, text);
				return;
			}
		}
	}
	remember_del(REMEMBER_CALLOUT, key);
}

static void
say(peer_id from, uint32_t token, enum callout result, const char *text,
    bool is_cached)
{
	struct frame_verify_reply r = { .result = result,
					.text = text,
					.is_cached = is_cached };

	(void)peer_answer(from, token, FRAME_verify_reply, &r, -1);
}

static void
job_end(struct callout_job *j, enum callout result, const char *text)
{
	char domain[324];
	struct list *n;

	while ((n = list_pop(&j->askers)) != NULL) {
		struct asker *a = list_entry(n, struct asker, node);

		say(a->from, a->token, result, text, false);
		free(a);
	}
	str_copy(domain, sizeof(domain), j->domain);
	list_del(&j->node);
	self.job_count--;
	free(j);
	next_jobs(domain);
}

/* What a callout has found out is kept. */
static void
take(struct callout_job *j, const struct frame_callout_reply *b)
{
	const struct knobs *k = role_knobs();
	int64_t keep[] = { k->callout_yes_keep, k->callout_no_keep,
			   k->callout_unreachable_keep };
	enum callout result = b->result <= CALLOUT_UNREACHABLE
				      ? (enum callout)b->result
				      : CALLOUT_UNREACHABLE;
	char key[330];

	if (result == CALLOUT_UNREACHABLE)
		stats_add(role_stats(), STAT_callouts_unreachable, 1);
	if (b->is_null_refused) {
		stats_add(role_stats(), STAT_callouts_null_refused, 1);
		log_info("- callout to=<%s> accepted: %s", log_text(j->rcpt),
			 log_text(b->text));
	}
	learn(j->rcpt, result, keep[result], b->text);
	if (!j->is_probe || result != CALLOUT_YES || b->is_null_refused)
		return;
	str_fmt(key, sizeof(key), "@%s", j->domain);
	learn(key, b->is_catch_all ? CALLOUT_YES : CALLOUT_NO,
	      k->callout_yes_keep,
	      b->is_catch_all ? "takes all local parts" : "");
	if (b->is_catch_all)
		log_info("- callout domain=%s takes all local parts",
			 j->domain);
}

static void
on_callout(void *arg, struct frame *f)
{
	struct callout_job *j = arg;
	const struct frame_callout_reply *b =
		f != NULL ? FRAME_BODY(f, callout_reply) : NULL;

	if (b == NULL) {
		job_end(j, CALLOUT_UNREACHABLE, "outgoing does not answer");
		return;
	}
	take(j, b);
	job_end(j,
		b->result <= CALLOUT_UNREACHABLE ? (enum callout)b->result
						 : CALLOUT_UNREACHABLE,
		b->text);
}

/* An address that nobody has: letters of no word, made anew each time. */
static void
nobody_of(const char *domain, char *dst, size_t size)
{
	uint64_t n = (uint64_t)clock_wall_us();

	n = hash_bytes(&n, sizeof(n));
	str_fmt(dst, size, "mcgate-%016llx@%.250s", (unsigned long long)n,
		domain);
}

static void
job_start(struct callout_job *j)
{
	char key[330], probe[324] = "";
	struct frame_callout_ask ask = { .rcpt = j->rcpt, .probe = probe };

	str_fmt(key, sizeof(key), "@%s", j->domain);
	j->is_probe = find(key) == NULL;
	if (j->is_probe)
		nobody_of(j->domain, probe, sizeof(probe));
	j->is_out = true;
	stats_add(role_stats(), STAT_callouts, 1);
	if (peer_ask(peer_of(ROLE_OUTGOING), FRAME_callout_ask, &ask, -1,
		     role_knobs()->callout_time + SLACK_MS, on_callout, j) == 0)
		job_end(j, CALLOUT_UNREACHABLE, "outgoing is not there");
}

/* Starts as many of a domain's as there is room for. */
static void
next_jobs(const char *domain)
{
	int64_t out = 0;
	struct callout_job *next = NULL;
	struct list *n;

	list_for(n, &self.jobs)
	{
		struct callout_job *j = list_entry(n, struct callout_job, node);

		if (!str_eq(j->domain, domain))
			continue;
		out += j->is_out;
		if (next == NULL && !j->is_out)
			next = j;
	}
	/* One more at most: each end makes room for one. */
	if (next != NULL && out < role_knobs()->callout_concurrency)
		job_start(next);
}

static struct callout_job *
job_of(const char *rcpt)
{
	struct list *n;

	list_for(n, &self.jobs)
	{
		struct callout_job *j = list_entry(n, struct callout_job, node);

		if (str_eq(j->rcpt, rcpt))
			return j;
	}
	return NULL;
}

static struct callout_job *
job_new(const char *rcpt)
{
	struct callout_job *j = xcalloc(1, sizeof(*j));

	str_copy(j->rcpt, sizeof(j->rcpt), rcpt);
	j->domain = strrchr(j->rcpt, '@') + 1;
	list_init(&j->askers);
	list_push(&self.jobs, &j->node);
	self.job_count++;
	return j;
}

void
verify_ask(peer_id from, struct frame *f)
{
	const struct frame_verify_ask *ask = FRAME_BODY(f, verify_ask);
	const char *at = strrchr(ask->rcpt, '@');
	const struct known *k;
	struct callout_job *j;
	struct asker *a;

	begin();
	if (at == NULL) {
		say(from, f->token, CALLOUT_UNREACHABLE, "no domain", false);
		return;
	}
	k = find(at);
	if (k == NULL || k->result != CALLOUT_YES)
		k = find(ask->rcpt);
	if (k != NULL) {
		stats_add(role_stats(), STAT_callouts_cached, 1);
		say(from, f->token, k->result, k->text, true);
		return;
	}
	j = job_of(ask->rcpt);
	if (j == NULL && self.job_count >= CALLOUTS_MAX) {
		say(from, f->token, CALLOUT_UNREACHABLE, "too many callouts",
		    false);
		return;
	}
	if (j == NULL)
		j = job_new(ask->rcpt);
	a = xcalloc(1, sizeof(*a));
	a->from = from;
	a->token = f->token;
	list_push(&j->askers, &a->node);
	if (!j->is_out)
		next_jobs(j->domain);
}

void
verify_forget_askers(void)
{
	struct list *n, *m;

	begin();
	list_for(n, &self.jobs)
	{
		struct callout_job *j = list_entry(n, struct callout_job, node);

		while ((m = list_pop(&j->askers)) != NULL)
			free(list_entry(m, struct asker, node));
	}
}

static void
list_one(peer_id p, uint32_t token, const struct known *k)
{
	static const char *const results[] = { "yes", "no", "unreachable" };
	struct frame_ctl_row row;
	struct record r = { 0 };
	int64_t left_ms = k->until_ms - now_ms();
	char left[64];

	str_duration(left, sizeof(left), left_ms / 1000 * 1000);
	record_str(&r, "address", k->key);
	record_str(&r, "result", results[k->result]);
	record_str(&r, "kept_for", left);
	record_str(&r, "text", k->text);
	row.record = buf_span(&r.b);
	(void)peer_answer(p, token, FRAME_ctl_row, &row, -1);
	record_release(&r);
}

void
verify_list(peer_id p, uint32_t token, const char *word, const char *cursor,
	    char *dst, size_t size)
{
	uint64_t skip = 0, at = 0, rows = 0;
	struct list *n;

	begin();
	dst[0] = '\0';
	if (cursor[0] != '\0' && str_to_u64(cursor, &skip, NULL) < 0)
		skip = 0;
	list_for(n, &self.order)
	{
		const struct known *k = list_entry(n, struct known, node);

		if (at++ < skip)
			continue;
		if (rows >= ROWS_MAX) {
			str_fmt(dst, size, "%llu",
				(unsigned long long)(at - 1));
			return;
		}
		if (k->until_ms <= now_ms() || strstr(k->key, word) == NULL)
			continue;
		list_one(p, token, k);
		rows++;
	}
}

size_t
verify_flush(const char *word, bool *has_more)
{
	struct list *n, *tmp;
	size_t count = 0;

	begin();
	*has_more = false;
	list_for_safe(n, tmp, &self.order)
	{
		struct known *k = list_entry(n, struct known, node);

		if (strstr(k->key, word) == NULL)
			continue;
		if (count == FLUSH_MAX) {
			*has_more = true;
			break;
		}
		forget(k);
		count++;
	}
	return count;
}
