/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Connections to next hops: made when needed, kept for a few seconds when
 * a mail is done, and used again.  Every wait on them is bounded.
 */
#ifndef HOP_H
#define HOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "ip.h"
#include "setting.h"
#include "tls.h"

#define HOP_NAME_SIZE 256
#define HOP_RELAY_SIZE 400 /* "name[ip]:port" */

struct hop;

/* Where to, and how. */
struct hop_target {
	const char *name; /* copied; its certificate is to be for it */
	struct ip_port to;
	enum dest_tls tls;
	bool is_hurried; /* wait less for the connection */
	bool is_fresh; /* no kept connection, and do not keep this one */
	bool tries_tls; /* also where it is known to fail, bare.h */
};

/* What the user of a hop is told.  It may call hop_drop() in any of them;
 * after done() and failed() the hop is not the user's any more. */
struct hop_ops {
	void (*rcpt)(void *arg, size_t index, const struct client_result *r);
	/*
	 * The next piece of the message: 1 and the piece, 0 at the end, -1
	 * when it must not be sent after all (the hop is then dropped; no
	 * other call follows).
	 */
	int (*piece)(void *arg, struct span *out);
	void (*done)(void *arg);
	/* The session is there and the mail is begun.  May be NULL. */
	void (*begun)(void *arg);
	/* As of client_ops, of a connection made for this user; secured: see
	 * hop_tls().  May be NULL. */
	void (*heard)(void *arg, const char *where, const struct smtp_reply *r);
	void (*offered)(void *arg, struct span line);
	void (*secured)(void *arg);
	/*
	 * was_stale: a kept connection that broke before it took anything,
	 * to be tried again at the same address.  is_past_end: the message
	 * may have been taken.
	 */
	void (*failed)(void *arg, const struct client_result *why,
		       bool was_stale, bool is_past_end);
};

/* Why a hop failed, inside failed(). */
bool hop_failed_in_tls(const struct hop *h); /* may work in the clear */
bool hop_failed_to_connect(const struct hop *h);

void hop_init(const char *hostname);
/* A file with the certificates of authorities (PEM) instead of those
 * before, -1: none, and no certificate is right.  Borrowed for the call. */
void hop_trust(int fd);
void hop_hostname(const char *hostname);
void hop_knobs(const struct knobs *k);

/*
 * Sends mail to an address, over a kept connection if there is one.  All
 * is borrowed until done() or failed(), or hop_drop().  -1: a connection
 * cannot be started; ops are then not called.  ops are never called before
 * it returns.
 */
int hop_send(const struct hop_target *target, const struct client_mail *mail,
	     const struct hop_ops *ops, void *arg, struct hop **out,
	     struct err *e);
/* The user goes; the connection is closed, without the end mark. */
void hop_drop(struct hop *h);
/* The message is being sent, or its end is to be answered. */
bool hop_is_busy_with_body(const struct hop *h);
bool hop_is_past_end(const struct hop *h);
/* NULL in the clear; valid while the user has the hop. */
const struct tls_info *hop_tls(const struct hop *h);
/* "TLSv1.3 verified", "TLSv1.3 unverified", "none"; dst holds 64. */
void hop_tls_text(const struct hop *h, char *dst);
/* 8-bit mail goes to a server that does not offer 8BITMIME. */
bool hop_is_8bit_unasked(const struct hop *h);
/* "name[ip]:port"; dst holds HOP_RELAY_SIZE. */
void hop_relay(const char *name, const struct ip_port *to, char *dst);
/* Closes all that are kept. */
void hop_close_idle(void);
size_t hop_count(void);

#endif
