/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Questions for a connection wait in turn for a ticket.  A ticket is one
 * of the connections that mcd.conf allows; it is given back by the pool
 * when its worker is done or dead, or when the pool itself is gone.
 */
#include "spamd_desk.h"

#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "list.h"
#include "log.h"
#include "loop.h"
#include "spamd.h"
#include "str.h"
#include "xalloc.h"

#define WAITING_MAX 1024
#define WAIT_MAX_MS 600000
#define CONNECT_MS 5000

/* One question, from its frame until it is answered; then, as a ticket,
 * until it is given back. */
struct line {
	struct list node; /* on one of the lists of self */
	peer_id from;
	uint32_t token;
	uint64_t ticket;
	int64_t end_ms; /* monotonic: the asker waits no longer */
	struct timer end;
	struct watch watch;
	int fd; /* -1: none, or handed over */
	uint32_t parent_token; /* of the question under way, 0: none */
};

static struct {
	struct spamd_place place;
	char *text; /* what place points into */
	unsigned max;
	struct list waiting, connecting, out;
	unsigned used; /* connecting or out */
	unsigned waiting_count;
	uint64_t next_ticket;
} self;

static void serve(void);

static void
line_free(struct line *l)
{
	list_del(&l->node);
	if (l->parent_token != 0)
		peer_forget(l->parent_token);
	timer_release(&l->end);
	watch_release(&l->watch);
	file_shut(&l->fd);
	free(l);
}

static void
answer(struct line *l, enum spamd_status status, const char *text)
{
	struct frame_spamd_reply reply = { .status = status, .text = text };

	(void)peer_answer(l->from, l->token, FRAME_spamd_reply, &reply, -1);
}

/* It had a ticket, or was about to: that is free. */
static void
end_used(struct line *l)
{
	line_free(l);
	self.used--;
	serve();
}

static void
fail(struct line *l, const char *text)
{
	char cut[160];

	str_printable(cut, sizeof(cut), text, strlen(text));
	log_debug("- spamd: %s", cut);
	answer(l, SPAMD_DOWN, cut);
	end_used(l);
}

static void
hand_over(struct line *l)
{
	struct frame_spamd_reply reply = { .status = SPAMD_READY, .text = "" };
	int fd = l->fd;

	watch_release(&l->watch);
	timer_clear(&l->end);
	l->fd = -1;
	l->ticket = reply.ticket = ++self.next_ticket;
	list_del(&l->node);
	list_push(&self.out, &l->node);
	if (peer_answer(l->from, l->token, FRAME_spamd_reply, &reply, fd) != 0)
		end_used(l);
}

static void
on_writable(void *arg, int what)
{
	struct line *l = arg;
	struct err e;

	(void)what;
	if (spamd_connected(l->fd, &e) != 0)
		fail(l, e.text);
	else
		hand_over(l);
}

static void
on_socket(void *arg, struct frame *f)
{
	struct line *l = arg;
	const struct frame_socket_reply *b;

	l->parent_token = 0;
	if (f == NULL || f->type != FRAME_socket_reply) {
		fail(l, "spamd: the parent does not answer");
		return;
	}
	b = FRAME_BODY(f, socket_reply);
	if (b->status != ANSWER_OK || f->fd < 0) {
		fail(l, b->text);
		return;
	}
	l->fd = f->fd;
	f->fd = -1;
	hand_over(l);
}

static void
on_end(void *arg)
{
	struct line *l = arg;

	if (l->fd >= 0 || l->parent_token != 0) {
		fail(l, "spamd: no connection in time");
		return;
	}
	answer(l, SPAMD_BUSY, "all connections to spamd are in use");
	self.waiting_count--;
	line_free(l);
}

/* The whole of it ends when the asker's time does. */
static int64_t
connect_ms(const struct line *l)
{
	int64_t left_ms = l->end_ms - clock_mono_ms();

	return left_ms > CONNECT_MS ? CONNECT_MS : left_ms > 0 ? left_ms : 1;
}

