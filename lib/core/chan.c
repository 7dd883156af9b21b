/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Frames over a SOCK_SEQPACKET socket.  What the socket does not take at
 * once waits in order, its descriptor with it.  Whatever the other side
 * sends that is not allowed here closes the conversation, not us.
 */
#include "chan.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "file.h"
#include "list.h"
#include "xalloc.h"

#define FDS_ROOM 4 /* descriptors looked at, to close them */

/* A datagram that waits. */
struct waiting {
	struct list node;
	int fd;
	size_t len;
	char data[];
};

struct chan {
	int fd;
	enum role self, other;
	bool is_broken;
	bool is_deaf; /* the other side closed: it takes no more, but what it
		       * sent before can still be received */
	struct list queue; /* struct waiting, oldest first */
	size_t backlog; /* bytes in queue, its bookkeeping counted */
	struct err why;
	_Alignas(max_align_t) unsigned char body[FRAME_BODY_MAX];
};

/* One byte more than allowed, so that too long is seen. */
static char receive_data[PROTO_FRAME_MAX + 1];
static struct buf send_data = { .limit = PROTO_FRAME_MAX };

struct chan *
chan_new(int fd, enum role self, enum role other)
{
	struct chan *c = xcalloc(1, sizeof(*c));

	c->fd = fd;
	c->self = self;
	c->other = other;
	list_init(&c->queue);
	if (file_set_nonblock(fd) != 0) {
		c->is_broken = true;
		err_sys(&c->why, "channel to %s", role_name(other));
	}
	return c;
}

static void
waiting_free(struct chan *c, struct waiting *w)
{
	list_del(&w->node);
	c->backlog -= sizeof(*w) + w->len;
	file_shut(&w->fd);
	free(w);
}

static void
drop_queue(struct chan *c)
{
	while (!list_is_empty(&c->queue))
		waiting_free(c,
			     list_entry(c->queue.next, struct waiting, node));
}

void
chan_free(struct chan *c)
{
	if (c == NULL)
		return;
	drop_queue(c);
	file_shut(&c->fd);
	free(c);
}

int
chan_fd(const struct chan *c)
{
	return c->fd;
}

enum role
chan_other(const struct chan *c)
{
	return c->other;
}

const char *
chan_error(const struct chan *c)
{
	return c->why.text;
}

int
chan_pair(int fd[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return err_sys(e, "socketpair");
	return 0;
}

/* No more is sent or received; the reason stays for chan_error(). */
static int
broken(struct chan *c)
{
	c->is_broken = true;
	drop_queue(c);
	return -1;
}

/* A send failed, with errno. */
static int
not_sent(struct chan *c)
{
	bool is_closed = errno == EPIPE || errno == ECONNRESET;

	err_sys(&c->why, "send to %s", role_name(c->other));
	if (!is_closed)
		return broken(c);
	c->is_deaf = true;
	drop_queue(c);
	return -1;
}

/* 1 sent, 0 not now, -1 with errno. */
static int
send_now(struct chan *c, const void *p, size_t len, int fd)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct cmsghdr *cmsg;
	ssize_t n;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	do {
		n = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 1;
	/* The last two: too much is in flight until the others have read. */
	if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS)
		return 0;
	return -1;
}

static int
may_send(struct chan *c, const struct frame_info *info, int fd)
{
	if (info == NULL)
		return err_set(&c->why, "a frame of no known type");
	if ((info->from & 1u << c->self) == 0 ||
	    (info->to & 1u << c->other) == 0)
		return err_set(&c->why, "frame %s: not from %s to %s",
			       info->name, role_name(c->self),
			       role_name(c->other));
	if (info->fd == FRAME_WITH_FD && fd < 0)
		return err_set(&c->why, "frame %s: descriptor is missing",
			       info->name);
	if (info->fd == FRAME_NO_FD && fd >= 0)
		return err_set(&c->why, "frame %s: takes no descriptor",
			       info->name);
	return 0;
}

/* Takes the descriptor in any case. */
static int
enqueue(struct chan *c, int fd)
{
	struct waiting *w;
	size_t size = sizeof(*w) + send_data.len;

	if (c->backlog + size > CHAN_BACKLOG_MAX) {
		file_shut(&fd);
		err_set(&c->why, "%s does not read: %zu bytes wait",
			role_name(c->other), c->backlog);
		return broken(c);
	}
	w = xmalloc(size);
	w->fd = fd;
	w->len = send_data.len;
	memcpy(w->data, send_data.data, w->len);
	list_push(&c->queue, &w->node);
	c->backlog += size;
	return 0;
}

int
chan_send(struct chan *c, enum frame_type type, uint32_t token,
	  const void *body, int fd)
{
	int sent = 0;

	buf_clear(&send_data);
	if (c->is_broken || c->is_deaf ||
	    may_send(c, frame_info(type), fd) != 0 ||
	    frame_encode(type, token, body, &send_data, &c->why) != 0) {
		file_shut(&fd);
		return -1;
	}
	if (list_is_empty(&c->queue))
		sent = send_now(c, send_data.data, send_data.len, fd);
	if (sent == 0)
		return enqueue(c, fd);
	if (sent < 0)
		(void)not_sent(c);
	file_shut(&fd);
	return sent < 0 ? -1 : 0;
}

