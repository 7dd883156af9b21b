/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Runs a session on each client within the limits: the header of a balancer
 * first, then TLS where it comes unasked, the wait before the greeting, and
 * the session.  What the sessions say about mail is commit.c's.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certs.h"
#include "clock.h"
#include "commit.h"
#include "dict.h"
#include "listen.h"
#include "log.h"
#include "proxy.h"
#include "role.h"
#include "server.h"
#include "str.h"
#include "xalloc.h"

#define REFUSED_MAX 100 /* clients beyond the limit that are told so */
#define OTHER_FDS (REFUSED_MAX + 50) /* not of sessions: channels, log ... */
#define CLIENT_BITS_V4 32
#define CLIENT_BITS_V6 64
#define PROXY_TIME_MS 10000 /* for the header of a balancer */
#define STOP_LINGER_MS 200 /* for clients to take our last words */

/* Connections of one address; the value in the table of clients. */
struct client {
	unsigned count;
};

static struct server {
	struct list connections;
	size_t count;
	struct dict clients;
	struct knobs knobs;
	struct session_conf conf;
	struct session_ops session_ops;
	char hostname[256];
	bool is_stopping;
	int64_t reply_ms;
	struct timer stop_timer;
	void (*stop_done)(void);
} server;

static const struct session_reply r_shutdown = {
	421, "4.3.2", "Service is stopping, try again later"
};
static const struct session_reply r_timeout = { 421, "4.4.2",
						"Timeout, closing" };
static const struct session_reply r_limit = {
	421, "4.7.0", "Too many connections, try again later"
};

static const struct session_reply r_no_tls = { 421, "4.7.0",
					       "TLS is not there now" };

static void
client_key(const struct ip_port *client, char key[IP_TEXT_SIZE])
{
	struct ip net = ip_masked(&client->ip, CLIENT_BITS_V4, CLIENT_BITS_V6);

	ip_text(&net, key);
}

/* False when the client has as many as it may. */
static bool
client_enter(const struct ip_port *client)
{
	char key[IP_TEXT_SIZE];
	struct client *it;
	int64_t max = server.knobs.connections_per_client;

	client_key(client, key);
	it = dict_get(&server.clients, key);
	if (it == NULL) {
		it = xcalloc(1, sizeof(*it));
		dict_set(&server.clients, key, it);
	}
	if (max > 0 && it->count >= (uint64_t)max)
		return false;
	it->count++;
	return true;
}

static void
client_leave(const struct ip_port *client)
{
	char key[IP_TEXT_SIZE];
	struct client *it;

	client_key(client, key);
	it = dict_get(&server.clients, key);
	if (it == NULL)
		bug("client %s is not counted", key);
	if (--it->count == 0) {
		dict_del(&server.clients, key);
		free(it);
	}
}

static void
stop_finish(void)
{
	void (*done)(void) = server.stop_done;

	server.stop_done = NULL;
	if (done != NULL)
		done();
}

static void
connection_free(struct connection *c)
{
	session_release(&c->session);
	commit_release(c);
	io_release(&c->io);
	if (c->is_counted)
		client_leave(&c->client);
	list_del(&c->node);
	free(c->told_name);
	free(c->told_login);
	free(c);
	server.count--;
	stats_set(role_stats(), STAT_in_open, (int64_t)server.count);
	if (server.is_stopping && server.count == 0)
		stop_finish();
}

/* The client is gone: nothing more to say, perhaps an answer to wait for. */
static void
connection_lost(struct connection *c, const char *why)
{
	if (commit_is_due(c)) {
		c->is_lost = true;
		return;
	}
	if (session_is_in_data(&c->session))
		log_info("- lost client=%s helo=%s in=DATA why=%s",
			 c->client_text, log_text(session_helo(&c->session)),
			 log_text(why));
	connection_free(c);
}

/* The time until something has to come in a message: for the next piece, and
 * for the whole. */
static int64_t
data_time(struct connection *c)
{
	const struct knobs *k = &server.knobs;
	int64_t now = clock_mono_ms();
	int64_t left;

	if (c->message_end_ms == 0)
		c->message_end_ms = now + k->smtp_message_time;
	left = c->message_end_ms - now;
	if (left < 1)
		left = 1;
	return left < k->smtp_data_time ? left : k->smtp_data_time;
}

/* Sends what there is, and sets the time until something has to come. */
static void
connection_go_on(struct connection *c)
{
	if (server.is_stopping && session_is_idle(&c->session))
		session_close(&c->session, &r_shutdown);
	if (session_is_closed(&c->session)) {
		io_finish(&c->io);
		if (server.is_stopping)
			io_deadline(&c->io, STOP_LINGER_MS);
		return;
	}
	io_flush(&c->io);
	if (session_waits(&c->session))
		io_deadline(&c->io, 0);
	else if (session_is_in_data(&c->session))
		io_deadline(&c->io, data_time(c));
	if (!session_is_in_data(&c->session))
		c->message_end_ms = 0;
}

