/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One delivery: collected from queue's frames, then tried at one address
 * after the other until each recipient has its outcome.  Who is put off by
 * one server may be taken by the next; what could not be tried is deferred
 * with the last thing that went wrong.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "delivery_log.h"
#include "delivery.h"
#include "edit_stream.h"
#include "file.h"
#include "hop.h"
#include "ids.h"
#include "log.h"
#include "loop.h"
#include "role.h"
#include "ourselves.h"
#include "spool.h"
#include "str.h"
#include "way.h"
#include "xalloc.h"

#define SESSIONS_MAX 3 /* servers that put off what they were asked */
#define HEADER_MAX (1024 * 1024) /* looked at for bytes above 127 */

struct delivery_rcpt {
	uint32_t index; /* queue's */
	const char *address, *orcpt, *notify;
	bool is_told;
	/* Deferred by a server, and perhaps taken by the next: NULL if not. */
	const struct put_off *put_off;
};

/* An answer that is kept, in the arena. */
struct put_off {
	int code;
	const char *enhanced, *text, *relay;
};

struct delivery {
	struct id_node id; /* queue's token */
	peer_id from;
	struct arena arena;
	int fd;
	uint64_t size;
	char name[ENVELOPE_NAME_SIZE];
	char domain[256];
	const char *message_id;
	bool is_outbound;
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
	struct way way;
	unsigned sessions; /* that came to a mail */
	bool any_delivered; /* in this session */
	/* the try */
	struct hop *hop;
	struct client_mail mail;
	struct client_rcpt *try_rcpts;
	size_t *try_index; /* of rcpts */
	char relay[HOP_RELAY_SIZE];
	bool is_in_clear; /* TLS with this address has failed */
	struct delivery_times times;
	/* what went wrong last */
	enum outcome last_outcome;
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
	way_cancel(&d->way);
	if (d->hop != NULL)
		hop_drop(d->hop);
	file_shut(&d->fd);
	free(d->rcpts);
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
	char tls[64] = "none";
	struct delivery_line line = {
		.name = d->name,
		.message_id = d->message_id,
		.address = rcpt->address,
		.relay = relay,
		.tls = tls,
		.result = r,
		.times = &d->times,
	};

