/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One end of a SOCK_SEQPACKET socket on which frames pass, with at most
 * one descriptor each.  Knows no event loop: the owner polls chan_fd().
 * A frame that breaks the rules of proto.def makes the channel fail for
 * its sender's side, never a crash here.
 */
#ifndef CHAN_H
#define CHAN_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "proto.h"

#define CHAN_BACKLOG_MAX (64 * 1024 * 1024) /* bytes waiting to be sent */

struct chan;

/*
 * Takes fd, makes it non-blocking.  self and other say which frames may
 * be sent and are accepted.
 */
struct chan *chan_new(int fd, enum role self, enum role other);
/* Why the last call failed; "" when none did or the other side closed. */
const char *chan_error(const struct chan *c);
/* Closes the socket; what waited is dropped, its descriptors closed. */
void chan_free(struct chan *c);
int chan_fd(const struct chan *c);
enum role chan_other(const struct chan *c);
/* Two connected ends; sets close-on-exec. */
int chan_pair(int fd[2], struct err *e);

/*
 * Sends or queues.  fd >= 0 is always taken: sent and closed, or closed on
 * failure.  -1 when the frame may not be sent here, is too large, or the
 * channel is broken or its backlog full (it is then broken).  When the
 * other side has closed, what it sent before can still be received.
 */
int chan_send(struct chan *c, enum frame_type type, uint32_t token,
	      const void *body, int fd);
/* True while something waits: poll for writing and call chan_flush(). */
bool chan_wants_write(const struct chan *c);
size_t chan_backlog(const struct chan *c);
/* -1 when the channel is broken or the other side has closed. */
int chan_flush(struct chan *c);
/*
 * Receives one frame: 1 got it, 0 nothing there now, -1 closed by the
 * other side (e->text is "") or broken (e says how).  A descriptor that
 * the frame's row does not allow is closed and breaks the channel.
 * f->fd belongs to the caller.  f->body and its texts are valid until the
 * next chan_receive() or chan_wait() on any channel of this process: all
 * share one buffer.  Not for use by several threads.
 */
int chan_receive(struct chan *c, struct frame *f, struct err *e);
/* Blocks until a frame is there or timeout_ms (-1: none) has passed: 0. */
int chan_wait(struct chan *c, struct frame *f, int timeout_ms, struct err *e);

#endif