void
connection_wake(struct connection *c)
{
	if (c->is_lost) {
		if (!commit_is_due(c))
			connection_free(c);
		return;
	}
	connection_go_on(c);
	if (!session_waits(&c->session) && !session_is_closed(&c->session) &&
	    !session_is_in_data(&c->session))
		io_deadline(&c->io, server.knobs.smtp_command_time);
	io_kick(&c->io);
}

static void
connection_refuse(struct connection *c, const struct session_reply *no)
{
	stats_add(role_stats(),
		  no == &session_drained ? STAT_in_refused_drain
					 : STAT_in_refused_limit,
		  1);
	log_info("- refused client=%s verb=CONNECT code=%d %s", c->client_text,
		 no->code, no->text);
	session_close(&c->session, no);
	io_finish(&c->io);
}

/* What is known of the client decides, also that it spoke too early. */
static void
connection_greet(struct connection *c)
{
	const struct session_reply *no = c->is_local ? NULL : commit_connect(c);

	c->step = CONNECTION_SESSION;
	if (no != NULL) {
		connection_refuse(c, no);
		return;
	}
	session_greet(&c->session);
	io_deadline(&c->io, server.knobs.smtp_command_time);
	connection_go_on(c);
	io_kick(&c->io);
}

/* A server is not spoken to before it has greeted: who cannot wait is told
 * by that (io's deadline ends the wait). */
static void
connection_wait(struct connection *c)
{
	int64_t wait_ms = server.knobs.smtp_greet_wait;

	if (wait_ms == 0 || c->is_local) {
		connection_greet(c);
		return;
	}
	c->step = CONNECTION_GREET_WAIT;
	io_deadline(&c->io, wait_ms);
	io_kick(&c->io);
}

static void
start_tls(struct connection *c)
{
	/* Behind the header of a balancer the handshake may be here. */
	if (c->step == CONNECTION_TLS)
		io_begin_tls(&c->io, tls_accept(certs_ctx()));
	else
		io_start_tls(&c->io, tls_accept(certs_ctx()));
	io_deadline(&c->io, server.knobs.smtp_tls_time);
}

static void
set_client(struct connection *c, const struct ip_port *client)
{
	c->client = *client;
	ip_text(&client->ip, c->client_text);
}

/* Who the client is is known. */
static void
connection_begin(struct connection *c)
{
	/* A balancer that looks whether we live is no client. */
	if (!c->is_local) {
		if (!client_enter(&c->client)) {
			connection_refuse(c, &r_limit);
			return;
		}
		c->is_counted = true;
	}
	if (!c->is_implicit) {
		connection_wait(c);
	} else if (certs_ctx() == NULL) {
		/* mcd.conf has lost its certificates meanwhile. */
		connection_refuse(c, &r_no_tls);
	} else {
		c->step = CONNECTION_TLS;
		start_tls(c);
	}
}

/* The header of a balancer's; returns the bytes taken. */
static size_t
proxy_input(struct connection *c, struct span in)
{
	struct proxy p;
	struct err e;
	int n = proxy_parse(in, &p, &e);

	if (n == 0)
		return 0;
	if (n < 0) {
		stats_add(role_stats(), STAT_in_proxy_bad, 1);
		log_warn("- closed peer=%s it is in proxy_from: %s",
			 c->client_text, log_text(e.text));
		connection_free(c);
		return 0;
	}
	c->is_local = p.is_local;
	if (!p.is_local) {
		set_client(c, &p.client);
		c->local = p.server;
	}
	connection_begin(c);
	return (size_t)n;
}

static size_t
session_turn(struct connection *c, struct span in)
{
	unsigned before = session_commands(&c->session);
	size_t taken = session_input(&c->session, in);

	/* Only a whole command, not each byte of one, buys more time. */
	if (session_commands(&c->session) != before &&
	    session_is_idle(&c->session))
		io_deadline(&c->io, server.knobs.smtp_command_time);
	connection_go_on(c);
	return taken;
}

static size_t
on_input(void *arg, struct span in)
{
	struct connection *c = arg;

	switch (c->step) {
	case CONNECTION_PROXY:
		return proxy_input(c, in);
	case CONNECTION_GREET_WAIT:
		if (!c->is_early)
			stats_add(role_stats(), STAT_in_early, 1);
		c->is_early = true;
		return 0;
	case CONNECTION_TLS:
		return 0;
	case CONNECTION_SESSION:
		break;
	}
	return session_turn(c, in);
}

