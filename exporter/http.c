/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One listener on a loopback address.  A client that is slow, talks too much
 * or opens too many connections harms nobody but others who ask here, and
 * these for some seconds.  evhttp has no limit for either, so sockets are
 * looked at: one that is there for too long is shut down, and none is
 * accepted while there are too many.
 */
#include "http.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "clock.h"
#include "log.h"
#include "str.h"

#define TIMEOUT_S 5 /* without a byte */
#define REQUEST_MS 5000 /* a request and its reply: a connection has one */
#define OPEN_MAX 32
#define FDS (OPEN_MAX + 96) /* ours, and those of libevent and the log */
#define HEADERS_MAX 8192
#define OPEN_METRICS "application/openmetrics-text"
#define OPEN_TYPE OPEN_METRICS "; version=1.0.0; charset=utf-8"
#define TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

static struct {
	struct event_base *base;
	http_page_fn *page;
	void (*tick)(void);
	struct evconnlistener *listener;
	struct client {
		ino_t ino; /* of its socket, 0: none */
		int64_t since_ms;
	} clients[FDS];
} self;

static bool
is_client(int fd, ino_t *ino)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	struct stat st;

	if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 ||
	    (peer.ss_family != AF_INET && peer.ss_family != AF_INET6) ||
	    fstat(fd, &st) != 0)
		return false;
	*ino = st.st_ino;
	return true;
}

/* A byte now and then keeps no connection: that would be for hours.  evhttp
 * sees the end of one and closes it. */
static void
look_at_clients(void)
{
	int64_t now_ms = clock_mono_ms();
	size_t open = 0;
	ino_t ino;

	for (int fd = 0; fd < FDS; fd++) {
		struct client *c = &self.clients[fd];

		if (!is_client(fd, &ino)) {
			c->ino = 0;
			continue;
		}
		if (c->ino != ino)
			*c = (struct client){ ino, now_ms };
		else if (now_ms - c->since_ms >= REQUEST_MS)
			(void)shutdown(fd, SHUT_RDWR);
		open++;
	}
	if (open < OPEN_MAX)
		evconnlistener_enable(self.listener);
	else
		evconnlistener_disable(self.listener);
}

/* evhttp asks for what a new connection is to be; its usual is right. */
static struct bufferevent *
on_accept(struct event_base *base, void *arg)
{
	(void)base, (void)arg;
	look_at_clients();
	return NULL;
}

static void
reply(struct evhttp_request *r, const char *type, const char *text, size_t len)
{
	struct evbuffer *out = evbuffer_new();

	if (out == NULL || evbuffer_add(out, text, len) != 0) {
		evhttp_send_error(r, HTTP_INTERNAL, NULL);
	} else {
		evhttp_add_header(evhttp_request_get_output_headers(r),
				  "Content-Type", type);
		evhttp_add_header(evhttp_request_get_output_headers(r),
				  "Connection", "close");
		evhttp_send_reply(r, HTTP_OK, "OK", out);
	}
	if (out != NULL)
		evbuffer_free(out);
}

static void
on_metrics(struct evhttp_request *r, void *arg)
{
	const char *accept = evhttp_find_header(
		evhttp_request_get_input_headers(r), "Accept");
	bool is_open = accept != NULL && strstr(accept, OPEN_METRICS) != NULL;
	struct buf b = { 0 };

	(void)arg;
	self.page(is_open, &b);
	reply(r, is_open ? OPEN_TYPE : TEXT_TYPE, b.data, b.len);
	buf_release(&b);
}

static void
on_other(struct evhttp_request *r, void *arg)
{
	(void)arg;
	evhttp_send_error(r, HTTP_NOTFOUND, NULL);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	look_at_clients();
	self.tick();
}

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
	(void)sig, (void)what, (void)arg;
	event_base_loopbreak(self.base);
}

static int
listen_at(struct evhttp *http, const struct ip_port *at, struct err *e)
{
	struct evhttp_bound_socket *bound;
	char text[IP_TEXT_SIZE];

	evhttp_set_timeout(http, TIMEOUT_S);
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, 0);
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_cb(http, "/metrics", on_metrics, NULL);
	evhttp_set_gencb(http, on_other, NULL);
	evhttp_set_bevcb(http, on_accept, NULL);
	bound = evhttp_bind_socket_with_handle(http, ip_text(&at->ip, text),
					       at->port);
	if (bound == NULL)
		return err_set(e,
			       "%s: not listening: the address is in use, "
			       "or not one of this host's",
			       ip_port_text(at, text));
	self.listener = evhttp_bound_socket_get_listener(bound);
	return 0;
}

static int
loop(struct evhttp *http, const struct ip_port *at, struct err *e)
{
	const struct timeval second = { 1, 0 };
	struct event *events[3];
	char text[IP_TEXT_SIZE];
	size_t i;

	if (listen_at(http, at, e) != 0)
		return -1;
	events[0] = evsignal_new(self.base, SIGTERM, on_stop, NULL);
	events[1] = evsignal_new(self.base, SIGINT, on_stop, NULL);
	events[2] = event_new(self.base, -1, EV_PERSIST, on_tick, NULL);
	for (i = 0; i < 3; i++) {
		if (events[i] == NULL ||
		    event_add(events[i], i == 2 ? &second : NULL) != 0)
			return err_set(e, "no more memory for events");
	}
	log_info("started: http://%s/metrics", ip_port_text(at, text));
	event_base_dispatch(self.base);
	for (i = 0; i < 3; i++)
		event_free(events[i]);
	return 0;
}

int
http_serve(const struct ip_port *at, http_page_fn *page, void (*tick)(void),
	   struct err *e)
{
	struct evhttp *http = NULL;
	int rc = -1;

	self.page = page;
	self.tick = tick;
	self.base = event_base_new();
	if (self.base != NULL)
		http = evhttp_new(self.base);
	if (http == NULL)
		err_set(e, "libevent does not start");
	else
		rc = loop(http, at, e);
	if (http != NULL)
		evhttp_free(http);
	if (self.base != NULL)
		event_base_free(self.base);
	return rc;
}
