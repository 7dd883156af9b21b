/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Channels on the loop.  Peers and questions stand in tables by number;
 * a peer that breaks the rules of proto.def is closed with a log line and
 * its questions are void, which is an error at its side, not ours.
 */
#include "peer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "clock.h"
#include "file.h"
#include "ids.h"
#include "list.h"
#include "log.h"
#include "loop.h"
#include "xalloc.h"

#define FRAMES_PER_WAKE 64 /* so that one peer does not starve others */

struct peer {
	struct id_node node;
	struct list gone; /* on self.gone once it is dropped */
	enum role role;
	bool is_gone;
	struct chan *chan;
	struct watch watch;
	struct defer look; /* reads what is left after a failed send */
	struct list asks; /* ours that it has not answered */
};

struct ask {
	struct id_node node; /* its number is the token */
	struct list of_peer;
	struct peer *peer;
	struct timer timer; /* made when there is a deadline */
	peer_reply_fn *fn;
	void *arg;
};

static struct {
	enum role role;
	const struct peer_ops *ops;
	struct ids peers, asks;
	uint32_t last_peer, last_token;
	peer_id by_role[ROLE_COUNT];
	struct list gone; /* to be freed at the end of the turn */
	struct defer reap;
} self;

static void
reap_gone(void *arg)
{
	struct list *n;
	struct peer *p;

	(void)arg;
	while ((n = list_pop(&self.gone)) != NULL) {
		p = list_entry(n, struct peer, gone);
		chan_free(p->chan);
		free(p);
	}
}

void
peer_init(enum role role, const struct peer_ops *ops)
{
	self.role = role;
	self.ops = ops;
	list_init(&self.gone);
	defer_init(&self.reap, reap_gone, NULL);
}

static struct peer *
find_peer(peer_id id)
{
	struct id_node *n = ids_get(&self.peers, id);

	return n != NULL ? list_entry(n, struct peer, node) : NULL;
}

static struct ask *
find_ask(uint32_t token)
{
	struct id_node *n = ids_get(&self.asks, token);

	return n != NULL ? list_entry(n, struct ask, node) : NULL;
}

/* Many of these may be connected at a time. */
static bool
is_plural(enum role r)
{
	return r == ROLE_CTL || r == ROLE_WORKER;
}

static void
ask_free(struct ask *a)
{
	ids_del(&self.asks, &a->node);
	list_del(&a->of_peer);
	timer_release(&a->timer);
	free(a);
}

/* Its last answer, or NULL. */
static void
ask_end(struct ask *a, struct frame *f)
{
	peer_reply_fn *fn = a->fn;
	void *arg = a->arg;

	ask_free(a);
	fn(arg, f);
}

static void
ask_late(void *arg)
{
	struct ask *a = arg;

	log_debug("token %lu: no answer of %s in time",
		  (unsigned long)a->node.id, role_name(a->peer->role));
	ask_end(a, NULL);
}

static void
drop(struct peer *p)
{
	if (p->is_gone)
		return;
	p->is_gone = true;
	ids_del(&self.peers, &p->node);
	if (self.by_role[p->role] == p->node.id)
		self.by_role[p->role] = 0;
	watch_release(&p->watch);
	defer_release(&p->look);
	list_push(&self.gone, &p->gone);
	defer_add(&self.reap);
	while (!list_is_empty(&p->asks))
		ask_end(list_entry(p->asks.next, struct ask, of_peer), NULL);
	if (self.ops->down != NULL)
		self.ops->down(p->node.id, p->role);
}

static const struct peer_handler *
find_handler(enum frame_type type)
{
	const struct peer_handler *h = self.ops->handlers;

	while (h != NULL && h->fn != NULL && h->type != type)
		h++;
	return h != NULL && h->fn != NULL ? h : NULL;
}

static int
dispatch_answer(struct peer *p, struct frame *f, struct err *e)
{
	struct ask *a = find_ask(f->token);

	if (a == NULL)
		return 0; /* too late, or forgotten */
	if (a->peer != p)
		return err_set(e, "frame %s: answers what was asked of %s",
			       f->info->name, role_name(a->peer->role));
	if (f->info->part == FRAME_LAST)
		ask_end(a, f);
	else
		a->fn(a->arg, f);
	return 0;
}

static int
dispatch(struct peer *p, struct frame *f, struct err *e)
{
	const struct peer_handler *h = find_handler(f->type);

	if (f->info->part != FRAME_LAST && h != NULL) {
		h->fn(p->node.id, f);
		return 0;
	}
	if (f->info->part == FRAME_LAST || f->info->part == FRAME_MORE)
		return dispatch_answer(p, f, e);
	return err_set(e, "frame %s: nothing is done with it here",
		       f->info->name);
}

static void
read_frames(struct peer *p)
{
	struct frame f;
	struct err e;
	int i, got = 1;

	for (i = 0; i < FRAMES_PER_WAKE && !p->is_gone; i++) {
		got = chan_receive(p->chan, &f, &e);
		if (got <= 0)
			break;
		if (dispatch(p, &f, &e) != 0)
			got = -1;
		file_shut(&f.fd);
		if (got < 0)
			break;
	}
	if (got >= 0 || p->is_gone)
		return;
	if (e.text[0] != '\0')
		log_warn("peer %s dropped: %s", role_name(p->role), e.text);
	drop(p);
}

