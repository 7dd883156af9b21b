/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Three tables of entries, each in the order they were last seen: triplets
 * that wait, triplets that are known, networks that are known.  What is too
 * old goes from the front, a few at each question, so that no question
 * takes long.
 */
#include "greylist.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dict.h"
#include "list.h"
#include "record.h"
#include "remember.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define ENTRIES_MAX 100000 /* of each table */
#define SWEEP_MAX 8 /* entries at a question */
#define V4_BITS 24
#define V6_BITS 64
#define KEY_SIZE (IP_TEXT_SIZE + 2 * 324)
#define ROWS_MAX 200 /* of a page */
#define FLUSH_MAX 2000 /* at a question */
#define WRITE_MS 3600000 /* one that is known is written so often */

enum table { WAITING, KNOWN, CLIENTS, TABLES };

struct entry {
	struct list node;
	char *key; /* "NET SENDER RCPT", or "NET" */
	enum table table;
	int64_t first_ms, last_ms; /* wall clock */
	int64_t written_ms;
	uint64_t passes;
};

static struct {
	struct dict entries[TABLES];
	struct list order[TABLES]; /* the one seen longest ago first */
	bool is_begun;
} self;

static const char *const kinds[TABLES] = { REMEMBER_GREY, REMEMBER_GREY,
					   REMEMBER_GREY_CLIENT };

static void
begin(void)
{
	for (int i = 0; i < TABLES && !self.is_begun; i++)
		list_init(&self.order[i]);
	self.is_begun = true;
}

static void
gauges(void)
{
	stats_set(role_stats(), STAT_greylist_waiting,
		  (int64_t)self.entries[WAITING].count);
	stats_set(role_stats(), STAT_greylist_known,
		  (int64_t)self.entries[KNOWN].count);
	stats_set(role_stats(), STAT_greylist_clients,
		  (int64_t)self.entries[CLIENTS].count);
}

static void
take_out(struct entry *e)
{
	dict_del(&self.entries[e->table], e->key);
	list_del(&e->node);
}

static void
forget(struct entry *e)
{
	take_out(e);
	remember_del(kinds[e->table], e->key);
	free(e->key);
	free(e);
}

static struct entry *
first_of(enum table t)
{
	return list_is_empty(&self.order[t])
		       ? NULL
		       : list_entry(self.order[t].next, struct entry, node);
}

/* To the end of its table, which has room. */
static void
put_in(struct entry *e, enum table t)
{
	if (self.entries[t].count >= ENTRIES_MAX)
		forget(first_of(t));
	e->table = t;
	dict_set(&self.entries[t], e->key, e);
	list_push(&self.order[t], &e->node);
}

static void
write_down(struct entry *e)
{
	char value[80];

	str_fmt(value, sizeof(value), "%d %" PRId64 " %" PRIu64,
		e->table == WAITING, e->first_ms, e->passes);
	remember_put(kinds[e->table], e->key, value, e->last_ms);
	e->written_ms = e->last_ms;
}

static struct entry *
entry_new(const char *key, enum table t, int64_t now_ms)
{
	struct entry *e = xcalloc(1, sizeof(*e));

	e->key = xstrdup(key);
	e->first_ms = e->last_ms = now_ms;
	put_in(e, t);
	return e;
}

/* A clock that was set back must not keep anything for ever. */
static bool
is_old(const struct entry *e, const struct knobs *k, int64_t now_ms)
{
	int64_t keep =
		e->table == WAITING ? k->greylist_window : k->greylist_lifetime;

	return now_ms - e->last_ms > keep || e->last_ms - now_ms > keep;
}

static void
sweep(const struct knobs *k, int64_t now_ms)
{
	struct entry *e;

	for (int t = 0; t < TABLES; t++)
		for (int i = 0; i < SWEEP_MAX; i++) {
			e = first_of((enum table)t);
			if (e == NULL || !is_old(e, k, now_ms))
				break;
			forget(e);
		}
}

/* The sender as it is compared: lower case, each number in the local part
 * one sign. */
static void
fold_sender(const char *sender, char *dst, size_t size)
{
	const char *at = strrchr(sender, '@');
	size_t n = 0;

	for (const char *p = sender; *p != '\0' && n + 1 < size; p++) {
		bool is_digit = at != NULL && p < at && *p >= '0' && *p <= '9';

		if (is_digit && n > 0 && dst[n - 1] == '#')
			continue;
		dst[n++] = is_digit ? '#' : *p;
	}
	dst[n] = '\0';
	str_lower(dst);
}

/* Quoted local parts may hold spaces: there the words are not told apart,
 * but the key is the same for the same three. */
