/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A cache in front of policy_ask.
 */
#include "policies.h"

#include <stdlib.h>
#include <string.h>

#include "dict.h"
#include "loop.h"
#include "peer.h"
#include "str.h"
#include "xalloc.h"

#define KEEP_MS 5000
#define KEEP_MAX 10000
#define ASK_TIME_MS 10000
#define KEY_SIZE 332 /* "o" or "i", address, NUL */

struct entry {
	int64_t until_ms;
	size_t len;
	char knobs[];
};

struct question {
	char key[KEY_SIZE];
	uint32_t round; /* of the cache when it was asked */
	policies_fn *fn;
	void *arg;
	struct timer timer; /* control is down: told later */
};

static struct {
	struct dict entries;
	uint32_t round;
} self;

void
policies_init(void)
{
	memset(&self, 0, sizeof(self));
}

void
policies_forget(void)
{
	dict_release(&self.entries, free);
	memset(&self.entries, 0, sizeof(self.entries));
	self.round++;
}

static void
remember(const char *key, struct span knobs)
{
	struct entry *e = xcalloc(1, sizeof(*e) + knobs.len + 1);

	e->until_ms = loop_now_ms() + KEEP_MS;
	e->len = knobs.len;
	if (knobs.len > 0)
		memcpy(e->knobs, knobs.p, knobs.len);
	if (self.entries.count >= KEEP_MAX)
		policies_forget();
	free(dict_set(&self.entries, key, e));
}

static void
answer(struct question *q, bool is_known, struct span knobs)
{
	policies_fn *fn = q->fn;
	void *arg = q->arg;

	timer_release(&q->timer);
	free(q);
	fn(arg, is_known, knobs);
}

static void
on_reply(void *arg, struct frame *f)
{
	const struct frame_policy_reply *b;
	struct question *q = arg;

	if (f == NULL || f->type != FRAME_policy_reply) {
		answer(q, false, (struct span){ "", 0 });
		return;
	}
	b = FRAME_BODY(f, policy_reply);
	if (b->status == ANSWER_OK && q->round == self.round)
		remember(q->key, b->knobs);
	answer(q, b->status == ANSWER_OK, b->knobs);
}

static void
on_down(void *arg)
{
	answer(arg, false, (struct span){ "", 0 });
}

int
policies_get(bool is_outbound, const char *address, struct span *knobs,
	     policies_fn *fn, void *arg)
{
	struct frame_policy_ask ask = { .is_outbound = is_outbound,
					.address = address };
	char key[KEY_SIZE];
	struct question *q;
	struct entry *e;

	(void)str_fmt(key, sizeof(key), "%c%s", is_outbound ? 'o' : 'i',
		      address);
	e = dict_get(&self.entries, key);
	if (e != NULL && e->until_ms > loop_now_ms()) {
		*knobs = (struct span){ e->knobs, e->len };
		return 1;
	}
	q = xcalloc(1, sizeof(*q));
	(void)str_copy(q->key, sizeof(q->key), key);
	q->round = self.round;
	q->fn = fn;
	q->arg = arg;
	if (peer_ask(peer_of(ROLE_CONTROL), FRAME_policy_ask, &ask, -1,
		     ASK_TIME_MS, on_reply, q) == 0) {
		timer_init(&q->timer, on_down, q);
		timer_set(&q->timer, 0);
	}
	return 0;
}
