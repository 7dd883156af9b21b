/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A connection on the loop: bytes in, bytes out, one deadline.  Input that
 * was not taken is kept and given again; nothing is read while much waits
 * to be sent, and one connection never holds the loop for long.  Buffers
 * exist only while something is in them.
 */
#ifndef IO_H
#define IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "ip.h"
#include "list.h"
#include "loop.h"
#include "tls.h"

#define IO_PIECE 65536 /* bytes read at a time */
#define IO_TURN_MAX (4 * IO_PIECE) /* bytes read from one in one turn */
#define IO_KEEP_MAX 4096 /* no reading while more than this is not taken */
#define IO_OUT_HIGH 65536 /* no reading while more than this waits */
#define IO_LINGER_MS 2000 /* wait for the other side to close after us */

/*
 * Called from the loop only, never from within a call below.  Each may
 * release the io.
 */
struct io_ops {
	/*
	 * Returns how many bytes were taken; in is valid for the call.  What
	 * is left is given again with what comes behind it, at once if
	 * anything was taken, else after more has come or io_kick().
	 * Something must be taken of more than IO_KEEP_MAX bytes unless the
	 * owner will call io_kick().
	 */
	size_t (*input)(void *arg, struct span in);
	/* The connection of io_connect() stands.  May be NULL. */
	void (*connected)(void *arg);
	/* Room to send more, while io_want_output() is on.  May be NULL. */
	void (*output)(void *arg);
	/* The handshake of io_start_tls() is done, see io_tls(); NULL only
	 * where that is never called. */
	void (*secured)(void *arg);
	/*
	 * why is "" when the other side closed in order; this is then called
	 * again after each io_kick().  Else the connection is broken.
	 */
	void (*end)(void *arg, const char *why);
	/* The deadline has passed; it is off now. */
	void (*timeout)(void *arg);
	/* io_finish() is done: release it. */
	void (*finished)(void *arg);
};

/* Where a connection stands on its way to TLS. */
enum io_tls { IO_PLAIN, IO_TLS_DUE, IO_TLS_HANDSHAKE, IO_TLS_ON };

/* Embedded in its owner; private. */
struct io {
	struct watch watch;
	struct timer timer;
	struct list ready;
	struct buf in, out;
	struct tls *tls; /* NULL: IO_PLAIN */
	const struct io_ops *ops;
	void *arg;
	bool *gone; /* told when released inside a callback */
	int64_t deadline_ms; /* monotonic, 0: none */
	int64_t timer_ms; /* when the timer fires */
	int fd; /* -1: none */
	int error; /* errno of a failed write, told at the next turn */
	bool is_connecting;
	bool is_finishing;
	bool is_shut;
	bool at_end;
	bool end_told;
	bool is_stuck; /* nothing was taken of what is in */
	bool wants_output;
	/* Of TLS: it may hold bytes that the socket has not; a read or write
	 * waits for the other direction. */
	bool may_have_more;
	bool read_wants_write, write_wants_read;
	bool is_unasked; /* io_begin_tls() */
	enum io_tls tls_state;
};

void io_init(struct io *io, const struct io_ops *ops, void *arg);
/* Takes a connected, non-blocking descriptor. */
void io_open(struct io *io, int fd);
/* Starts to connect; connected() or end() follows.  -1: could not start. */
int io_connect(struct io *io, const struct ip_port *to, struct err *e);
/* Closes at once; also fine when it is not open. */
void io_release(struct io *io);
bool io_is_open(const struct io *io);

/* To append to; then io_flush(). */
struct buf *io_out(struct io *io);
/* Sends what the socket takes now; the rest follows by itself. */
void io_flush(struct io *io);
/* Has input() called again with what was not taken. */
void io_kick(struct io *io);
void io_want_output(struct io *io, bool wanted);
/*
 * What waits to be sent goes out in the clear, then the handshake begins;
 * secured() follows, or end(), or timeout().  Takes t.  May be called in
 * any callback.  Of input that came before, all must have been taken when
 * that callback returns: what nobody protected is never mixed with what
 * comes later, and the connection breaks (RFC 3207 section 4).
 */
void io_start_tls(struct io *io, struct tls *t);
/*
 * The same where TLS comes unasked, as behind the header of a balancer:
 * input that is not taken belongs to it.
 */
void io_begin_tls(struct io *io, struct tls *t);
/* NULL when this connection is in the clear. */
const struct tls_info *io_tls(const struct io *io);
/* Replaces the deadline, ms from now; 0: none. */
void io_deadline(struct io *io, int64_t ms);
/*
 * Sends what waits, then closes in an order that lets the other side read
 * it; finished() follows within the deadline or IO_LINGER_MS.  No other
 * callback comes after this.
 */
void io_finish(struct io *io);

#endif
