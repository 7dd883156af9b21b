/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One listener on a loopback address.  A client that is slow, talks too much
 * or opens too many connections harms nobody but others who ask here.
 */
#include "http.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "str.h"

#define TIMEOUT_S 10
#define HEADERS_MAX 8192
#define OPEN_METRICS "application/openmetrics-text"
#define OPEN_TYPE OPEN_METRICS "; version=1.0.0; charset=utf-8"
#define TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

static struct {
	struct event_base *base;
	http_page_fn *page;
	void (*tick)(void);
} self;

static void
reply(struct evhttp_request *r, const char *type, const char *text, size_t len)
{
	struct evbuffer *out = evbuffer_new();

	if (out == NULL || evbuffer_add(out, text, len) != 0) {
		evhttp_send_error(r, HTTP_INTERNAL, NULL);
	} else {
		evhttp_add_header(evhttp_request_get_output_headers(r),
				  "Content-Type", type);
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
	char text[IP_TEXT_SIZE];

	evhttp_set_timeout(http, TIMEOUT_S);
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, 0);
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_cb(http, "/metrics", on_metrics, NULL);
	evhttp_set_gencb(http, on_other, NULL);
	if (evhttp_bind_socket(http, ip_text(&at->ip, text), at->port) != 0)
		return err_set(e,
			       "%s: not listening: the address is in use, "
			       "or not one of this host's",
			       ip_port_text(at, text));
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
