/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The client's side of an SMTP session (RFC 5321, 1870, 2034, 2920, 3207,
 * 3461, 6152, 6531) as an engine over buffers: any number of mails one after
 * the other, an outcome for each recipient; or a mail that ends after RCPT,
 * to ask what a server would say.  No sockets, no clock, no policy.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "proto.h"
#include "smtp.h"

#define CLIENT_PIPE_MAX 100 /* recipients sent ahead of their replies */

struct client_rcpt {
	const char *address;
	const char *orcpt, *notify; /* as given, "" if none */
};

/*
 * Borrowed from client_send() until done() or failed().  8-bit mail goes to
 * a server without 8BITMIME as it is, unless bounces_8bit: a body is never
 * changed here.
 */
struct client_mail {
	const char *sender;
	const char *envid, *ret;
	uint64_t size; /* as sent, without stuffing */
	bool is_8bit;
	bool bounces_8bit;
	bool is_utf8; /* SMTPUTF8 was given */
	bool needs_utf8; /* cannot go to a server without it */
	const struct client_rcpt *rcpts;
	size_t rcpt_count; /* > 0, or is_probe */
	/* No message: the replies to RCPT (or, without one, to MAIL) are all
	 * that is asked for; body() is not called. */
	bool is_probe;
};

struct client_result {
	enum outcome outcome;
	int code; /* 0: not a reply of the server */
	const char *enhanced;
	const char *text;
	bool has_dsn; /* delivered to a server that offers DSN */
	bool is_loop; /* of failed(): the server has our own name */
};

/* None may free the client. */
struct client_ops {
	/* Begin the handshake; client_secured() when it is done. */
	void (*starttls)(void *arg);
	/* Greeted: client_send() may be called. */
	void (*ready)(void *arg);
	/* Once for each recipient of a mail that is not failed(). */
	void (*rcpt)(void *arg, size_t index, const struct client_result *r);
	/* Send the message: client_body()... client_body_end(). */
	void (*body)(void *arg);
	/* All recipients have their outcome.  Not usable: close it. */
	void (*done)(void *arg, bool is_usable);
	/*
	 * The session is over; recipients without an outcome were not
	 * delivered to, as far as anyone can know (client_is_past_end()).
	 */
	void (*failed)(void *arg, const struct client_result *why);
	/* Each whole reply before it is acted on, and client_where().  May be
	 * NULL. */
	void (*heard)(void *arg, const char *where, const struct smtp_reply *r);
	/* A line of the reply to EHLO.  May be NULL. */
	void (*offered)(void *arg, struct span line);
};

enum client_state {
	CLIENT_GREETING,
	CLIENT_EHLO,
	CLIENT_HELO,
	CLIENT_STARTTLS,
	CLIENT_HANDSHAKE,
	CLIENT_READY,
	CLIENT_MAIL, /* replies to MAIL and RCPT */
	CLIENT_DATA,
	CLIENT_BODY,
	CLIENT_END,
	CLIENT_RSET,
	CLIENT_OVER
};

struct client {
	const struct client_ops *ops;
	void *arg;
	const char *hostname; /* borrowed */
	struct buf *out; /* borrowed */
	struct smtp_reply *reply; /* while one is coming in */
	struct smtp_stuff stuff;
	const struct client_mail *mail;
	bool *is_accepted; /* by recipient */
	size_t sent, answered, accepted; /* recipients */
	enum client_state state;
	unsigned offers; /* enum client_offer */
	uint64_t size_max; /* of SIZE, 0: none told */
	enum dest_tls tls;
	bool is_secured;
	bool failed_securing;
	bool is_loop; /* the server has said our own name */
	bool is_mail_answered;
	bool is_mail_refused;
};

void client_init(struct client *c, const struct client_ops *ops, void *arg,
		 const char *hostname, struct buf *out);
void client_release(struct client *c);
/* Before the greeting; DEST_TLS_NONE when it is not called. */
void client_want_tls(struct client *c, enum dest_tls tls);
/* The handshake that starttls() has asked for is done. */
void client_secured(struct client *c);

/*
 * Takes input, returns how many bytes.  A reply that breaks the grammar
 * fails the session.
 */
size_t client_input(struct client *c, struct span in);
/* Only when ready; the mail's replies and body follow. */
void client_send(struct client *c, const struct client_mail *mail);
/* More recipients go out when there is room. */
void client_pump(struct client *c);
void client_body(struct client *c, struct span piece);
void client_body_end(struct client *c);
/* The connection is gone, silent or has to go: failed() is called. */
void client_lost(struct client *c, const char *enhanced, const char *why);
/* The same with nothing added to why. */
void client_fail(struct client *c, const char *enhanced, const char *why);
/* Says QUIT; nothing is called any more. */
void client_quit(struct client *c);

enum client_state client_state(const struct client *c);
/* The end mark was sent: the server may have taken the message. */
bool client_is_past_end(const struct client *c);
/* STARTTLS was said, and no reply has come over TLS yet; of a session that
 * is over: that was where it failed. */
bool client_is_securing(const struct client *c);
/* Of the mail being sent: it is 8-bit, which the server does not offer. */
bool client_is_8bit_unasked(const struct client *c);
/* For texts: "after RCPT". */
const char *client_where(const struct client *c);

#endif
