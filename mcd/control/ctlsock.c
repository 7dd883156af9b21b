/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Accepting mcctl and relaying.  One question at a time of each; all of
 * it is bounded: connections, time, and bytes that wait for a slow one.
 */
#include "ctlsock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "file.h"
#include "greylist.h"
#include "list.h"
#include "log.h"
#include "loop.h"
#include "names.h"
#include "record.h"
#include "role.h"
#include "snapshot.h"
#include "str.h"
#include "trial.h"
#include "verify.h"
#include "xalloc.h"

#define CLIENTS_MAX 64
#define CLIENT_MS 120000 /* a question with its whole answer */
#define IDLE_MS 60000
#define BACKLOG_MAX (16 * 1024 * 1024)

struct client {
	struct list node;
	peer_id id;
	char who[64];
	uint32_t token; /* of its question, 0: none */
	uint32_t relayed; /* our token at the role that knows */
	uint64_t load; /* of settings, that its answer waits for; 0: none */
	struct timer idle;
};

static struct {
	struct watch watch;
	int fd;
	struct list clients;
	size_t count;
	bool is_open;
} self = { .fd = -1, .clients = LIST_INIT(self.clients) };

static struct client *
client_of(peer_id id)
{
	struct list *n;

	list_for(n, &self.clients)
	{
		struct client *c = list_entry(n, struct client, node);

		if (c->id == id)
			return c;
	}
	return NULL;
}

static void
client_done(struct client *c, uint32_t code, const char *text,
	    const char *cursor)
{
	struct frame_ctl_done done = { .exit_code = code,
				       .text = text,
				       .cursor = cursor };
	uint32_t token = c->token;

	c->token = 0;
	c->relayed = 0;
	timer_set(&c->idle, IDLE_MS);
	peer_answer(c->id, token, FRAME_ctl_done, &done, -1);
}

static void
on_idle(void *arg)
{
	struct client *c = arg;

	peer_drop(c->id);
}

void
ctlsock_gone(peer_id p)
{
	struct client *c = client_of(p);

	if (c == NULL)
		return;
	if (c->relayed != 0)
		peer_forget(c->relayed);
	trial_forget(p);
	list_del(&c->node);
	timer_release(&c->idle);
	self.count--;
	free(c);
}

/* The kernel's word on who is at the other end. */
static void
name_of_peer(int fd, char *who, size_t size)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	str_copy(who, size, "unknown");
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		names_find(cred.uid, who, size);
}

