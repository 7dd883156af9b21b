/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * How much a client does a minute: a bucket for each thing, which holds a
 * minute's worth and fills steadily.  Clients are counted by address, those
 * with IPv6 by their /64; the table is bounded, the one seen longest ago
 * goes first.
 */
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "dict.h"
#include "loop.h"
#include "xalloc.h"

#define CLIENTS_MAX 50000
#define MINUTE_MS 60000
#define V4_BITS 32
#define V6_BITS 64

struct bucket {
	struct list node;
	char key[IP_TEXT_SIZE];
	/* What is left of each, in MINUTE_MS parts of one, and since when. */
	int64_t left[RATE_COUNT];
	int64_t at_ms[RATE_COUNT];
	bool is_begun[RATE_COUNT];
};

static struct {
	struct dict clients;
	struct list order; /* the one seen longest ago first */
	bool is_begun;
} rates;

static void
drop(struct bucket *b)
{
	dict_del(&rates.clients, b->key);
	list_del(&b->node);
	free(b);
}

static struct bucket *
bucket_of(const struct ip *client)
{
	struct ip net = ip_masked(client, V4_BITS, V6_BITS);
	char key[IP_TEXT_SIZE];
	struct bucket *b;

	if (!rates.is_begun)
		list_init(&rates.order);
	rates.is_begun = true;
	ip_text(&net, key);
	b = dict_get(&rates.clients, key);
	if (b != NULL) {
		list_del(&b->node);
		list_push(&rates.order, &b->node);
		return b;
	}
	if (rates.clients.count >= CLIENTS_MAX)
		drop(list_entry(rates.order.next, struct bucket, node));
	b = xcalloc(1, sizeof(*b));
	memcpy(b->key, key, sizeof(key));
	dict_set(&rates.clients, key, b);
	list_push(&rates.order, &b->node);
	return b;
}

bool
rate_is_over(const struct ip *client, enum rate what, int64_t max,
	     int64_t now_ms, bool is_dry)
{
	struct bucket *b = bucket_of(client);
	int64_t full = max * MINUTE_MS;
	int64_t gone_ms = now_ms - b->at_ms[what];

	/* max tokens a minute, so max parts a millisecond. */
	if (!b->is_begun[what] || gone_ms >= MINUTE_MS)
		b->left[what] = full;
	else if (gone_ms > 0)
		b->left[what] += gone_ms * max;
	if (b->left[what] > full)
		b->left[what] = full;
	b->is_begun[what] = true;
	b->at_ms[what] = now_ms;
	if (b->left[what] < MINUTE_MS)
		return true;
	if (!is_dry)
		b->left[what] -= MINUTE_MS;
	return false;
}

void
rate_clear(void)
{
	while (rates.is_begun && !list_is_empty(&rates.order))
		drop(list_entry(rates.order.next, struct bucket, node));
	dict_release(&rates.clients, NULL);
}

static enum check_result
check_rate(struct check_run *r, enum rate what, int64_t max)
{
	if (max == 0)
		return CHECK_OFF;
	check_detail(r, "more than %lld a minute", (long long)max);
	return rate_is_over(&r->client->ip, what, max, loop_now_ms(),
			    r->client->is_dry)
		       ? CHECK_REFUSE
		       : CHECK_PASS;
}

enum check_result
check_connection_rate(struct check_run *r)
{
	return check_rate(r, RATE_CONNECTIONS,
			  r->knobs->client_connection_rate);
}

/* Each mail counts once, with its first recipient. */
enum check_result
check_message_rate(struct check_run *r)
{
	enum check_result result;

	if (r->mail->is_rated)
		return CHECK_PASS;
	result = check_rate(r, RATE_MESSAGES, r->knobs->client_message_rate);
	r->mail->is_rated = result == CHECK_PASS;
	return result;
}

enum check_result
check_rcpt_rate(struct check_run *r)
{
	return check_rate(r, RATE_RCPTS, r->knobs->client_rcpt_rate);
}
