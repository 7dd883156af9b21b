/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One delivery: collected from queue's frames, then tried at one address
 * after the other until each recipient has its outcome.  What could not be
 * tried is deferred with the last thing that went wrong.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "delivery.h"
#include "edit_stream.h"
#include "file.h"
#include "hop.h"
#include "ids.h"
#include "log.h"
#include "loop.h"
#include "resolve.h"
#include "role.h"
#include "route.h"
#include "spool.h"
#include "str.h"
#include "xalloc.h"

#define TRIES_MAX 12 /* addresses tried for one delivery */
#define HEADER_MAX (1024 * 1024) /* looked at for bytes above 127 */

struct delivery_rcpt {
	uint32_t index; /* queue's */
	const char *address, *orcpt, *notify;
	bool is_told;
};

struct delivery {
	struct id_node id; /* queue's token */
	peer_id from;
	struct arena arena;
	int fd;
	uint64_t size;
	char name[ENVELOPE_NAME_SIZE];
	char domain[256];
	const char *sender, *envid, *ret;
	bool is_8bit, is_utf8;
	struct edit *edits;
	size_t edit_count;
	struct delivery_rcpt *rcpts;
	size_t rcpt_count, rcpt_max; /* collected, announced */
	bool is_running; /* deliver_end was seen */
	bool is_bad; /* what queue said makes no sense */
	bool is_unreachable; /* no address could be talked to */
	struct edit_stream stream;
	/* the way */
	struct route_want want;
	struct route_dest *dests;
	size_t dest_count, dest_next;
	struct resolve resolve;
	bool is_resolving;
	struct ip_port to;
	size_t ip_next;
	unsigned tries;
	/* the try */
	struct hop *hop;
	struct client_mail mail;
	struct client_rcpt *try_rcpts;
	size_t *try_index; /* of rcpts */
	char relay[HOP_RELAY_SIZE];
	char body_error[512];
	/* what went wrong last */
	int last_code;
	char last_enhanced[16];
	char last_text[1000];
};

static struct {
	struct ids all;
	bool is_stopping;
	int64_t reply_ms;
	struct timer timer;
	void (*done)(void);
} deliveries;

static void next_address(struct delivery *d);

static void
stop_finish(void)
{
	void (*done)(void) = deliveries.done;

	deliveries.done = NULL;
	if (done != NULL)
		done();
}

static void
delivery_free(struct delivery *d)
{
	ids_del(&deliveries.all, &d->id);
	route_cancel(&d->want);
	if (d->is_resolving)
		resolve_cancel(&d->resolve);
	if (d->hop != NULL)
		hop_drop(d->hop);
	file_shut(&d->fd);
	free(d->rcpts);
	free(d->dests);
	free(d->try_rcpts);
	free(d->try_index);
	arena_release(&d->arena);
	free(d);
	if (deliveries.is_stopping && deliveries.all.count == 0)
		stop_finish();
}

static void
log_result(const struct delivery *d, const struct delivery_rcpt *rcpt,
	   const struct client_result *r, const char *relay)
{
	static const char *const verbs[] = {
		[OUTCOME_DELIVERED] = "delivered",
		[OUTCOME_DEFERRED] = "deferred",
		[OUTCOME_FAILED] = "bounced",
	};
	struct id_parts id;
	int64_t delay_ms = 0;
	char status[600];

	if (id_parse(d->name, &id) == 0)
		delay_ms = (clock_wall_us() - id.wall_us) / 1000;
	if (delay_ms < 0)
		delay_ms = 0;
	if (r->code > 0)
		str_fmt(status, sizeof(status), "%d %s %s", r->code,
			r->enhanced, r->text);
	else
		str_fmt(status, sizeof(status), "%s", r->text);
	log_info("%s %s to=<%s> relay=%s delay=%lld.%02lld dsn=%s status=%s",
		 d->name, verbs[r->outcome], log_text(rcpt->address),
		 relay[0] != '\0' ? relay : "none", (long long)delay_ms / 1000,
		 (long long)delay_ms % 1000 / 10, r->enhanced,
		 log_text(status));
}

static void
tell(struct delivery *d, struct delivery_rcpt *rcpt,
     const struct client_result *r, const char *relay)
{
	char text[1000];
	struct frame_deliver_result res = {
		.index = rcpt->index,
		.outcome = r->outcome,
		.code = (uint32_t)r->code,
		.enhanced = r->enhanced,
		.text = text,
		.relay = relay,
		.has_dsn = r->has_dsn,
	};

	if (rcpt->is_told)
		return;
	rcpt->is_told = true;
	str_copy(text, sizeof(text), r->text);
	log_result(d, rcpt, r, relay);
	(void)peer_answer(d->from, d->id.id, FRAME_deliver_result, &res, -1);
}

