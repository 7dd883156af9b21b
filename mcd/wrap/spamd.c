/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The dialogue with spamd.  It may answer before it has read everything,
 * so both directions go at once.
 */
#include "spamd.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "spamd_report.h"
#include "str.h"

#define PIECE 16384

int
spamd_place_parse(const char *text, struct spamd_place *out, struct err *e)
{
	const char *at = strchr(text, '@');
	char ip[IP_TEXT_SIZE];
	uint64_t port;

	memset(out, 0, sizeof(*out));
	out->is_set = text[0] != '\0';
	if (text[0] == '/')
		out->path = text;
	if (!out->is_set || text[0] == '/')
		return 0;
	if (at != NULL &&
	    str_fmt(ip, sizeof(ip), "%.*s", (int)(at - text), text) &&
	    ip_parse(ip, &out->at.ip, NULL) == 0 &&
	    str_to_u64(at + 1, &port, NULL) == 0 && port > 0 && port <= 65535) {
		out->at.port = (uint16_t)port;
		return 0;
	}
	return err_set(e, "expected the path of a socket, or ADDR@PORT");
}

static int
connect_path(int fd, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (!str_copy(sun.sun_path, sizeof(sun.sun_path), path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return connect(fd, (struct sockaddr *)&sun, sizeof(sun));
}

int
spamd_connect(const struct spamd_place *at, struct err *e)
{
	struct sockaddr_storage ss;
	char text[IP_TEXT_SIZE];
	socklen_t len;
	int fd, rc;

	fd = socket(at->path != NULL ? AF_UNIX : at->at.ip.family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, "spamd: socket");
	if (at->path != NULL) {
		rc = connect_path(fd, at->path);
	} else {
		len = ip_to_sockaddr(&at->at, &ss);
		rc = connect(fd, (struct sockaddr *)&ss, len);
	}
	if (rc == 0 || (at->path == NULL && errno == EINPROGRESS))
		return fd;
	(void)err_sys(e, "spamd at %s",
		      at->path != NULL ? at->path
				       : ip_port_text(&at->at, text));
	(void)close(fd);
	return -1;
}

int
spamd_connected(int fd, struct err *e)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0)
		return 0;
	errno = error;
	return err_sys(e, "spamd: connect");
}

struct talk {
	int fd;
	struct span head, body; /* still to be sent */
	bool is_sent;
	struct buf *reply;
	struct err *e;
};

static bool
is_passing(int error)
{
	return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

/* -1 when nothing more can be sent, which is no error: it may be done. */
static int
send_some(struct talk *t)
{
	struct span *s = t->head.len > 0 ? &t->head : &t->body;
	struct iovec io = { .iov_base = (void *)(uintptr_t)s->p,
			    .iov_len = s->len };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	ssize_t n;

	if (s->len > 0) {
		n = sendmsg(t->fd, &m, MSG_NOSIGNAL);
		if (n < 0)
			return is_passing(errno) ? 0 : -1;
		s->p += n;
		s->len -= (size_t)n;
	}
	if (t->head.len == 0 && t->body.len == 0) {
		t->is_sent = true;
		(void)shutdown(t->fd, SHUT_WR);
	}
	return 0;
}

/* 0 to go on, else how it ended, as enum spamd_end, plus 1. */
static int
read_some(struct talk *t)
{
	char *room = buf_reserve(t->reply, PIECE);
	struct iovec io = { .iov_base = room, .iov_len = PIECE };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	ssize_t n;

	if (room == NULL) {
		(void)err_set(t->e, "spamd's answer is too long");
		return SPAMD_TOO_LONG + 1;
	}
	n = recvmsg(t->fd, &m, 0);
	if (n < 0 && is_passing(errno))
		return 0;
	/* It did not read all that we said; whether all that it says is
	 * there, its length tells. */
	if (n < 0 && errno == ECONNRESET && t->reply->len > 0)
		n = 0;
	if (n < 0) {
		(void)err_sys(t->e, "spamd");
		return SPAMD_BROKEN + 1;
	}
	buf_commit(t->reply, (size_t)n);
	return n == 0 ? SPAMD_ANSWERED + 1 : 0;
}

/* As read_some(). */
static int
turn(struct talk *t, const struct pollfd *p)
{
	if ((p->revents & (POLLOUT | POLLERR)) && !t->is_sent &&
	    send_some(t) != 0)
		t->is_sent = true; /* what it says of that is still read */
	if (p->revents & (POLLIN | POLLHUP | POLLERR | POLLNVAL))
		return read_some(t);
	return 0;
}

enum spamd_end
spamd_talk(int fd, const char *verb, struct span message, int64_t deadline_ms,
	   struct buf *reply, struct err *e)
{
	struct buf head = { 0 };
	struct talk t = { .fd = fd, .body = message, .reply = reply, .e = e };
	struct pollfd p = { .fd = fd };
	int64_t left_ms;
	int rc = 0;

	if (file_set_nonblock(fd) != 0) {
		(void)err_sys(e, "spamd's socket");
		return SPAMD_BROKEN;
	}
	buf_clear(reply);
	reply->limit = SPAMD_REPLY_MAX;
	spamd_question(&head, verb, message.len);
	t.head = buf_span(&head);
	while (rc == 0 && (left_ms = deadline_ms - clock_mono_ms()) > 0) {
		p.events = t.is_sent ? POLLIN : POLLIN | POLLOUT;
		if (poll(&p, 1, left_ms < 60000 ? (int)left_ms : 60000) > 0)
			rc = turn(&t, &p);
	}
	buf_release(&head);
	if (rc > 0)
		return (enum spamd_end)(rc - 1);
	(void)err_set(e, "no answer of spamd in time");
	return SPAMD_LATE;
}
