/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The other processes as a role sees them: channels on the loop, handlers
 * by frame type, and questions that are answered exactly once: by the
 * peer, by its death, or by a deadline.  A peer is named by an id that is
 * never reused, so that an answer to one that has died goes nowhere.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chan.h"
#include "proto.h"

typedef uint32_t peer_id; /* 0: none */

#define PEER_ASKS_MAX 1000000 /* questions under way in a process */

/*
 * Handles a NOTE, an ASK, or a MORE that belongs to an ASK of the other
 * side: a MORE for whose type there is no handler belongs to an answer.
 * f and its body are valid for the call; f->fd is closed after it unless
 * the handler took it and set f->fd to -1 (hence not const).
 */
typedef void peer_frame_fn(peer_id from, struct frame *f);
struct peer_handler {
	enum frame_type type;
	peer_frame_fn *fn;
};

struct peer_ops {
	const struct peer_handler *handlers; /* ends with fn NULL */
	/* Either may be NULL.  down: what it had asked is void, what it was
	 * asked has been answered NULL already. */
	void (*up)(peer_id p, enum role r);
	void (*down)(peer_id p, enum role r);
};

void peer_init(enum role self, const struct peer_ops *ops);
/* Takes the connected descriptor, calls up.  A second peer of the same role
 * replaces the first, but for ROLE_CTL and ROLE_WORKER, of which many
 * exist. */
peer_id peer_add(enum role r, int fd);
/* Answers what it was asked with NULL, calls down, closes it. */
void peer_drop(peer_id p);
/* The current peer of a role, 0 when it is down. */
peer_id peer_of(enum role r);
enum role peer_role(peer_id p); /* ROLE_COUNT when gone */
size_t peer_backlog(peer_id p); /* bytes waiting to be sent */
/* Waits until all that was sent is on its way, or timeout_ms is over. */
void peer_flush_all(int64_t timeout_ms);

/* -1 when the peer is gone; fd is taken in any case. */
int peer_note(peer_id p, enum frame_type type, const void *body, int fd);

/*
 * Asks.  fn is called for each MORE of the answer and once for its LAST,
 * or once with NULL when the peer dies or timeout_ms (0: none) is over;
 * never before peer_ask() returns.  Returns the token, 0 when the peer is
 * gone or the question cannot be sent (fn is then not called, fd is
 * closed).
 */
typedef void peer_reply_fn(void *arg, struct frame *f);
uint32_t peer_ask(peer_id p, enum frame_type type, const void *body, int fd,
		  int64_t timeout_ms, peer_reply_fn *fn, void *arg);
/* The rest of a long question. */
int peer_ask_more(uint32_t token, enum frame_type type, const void *body);
/* fn will not be called any more; a late answer is dropped. */
void peer_forget(uint32_t token);

/* Answers an ASK of p with its token: MORE or LAST frames. */
int peer_answer(peer_id p, uint32_t token, enum frame_type type,
		const void *body, int fd);

#endif