static void
finish(struct delivery *d)
{
	struct frame_deliver_done done = {
		.name = d->name,
		.is_unreachable = d->is_unreachable,
	};

	(void)peer_answer(d->from, d->id.id, FRAME_deliver_done, &done, -1);
	delivery_free(d);
}

/* All without an outcome get this one. */
static void
finish_all(struct delivery *d, const struct client_result *r, const char *relay)
{
	size_t i;

	for (i = 0; i < d->rcpt_count; i++)
		tell(d, &d->rcpts[i], r, relay);
	finish(d);
}

static void
defer_all(struct delivery *d, const char *enhanced, const char *text)
{
	struct client_result r = { OUTCOME_DEFERRED, 0, enhanced, text, false };

	finish_all(d, &r, "");
}

static void
note_failure(struct delivery *d, int code, const char *enhanced,
	     const char *text)
{
	d->last_code = code;
	str_copy(d->last_enhanced, sizeof(d->last_enhanced), enhanced);
	str_copy(d->last_text, sizeof(d->last_text), text);
}

/* There is nowhere left to try. */
static void
give_up(struct delivery *d)
{
	struct client_result r = { OUTCOME_DEFERRED, d->last_code,
				   d->last_enhanced, d->last_text, false };

	if (d->last_text[0] == '\0') {
		defer_all(d, "4.4.4", "no destination known");
		return;
	}
	d->is_unreachable = true;
	finish_all(d, &r, d->relay);
}

static bool
all_told(const struct delivery *d)
{
	size_t i;

	for (i = 0; i < d->rcpt_count; i++)
		if (!d->rcpts[i].is_told)
			return false;
	return true;
}

static void
on_rcpt(void *arg, size_t index, const struct client_result *r)
{
	struct delivery *d = arg;

	tell(d, &d->rcpts[d->try_index[index]], r, d->relay);
}

static int
on_piece(void *arg, struct span *out)
{
	struct delivery *d = arg;
	struct err e;
	int n = edit_stream_next(&d->stream, out, &e);

	if (n >= 0)
		return n;
	log_error("%s body: %s", d->name, e.text);
	d->hop = NULL;
	defer_all(d, "4.3.0", "message cannot be read from the spool");
	return -1;
}

static void
on_done(void *arg)
{
	struct delivery *d = arg;

	d->hop = NULL;
	if (!all_told(d))
		bug("%s: a recipient has no outcome", d->name);
	finish(d);
}

static void
on_failed(void *arg, const struct client_result *why, bool was_stale,
	  bool is_past_end)
{
	struct delivery *d = arg;

	d->hop = NULL;
	if (is_past_end) {
		/* It may be there; to ask again is to send twice, not to
		 * is to lose it. */
		d->is_unreachable = true;
		finish_all(d, why, d->relay);
		return;
	}
	if (deliveries.is_stopping) {
		delivery_free(d);
		return;
	}
	note_failure(d, why->code, why->enhanced, why->text);
	if (all_told(d)) {
		finish(d);
		return;
	}
	if (was_stale && d->ip_next > 0)
		d->ip_next--;
	next_address(d);
}

static const struct hop_ops hop_ops = {
	.rcpt = on_rcpt,
	.piece = on_piece,
	.done = on_done,
	.failed = on_failed,
};

/* The mail for those who have no outcome yet. */
static int
make_mail(struct delivery *d, struct err *e)
{
	size_t i, n = 0;

	if (edit_stream_init(&d->stream, d->fd, d->size, d->edits,
			     d->edit_count, e) < 0)
		return -1;
	for (i = 0; i < d->rcpt_count; i++) {
		struct delivery_rcpt *r = &d->rcpts[i];

		if (r->is_told)
			continue;
		d->try_index[n] = i;
		d->try_rcpts[n++] =
			(struct client_rcpt){ r->address, r->orcpt, r->notify };
	}
	d->mail.rcpts = d->try_rcpts;
	d->mail.rcpt_count = n;
	return 0;
}

static void
try_address(struct delivery *d, const char *host)
{
	struct err e;

	hop_relay(host, &d->to, d->relay);
	if (make_mail(d, &e) < 0) {
		log_error("%s body: %s", d->name, e.text);
		defer_all(d, "4.3.0", "message cannot be read from the spool");
		return;
	}
	if (hop_send(host, &d->to, &d->mail, &hop_ops, d, &d->hop, &e) == 0)
		return;
	note_failure(d, 0, "4.4.1", e.text);
	next_address(d);
}

