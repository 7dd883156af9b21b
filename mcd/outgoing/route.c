/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One question to control at a time for each domain; all who want it wait
 * for that answer.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "dict.h"
#include "route.h"
#include "str.h"
#include "xalloc.h"

#define ASK_MS 20000
#define KEEP_MS 3000
#define ENTRIES_MAX 1000

struct entry {
	char key[260]; /* domain, '>' before it when outbound */
	struct list wants;
	uint32_t token; /* of the question that is out, 0: none */
	bool is_busy; /* its dests are being given */
	int64_t until_ms; /* the answer below is good */
	struct route route;
	struct route_dest *dests; /* of it */
};

static struct dict entries;

static void
entry_free(struct entry *it)
{
	dict_del(&entries, it->key);
	free(it->dests);
	free(it);
}

/* Makes room: what is old, or else what nobody waits for. */
static void
evict(int64_t now_ms)
{
	size_t at = 0;
	const char *key;
	void *value;

	if (entries.count < ENTRIES_MAX)
		return;
	while (dict_next(&entries, &at, &key, &value)) {
		struct entry *it = value;

		if (it->token == 0 && !it->is_busy &&
		    (it->until_ms <= now_ms || entries.count >= ENTRIES_MAX))
			entry_free(it);
	}
}

/* "PRIORITY HOST PORT", best first as it comes; false: not a dest. */
static bool
parse_dest(struct span line, struct route_dest *out)
{
	const char *a = memchr(line.p, ' ', line.len);
	const char *b = memrchr(line.p, ' ', line.len);
	struct span host, port;
	uint64_t n;

	if (a == NULL || b == a ||
	    span_to_u64((struct span){ line.p, (size_t)(a - line.p) }, &n) <
		    0 ||
	    n > INT64_MAX)
		return false;
	out->priority = (int64_t)n;
	host = (struct span){ a + 1, (size_t)(b - a) - 1 };
	port = (struct span){ b + 1, (size_t)(line.p + line.len - b) - 1 };
	if (host.len >= 2 && host.p[0] == '[' && host.p[host.len - 1] == ']') {
		host.p++;
		host.len -= 2;
	}
	if (host.len == 0 || host.len >= sizeof(out->host) ||
	    span_to_u64(port, &n) < 0 || n == 0 || n > 65535)
		return false;
	memcpy(out->host, host.p, host.len);
	out->host[host.len] = '\0';
	out->port = (uint16_t)n;
	return true;
}

static void
parse_dests(struct entry *it, struct span text)
{
	size_t at = 0, count = 0;

	free(it->dests);
	it->dests = xcalloc(ROUTE_DESTS_MAX, sizeof(*it->dests));
	while (at < text.len && count < ROUTE_DESTS_MAX) {
		const char *lf = memchr(text.p + at, '\n', text.len - at);
		size_t end = lf != NULL ? (size_t)(lf - text.p) : text.len;
		struct span line = { text.p + at, end - at };

		if (parse_dest(line, &it->dests[count]))
			count++;
		at = end + 1;
	}
	it->route.dests = it->dests;
	it->route.dest_count = count;
}

/* Values of a control that knows more are taken for the first ones. */
static void
take_route(struct entry *it, const struct frame_route_reply *b)
{
	it->route = (struct route){
		.status = ANSWER_OK,
		.text = "",
		.is_ours = b->is_ours != 0,
		.mode = b->mode <= ROUTE_MX ? (enum route_mode)b->mode
					    : ROUTE_ORDER,
		.tls = b->tls <= DEST_TLS_VERIFY ? (enum dest_tls)b->tls
						 : DEST_TLS_VERIFY,
		.eightbit = b->eightbit == DEST_8BIT_BOUNCE ? DEST_8BIT_BOUNCE
							    : DEST_8BIT_SEND,
	};
	parse_dests(it, b->dests);
	it->until_ms = clock_mono_ms() + KEEP_MS;
}

static void
give(struct list *wants, const struct route *r)
{
	struct list *n;

	while ((n = list_pop(wants)) != NULL) {
		struct route_want *w = list_entry(n, struct route_want, node);

		w->fn(w->arg, r);
	}
}

static void
on_reply(void *arg, struct frame *f)
{
	struct entry *it = arg;
	const struct frame_route_reply *b =
		f != NULL ? FRAME_BODY(f, route_reply) : NULL;
	struct route r = { .status = ANSWER_LATER,
			   .text = "route not known now" };
	struct list wants;
	char text[400];

	it->token = 0;
	list_init(&wants);
	list_splice(&wants, &it->wants);
	if (b != NULL && b->status == ANSWER_OK) {
		take_route(it, b);
		it->is_busy = true;
		give(&wants, &it->route);
		it->is_busy = false;
		return;
	}
	if (b != NULL && b->text[0] != '\0') {
		str_copy(text, sizeof(text), b->text);
		r.text = text;
	}
	if (b != NULL && b->status == ANSWER_NO)
		r.status = ANSWER_NO;
	entry_free(it);
	give(&wants, &r);
}

static struct entry *
entry_get(const char *key, int64_t now_ms)
{
	struct entry *it = dict_get(&entries, key);

	if (it != NULL)
		return it;
	evict(now_ms);
	it = xcalloc(1, sizeof(*it));
	str_copy(it->key, sizeof(it->key), key);
	list_init(&it->wants);
	dict_set(&entries, it->key, it);
	return it;
}

void
route_want_init(struct route_want *w, route_fn *fn, void *arg)
{
	list_init(&w->node);
	w->fn = fn;
	w->arg = arg;
}

void
route_get(struct route_want *w, const char *domain, bool is_outbound)
{
	static const struct route down = {
		.status = ANSWER_LATER,
		.text = "route not known now: control is down"
	};
	struct frame_route_ask ask = { .domain = domain,
				       .is_outbound = is_outbound };
	int64_t now_ms = clock_mono_ms();
	struct entry *it;
	char key[260];

	str_fmt(key, sizeof(key), "%s%s", is_outbound ? ">" : "", domain);
	it = entry_get(key, now_ms);
	if (it->token == 0 && it->until_ms > now_ms) {
		/* It may ask for another, and entries may go meanwhile. */
		it->is_busy = true;
		w->fn(w->arg, &it->route);
		it->is_busy = false;
		return;
	}
	if (it->token == 0)
		it->token = peer_ask(peer_of(ROLE_CONTROL), FRAME_route_ask,
				     &ask, -1, ASK_MS, on_reply, it);
	if (it->token == 0) {
		entry_free(it);
		w->fn(w->arg, &down);
		return;
	}
	list_push(&it->wants, &w->node);
}

void
route_cancel(struct route_want *w)
{
	list_del(&w->node);
}
