/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Takes clients from the listening sockets, in turns that let others have
 * theirs.  Whether one may stay is server.c's.
 */
#include "listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "file.h"
#include "list.h"
#include "log.h"
#include "loop.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define ACCEPT_TURN_MAX 64 /* connections taken from one listener in a turn */
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

static struct {
	struct list listeners;
	struct listen_options options[CONF_LISTENERS_MAX];
	size_t option_count;
	listen_fn *on_client;
	int spare_fd; /* given up for a moment when descriptors run out */
	bool is_accepting, is_closed;
	struct timer accept_timer;
} self;

static void
copy_nets(const struct conf_nets *from, struct conf_nets *to)
{
	to->count = from->count;
	to->net = NULL;
	if (from->count > 0)
		to->net = xmemdup(from->net, from->count * sizeof(*from->net));
}

void
listen_conf(const struct conf *conf)
{
	struct listen_options *o;
	size_t i;

	for (i = 0; i < self.option_count; i++) {
		free(self.options[i].proxy_from.net);
		free(self.options[i].xclient_from.net);
	}
	self.option_count = conf->listener_count;
	for (i = 0; i < conf->listener_count; i++) {
		o = &self.options[i];
		(void)str_copy(o->name, sizeof(o->name),
			       conf->listeners[i].name);
		o->tls = conf->listeners[i].tls;
		copy_nets(&conf->listeners[i].proxy_from, &o->proxy_from);
		copy_nets(&conf->listeners[i].xclient_from, &o->xclient_from);
	}
}

/* Of a listener that is on its way out: nothing special. */
static const struct listen_options *
options_of(const char *name)
{
	static const struct listen_options none = { .tls = CONF_TLS_NONE };
	size_t i;

	for (i = 0; i < self.option_count; i++)
		if (str_eq(self.options[i].name, name))
			return &self.options[i];
	return &none;
}

static void
accept_watch(bool on)
{
	struct list *n;

	self.is_accepting = on;
	list_for(n, &self.listeners)
		watch_set(&list_entry(n, struct listener, node)->watch,
			  on ? WATCH_READ : 0);
}

static void
on_accept_timer(void *arg)
{
	(void)arg;
	if (!self.is_closed)
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

	file_shut(&self.spare_fd);
	fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0) {
		(void)send(fd, words, sizeof(words) - 1, MSG_NOSIGNAL);
		close(fd);
		stats_add(role_stats(), STAT_in_refused_limit, 1);
	}
	self.spare_fd = eventfd(0, EFD_CLOEXEC);
	log_warn("- refused verb=CONNECT code=421 out of descriptors");
	accept_watch(false);
	timer_set(&self.accept_timer, BACKOFF_MS);
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
			timer_set(&self.accept_timer, BACKOFF_MS);
			return false;
		}
	}
	if (ip_from_sockaddr((struct sockaddr *)&ss, &client) < 0)
		close(fd);
	else
		self.on_client(fd, &client, options_of(l->name));
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
listen_accept(void)
{
	if (self.is_closed || self.is_accepting)
		return;
	timer_clear(&self.accept_timer);
	accept_watch(true);
}

void
listen_add(const char *name, const char *address, int fd)
{
	struct listener *l = xcalloc(1, sizeof(*l));
	struct list *n, *tmp;

	list_for_safe(n, tmp, &self.listeners)
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
	list_push(&self.listeners, &l->node);
	if (self.spare_fd < 0)
		self.spare_fd = eventfd(0, EFD_CLOEXEC);
	if (self.is_accepting)
		watch_set(&l->watch, WATCH_READ);
	log_info("- listening name=%s address=%s", l->name, l->address);
}

void
listen_done(void)
{
	struct list *n, *tmp;

	list_for_safe(n, tmp, &self.listeners)
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
listen_init(listen_fn *on_client)
{
	list_init(&self.listeners);
	self.spare_fd = -1;
	self.on_client = on_client;
	timer_init(&self.accept_timer, on_accept_timer, NULL);
	timer_set(&self.accept_timer, START_WAIT_MS);
}

void
listen_close(void)
{
	struct list *n, *tmp;

	self.is_closed = true;
	list_for_safe(n, tmp, &self.listeners)
		listener_free(list_entry(n, struct listener, node));
	timer_clear(&self.accept_timer);
}