static void
key_of(const struct greylist_triplet *t, char *net, size_t net_size, char *key,
       size_t key_size)
{
	struct ip_net masked = {
		.ip = ip_masked(&t->client, V4_BITS, V6_BITS),
		.bits = ip_masked(&t->client, V4_BITS, V6_BITS).family ==
					AF_INET
				? V4_BITS
				: V6_BITS,
	};
	char text[IP_TEXT_SIZE], sender[324], rcpt[324];

	str_copy(net, net_size, ip_net_text(&masked, text));
	fold_sender(t->sender, sender, sizeof(sender));
	str_copy(rcpt, sizeof(rcpt), t->rcpt);
	str_lower(rcpt);
	str_fmt(key, key_size, "%s %s %s", net,
		sender[0] != '\0' ? sender : "<>", rcpt);
}

/* NULL when it is not there, or too old. */
static struct entry *
find(enum table t, const char *key, const struct knobs *k, int64_t now_ms)
{
	struct entry *e = dict_get(&self.entries[t], key);

	return e != NULL && !is_old(e, k, now_ms) ? e : NULL;
}

/* One that is known was seen again. */
static void
touch(struct entry *e, int64_t now_ms)
{
	e->last_ms = now_ms;
	e->passes++;
	list_del(&e->node);
	list_push(&self.order[e->table], &e->node);
	if (now_ms - e->written_ms >= WRITE_MS || now_ms < e->written_ms)
		write_down(e);
}

/*
 * A triplet has come through.  Its network is counted in the table of the
 * clients, and is one of them from so many on.
 */
static void
count_client(const char *net, const struct knobs *k, int64_t now_ms)
{
	struct entry *c;

	if (k->greylist_client_passes == 0)
		return;
	c = find(CLIENTS, net, k, now_ms);
	if (c == NULL) {
		c = dict_get(&self.entries[CLIENTS], net);
		if (c != NULL)
			forget(c);
		c = entry_new(net, CLIENTS, now_ms);
	}
	touch(c, now_ms);
	write_down(c);
}

static bool
is_client_known(const char *net, const struct knobs *k, int64_t now_ms,
		bool is_dry)
{
	struct entry *c = find(CLIENTS, net, k, now_ms);

	if (c == NULL || k->greylist_client_passes == 0 ||
	    c->passes < (uint64_t)k->greylist_client_passes)
		return false;
	if (!is_dry)
		touch(c, now_ms);
	return true;
}

static enum grey
judge_waiting(const char *net, const char *key, const struct knobs *k,
	      int64_t now_ms, bool is_dry, int64_t *wait_ms)
{
	struct entry *e = find(WAITING, key, k, now_ms);
	struct entry *old = dict_get(&self.entries[WAITING], key);

	*wait_ms = k->greylist_delay;
	if (e == NULL) {
		if (is_dry)
			return GREY_NEW;
		if (old != NULL)
			forget(old);
		write_down(entry_new(key, WAITING, now_ms));
		return GREY_NEW;
	}
	if (now_ms - e->first_ms < k->greylist_delay) {
		*wait_ms = k->greylist_delay - (now_ms - e->first_ms);
		return GREY_EARLY;
	}
	if (is_dry)
		return GREY_PASSED;
	take_out(e);
	e->last_ms = now_ms;
	e->passes = 1;
	put_in(e, KNOWN);
	write_down(e);
	count_client(net, k, now_ms);
	return GREY_PASSED;
}

enum grey
greylist_judge(const struct greylist_triplet *t, const struct knobs *k,
	       int64_t now_ms, bool is_dry, int64_t *wait_ms)
{
	char net[IP_TEXT_SIZE], key[KEY_SIZE];
	struct entry *e;

	begin();
	sweep(k, now_ms);
	key_of(t, net, sizeof(net), key, sizeof(key));
	*wait_ms = 0;
	if (is_client_known(net, k, now_ms, is_dry))
		return GREY_CLIENT;
	e = find(KNOWN, key, k, now_ms);
	if (e != NULL && !is_dry)
		touch(e, now_ms);
	if (e != NULL)
		return GREY_KNOWN;
	e = dict_get(&self.entries[KNOWN], key);
	if (e != NULL && !is_dry) /* too old */
		forget(e);
	return judge_waiting(net, key, k, now_ms, is_dry, wait_ms);
}

