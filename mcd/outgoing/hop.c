/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One connection is an io with a client engine on it.  It has a user, or
 * is kept for the next one, or is on its way out.
 */
#include <stdlib.h>
#include <string.h>

#include "hop.h"
#include "io.h"
#include "log.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define IDLE_MAX 100 /* connections kept in all */
#define IDLE_MS 5000
#define MAILS_MAX 100 /* over one connection */
#define BODY_TURN_MAX (256 * 1024) /* bytes of one message in one turn */

struct hop {
	struct list node; /* of idle */
	struct io io;
	struct client client;
	char name[HOP_NAME_SIZE];
	struct ip_port to;
	const struct client_mail *mail; /* NULL: none, or sent already */
	const struct hop_ops *ops; /* NULL: no user */
	void *arg;
	struct defer begin; /* starts the mail on a kept connection */
	struct defer reap;
	unsigned mails;
	bool is_idle;
	bool is_reused; /* by this user, and nothing was answered yet */
	bool is_connected;
	bool is_closing;
};

static struct {
	char hostname[256];
	struct knobs knobs;
	struct list idle; /* the oldest first */
	size_t idle_count;
	size_t count;
} hops;

static void
hop_free(void *arg)
{
	struct hop *h = arg;

	client_release(&h->client);
	io_release(&h->io);
	defer_release(&h->begin);
	defer_release(&h->reap);
	free(h);
	hops.count--;
	stats_set(role_stats(), STAT_out_open, (int64_t)hops.count);
}

static void
leave_idle(struct hop *h)
{
	if (!h->is_idle)
		return;
	h->is_idle = false;
	list_del(&h->node);
	hops.idle_count--;
}

/* Closes without a word; freed when nobody stands on it any more. */
static void
cut(struct hop *h)
{
	if (h->is_closing)
		return;
	h->is_closing = true;
	h->ops = NULL;
	leave_idle(h);
	io_release(&h->io);
	defer_add(&h->reap);
}

static void
quit(struct hop *h)
{
	if (h->is_closing)
		return;
	h->is_closing = true;
	h->ops = NULL;
	leave_idle(h);
	client_quit(&h->client);
	io_finish(&h->io);
}

void
hop_drop(struct hop *h)
{
	cut(h);
}

static void
keep(struct hop *h)
{
	h->ops = NULL;
	h->arg = NULL;
	if (h->mails >= MAILS_MAX) {
		quit(h);
		return;
	}
	if (hops.idle_count >= IDLE_MAX)
		quit(list_entry(hops.idle.next, struct hop, node));
	h->is_idle = true;
	list_push(&hops.idle, &h->node);
	hops.idle_count++;
	io_deadline(&h->io, IDLE_MS);
}

/* The time for what is waited for now. */
static void
set_deadline(struct hop *h)
{
	const struct knobs *k = &hops.knobs;

	if (h->is_closing || h->is_idle)
		return;
	if (client_state(&h->client) == CLIENT_END)
		io_deadline(&h->io, k->smtp_out_end_time);
	else
		io_deadline(&h->io, k->smtp_out_reply_time);
}

static void
on_ready(void *arg)
{
	struct hop *h = arg;
	const struct client_mail *mail = h->mail;

	h->mail = NULL;
	client_send(&h->client, mail);
}

static void
on_rcpt(void *arg, size_t index, const struct client_result *r)
{
	struct hop *h = arg;

	h->is_reused = false;
	if (h->ops != NULL)
		h->ops->rcpt(h->arg, index, r);
}

static void
on_body(void *arg)
{
	struct hop *h = arg;

	h->is_reused = false;
	io_want_output(&h->io, true);
}

static void
on_done(void *arg, bool is_usable)
{
	struct hop *h = arg;
	const struct hop_ops *ops = h->ops;
	void *user = h->arg;

	io_want_output(&h->io, false);
	h->mails++;
	if (is_usable)
		keep(h);
	else
		cut(h);
	if (ops != NULL)
		ops->done(user);
}

static void
on_failed(void *arg, const struct client_result *why)
{
	struct hop *h = arg;
	const struct hop_ops *ops = h->ops;
	bool was_stale = h->is_reused && !client_is_past_end(&h->client);
	bool is_past_end = client_is_past_end(&h->client);
	void *user = h->arg;

	cut(h);
	if (ops != NULL)
		ops->failed(user, why, was_stale, is_past_end);
}

static const struct client_ops client_ops = {
	.ready = on_ready,
	.rcpt = on_rcpt,
	.body = on_body,
	.done = on_done,
	.failed = on_failed,
};

static size_t
on_input(void *arg, struct span in)
{
	struct hop *h = arg;
	size_t taken;

	if (h->is_idle) {
		/* Most likely 421: it wants to go. */
		cut(h);
		return in.len;
	}
	taken = client_input(&h->client, in);
	if (h->is_closing)
		return in.len;
	client_pump(&h->client);
	io_flush(&h->io);
	if (taken > 0)
		set_deadline(h);
	return taken;
}

static void
on_connected(void *arg)
{
	struct hop *h = arg;

	h->is_connected = true;
	stats_add(role_stats(), STAT_out_connections, 1);
	io_flush(&h->io);
	set_deadline(h);
}