bool
chan_wants_write(const struct chan *c)
{
	return !list_is_empty(&c->queue);
}

size_t
chan_backlog(const struct chan *c)
{
	return c->backlog;
}

int
chan_flush(struct chan *c)
{
	struct waiting *w;
	int sent;

	if (c->is_broken || c->is_deaf)
		return -1;
	while (!list_is_empty(&c->queue)) {
		w = list_entry(c->queue.next, struct waiting, node);
		sent = send_now(c, w->data, w->len, w->fd);
		if (sent == 0)
			return 0;
		if (sent < 0)
			return not_sent(c);
		waiting_free(c, w);
	}
	return 0;
}

/* The first descriptor goes to *fd, all others are closed and counted. */
static size_t
take_fds(struct msghdr *msg, int *fd)
{
	struct cmsghdr *cmsg;
	size_t count = 0, n, i;
	int got;

	*fd = -1;
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&got, CMSG_DATA(cmsg) + i * sizeof(int),
			       sizeof(int));
			if (count++ == 0)
				*fd = got;
			else
				file_shut(&got);
		}
	}
	return count;
}

static int
check_received(struct chan *c, const struct frame *f, int fd, struct err *e)
{
	if ((f->info->from & 1u << c->other) == 0 ||
	    (f->info->to & 1u << c->self) == 0)
		return err_set(e, "frame %s: not from %s to %s", f->info->name,
			       role_name(c->other), role_name(c->self));
	if (f->info->fd == FRAME_WITH_FD && fd < 0)
		return err_set(e, "frame %s: descriptor is missing",
			       f->info->name);
	if (f->info->fd == FRAME_NO_FD && fd >= 0)
		return err_set(e, "frame %s: descriptor where none is due",
			       f->info->name);
	return 0;
}

/* 1 a datagram of *len bytes is in receive_data, else as chan_receive(). */
static int
receive_data_now(struct chan *c, size_t *len, int *fd, struct err *e)
{
	struct iovec iov = { receive_data, sizeof(receive_data) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(FDS_ROOM * sizeof(int))];
	} control;
	int resets = 0;
	size_t fds;
	ssize_t n;

	msg.msg_control = control.bytes;
	msg.msg_controllen = sizeof(control.bytes);
	/* A reset is said once, before what the other side sent and before
	 * the end: it closed without having read all of ours. */
	do {
		n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (n < 0 &&
		 (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n < 0)
		return err_sys(e, "receive from %s", role_name(c->other));
	fds = take_fds(&msg, fd);
	*len = (size_t)n;
	if (n > 0 && fds <= 1 && n <= PROTO_FRAME_MAX &&
	    (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return 1;
	file_shut(fd);
	if (n == 0 && fds == 0)
		return err_set(e, "%s", "");
	if (fds > 1 || (msg.msg_flags & MSG_CTRUNC) != 0)
		return err_set(e, "a frame with more than one descriptor");
	return err_set(e, "a frame that is no datagram of 1 to %d bytes",
		       PROTO_FRAME_MAX);
}

int
chan_receive(struct chan *c, struct frame *f, struct err *e)
{
	struct err own;
	size_t len = 0;
	int fd = -1, got;

	if (e == NULL)
		e = &own;
	if (c->is_broken)
		return err_set(e, "%s", c->why.text);
	got = receive_data_now(c, &len, &fd, e);
	if (got == 0)
		return 0;
	if (got > 0 &&
	    frame_decode((struct span){ receive_data, len }, c->body, f, e) ==
		    0 &&
	    check_received(c, f, fd, e) == 0) {
		f->fd = fd;
		return 1;
	}
	file_shut(&fd);
	c->why = *e;
	return broken(c);
}

/* Milliseconds that are left of a wait, for poll(2). */
static int
time_left(int timeout_ms, int64_t end_ms)
{
	int64_t left;

	if (timeout_ms < 0)
		return -1;
	left = end_ms - clock_mono_ms();
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int
chan_wait(struct chan *c, struct frame *f, int timeout_ms, struct err *e)
{
	int64_t end_ms = clock_mono_ms() + timeout_ms;
	struct pollfd p = { .fd = c->fd };
	int got, left;

	for (;;) {
		if (chan_wants_write(c))
			(void)chan_flush(c); /* what is there can be read */
		got = chan_receive(c, f, e);
		if (got != 0)
			return got;
		left = time_left(timeout_ms, end_ms);
		if (left == 0)
			return 0;
		p.events = POLLIN | (chan_wants_write(c) ? POLLOUT : 0);
		if (poll(&p, 1, left) < 0 && errno != EINTR)
			return err_sys(e, "wait for %s", role_name(c->other));
	}
}
