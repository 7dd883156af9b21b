/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One connection is an io with a client engine on it.  It has a user, or
 * is kept for the next one, or is on its way out.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "bare.h"
#include "clock.h"
#include "hop.h"
#include "hop_stats.h"
#include "io.h"
#include "log.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define IDLE_MAX 100 /* connections kept in all */
#define HURRY_MS 5000 /* for a connection, when there is another way */
#define BODY_TURN_MAX (256 * 1024) /* bytes of one message in one turn */

struct hop {
	struct list node; /* of idle */
	struct io io;
	struct client client;
	char name[HOP_NAME_SIZE];
	struct ip_port to;
	enum dest_tls tls;
	bool is_fresh;
	struct hop_stats stats;
	const struct client_mail *mail; /* NULL: none, or sent already */
	const struct hop_ops *ops; /* NULL: no user */
	void *arg;
	struct defer begin; /* starts the mail on a kept connection */
	struct defer reap;
	int64_t mails;
	bool is_idle;
	bool is_reused; /* by this user, and nothing was answered yet */
	bool is_connected;
	bool is_probe; /* what is asked of it is no delivery */
	bool is_closing;
};

static struct {
	char hostname[256];
	struct knobs knobs;
	struct tls_ctx *trust;
	struct list idle; /* the oldest first */
	size_t idle_count;
	size_t count;
} hops;

static void
hop_free(void *arg)
{
	struct hop *h = arg;

	hop_stats_close(&h->stats);
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
	if (h->mails >= hops.knobs.smtp_out_messages ||
	    hops.knobs.smtp_out_idle_time == 0 || h->is_fresh) {
		quit(h);
		return;
	}
	if (hops.idle_count >= IDLE_MAX)
		quit(list_entry(hops.idle.next, struct hop, node));
	h->is_idle = true;
	list_push(&hops.idle, &h->node);
	hops.idle_count++;
	io_deadline(&h->io, hops.knobs.smtp_out_idle_time);
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
	h->is_probe = mail->is_probe;
	if (h->ops != NULL && h->ops->begun != NULL)
		h->ops->begun(h->arg);
	if (!h->is_closing)
		client_send(&h->client, mail);
}

static void
on_rcpt(void *arg, size_t index, const struct client_result *r)
{
	struct hop *h = arg;

	h->is_reused = false;
	if (!h->is_probe)
		hop_stats_result(&h->stats, r);
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

	if (!was_stale)
		hop_stats_failed(&h->stats, why);
	if (h->tls == DEST_TLS_MAY && client_is_securing(&h->client))
		bare_note(h->name, &h->to, why->text, clock_mono_ms(),
			  clock_mono_ms() + hops.knobs.dest_tls_broken_keep);
	/* Told while it is still there: see hop_failed_in_tls(). */
	h->ops = NULL;
	if (ops != NULL)
		ops->failed(user, why, was_stale, is_past_end);
	cut(h);
}

static void
on_heard(void *arg, const char *where, const struct smtp_reply *r)
{
	struct hop *h = arg;

	if (h->ops != NULL && h->ops->heard != NULL)
		h->ops->heard(h->arg, where, r);
}

static void
on_offered(void *arg, struct span line)
{
	struct hop *h = arg;

	if (h->ops != NULL && h->ops->offered != NULL)
		h->ops->offered(h->arg, line);
}

/* Without our own context there is nothing to be done but to fail. */
static void
on_starttls(void *arg)
{
	struct hop *h = arg;

	io_start_tls(&h->io, tls_connect(hops.trust, h->name));
}

static const struct client_ops client_ops = {
	.starttls = on_starttls,
	.heard = on_heard,
	.offered = on_offered,
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
	hop_stats_connected(&h->stats);
	io_flush(&h->io);
	set_deadline(h);
}

