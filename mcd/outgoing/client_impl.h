/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the two halves of the client's engine share: client_greet.c goes
 * from the greeting to a session that takes mail, client.c from there on.
 */
#ifndef CLIENT_IMPL_H
#define CLIENT_IMPL_H

#include "client.h"

/* What a server offers in its reply to EHLO. */
enum client_offer {
	OFFERS_PIPELINING = 1,
	OFFERS_SIZE = 2,
	OFFERS_8BITMIME = 4,
	OFFERS_SMTPUTF8 = 8,
	OFFERS_DSN = 16,
	OFFERS_STARTTLS = 32
};

static inline bool
client_has(const struct client *c, enum client_offer offer)
{
	return (c->offers & (unsigned)offer) != 0;
}

/* The server does not want us, now or for ever: failed(), deferred. */
void client_refused(struct client *c, const struct smtp_reply *r);
/* failed() with a whole result. */
void client_end(struct client *c, const struct client_result *why);

/* A reply in one of the states before CLIENT_READY. */
void client_greet_reply(struct client *c, const struct smtp_reply *r);
/* Each line of it, with its code, when there is something behind that. */
void client_greet_line(struct client *c, struct span line);

#endif