static void
on_resolved(void *arg, const struct resolve *r)
{
	struct delivery *d = arg;
	char text[400];

	d->is_resolving = false;
	d->ip_next = 0;
	if (r->count == 0) {
		str_fmt(text, sizeof(text), "%s: %s", r->failure,
			d->dests[d->dest_next - 1].host);
		note_failure(d, 0, "4.4.3", text);
		d->relay[0] = '\0';
	}
	next_address(d);
}

/* The next address of this destination, or of the next that has one. */
static void
next_address(struct delivery *d)
{
	const struct route_dest *dest;

	if (d->dest_next > 0 && d->ip_next < d->resolve.count &&
	    d->tries < TRIES_MAX) {
		dest = &d->dests[d->dest_next - 1];
		d->to.ip = d->resolve.ips[d->ip_next++];
		d->to.port = dest->port;
		d->tries++;
		try_address(d, dest->host);
		return;
	}
	if (d->dest_next == d->dest_count || d->tries >= TRIES_MAX) {
		give_up(d);
		return;
	}
	dest = &d->dests[d->dest_next++];
	d->is_resolving = true;
	resolve_start(&d->resolve, dest->host, on_resolved, d);
}

static void
on_route(void *arg, const struct route *r)
{
	struct delivery *d = arg;

	if (r->status != ANSWER_OK) {
		defer_all(d, r->status == ANSWER_NO ? "4.4.4" : "4.3.0",
			  r->text[0] != '\0' ? r->text
					     : "no destination known");
		return;
	}
	d->dest_count = r->dest_count;
	d->dests = xcalloc(r->dest_count + 1, sizeof(*d->dests));
	memcpy(d->dests, r->dests, r->dest_count * sizeof(*d->dests));
	next_address(d);
}

static bool
is_ascii(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] > 127)
			return false;
	return true;
}

/* An empty line ends the header; *state is how much of one was seen. */
static bool
header_ends(struct span in, int *state, size_t *len)
{
	size_t i;

	for (i = 0; i < in.len; i++) {
		if (in.p[i] == '\n')
			(*state)++;
		else if (in.p[i] != '\r')
			*state = 0;
		if (*state == 2) {
			*len = i;
			return true;
		}
	}
	*len = in.len;
	return false;
}

/* A mail may say SMTPUTF8 and yet be fit for every server. */
static bool
needs_utf8(struct delivery *d)
{
	struct edit_stream s;
	struct span piece;
	size_t len, total = 0, i;
	bool at_end = false;
	int state = 1; /* a message may begin with the empty line */

	if (!d->is_utf8)
		return false;
	if (!is_ascii(d->sender, strlen(d->sender)))
		return true;
	for (i = 0; i < d->rcpt_count; i++)
		if (!is_ascii(d->rcpts[i].address, strlen(d->rcpts[i].address)))
			return true;
	if (edit_stream_init(&s, d->fd, d->size, d->edits, d->edit_count,
			     NULL) < 0)
		return true;
	while (!at_end && total < HEADER_MAX &&
	       edit_stream_next(&s, &piece, NULL) > 0) {
		at_end = header_ends(piece, &state, &len);
		if (!is_ascii(piece.p, len))
			return true;
		total += len;
	}
	return !at_end && total >= HEADER_MAX;
}

static void
run(struct delivery *d)
{
	d->is_running = true;
	stats_add(role_stats(), STAT_out_messages, 1);
	d->try_rcpts = xcalloc(d->rcpt_count, sizeof(*d->try_rcpts));
	d->try_index = xcalloc(d->rcpt_count, sizeof(*d->try_index));
	d->mail = (struct client_mail){
		.sender = d->sender,
		.envid = d->envid,
		.ret = d->ret,
		.size = edits_size(d->edits, d->edit_count, d->size),
		.is_8bit = d->is_8bit,
		.is_utf8 = d->is_utf8,
		.needs_utf8 = needs_utf8(d),
	};
	route_get(&d->want, d->domain);
}

static struct delivery *
find(peer_id from, uint32_t token)
{
	struct id_node *n = ids_get(&deliveries.all, token);
	struct delivery *d;

	if (n == NULL)
		return NULL;
	d = list_entry(n, struct delivery, id);
	return d->from == from ? d : NULL;
}

