/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Connections on the loop.  All callbacks come from turn(): by an event of
 * the socket, or by the list of connections that have something to do
 * although nothing has happened on their socket.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "io.h"
#include "log.h"

/* What is read goes here first: an idle connection has no buffer. */
static char piece[IO_PIECE + IO_KEEP_MAX];

static struct list ready = LIST_INIT(ready);
static struct timer ready_timer;
static bool ready_is_made;

static void turn(struct io *io, int what);

static void
turn_ready(void *arg)
{
	struct list now, *n;

	(void)arg;
	list_init(&now);
	list_splice(&now, &ready);
	while ((n = list_pop(&now)) != NULL)
		turn(list_entry(n, struct io, ready), 0);
}

static void
make_ready(struct io *io)
{
	if (list_is_on(&io->ready))
		return;
	if (!ready_is_made) {
		timer_init(&ready_timer, turn_ready, NULL);
		ready_is_made = true;
	}
	list_push(&ready, &io->ready);
	if (!timer_is_set(&ready_timer))
		timer_set(&ready_timer, 0);
}

/* Reading is allowed: not too much waits on either side. */
static bool
may_read(const struct io *io)
{
	return !io->at_end && io->error == 0 && io->in.len <= IO_KEEP_MAX &&
	       io->out.len <= IO_OUT_HIGH;
}

static bool
is_securing(const struct io *io)
{
	return !io->is_finishing && (io->tls_state == IO_TLS_DUE ||
				     io->tls_state == IO_TLS_HANDSHAKE);
}

static void
set_watch(struct io *io)
{
	int what = 0;

	if (io->fd < 0)
		return;
	if (io->is_connecting ||
	    (is_securing(io) && io->tls_state == IO_TLS_DUE)) {
		what = WATCH_WRITE;
	} else if (is_securing(io)) {
		what = tls_waits_for(io->tls);
	} else {
		if (io->out.len > 0 || io->read_wants_write)
			what |= WATCH_WRITE;
		if (may_read(io) || io->write_wants_read)
			what |= WATCH_READ;
	}
	if (io->error != 0)
		what = 0;
	if (what != io->watch.what)
		watch_set(&io->watch, what);
}

/* As recv(2) and send(2), whatever there is between. */
static ssize_t
pull(struct io *io, void *p, size_t n)
{
	ssize_t got;

	/* What comes after our last words is only thrown away. */
	if (io->tls_state != IO_TLS_ON || io->is_finishing)
		return recv(io->fd, p, n, 0);
	got = tls_read(io->tls, p, n);
	io->may_have_more = got > 0;
	io->read_wants_write =
		got < 0 && (tls_waits_for(io->tls) & WATCH_WRITE) != 0;
	return got;
}

static ssize_t
push(struct io *io, const void *p, size_t n)
{
	ssize_t put;

	if (io->tls_state == IO_TLS_ON) {
		put = tls_write(io->tls, p, n);
		io->write_wants_read =
			put < 0 && (tls_waits_for(io->tls) & WATCH_READ) != 0;
		return put;
	}
	return send(io->fd, p, n, MSG_NOSIGNAL);
}