static void
on_secured(void *arg)
{
	struct connection *c = arg;
	const struct tls_info *info = io_tls(&c->io);

	stats_add(role_stats(), STAT_in_tls, 1);
	log_debug("- tls client=%s version=%s cipher=%s name=%s",
		  c->client_text, info->version, info->cipher,
		  log_text(info->name));
	if (c->step == CONNECTION_TLS) {
		session_secured(&c->session);
		connection_wait(c);
		return;
	}
	session_secured(&c->session);
	io_deadline(&c->io, server.knobs.smtp_command_time);
	connection_go_on(c);
}

static bool
is_securing(const struct connection *c)
{
	return c->step == CONNECTION_TLS || session_is_securing(&c->session);
}

static void
on_end(void *arg, const char *why)
{
	struct connection *c = arg;

	if (is_securing(c)) {
		stats_add(role_stats(), STAT_in_tls_failed, 1);
		log_info("- tls failed client=%s why=%s", c->client_text,
			 log_text(*why == '\0' ? "closed by the client" : why));
	}
	/* A client that only closed its half still gets its answers. */
	if (*why == '\0' && session_waits(&c->session))
		return;
	connection_lost(c, *why == '\0' ? "closed by the client" : why);
}

static void
on_timeout(void *arg)
{
	struct connection *c = arg;

	switch (c->step) {
	case CONNECTION_GREET_WAIT:
		connection_greet(c);
		return;
	case CONNECTION_PROXY:
		stats_add(role_stats(), STAT_in_proxy_bad, 1);
		log_info("- closed peer=%s it is in proxy_from: no header in "
			 "time",
			 c->client_text);
		connection_free(c);
		return;
	case CONNECTION_TLS:
	case CONNECTION_SESSION:
		break;
	}
	if (is_securing(c)) {
		stats_add(role_stats(), STAT_in_tls_failed, 1);
		log_info("- tls failed client=%s why=timeout", c->client_text);
	} else if (session_is_in_data(&c->session)) {
		log_info("- timeout client=%s helo=%s in=DATA", c->client_text,
			 log_text(session_helo(&c->session)));
	}
	session_close(&c->session, &r_timeout);
	connection_go_on(c);
}

static void
on_finished(void *arg)
{
	connection_free(arg);
}

static const struct io_ops connection_io_ops = {
	.input = on_input,
	.secured = on_secured,
	.end = on_end,
	.timeout = on_timeout,
	.finished = on_finished,
};

/* A session may have a message open beside its socket.  A descriptor of
 * queue's that finds no room would cost the channel it comes on. */
static uint64_t
sessions_max(void)
{
	uint64_t max = (uint64_t)server.knobs.connections_max;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == RLIM_INFINITY)
		return max;
	if (r.rlim_cur < 2 * OTHER_FDS)
		return 1;
	return max < (r.rlim_cur - OTHER_FDS) / 2
		       ? max
		       : (r.rlim_cur - OTHER_FDS) / 2;
}

static void
on_starttls(void *arg)
{
	start_tls(arg);
}

/* RFC 5321 calls it the client's; Postfix' XCLIENT_README has the rules. */
static void
on_xclient(void *arg, const struct smtp_xclient *x)
{
	struct connection *c = arg;
	bool has_helo = x->state[XCLIENT_HELO] == XCLIENT_GIVEN;
	struct ip_port client = c->client;
	const struct session_reply *no;
	char text[IP_TEXT_SIZE];

	if (x->state[XCLIENT_ADDR] == XCLIENT_GIVEN)
		client.ip = x->addr;
	if (x->state[XCLIENT_PORT] == XCLIENT_GIVEN)
		client.port = x->port;
	if (x->state[XCLIENT_DESTADDR] == XCLIENT_GIVEN)
		c->local.ip = x->destaddr;
	if (x->state[XCLIENT_DESTPORT] == XCLIENT_GIVEN)
		c->local.port = x->destport;
	if (x->state[XCLIENT_NAME] != XCLIENT_NOT_GIVEN) {
		free(c->told_name);
		c->told_name = xstrdup(x->name);
	}
	if (x->state[XCLIENT_LOGIN] != XCLIENT_NOT_GIVEN) {
		free(c->told_login);
		c->told_login = xstrdup(x->login);
	}
	log_info("- xclient peer=%s client=%s name=%s helo=%s login=%s",
		 c->client_text, ip_text(&client.ip, text), log_text(x->name),
		 log_text(x->helo), log_text(x->login));
	if (c->is_counted)
		client_leave(&c->client);
	commit_release(c); /* what was found out is about another */
	set_client(c, &client);
	c->is_counted = client_enter(&c->client);
	if (!c->is_counted) {
		stats_add(role_stats(), STAT_in_refused_limit, 1);
		session_close(&c->session, &r_limit);
		return;
	}
	no = commit_connect(c);
	if (no != NULL) {
		session_close(&c->session, no);
		return;
	}
	session_restart(&c->session, has_helo ? x->helo : NULL,
			x->state[XCLIENT_PROTO] != XCLIENT_GIVEN ||
				x->is_esmtp);
}