void
greylist_ask(peer_id from, struct frame *f)
{
	static const enum stat_id counters[] = {
		[GREY_NEW] = STAT_greylist_new,
		[GREY_EARLY] = STAT_greylist_early,
		[GREY_PASSED] = STAT_greylist_passed,
		[GREY_KNOWN] = STAT_greylist_known_again,
		[GREY_CLIENT] = STAT_greylist_known_again,
	};
	const struct frame_grey_ask *ask = FRAME_BODY(f, grey_ask);
	struct greylist_triplet t = { .sender = ask->sender,
				      .rcpt = ask->rcpt };
	struct frame_grey_reply r = { .result = GREY_KNOWN };
	int64_t wait_ms = 0;

	if (ip_parse(ask->client_ip, &t.client, NULL) == 0) {
		r.result = greylist_judge(&t, role_knobs(), clock_wall_ms(),
					  ask->is_dry != 0, &wait_ms);
		if (ask->is_dry == 0)
			stats_add(role_stats(), counters[r.result], 1);
	}
	r.wait_ms = wait_ms;
	gauges();
	(void)peer_answer(from, f->token, FRAME_grey_reply, &r, -1);
}

/* "IS_WAITING FIRST PASSES", as write_down() has written it. */
static int
read_value(const char *value, bool *is_waiting, int64_t *first_ms,
	   uint64_t *passes)
{
	char copy[80];
	char *first, *count;

	if (!str_copy(copy, sizeof(copy), value))
		return -1;
	first = strchr(copy, ' ');
	count = first != NULL ? strchr(first + 1, ' ') : NULL;
	if (count == NULL)
		return -1;
	*first++ = '\0';
	*count++ = '\0';
	*is_waiting = str_eq(copy, "1");
	if (str_to_i64(first, first_ms, NULL) < 0 ||
	    str_to_u64(count, passes, NULL) < 0)
		return -1;
	return 0;
}

void
greylist_recall(const char *kind, const char *key, const char *value,
		int64_t at_ms)
{
	enum table t = CLIENTS;
	bool is_waiting = false;
	int64_t first_ms;
	uint64_t passes;
	struct entry *e;

	begin();
	if (read_value(value, &is_waiting, &first_ms, &passes) < 0)
		return;
	if (str_eq(kind, REMEMBER_GREY))
		t = is_waiting ? WAITING : KNOWN;
	if (strlen(key) >= KEY_SIZE || dict_get(&self.entries[t], key) != NULL)
		return;
	e = entry_new(key, t, first_ms);
	e->last_ms = e->written_ms = at_ms;
	e->passes = passes;
}

static const char *
state_of(const struct entry *e, const struct knobs *k)
{
	if (e->table == WAITING)
		return "waiting";
	if (e->table == KNOWN)
		return "known";
	return k->greylist_client_passes > 0 &&
			       e->passes >= (uint64_t)k->greylist_client_passes
		       ? "client known"
		       : "client";
}

static void
list_one(peer_id p, uint32_t token, const struct entry *e)
{
	const struct knobs *k = role_knobs();
	struct frame_ctl_row row;
	struct record r = { 0 };
	int64_t keep =
		e->table == WAITING ? k->greylist_window : k->greylist_lifetime;
	int64_t left_ms = e->last_ms + keep - clock_wall_ms();
	char left[64];

	str_duration(left, sizeof(left),
		     left_ms > 0 ? left_ms / 1000 * 1000 : 0);
	record_str(&r, "triplet", e->key);
	record_str(&r, "state", state_of(e, k));
	record_int(&r, "passes", (int64_t)e->passes);
	record_str(&r, "kept_for", left);
	row.record = buf_span(&r.b);
	(void)peer_answer(p, token, FRAME_ctl_row, &row, -1);
	record_release(&r);
}

void
greylist_list(peer_id p, uint32_t token, const char *word, const char *cursor,
	      char *dst, size_t size)
{
	const struct knobs *k = role_knobs();
	uint64_t skip = 0, at = 0, rows = 0;
	struct list *n;

	begin();
	dst[0] = '\0';
	if (cursor[0] != '\0' && str_to_u64(cursor, &skip, NULL) < 0)
		skip = 0;
	for (int t = 0; t < TABLES; t++)
		list_for(n, &self.order[t])
		{
			const struct entry *e =
				list_entry(n, struct entry, node);

			if (at++ < skip || is_old(e, k, clock_wall_ms()) ||
			    strstr(e->key, word) == NULL)
				continue;
			if (rows++ == ROWS_MAX) {
				str_fmt(dst, size, "%llu",
					(unsigned long long)(at - 1));
				return;
			}
			list_one(p, token, e);
		}
}

size_t
greylist_flush(const char *word, bool *has_more)
{
	struct list *n, *tmp;
	size_t count = 0;

	begin();
	*has_more = false;
	for (int t = 0; t < TABLES; t++)
		list_for_safe(n, tmp, &self.order[t])
		{
			struct entry *e = list_entry(n, struct entry, node);

			if (strstr(e->key, word) == NULL)
				continue;
			*has_more = count == FLUSH_MAX;
			if (*has_more)
				break;
			forget(e);
			count++;
		}
	gauges();
	return count;
}