static void
look(void *arg)
{
	struct peer *p = arg;

	if (!p->is_gone)
		read_frames(p);
}

static void
set_watch(struct peer *p)
{
	if (!p->is_gone)
		watch_set(&p->watch, chan_wants_write(p->chan)
					     ? WATCH_READ | WATCH_WRITE
					     : WATCH_READ);
}

static void
on_watch(void *arg, int what)
{
	struct peer *p = arg;

	if (what & WATCH_WRITE && chan_flush(p->chan) != 0)
		defer_add(&p->look);
	if (what & WATCH_READ)
		read_frames(p);
	set_watch(p);
}

peer_id
peer_add(enum role r, int fd)
{
	struct peer *p = xcalloc(1, sizeof(*p));

	if (!is_plural(r))
		peer_drop(self.by_role[r]);
	p->role = r;
	p->chan = chan_new(fd, self.role, r);
	p->node.id = ids_next(&self.peers, &self.last_peer);
	ids_add(&self.peers, &p->node);
	list_init(&p->asks);
	list_init(&p->gone);
	defer_init(&p->look, look, p);
	watch_init(&p->watch, fd, on_watch, p);
	watch_set(&p->watch, WATCH_READ);
	if (!is_plural(r))
		self.by_role[r] = p->node.id;
	if (self.ops->up != NULL)
		self.ops->up(p->node.id, r);
	return p->node.id;
}

void
peer_drop(peer_id id)
{
	struct peer *p = find_peer(id);

	if (p != NULL)
		drop(p);
}

peer_id
peer_of(enum role r)
{
	return self.by_role[r];
}

enum role
peer_role(peer_id id)
{
	struct peer *p = find_peer(id);

	return p != NULL ? p->role : ROLE_COUNT;
}

size_t
peer_backlog(peer_id id)
{
	struct peer *p = find_peer(id);

	return p != NULL ? chan_backlog(p->chan) : 0;
}

/* Sends what it can; the rest as poll descriptors, which are counted. */
static size_t
flush_once(struct pollfd *polls)
{
	struct id_node *n = NULL;
	struct peer *p;
	size_t at = 0, count = 0;

	while ((n = ids_walk(&self.peers, &at, n)) != NULL) {
		p = list_entry(n, struct peer, node);
		if (chan_flush(p->chan) == 0 && chan_wants_write(p->chan))
			polls[count++] = (struct pollfd){
				.fd = chan_fd(p->chan),
				.events = POLLOUT,
			};
	}
	return count;
}

void
peer_flush_all(int64_t timeout_ms)
{
	struct pollfd *polls = xcalloc(self.peers.count + 1, sizeof(*polls));
	int64_t end_ms = clock_mono_ms() + timeout_ms, left;
	size_t count;

	while ((count = flush_once(polls)) > 0) {
		left = end_ms - clock_mono_ms();
		if (left <= 0)
			break;
		if (poll(polls, count, (int)left) < 0 && errno != EINTR)
			break;
	}
	free(polls);
}

static int
send_frame(struct peer *p, enum frame_type type, uint32_t token,
	   const void *body, int fd)
{
	int result = chan_send(p->chan, type, token, body, fd);

	if (result == 0) {
		set_watch(p);
		return 0;
	}
	/* Broken: what it said before it went is still there to be read. */
	if (chan_flush(p->chan) != 0)
		defer_add(&p->look);
	else
		log_error("peer %s: not sent: %s", role_name(p->role),
			  chan_error(p->chan));
	return -1;
}

int
peer_note(peer_id id, enum frame_type type, const void *body, int fd)
{
	return peer_answer(id, 0, type, body, fd);
}

int
peer_answer(peer_id id, uint32_t token, enum frame_type type, const void *body,
	    int fd)
{
	struct peer *p = find_peer(id);

	if (p == NULL) {
		file_shut(&fd);
		return -1;
	}
	return send_frame(p, type, token, body, fd);
}

uint32_t
peer_ask(peer_id id, enum frame_type type, const void *body, int fd,
	 int64_t timeout_ms, peer_reply_fn *fn, void *arg)
{
	struct peer *p = find_peer(id);
	struct ask *a;
	uint32_t token;

	if (p == NULL || self.asks.count >= PEER_ASKS_MAX) {
		if (p != NULL)
			log_warn("peer %s: not asked: %d questions are open",
				 role_name(p->role), PEER_ASKS_MAX);
		file_shut(&fd);
		return 0;
	}
	token = ids_next(&self.asks, &self.last_token);
	if (send_frame(p, type, token, body, fd) != 0)
		return 0;
	a = xcalloc(1, sizeof(*a));
	a->node.id = token;
	a->peer = p;
	a->fn = fn;
	a->arg = arg;
	ids_add(&self.asks, &a->node);
	list_push(&p->asks, &a->of_peer);
	if (timeout_ms > 0) {
		timer_init(&a->timer, ask_late, a);
		timer_set(&a->timer, timeout_ms);
	}
	return token;
}

int
peer_ask_more(uint32_t token, enum frame_type type, const void *body)
{
	struct ask *a = find_ask(token);

	if (a == NULL)
		return -1;
	return send_frame(a->peer, type, token, body, -1);
}

void
peer_forget(uint32_t token)
{
	struct ask *a = find_ask(token);

	if (a != NULL)
		ask_free(a);
}