void
delivery_ask(peer_id from, struct frame *f)
{
	const struct frame_deliver *b = FRAME_BODY(f, deliver);
	struct delivery *d;
	struct err e;

	if (deliveries.is_stopping ||
	    ids_get(&deliveries.all, f->token) != NULL)
		return;
	d = xcalloc(1, sizeof(*d));
	d->id.id = f->token;
	d->from = from;
	d->fd = f->fd;
	f->fd = -1;
	d->size = b->size;
	str_copy(d->name, sizeof(d->name), b->name);
	str_copy(d->domain, sizeof(d->domain), b->domain);
	d->sender = arena_strdup(&d->arena, b->sender);
	d->envid = arena_strdup(&d->arena, b->envid);
	d->ret = arena_strdup(&d->arena, b->ret);
	d->is_8bit = b->is_8bit != 0;
	d->is_utf8 = b->is_utf8 != 0;
	d->rcpt_max = b->rcpt_count;
	route_want_init(&d->want, on_route, d);
	ids_add(&deliveries.all, &d->id);
	if (b->edits.len > 0 && edits_read(b->edits, &d->arena, &d->edits,
					   &d->edit_count, &e) < 0) {
		log_error("%s edits: %s", d->name, e.text);
		d->is_bad = true;
	}
	if (d->rcpt_max == 0 || d->rcpt_max > ENVELOPE_RCPTS_MAX) {
		log_error("%s recipients: %zu", d->name, d->rcpt_max);
		d->is_bad = true;
		d->rcpt_max = 0;
	}
	d->rcpts = xcalloc(d->rcpt_max + 1, sizeof(*d->rcpts));
}

void
delivery_ask_rcpt(peer_id from, struct frame *f)
{
	const struct frame_deliver_rcpt *b = FRAME_BODY(f, deliver_rcpt);
	struct delivery *d = find(from, f->token);
	struct delivery_rcpt *r;

	if (d == NULL || d->is_running || d->rcpt_count == d->rcpt_max)
		return;
	r = &d->rcpts[d->rcpt_count++];
	r->index = b->index;
	r->address = arena_strdup(&d->arena, b->address);
	r->orcpt = arena_strdup(&d->arena, b->orcpt);
	r->notify = arena_strdup(&d->arena, b->notify);
}

void
delivery_ask_end(peer_id from, struct frame *f)
{
	struct delivery *d = find(from, f->token);

	if (d == NULL || d->is_running)
		return;
	if (d->rcpt_count != d->rcpt_max) {
		log_error("%s has %zu recipients, %zu were announced", d->name,
			  d->rcpt_count, d->rcpt_max);
		d->is_bad = true;
	}
	if (d->is_bad) {
		defer_all(d, "4.3.0", "delivery cannot be made");
		return;
	}
	run(d);
}

/* Each delivery at once, so that one may go. */
static void
for_all(void (*fn)(struct delivery *d))
{
	struct delivery **all;
	struct id_node *n = NULL;
	size_t at = 0, count = 0, i;

	all = xcalloc(deliveries.all.count + 1, sizeof(struct delivery *));
	while ((n = ids_walk(&deliveries.all, &at, n)) != NULL)
		all[count++] = list_entry(n, struct delivery, id);
	for (i = 0; i < count; i++)
		fn(all[i]);
	free(all);
}

void
delivery_abandon_all(void)
{
	for_all(delivery_free);
}

static void
free_without_body(struct delivery *d)
{
	if (d->hop == NULL || !hop_is_busy_with_body(d->hop))
		delivery_free(d);
}

static void
free_in_body(struct delivery *d)
{
	if (d->hop == NULL || !hop_is_past_end(d->hop))
		delivery_free(d);
}

static void
on_stop_timer(void *arg)
{
	(void)arg;
	if (deliveries.reply_ms > 0) {
		timer_set(&deliveries.timer, deliveries.reply_ms);
		deliveries.reply_ms = 0;
		for_all(free_in_body);
		return;
	}
	stop_finish();
}

void
delivery_stop(int64_t data_ms, int64_t reply_ms, void (*done)(void))
{
	if (deliveries.is_stopping)
		return;
	deliveries.is_stopping = true;
	deliveries.reply_ms = reply_ms > 0 ? reply_ms : 1;
	timer_init(&deliveries.timer, on_stop_timer, NULL);
	timer_set(&deliveries.timer, data_ms);
	for_all(free_without_body);
	deliveries.done = done;
	if (deliveries.all.count == 0)
		stop_finish();
}

size_t
delivery_count(void)
{
	return deliveries.all.count;
}