/* A path lies outside our jail: the parent connects. */
static void
ask_parent(struct line *l)
{
	static const struct frame_socket_ask ask;

	l->parent_token = peer_ask(peer_of(ROLE_PARENT), FRAME_socket_ask, &ask,
				   -1, connect_ms(l), on_socket, l);
	if (l->parent_token == 0)
		fail(l, "spamd: the parent is gone");
}

/* Has a ticket from now on. */
static void
begin(struct line *l)
{
	struct err e;

	list_del(&l->node);
	list_push(&self.connecting, &l->node);
	self.used++;
	if (self.place.path != NULL) {
		ask_parent(l);
		return;
	}
	l->fd = spamd_connect(&self.place, &e);
	if (l->fd < 0) {
		fail(l, e.text);
		return;
	}
	timer_set(&l->end, connect_ms(l));
	watch_init(&l->watch, l->fd, on_writable, l);
	watch_set(&l->watch, WATCH_WRITE);
}

/* Who waits longest gets what is free. */
static void
serve(void)
{
	static bool is_serving;
	struct line *l;

	if (is_serving) /* the turn that calls comes back to it */
		return;
	is_serving = true;
	while (self.used < self.max && !list_is_empty(&self.waiting)) {
		l = list_entry(self.waiting.next, struct line, node);
		self.waiting_count--;
		timer_clear(&l->end);
		begin(l);
	}
	is_serving = false;
}

void
spamd_desk_init(void)
{
	list_init(&self.waiting);
	list_init(&self.connecting);
	list_init(&self.out);
	/* Tickets of an earlier process must not mean anything. */
	self.next_ticket = (uint64_t)clock_mono_us();
}

void
spamd_desk_conf(const struct conf *conf)
{
	struct err e;

	free(self.text);
	self.text = xstrdup(conf->spamd_socket);
	self.max = (unsigned)conf->spamd_connections;
	if (spamd_place_parse(self.text, &self.place, &e) != 0) {
		log_error("- spamd.socket: %s", e.text);
		self.place.is_set = false;
	}
	serve();
}

void
spamd_desk_ask(peer_id from, struct frame *f)
{
	int64_t wait_ms = FRAME_BODY(f, spamd_ask)->timeout_ms;
	struct line *l = xcalloc(1, sizeof(*l));

	if (wait_ms > WAIT_MAX_MS)
		wait_ms = WAIT_MAX_MS;
	list_init(&l->node);
	l->from = from;
	l->token = f->token;
	l->fd = -1;
	timer_init(&l->end, on_end, l);
	if (!self.place.is_set) {
		answer(l, SPAMD_UNSET, "");
		line_free(l);
		return;
	}
	if (self.waiting_count >= WAITING_MAX) {
		answer(l, SPAMD_BUSY, "too many wait for spamd");
		line_free(l);
		return;
	}
	list_push(&self.waiting, &l->node);
	self.waiting_count++;
	l->end_ms = clock_mono_ms() + wait_ms;
	timer_set(&l->end, wait_ms);
	serve();
}

void
spamd_desk_done(peer_id from, struct frame *f)
{
	uint64_t ticket = FRAME_BODY(f, spamd_done)->ticket;
	struct list *n;

	list_for(n, &self.out)
	{
		struct line *l = list_entry(n, struct line, node);

		if (l->ticket == ticket && l->from == from) {
			end_used(l);
			return;
		}
	}
}

static void
drop_all(struct list *lines, peer_id p, unsigned *count)
{
	struct list *n, *next;

	list_for_safe(n, next, lines)
	{
		struct line *l = list_entry(n, struct line, node);

		if (l->from != p)
			continue;
		line_free(l);
		--*count;
	}
}

void
spamd_desk_down(peer_id p)
{
	drop_all(&self.waiting, p, &self.waiting_count);
	drop_all(&self.connecting, p, &self.used);
	drop_all(&self.out, p, &self.used);
	serve();
}