	if (d->hop != NULL) {
		hop_tls_text(d->hop, tls);
		line.is_8bit_unasked = r->outcome == OUTCOME_DELIVERED &&
				       hop_is_8bit_unasked(d->hop);
	}
	delivery_log(&line);
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
note_failure(struct delivery *d, enum outcome outcome, int code,
	     const char *enhanced, const char *text)
{
	d->last_outcome = outcome;
	d->last_code = code;
	str_copy(d->last_enhanced, sizeof(d->last_enhanced), enhanced);
	str_copy(d->last_text, sizeof(d->last_text), text);
}

/* There is nowhere left to try: each with the last word on it. */
static void
give_up(struct delivery *d)
{
	struct client_result r = {
		.outcome = d->last_outcome,
		.code = d->last_code,
		.enhanced = d->last_enhanced,
		.text = d->last_text,
	};
	size_t i;

	for (i = 0; i < d->rcpt_count; i++) {
		const struct put_off *p = d->rcpts[i].put_off;
		struct client_result own = { .outcome = OUTCOME_DEFERRED };

		if (p == NULL || d->rcpts[i].is_told)
			continue;
		own.code = p->code;
		own.enhanced = p->enhanced;
		own.text = p->text;
		tell(d, &d->rcpts[i], &own, p->relay);
	}
	/* That control is down says nothing about a next hop. */
	d->is_unreachable = r.outcome == OUTCOME_DEFERRED && d->sessions == 0 &&
			    !str_eq(r.enhanced, "4.3.0");
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
on_begun(void *arg)
{
	struct delivery *d = arg;

	d->sessions++;
	d->any_delivered = false;
	d->times.begun_ms = loop_now_ms();
}

static void
put_off(struct delivery *d, struct delivery_rcpt *rcpt,
	const struct client_result *r)
{
	struct put_off *p = arena_alloc(&d->arena, sizeof(*p));
	char text[1000];

	str_copy(text, sizeof(text), r->text);
	p->code = r->code;
	p->enhanced = arena_strdup(&d->arena, r->enhanced);
	p->text = arena_strdup(&d->arena, text);
	p->relay = arena_strdup(&d->arena, d->relay);
	rcpt->put_off = p;
}

/*
 * A server that was sent the whole message has the last word, as one has
 * that refuses for good.
 */
static void
on_rcpt(void *arg, size_t index, const struct client_result *r)
{
	struct delivery *d = arg;
	struct delivery_rcpt *rcpt = &d->rcpts[d->try_index[index]];

	if (r->outcome == OUTCOME_DELIVERED)
		d->any_delivered = true;
	if (r->outcome == OUTCOME_DEFERRED && !hop_is_busy_with_body(d->hop))
		put_off(d, rcpt, r);
	else
		tell(d, rcpt, r, d->relay);
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

/*
 * Some were put off: by the next server, as long as nobody has the message
 * already; what was told is not durable before the end of the delivery.
 */
static void
on_done(void *arg)
{
	struct delivery *d = arg;

	d->hop = NULL;
	if (all_told(d)) {
		finish(d);
		return;
	}
	if (d->any_delivered || d->sessions >= SESSIONS_MAX ||
	    deliveries.is_stopping)
		give_up(d);
	else
		way_next(&d->way);
}

/* Our own name: surely a loop where anybody's mail exchanger says it, or
 * one at a port of ours; else two hosts may well have been named alike. */
static void
note_loop(struct delivery *d)
{
	bool is_sure = !d->way.is_ours || ourselves_has_port(d->way.to.port);

	note_failure(d, is_sure ? OUTCOME_FAILED : OUTCOME_DEFERRED, 0,
		     is_sure ? "5.4.6" : "4.4.6",
		     "mail loops back to this host, or the next hop has its "
		     "name");
}

static void
on_failed(void *arg, const struct client_result *why, bool was_stale,
	  bool is_past_end)
{
	struct delivery *d = arg;
	bool in_tls = hop_failed_in_tls(d->hop) && d->way.tls == DEST_TLS_MAY;

	d->hop = NULL;
	if (is_past_end) {
		/* It may be there; to ask again is to send twice, not to
		 * is to lose it. */
		finish_all(d, why, d->relay);
		return;
	}
	if (deliveries.is_stopping) {
		delivery_free(d);
		return;
	}
	if (why->is_loop)
		note_loop(d);
	else
		note_failure(d, OUTCOME_DEFERRED, why->code, why->enhanced,
			     why->text);
	if (all_told(d)) {
		finish(d);
	} else if (was_stale) {
		d->sessions--;
		way_again(&d->way);
	} else if (in_tls && !d->is_in_clear) {
		log_info("%s tls_failed relay=%s reason=%s; goes in the clear",
			 d->name, log_text(d->relay), log_text(why->text));
		d->is_in_clear = true;
		way_again(&d->way);
	} else {
		d->is_in_clear = false;
		way_next(&d->way);
	}
}

static const struct hop_ops hop_ops = {
	.begun = on_begun,
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
try_address(struct delivery *d)
{
	struct hop_target target = {
		.name = d->way.host,
		.to = d->way.to,
		.tls = d->is_in_clear ? DEST_TLS_NONE : d->way.tls,
		.is_hurried = d->way.is_hurried,
	};
	struct err e;

	hop_relay(d->way.host, &d->way.to, d->relay);
	if (make_mail(d, &e) < 0) {
		log_error("%s body: %s", d->name, e.text);
		defer_all(d, "4.3.0", "message cannot be read from the spool");
		return;
	}
	d->mail.bounces_8bit = d->way.eightbit == DEST_8BIT_BOUNCE;
	if (hop_send(&target, &d->mail, &hop_ops, d, &d->hop, &e) == 0)
		return;
	note_failure(d, OUTCOME_DEFERRED, 0, "4.4.1", e.text);
	way_next(&d->way);
}

/* An address, or no more of them. */
static void
on_way(void *arg)
{
	struct delivery *d = arg;
	const struct way *w = &d->way;

	if (!w->is_end) {
		try_address(d);
		return;
	}
	/* What was tried is told rather than what was left out, but for the
	 * only sure thing: that nothing else will ever be tried. */
	if (w->tries == 0) {
		d->relay[0] = '\0';
		note_failure(d, w->why, 0, w->enhanced, w->text);
	}
	give_up(d);
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
	way_start(&d->way, d->domain, d->is_outbound, on_way, d);
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
	d->is_outbound = b->is_outbound != 0;
	d->message_id = arena_strdup(&d->arena, b->message_id);
	d->times.received_us = b->received_us;
	d->times.waited_ms = b->waited_ms;
	d->times.asked_ms = loop_now_ms();
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