/* Writes what the socket takes. */
static void
push_out(struct io *io)
{
	size_t done = 0;

	if (io->tls_state == IO_TLS_HANDSHAKE)
		return;
	while (io->error == 0 && done < io->out.len) {
		ssize_t n = push(io, io->out.data + done, io->out.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			io->error = errno;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (io->error != 0) {
		buf_release(&io->out);
		make_ready(io);
	} else if (done == io->out.len) {
		buf_release(&io->out);
	} else {
		buf_consume(&io->out, done);
	}
}

/* Ends a finishing connection as far as that is possible now. */
static void
go_on_finishing(struct io *io)
{
	if (io->out.len == 0 && io->error == 0 && !io->is_shut) {
		io->is_shut = true;
		if (io->tls != NULL)
			tls_shut(io->tls);
		if (shutdown(io->fd, SHUT_WR) < 0)
			io->error = errno;
	}
	if (io->error != 0 || (io->is_shut && io->at_end)) {
		set_watch(io);
		io->ops->finished(io->arg);
		return;
	}
	set_watch(io);
}

/*
 * Gives len bytes at p to the owner and keeps what it leaves.  p is either
 * the shared piece or io->in itself.  False when the io is gone.
 */
static bool
give(struct io *io, const char *p, size_t len, const bool *gone)
{
	struct span in = { p, len };
	bool is_own = p == io->in.data;
	size_t taken = io->ops->input(io->arg, in);

	if (*gone)
		return false;
	if (io->is_finishing)
		return true;
	if (is_own) {
		buf_consume(&io->in, taken);
	} else {
		buf_clear(&io->in);
		if (taken < len)
			buf_add(&io->in, p + taken, len - taken);
	}
	io->is_stuck = taken == 0;
	if (io->in.len == 0)
		buf_release(&io->in);
	else if (taken > 0)
		make_ready(io);
	return true;
}

/* One read; 1: there may be more, 0: not now, -1: the io is gone. */
static int
read_piece(struct io *io, size_t *total, const bool *gone)
{
	size_t kept = io->in.len;
	ssize_t n;

	if (kept > IO_KEEP_MAX || io->out.len > IO_OUT_HIGH || is_securing(io))
		return 0;
	n = pull(io, piece + kept, IO_PIECE);
	if (n < 0 && errno == EINTR)
		return 1;
	if (n < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			io->error = errno;
		return 0;
	}
	if (n == 0) {
		io->at_end = true;
		return 0;
	}
	*total += (size_t)n;
	if (io->is_finishing)
		return 1;
	if (kept > 0)
		memcpy(piece, io->in.data, kept);
	if (!give(io, piece, kept + (size_t)n, gone))
		return -1;
	return n == IO_PIECE || io->may_have_more;
}

/* False when the io is gone. */
static bool
read_all(struct io *io, const bool *gone)
{
	size_t total = 0;
	int more = 1;

	while (more == 1 && total < IO_TURN_MAX && io->error == 0 &&
	       !io->at_end && !(io->is_finishing && total > 0))
		more = read_piece(io, &total, gone);
	return more >= 0;
}

/* The first event of a connection that is being made. */
static void
finish_connect(struct io *io)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	io->is_connecting = false;
	io->error = error;
	if (error != 0)
		return;
	if (io->ops->connected != NULL)
		io->ops->connected(io->arg);
}

/* The handshake, or the wait for it. */
static void
go_on_securing(struct io *io)
{
	/* What nobody protected is not to be taken for what comes later. */
	if (io->in.len > 0 && io->is_unasked)
		tls_give(io->tls, buf_span(&io->in));
	else if (io->in.len > 0 && io->error == 0)
		io->error = EBADMSG;
	buf_release(&io->in);
	if (io->tls_state == IO_TLS_DUE && io->out.len == 0)
		io->tls_state = IO_TLS_HANDSHAKE;
	if (io->tls_state != IO_TLS_HANDSHAKE || io->error != 0)
		return;
	switch (tls_handshake(io->tls, io->fd)) {
	case TLS_STEP_DONE:
		io->tls_state = IO_TLS_ON;
		io->may_have_more = true;
		io->ops->secured(io->arg);
		break;
	case TLS_STEP_WAIT:
		break;
	case TLS_STEP_FAILED:
		io->error = errno;
		break;
	}
}

static const char *
why_broken(const struct io *io)
{
	if (io->error == EBADMSG)
		return "text in the clear behind STARTTLS";
	if (io->tls != NULL && *tls_error(io->tls) != '\0')
		return tls_error(io->tls);
	return strerror(io->error);
}

/* Tells the owner that nothing more comes. */
static void
tell_end(struct io *io)
{
	if (io->error == 0) {
		/* What came before the end is looked at before it. */
		if (io->in.len == 0 || io->is_stuck)
			io->ops->end(io->arg, "");
	} else if (!io->end_told) {
		io->end_told = true;
		io->ops->end(io->arg, why_broken(io));
	}
}

/*
 * Input that was kept (again), input, output and end, in this order; false
 * when the io is gone.
 */
static bool
work(struct io *io, int what, bool again, const bool *gone)
{
	if (is_securing(io)) {
		go_on_securing(io);
		if (!*gone && !io->is_finishing && io->error != 0)
			tell_end(io);
		return !*gone;
	}
	if (again && io->in.len > 0 && io->out.len <= IO_OUT_HIGH &&
	    !io->is_finishing && !give(io, io->in.data, io->in.len, gone))
		return false;
	if ((what & WATCH_READ) != 0 && !read_all(io, gone))
		return false;
	if (io->is_finishing)
		return true;
	if (io->wants_output && io->out.len == 0 && io->error == 0) {
		io->ops->output(io->arg);
		if (*gone)
			return false;
		if (io->wants_output && io->out.len == 0)
			make_ready(io);
	}
	if (!io->is_finishing && (io->error != 0 || io->at_end))
		tell_end(io);
	return !*gone;
}

static void
turn(struct io *io, int what)
{
	bool gone = false;
	/* Without an event, or before one came: what is kept is due. */
	bool again = what == 0 || list_is_on(&io->ready);

	list_del(&io->ready);
	io->gone = &gone;
	if (io->is_connecting) {
		if (what == 0)
			goto out;
		finish_connect(io);
		what = 0;
		if (gone)
			return;
	}
	if ((what & WATCH_WRITE) != 0 || io->write_wants_read) {
		push_out(io);
		again = true;
	}
	/* No event of the socket's tells of what TLS has read already. */
	if (io->may_have_more || io->read_wants_write)
		what |= WATCH_READ;
	if (!work(io, what, again, &gone))
		return;
	if (io->is_finishing) {
		go_on_finishing(io);
		if (gone)
			return;
	} else if (io->may_have_more && may_read(io)) {
		make_ready(io);
	}
out:
	io->gone = NULL;
	set_watch(io);
}

static void
on_watch(void *arg, int what)
{
	turn(arg, what);
}

/* The timer is not moved with each deadline; it looks when it fires. */
static void
on_timer(void *arg)
{
	struct io *io = arg;
	int64_t left;

	io->timer_ms = 0;
	if (io->deadline_ms == 0)
		return;
	left = io->deadline_ms - clock_mono_ms();
	if (left > 0) {
		io->timer_ms = io->deadline_ms;
		timer_set(&io->timer, left);
		return;
	}
	io->deadline_ms = 0;
	if (io->is_finishing)
		io->ops->finished(io->arg);
	else
		io->ops->timeout(io->arg);
}

void
io_init(struct io *io, const struct io_ops *ops, void *arg)
{
	*io = (struct io){ .ops = ops, .arg = arg, .fd = -1 };
	list_init(&io->ready);
	timer_init(&io->timer, on_timer, io);
}

static void
start(struct io *io, int fd)
{
	int on = 1;

	io->fd = fd;
	/* Replies go out whole; a local socket has no such option. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	watch_init(&io->watch, fd, on_watch, io);
	set_watch(io);
}

void
io_open(struct io *io, int fd)
{
	start(io, fd);
}

int
io_connect(struct io *io, const struct ip_port *to, struct err *e)
{
	struct sockaddr_storage ss;
	socklen_t len = ip_to_sockaddr(to, &ss);
	char text[IP_TEXT_SIZE];
	int fd = socket(to->ip.family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return err_sys(e, "socket");
	if (connect(fd, (struct sockaddr *)&ss, len) < 0 &&
	    errno != EINPROGRESS) {
		err_sys(e, "%s", ip_port_text(to, text));
		close(fd);
		return -1;
	}
	io->is_connecting = true;
	start(io, fd);
	return 0;
}

void
io_release(struct io *io)
{
	if (io->gone != NULL)
		*io->gone = true;
	io->gone = NULL;
	list_del(&io->ready);
	timer_release(&io->timer);
	if (io->fd >= 0)
		watch_release(&io->watch);
	file_shut(&io->fd);
	buf_release(&io->in);
	buf_release(&io->out);
	tls_free(io->tls);
	io->tls = NULL;
	io->tls_state = IO_PLAIN;
}

bool
io_is_open(const struct io *io)
{
	return io->fd >= 0 && io->error == 0 && !io->is_finishing;
}

struct buf *
io_out(struct io *io)
{
	return &io->out;
}

void
io_flush(struct io *io)
{
	if (io->fd < 0 || io->is_connecting)
		return;
	if (io->error != 0)
		buf_release(&io->out);
	else
		push_out(io);
	set_watch(io);
}

void
io_kick(struct io *io)
{
	if (io->fd >= 0)
		make_ready(io);
}

void
io_want_output(struct io *io, bool wanted)
{
	io->wants_output = wanted;
	if (wanted && io->out.len == 0)
		make_ready(io);
}

void
io_start_tls(struct io *io, struct tls *t)
{
	if (io->tls != NULL)
		bug("TLS is started twice");
	io->tls = t;
	io->tls_state = IO_TLS_DUE;
	io_flush(io);
	make_ready(io);
}

void
io_begin_tls(struct io *io, struct tls *t)
{
	io->is_unasked = true;
	io_start_tls(io, t);
}

const struct tls_info *
io_tls(const struct io *io)
{
	return io->tls == NULL ? NULL : tls_info(io->tls);
}

void
io_deadline(struct io *io, int64_t ms)
{
	if (ms <= 0) {
		io->deadline_ms = 0;
		return;
	}
	io->deadline_ms = clock_mono_ms() + ms;
	if (io->timer_ms != 0 && io->timer_ms <= io->deadline_ms)
		return;
	io->timer_ms = io->deadline_ms;
	timer_set(&io->timer, ms);
}

void
io_finish(struct io *io)
{
	if (io->is_finishing)
		return;
	io->is_finishing = true;
	io->wants_output = false;
	buf_release(&io->in);
	if (io->tls_state == IO_TLS_HANDSHAKE)
		buf_release(&io->out);
	io_flush(io);
	io_deadline(io, IO_LINGER_MS);
	make_ready(io);
}
