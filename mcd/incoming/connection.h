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

struct connection {
	struct list node;
	struct io io;
	struct session session;
	struct ip_port client;
	char client_text[IP_TEXT_SIZE]; /* the address alone */
	struct mail *mail; /* commit.c's, NULL between transactions */
	struct check_client *checks; /* commit.c's; NULL: not yet */
	bool is_early; /* spoke before the greeting (smtp_greet_wait) */
	bool is_check_logged; /* a check has told of this refusal */
	bool is_counted; /* in the table of clients */
	bool is_lost; /* the client went; kept for an answer of queue's */
};

/* An answer was given to the session from outside of its input. */
void connection_wake(struct connection *c);

#endif
