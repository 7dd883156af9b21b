/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The HTTP side, libevent's evhttp: GET of one page, made by who is asked.
 * Nothing that a client sends is used but its path and what it accepts.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>

#include "buf.h"
#include "err.h"
#include "ip.h"

/* Appends the page; is_open: as OpenMetrics. */
typedef void http_page_fn(bool is_open, struct buf *b);

/* Serves until SIGTERM or SIGINT; tick is called about once a second.  -1
 * when it could not begin. */
int http_serve(const struct ip_port *at, http_page_fn *page, void (*tick)(void),
	       struct err *e);

#endif