/* The handshake is done: go on, if that is good enough. */
static void
on_secured(void *arg)
{
	struct hop *h = arg;
	const struct tls_info *info = io_tls(&h->io);
	char text[300];

	bare_forget(&h->to);
	if (h->ops != NULL && h->ops->secured != NULL)
		h->ops->secured(h->arg);
	if (h->is_closing)
		return;
	if (h->tls == DEST_TLS_VERIFY && !info->is_verified) {
		str_fmt(text, sizeof(text),
			"certificate of the next hop is not right: %s",
			info->why);
		client_fail(&h->client, "4.7.5", text);
		return;
	}
	client_secured(&h->client);
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
	char text[400];

	if (h->is_idle || h->ops == NULL) {
		cut(h);
		return;
	}
	str_fmt(text, sizeof(text), "%s (%.300s)",
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
	.secured = on_secured,
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
	hop_trust(-1);
}

void
hop_trust(int fd)
{
	struct tls_ctx *fresh;
	struct err e;

	fresh = tls_client_new(TLS_MIN_1_2, "", &e);
	if (fresh == NULL)
		fatal(EX_SOFTWARE, "TLS: %s", e.text);
	if (fd >= 0 && tls_client_trust_fd(fresh, fd, &e) < 0)
		log_warn("- tls_ca: %s; no certificate of a next hop is right",
			 e.text);
	tls_ctx_free(hops.trust);
	hops.trust = fresh;
	/* They were looked at by others' words. */
	hop_close_idle();
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

/* What is asked for, but where that is known to fail. */
static enum dest_tls
tls_for(const struct hop_target *t)
{
	return t->tls == DEST_TLS_MAY && !t->tries_tls &&
			       bare_is_known(&t->to, clock_mono_ms())
		       ? DEST_TLS_NONE
		       : t->tls;
}

/* The one kept last is the least likely to be closed. */
static struct hop *
find_idle(const struct hop_target *t)
{
	enum dest_tls tls = tls_for(t);
	struct list *n;

	for (n = hops.idle.prev; n != &hops.idle; n = n->prev) {
		struct hop *h = list_entry(n, struct hop, node);

		if (h->to.port == t->to.port && h->tls == tls &&
		    ip_eq(&h->to.ip, &t->to.ip) && str_ieq(h->name, t->name))
			return h;
	}
	return NULL;
}

static int64_t
connect_ms(const struct hop_target *t)
{
	int64_t ms = hops.knobs.smtp_out_connect_time;

	return t->is_hurried && ms > HURRY_MS ? HURRY_MS : ms;
}

static struct hop *
hop_new(const struct hop_target *t, struct err *e)
{
	struct hop *h = xcalloc(1, sizeof(*h));

	str_copy(h->name, sizeof(h->name), t->name);
	h->to = t->to;
	h->tls = tls_for(t);
	h->is_fresh = t->is_fresh;
	list_init(&h->node);
	io_init(&h->io, &hop_io_ops, h);
	client_init(&h->client, &client_ops, h, hops.hostname, io_out(&h->io));
	client_want_tls(&h->client, h->tls);
	defer_init(&h->begin, on_begin, h);
	defer_init(&h->reap, hop_free, h);
	hop_stats_open(&h->stats, h->name, h->to.port);
	hops.count++;
	if (io_connect(&h->io, &t->to, e) < 0) {
		struct client_result why = { .outcome = OUTCOME_DEFERRED,
					     .enhanced = "4.4.1",
					     .text = e->text };

		hop_stats_failed(&h->stats, &why);
		hop_free(h);
		return NULL;
	}
	io_deadline(&h->io, connect_ms(t));
	stats_set(role_stats(), STAT_out_open, (int64_t)hops.count);
	return h;
}

int
hop_send(const struct hop_target *target, const struct client_mail *mail,
	 const struct hop_ops *ops, void *arg, struct hop **out, struct err *e)
{
	struct hop *h = target->is_fresh ? NULL : find_idle(target);

	if (h != NULL) {
		leave_idle(h);
		io_deadline(&h->io, 0);
		h->is_reused = true;
		defer_add(&h->begin);
	} else {
		h = hop_new(target, e);
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
hop_failed_in_tls(const struct hop *h)
{
	return client_is_securing(&h->client);
}

bool
hop_failed_to_connect(const struct hop *h)
{
	return !h->is_connected;
}

const struct tls_info *
hop_tls(const struct hop *h)
{
	return io_tls(&h->io);
}

void
hop_tls_text(const struct hop *h, char *dst)
{
	const struct tls_info *info = hop_tls(h);

	if (info == NULL)
		str_copy(dst, 64, "none");
	else
		str_fmt(dst, 64, "%.20s %s", info->version,
			info->is_verified ? "verified" : "unverified");
}

bool
hop_is_8bit_unasked(const struct hop *h)
{
	return client_is_8bit_unasked(&h->client);
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