static void
local_address(int fd, struct ip_port *out)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0 ||
	    ip_from_sockaddr((struct sockaddr *)&ss, out) != 0)
		*out = (struct ip_port){ 0 };
}

static void
connection_new(int fd, const struct ip_port *peer,
	       const struct listen_options *options)
{
	uint64_t max = sessions_max();
	struct connection *c;

	stats_add(role_stats(), STAT_in_sessions, 1);
	if (server.count >= max + REFUSED_MAX) {
		stats_add(role_stats(), STAT_in_refused_limit, 1);
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->peer = *peer;
	set_client(c, peer);
	local_address(fd, &c->local);
	c->is_implicit = options->tls == CONF_TLS_IMPLICIT;
	io_init(&c->io, &connection_io_ops, c);
	session_init(&c->session, &server.session_ops, c, &server.conf,
		     io_out(&c->io));
	session_offer(&c->session,
		      options->tls == CONF_TLS_STARTTLS && certs_ctx() != NULL,
		      conf_nets_have(&options->xclient_from, &peer->ip));
	list_push(&server.connections, &c->node);
	server.count++;
	io_open(&c->io, fd);
	stats_set(role_stats(), STAT_in_open, (int64_t)server.count);
	if (server.conf.is_draining) {
		connection_refuse(c, &session_drained);
	} else if (server.count > max) {
		connection_refuse(c, &r_limit);
	} else if (conf_nets_have(&options->proxy_from, &peer->ip)) {
		c->step = CONNECTION_PROXY;
		io_deadline(&c->io, PROXY_TIME_MS);
	} else {
		connection_begin(c);
	}
}

void
server_hostname(const char *hostname)
{
	str_copy(server.hostname, sizeof(server.hostname), hostname);
	server.conf.hostname = server.hostname;
}

void
server_init(const char *hostname)
{
	list_init(&server.connections);
	listen_init(connection_new);
	/* About mail they ask commit.c, about the connection us. */
	server.session_ops = commit_session_ops;
	server.session_ops.starttls = on_starttls;
	server.session_ops.xclient = on_xclient;
	server_hostname(hostname);
	knobs_default(&server.knobs);
	server_knobs(&server.knobs);
}

void
server_knobs(const struct knobs *k)
{
	server.knobs = *k;
	server.conf.size_max = (uint64_t)k->message_size_max;
	server.conf.rcpt_max = (unsigned)k->smtp_rcpt_max;
	server.conf.messages_max = (unsigned)k->smtp_messages_max;
	server.conf.errors_max = (unsigned)k->smtp_errors_max;
	server.conf.is_draining = k->drain != 0;
	stats_set(role_stats(), STAT_in_draining, k->drain != 0);
	server.conf.mends_newlines = k->smtp_bare_newline_mend != 0;
	server.conf.is_strict = k->smtp_pipelining_strict != 0;
}

size_t
server_connections(void)
{
	return server.count;
}

/* Time is over for what is coming in, then for what is due. */
static void
on_stop_timer(void *arg)
{
	struct list *n, *tmp;

	(void)arg;
	list_for_safe(n, tmp, &server.connections)
	{
		struct connection *c = list_entry(n, struct connection, node);

		if (!commit_is_due(c))
			session_close(&c->session, &r_shutdown);
		if (session_is_closed(&c->session) && !c->is_lost)
			connection_go_on(c);
	}
	if (server.reply_ms > 0) {
		timer_set(&server.stop_timer, server.reply_ms);
		server.reply_ms = 0;
		return;
	}
	log_warn("- stopping sessions=%zu without an answer", server.count);
	stop_finish();
}

void
server_stop(int64_t data_ms, int64_t reply_ms, void (*done)(void))
{
	struct list *n, *tmp;

	if (server.is_stopping)
		return;
	server.is_stopping = true;
	server.stop_done = done;
	server.reply_ms = reply_ms > 0 ? reply_ms : 1;
	listen_close();
	list_for_safe(n, tmp, &server.connections)
	{
		struct connection *c = list_entry(n, struct connection, node);

		if (session_is_idle(&c->session))
			connection_go_on(c);
	}
	timer_init(&server.stop_timer, on_stop_timer, NULL);
	timer_set(&server.stop_timer, data_ms);
	if (server.count == 0)
		stop_finish();
}
