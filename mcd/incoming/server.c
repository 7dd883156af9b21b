/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Accepts clients within the limits and runs a session on each.  What the
 * sessions say about mail is commit.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "commit.h"
#include "dict.h"
#include "file.h"
#include "log.h"
#include "role.h"
#include "server.h"
#include "str.h"
#include "xalloc.h"

#define ACCEPT_TURN_MAX 64 /* connections taken from one listener in a turn */
#define REFUSED_MAX 100 /* clients beyond the limit that are told so */
#define OTHER_FDS (REFUSED_MAX + 50) /* not of sessions: channels, log ... */
#define CLIENT_BITS_V4 32
#define CLIENT_BITS_V6 64
#define STOP_LINGER_MS 200 /* for clients to take our last words */
#define START_WAIT_MS 5000 /* for the settings, before clients are taken */
#define BACKOFF_MS 100 /* no accept for so long when accept(2) fails */

struct listener {
	struct list node;
	char name[64];
	char address[64];
	int fd;
	struct watch watch;
	bool is_current;
};

/* Connections of one address; the value in the table of clients. */
struct client {
	unsigned count;
};

static struct server {
	struct list listeners;
	struct list connections;
	size_t count;
	struct dict clients;
	struct knobs knobs;
	struct session_conf conf;
	char hostname[256];
	int spare_fd; /* given up for a moment when descriptors run out */
	bool is_accepting;
	struct timer accept_timer;
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

/* Sends what there is, and sets the time until something has to come. */
static void
connection_go_on(struct connection *c)
{
	const struct knobs *k = &server.knobs;

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
		io_deadline(&c->io, k->smtp_data_time);
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

static size_t
on_input(void *arg, struct span in)
{
	struct connection *c = arg;
	size_t taken = session_input(&c->session, in);

	/* Only a whole command, not each byte of one, buys more time. */
	if (taken > 0 && session_is_idle(&c->session))
		io_deadline(&c->io, server.knobs.smtp_command_time);
	connection_go_on(c);
	return taken;
}

static void
on_end(void *arg, const char *why)
{
	struct connection *c = arg;

	/* A client that only closed its half still gets its answers. */
	if (*why == '\0' && session_waits(&c->session))
		return;
	connection_lost(c, *why == '\0' ? "closed by the client" : why);
}

static void
on_timeout(void *arg)
{
	struct connection *c = arg;

	if (session_is_in_data(&c->session))
		log_info("- timeout client=%s helo=%s in=DATA", c->client_text,
			 log_text(session_helo(&c->session)));
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
connection_new(int fd, const struct ip_port *client)
{
	uint64_t max = sessions_max();
	const struct session_reply *no = NULL;
	struct connection *c;

	stats_add(role_stats(), STAT_in_sessions, 1);
	if (server.count >= max + REFUSED_MAX) {
		stats_add(role_stats(), STAT_in_refused_limit, 1);
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->client = *client;
	ip_text(&client->ip, c->client_text);
	io_init(&c->io, &connection_io_ops, c);
	session_init(&c->session, &commit_session_ops, c, &server.conf,
		     io_out(&c->io));
	list_push(&server.connections, &c->node);
	server.count++;
	io_open(&c->io, fd);
	stats_set(role_stats(), STAT_in_open, (int64_t)server.count);
	if (server.count > max)
		no = &r_limit;
	else if (client_enter(client))
		c->is_counted = true;
	else
		no = &r_limit;
	if (no == NULL)
		no = commit_connect(c);
	if (no == NULL) {
		session_greet(&c->session);
		io_flush(&c->io);
		io_deadline(&c->io, server.knobs.smtp_command_time);
		return;
	}
	stats_add(role_stats(), STAT_in_refused_limit, 1);
	log_info("- refused client=%s verb=CONNECT code=%d %s", c->client_text,
		 no->code, no->text);
	session_close(&c->session, no);
	io_finish(&c->io);
}

static void
accept_watch(bool on)
{
	struct list *n;

	server.is_accepting = on;
	list_for(n, &server.listeners)
		watch_set(&list_entry(n, struct listener, node)->watch,
			  on ? WATCH_READ : 0);
}

static void
on_accept_timer(void *arg)
{
	(void)arg;
	if (!server.is_stopping)
		accept_watch(true);
}

/*
 * Out of descriptors: the spare one is given up to take the client and
 * tell it so, rather than to let it hang and the loop spin.
 */
static void
accept_without_room(struct listener *l)
{
	static const char words[] =
		"421 4.3.2 Out of resources, try again later\r\n";
	int fd;

	file_shut(&server.spare_fd);
	fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		(void)send(fd, words, sizeof(words) - 1, MSG_NOSIGNAL);
		close(fd);
		stats_add(role_stats(), STAT_in_refused_limit, 1);
	}
	server.spare_fd = eventfd(0, EFD_CLOEXEC);
	log_warn("- refused verb=CONNECT code=421 out of descriptors");
	accept_watch(false);
	timer_set(&server.accept_timer, BACKOFF_MS);
}

/* One connection; false when there is none to take now. */
static bool
accept_one(struct listener *l)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct ip_port client;
	int fd = accept4(l->fd, (struct sockaddr *)&ss, &len,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		switch (errno) {
		case EAGAIN:
			return false;
		case EINTR:
		case ECONNABORTED:
			return true;
		case EMFILE:
		case ENFILE:
			accept_without_room(l);
			return false;
		default:
			log_warn("- listener=%s accept: %s", l->name,
				 strerror(errno));
			accept_watch(false);
			timer_set(&server.accept_timer, BACKOFF_MS);
			return false;
		}
	}
	if (ip_from_sockaddr((struct sockaddr *)&ss, &client) < 0)
		close(fd);
	else
		connection_new(fd, &client);
	return true;
}

static void
on_listener(void *arg, int what)
{
	struct listener *l = arg;
	int turns = 0;

	(void)what;
	while (turns++ < ACCEPT_TURN_MAX && accept_one(l))
		;
}

static void
listener_free(struct listener *l)
{
	list_del(&l->node);
	watch_release(&l->watch);
	close(l->fd);
	free(l);
}

void
server_accept(void)
{
	if (server.is_stopping || server.is_accepting)
		return;
	timer_clear(&server.accept_timer);
	accept_watch(true);
}

void
server_listen(const char *name, const char *address, int fd)
{
	struct listener *l = xcalloc(1, sizeof(*l));
	struct list *n, *tmp;

	list_for_safe(n, tmp, &server.listeners)
	{
		struct listener *old = list_entry(n, struct listener, node);

		if (str_eq(old->name, name) && str_eq(old->address, address))
			listener_free(old);
	}
	str_copy(l->name, sizeof(l->name), name);
	str_copy(l->address, sizeof(l->address), address);
	l->fd = fd;
	l->is_current = true;
	file_set_nonblock(fd);
	watch_init(&l->watch, fd, on_listener, l);
	list_push(&server.listeners, &l->node);
	if (server.spare_fd < 0)
		server.spare_fd = eventfd(0, EFD_CLOEXEC);
	if (server.is_accepting)
		watch_set(&l->watch, WATCH_READ);
	log_info("- listening name=%s address=%s", l->name, l->address);
}

void
server_listen_done(void)
{
	struct list *n, *tmp;

	list_for_safe(n, tmp, &server.listeners)
	{
		struct listener *l = list_entry(n, struct listener, node);

		if (!l->is_current) {
			log_info("- closing name=%s address=%s", l->name,
				 l->address);
			listener_free(l);
			continue;
		}
		l->is_current = false;
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
	list_init(&server.listeners);
	list_init(&server.connections);
	server.spare_fd = -1;
	server_hostname(hostname);
	timer_init(&server.accept_timer, on_accept_timer, NULL);
	timer_set(&server.accept_timer, START_WAIT_MS);
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
	server.conf.mends_newlines = k->smtp_bare_newline_mend != 0;
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
	list_for_safe(n, tmp, &server.listeners)
		listener_free(list_entry(n, struct listener, node));
	timer_clear(&server.accept_timer);
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