/* One piece of the message into the buffer; false: no more now. */
static bool
put_piece(struct hop *h)
{
	struct span piece;
	int n = h->ops->piece(h->arg, &piece);

	if (n < 0) {
		cut(h);
		return false;
	}
	if (n == 0) {
		client_body_end(&h->client);
		io_want_output(&h->io, false);
		return false;
	}
	stats_add(role_stats(), STAT_out_bytes, (int64_t)piece.len);
	client_body(&h->client, piece);
	return true;
}

static void
on_output(void *arg)
{
	struct hop *h = arg;
	size_t total = 0;
	bool more = true;

	if (client_state(&h->client) != CLIENT_BODY || h->ops == NULL) {
		io_want_output(&h->io, false);
		return;
	}
	/* Small pieces share a write; a large one is a write of its own. */
	while (more && total < BODY_TURN_MAX) {
		while (more && io_out(&h->io)->len < IO_OUT_HIGH / 2)
			more = put_piece(h);
		if (h->is_closing)
			return;
		total += io_out(&h->io)->len;
		io_flush(&h->io);
		if (io_out(&h->io)->len > 0)
			break;
	}
	set_deadline(h);
}

static void
on_end(void *arg, const char *why)
{
	struct hop *h = arg;
	char text[200];

	if (h->is_idle || h->ops == NULL) {
		cut(h);
		return;
	}
	str_fmt(text, sizeof(text), "%s (%s)",
		h->is_connected ? "connection lost" : "cannot connect",
		*why == '\0' ? "closed by the server" : why);
	client_lost(&h->client, h->is_connected ? "4.4.2" : "4.4.1", text);
}

static void
on_timeout(void *arg)
{
	struct hop *h = arg;

	if (h->is_idle)
		quit(h);
	else if (!h->is_connected)
		client_lost(&h->client, "4.4.1", "connection timed out");
	else
		client_lost(&h->client, "4.4.2", "timeout");
}

static void
on_finished(void *arg)
{
	struct hop *h = arg;

	io_release(&h->io);
	defer_add(&h->reap);
}

static const struct io_ops hop_io_ops = {
	.input = on_input,
	.connected = on_connected,
	.output = on_output,
	.end = on_end,
	.timeout = on_timeout,
	.finished = on_finished,
};

void
hop_hostname(const char *hostname)
{
	str_copy(hops.hostname, sizeof(hops.hostname), hostname);
}

void
hop_init(const char *hostname)
{
	hop_hostname(hostname);
	list_init(&hops.idle);
	knobs_default(&hops.knobs);
}

void
hop_knobs(const struct knobs *k)
{
	hops.knobs = *k;
}

/* A mail on a connection that was kept. */
static void
on_begin(void *arg)
{
	struct hop *h = arg;

	if (h->is_closing)
		return;
	on_ready(h);
	if (h->is_closing)
		return;
	io_flush(&h->io);
	set_deadline(h);
}

/* The one kept last is the least likely to be closed. */
static struct hop *
find_idle(const char *name, const struct ip_port *to)
{
	struct list *n;

	for (n = hops.idle.prev; n != &hops.idle; n = n->prev) {
		struct hop *h = list_entry(n, struct hop, node);

		if (h->to.port == to->port && ip_eq(&h->to.ip, &to->ip) &&
		    str_ieq(h->name, name))
			return h;
	}
	return NULL;
}

static struct hop *
hop_new(const char *name, const struct ip_port *to, struct err *e)
{
	struct hop *h = xcalloc(1, sizeof(*h));

	str_copy(h->name, sizeof(h->name), name);
	h->to = *to;
	list_init(&h->node);
	io_init(&h->io, &hop_io_ops, h);
	client_init(&h->client, &client_ops, h, hops.hostname, io_out(&h->io));
	defer_init(&h->begin, on_begin, h);
	defer_init(&h->reap, hop_free, h);
	hops.count++;
	if (io_connect(&h->io, to, e) < 0) {
		hop_free(h);
		return NULL;
	}
	io_deadline(&h->io, hops.knobs.smtp_out_connect_time);
	stats_set(role_stats(), STAT_out_open, (int64_t)hops.count);
	return h;
}

int
hop_send(const char *name, const struct ip_port *to,
	 const struct client_mail *mail, const struct hop_ops *ops, void *arg,
	 struct hop **out, struct err *e)
{
	struct hop *h = find_idle(name, to);

	if (h != NULL) {
		leave_idle(h);
		io_deadline(&h->io, 0);
		h->is_reused = true;
		defer_add(&h->begin);
	} else {
		h = hop_new(name, to, e);
		if (h == NULL)
			return -1;
	}
	h->mail = mail;
	h->ops = ops;
	h->arg = arg;
	*out = h;
	return 0;
}

bool
hop_is_busy_with_body(const struct hop *h)
{
	return client_state(&h->client) == CLIENT_BODY || hop_is_past_end(h);
}

bool
hop_is_past_end(const struct hop *h)
{
	return client_is_past_end(&h->client);
}

void
hop_relay(const char *name, const struct ip_port *to, char *dst)
{
	char ip[IP_TEXT_SIZE];

	str_fmt(dst, HOP_RELAY_SIZE, "%s[%s]:%u", name, ip_text(&to->ip, ip),
		(unsigned)to->port);
}

void
hop_close_idle(void)
{
	struct list *n, *tmp;

	list_for_safe(n, tmp, &hops.idle) quit(list_entry(n, struct hop, node));
}

size_t
hop_count(void)
{
	return hops.count;
}
