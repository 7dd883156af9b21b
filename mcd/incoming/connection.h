/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One client of the incoming role: its socket, its session and the mail
 * it is sending.  server.c makes and ends them, commit.c answers for
 * their mail.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>

#include "io.h"
#include "ip.h"
#include "list.h"
#include "session.h"

struct check_client;
struct mail;

/* What a connection is at, in this order; some are left out. */
enum connection_step {
	CONNECTION_PROXY, /* the header of a balancer */
	CONNECTION_TLS, /* a handshake that comes unasked */
	CONNECTION_GREET_WAIT,
	CONNECTION_SESSION
};

struct connection {
	struct list node;
	struct io io;
	struct session session;
	enum connection_step step;
	struct ip_port peer; /* who has connected */
	struct ip_port client, local; /* as PROXY or XCLIENT says, if it does */
	char client_text[IP_TEXT_SIZE]; /* the address alone */
	/* By XCLIENT; NULL: not told, "": told that there is none. */
	char *told_name, *told_login;
	int64_t message_end_ms; /* monotonic, for the message coming in; or 0 */
	struct mail *mail; /* commit.c's, NULL between transactions */
	struct check_client *checks; /* commit.c's; NULL: not yet */
	bool is_check_logged; /* a check has told of this refusal */
	bool is_implicit; /* TLS from the first byte */
	bool is_local; /* a balancer's own, by PROXY: a health check */
	bool is_early; /* spoke before the greeting (smtp_greet_wait) */
	bool is_counted; /* in the table of clients */
	bool is_lost; /* the client went; kept for an answer of queue's */
};

/* An answer was given to the session from outside of its input. */
void connection_wake(struct connection *c);

#endif