static void
on_accept(void *arg, int what)
{
	struct client *c;
	int fd;

	(void)arg, (void)what;
	fd = accept4(self.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			log_warn("control socket: %s", strerror(errno));
		return;
	}
	if (self.count >= CLIENTS_MAX) {
		log_warn("control socket: more than %d connections",
			 CLIENTS_MAX);
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	name_of_peer(fd, c->who, sizeof(c->who));
	timer_init(&c->idle, on_idle, c);
	list_push(&self.clients, &c->node);
	self.count++;
	c->id = peer_add(ROLE_CTL, fd);
	timer_set(&c->idle, IDLE_MS);
}

void
ctlsock_listen(int fd)
{
	ctlsock_stop();
	self.fd = fd;
	self.is_open = true;
	if (file_set_nonblock(fd) < 0)
		fatal(EX_OSERR, "control socket: %s", strerror(errno));
	watch_init(&self.watch, fd, on_accept, NULL);
	watch_set(&self.watch, WATCH_READ);
}

void
ctlsock_stop(void)
{
	if (!self.is_open)
		return;
	watch_release(&self.watch);
	file_shut(&self.fd);
	self.is_open = false;
}

/* An answer of the role that knows, row by row. */
static void
on_relayed(void *arg, struct frame *f)
{
	struct client *c = arg;
	const struct frame_ctl_done *done;

	if (f == NULL) {
		client_done(c, EX_TEMPFAIL,
			    "the part of mcd that knows is not there now; "
			    "try again",
			    "");
		return;
	}
	if (f->type == FRAME_ctl_done) {
		done = FRAME_BODY(f, ctl_done);
		client_done(c, done->exit_code, done->text, done->cursor);
		return;
	}
	if (f->type != FRAME_ctl_row)
		return;
	if (peer_backlog(c->id) > BACKLOG_MAX) {
		log_warn("control socket: %s does not read its answer",
			 log_text(c->who));
		peer_drop(c->id);
		return;
	}
	peer_answer(c->id, c->token, FRAME_ctl_row, f->body, -1);
}

static void
relay(struct client *c, enum role to, const struct frame_ctl_ask *ask)
{
	struct frame_ctl_ask copy = *ask;

	copy.who = c->who;
	c->relayed = peer_ask(peer_of(to), FRAME_ctl_ask, &copy, -1, CLIENT_MS,
			      on_relayed, c);
	if (c->relayed == 0)
		on_relayed(c, NULL);
}

static void
on_reloaded(void *arg, struct frame *f)
{
	struct client *c = arg;
	const struct frame_reload_reply *r;

	if (f == NULL) {
		client_done(c, EX_TEMPFAIL, "no answer to the reload", "");
		return;
	}
	r = FRAME_BODY(f, reload_reply);
	client_done(c, r->status == ANSWER_OK ? EX_OK : EX_CONFIG, r->text, "");
}

static void
run_reload(struct client *c, const struct frame_ctl_ask *ask)
{
	struct frame_reload_ask body = { 0 };

	(void)ask;
	(void)snapshot_look();
	log_info("- reload asked by=%s", log_text(c->who));
	c->relayed = peer_ask(peer_of(ROLE_PARENT), FRAME_reload_ask, &body, -1,
			      CLIENT_MS, on_reloaded, c);
	if (c->relayed == 0)
		on_reloaded(c, NULL);
}

static void
run_settings(struct client *c, const struct frame_ctl_ask *ask)
{
	(void)ask;
	client_done(c, snapshot() != NULL ? EX_OK : EX_UNAVAILABLE,
		    snapshot_trouble(), "");
}

static void
run_nudge(struct client *c, const struct frame_ctl_ask *ask)
{
	c->load = snapshot_look();
	if (c->load == 0)
		run_settings(c, ask);
}

void
ctlsock_looked(uint64_t number)
{
	struct list *n, *next;
	struct client *c;

	list_for_safe(n, next, &self.clients)
	{
		c = list_entry(n, struct client, node);
		if (c->load == 0 || c->load > number)
			continue;
		c->load = 0;
		run_settings(c, NULL);
	}
}

static void
run_queue(struct client *c, const struct frame_ctl_ask *ask)
{
	relay(c, ROLE_QUEUE, ask);
}

static void
run_outgoing(struct client *c, const struct frame_ctl_ask *ask)
{
	relay(c, ROLE_OUTGOING, ask);
}

static void
run_store(struct client *c, const struct frame_ctl_ask *ask)
{
	relay(c, ROLE_STORE, ask);
}

static void
run_callout_list(struct client *c, const struct frame_ctl_ask *ask)
{
	char cursor[32];

	verify_list(c->id, c->token, ask->arg, ask->cursor, cursor,
		    sizeof(cursor));
	client_done(c, EX_OK, "", cursor);
}

static void
run_greylist_list(struct client *c, const struct frame_ctl_ask *ask)
{
	char cursor[32];

	greylist_list(c->id, c->token, ask->arg, ask->cursor, cursor,
		      sizeof(cursor));
	client_done(c, EX_OK, "", cursor);
}

/* Some are forgotten, the next question of the same command goes on. */
static void
run_flush(struct client *c, const struct frame_ctl_ask *ask, const char *what,
	  size_t (*flush)(const char *word, bool *has_more))
{
	struct frame_ctl_row row;
	struct record r = { 0 };
	bool has_more;
	size_t count = flush(ask->arg, &has_more);

	log_info("- %s flush word=%s forgotten=%zu by=%s", what,
		 log_text(ask->arg), count, log_text(c->who));
	record_int(&r, "forgotten", (int64_t)count);
	row.record = buf_span(&r.b);
	(void)peer_answer(c->id, c->token, FRAME_ctl_row, &row, -1);
	record_release(&r);
	client_done(c, EX_OK, "", has_more ? "more" : "");
}

static void
run_callout_flush(struct client *c, const struct frame_ctl_ask *ask)
{
	run_flush(c, ask, "callout", verify_flush);
}

static void
run_greylist_flush(struct client *c, const struct frame_ctl_ask *ask)
{
	run_flush(c, ask, "greylist", greylist_flush);
}

static void
run_incoming(struct client *c, const struct frame_ctl_ask *ask)
{
	relay(c, ROLE_INCOMING, ask);
}

static void
run_lookup(struct client *c, const struct frame_ctl_ask *ask)
{
	relay(c, ROLE_LOOKUP, ask);
}

static const struct {
	const char *command; /* one that ends in '-' is a family */
	void (*run)(struct client *c, const struct frame_ctl_ask *ask);
} commands[] = {
	{ "nudge", run_nudge },
	{ "settings", run_settings },
	{ "reload", run_reload },
	{ "queue-", run_queue },
	{ "history-", run_store },
	{ "quarantine-list", run_store },
	{ "quarantine-show", run_store },
	{ "quarantine-", run_queue },
	{ "dest-", run_outgoing },
	{ "test-smtp", run_incoming },
	{ "rbl-test", run_lookup },
	{ "callout-list", run_callout_list },
	{ "callout-flush", run_callout_flush },
	{ "greylist-list", run_greylist_list },
	{ "greylist-flush", run_greylist_flush },
};

static bool
is_command(const char *row, const char *given)
{
	size_t len = strlen(row);

	return row[len - 1] == '-' ? str_has_prefix(given, row)
				   : str_eq(given, row);
}

/* Whose question it is; NULL: a second one before the answer to the first. */
static struct client *
begin(peer_id from, uint32_t token)
{
	struct client *c = client_of(from);

	if (c == NULL || c->token != 0) {
		peer_drop(from);
		return NULL;
	}
	c->token = token;
	timer_clear(&c->idle);
	return c;
}

static void
on_tried(peer_id to, uint32_t code, const char *text)
{
	struct client *c = client_of(to);

	if (c != NULL)
		client_done(c, code, text, "");
}

void
ctlsock_trial(peer_id from, struct frame *f)
{
	struct client *c = begin(from, f->token);

	if (c == NULL)
		return;
	log_info("- message tested by=%s", log_text(c->who));
	trial_start(from, f, on_tried);
}

void
ctlsock_ask(peer_id from, struct frame *f)
{
	const struct frame_ctl_ask *ask = FRAME_BODY(f, ctl_ask);
	struct client *c = begin(from, f->token);

	if (c == NULL)
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (is_command(commands[i].command, ask->command)) {
			commands[i].run(c, ask);
			return;
		}
	client_done(c, EX_USAGE,
		    "mcd does not know this command: mcctl and "
		    "mcd are of different versions",
		    "");
}
