/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The control socket from mcctl's side.
 */
#include "asking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "chan.h"
#include "file.h"
#include "str.h"
#include "xalloc.h"

#define ANSWER_MS 60000

struct asking {
	struct chan *chan;
	uint32_t token;
	int wait_ms;
};

static int
cannot_connect(const char *path, struct err *e)
{
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
		err_set(e, "mcd is not running (nobody answers at %s)", path);
		return EX_UNAVAILABLE;
	case EACCES:
	case EPERM:
		err_set(e,
			"%s: permission denied: expected root, or a member "
			"of the group that owns it",
			path);
		return EX_NOPERM;
	default:
		err_sys(e, "%s", path);
		return EX_TEMPFAIL;
	}
}

/* A socket that answers nobody must not hold us up. */
static int
connect_to(const struct sockaddr_un *sun, int *code, struct err *e)
{
	struct timeval wait = { .tv_sec = ANSWER_MS / 1000 };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0) {
		*code = EX_OSERR;
		return err_sys(e, "socket");
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	do {
		rc = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));
	} while (rc < 0 && errno == EINTR);
	if (rc < 0) {
		*code = cannot_connect(sun->sun_path, e);
		file_shut(&fd);
	}
	return fd;
}

struct asking *
asking_open(const struct conf *conf, int *code, struct err *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct asking *a;
	int fd;

	if (!str_fmt(sun.sun_path, sizeof(sun.sun_path), "%s/control",
		     conf->run_dir)) {
		*code = EX_CONFIG;
		err_set(e, "%s/control: too long for a socket", conf->run_dir);
		return NULL;
	}
	fd = connect_to(&sun, code, e);
	if (fd < 0)
		return NULL;
	a = xcalloc(1, sizeof(*a));
	a->chan = chan_new(fd, ROLE_CTL, ROLE_CONTROL);
	a->wait_ms = ANSWER_MS;
	return a;
}

void
asking_close(struct asking *a)
{
	if (a == NULL)
		return;
	chan_free(a->chan);
	free(a);
}

void
asking_set_wait(struct asking *a, int wait_ms)
{
	a->wait_ms = wait_ms;
}

/* EX_OK with a frame of our question in f. */
static int
next_frame(struct asking *a, struct frame *f, struct err *e)
{
	int got;

	do {
		err_set(e, "%s", "");
		got = chan_wait(a->chan, f, a->wait_ms, e);
	} while (got == 1 && f->token != a->token);
	if (got == 1)
		return EX_OK;
	if (got == 0) {
		err_set(e, "no answer from mcd for %d s", a->wait_ms / 1000);
		return EX_TEMPFAIL;
	}
	if (e->text[0] == '\0')
		err_set(e, "mcd closed the connection before its answer was "
			   "whole");
	return EX_UNAVAILABLE;
}

/* The rows of an answer, to its end. */
static int
take_answer(struct asking *a, char *cursor, size_t cursor_size,
	    const struct asking_sink *sink, struct err *e)
{
	struct value values[RECORD_FIELDS_MAX];
	const struct frame_ctl_done *done;
	bool is_stopped = sink == NULL || sink->row == NULL;
	struct frame f;
	size_t n;
	int code;

	while ((code = next_frame(a, &f, e)) == EX_OK) {
		struct span row;

		if (f.type == FRAME_ctl_done) {
			done = FRAME_BODY(&f, ctl_done);
			err_set(e, "%s", done->text);
			str_copy(cursor, cursor_size,
				 is_stopped ? "" : done->cursor);
			return (int)done->exit_code;
		}
		row = FRAME_BODY(&f, ctl_row)->record;
		if (is_stopped)
			continue;
		if (record_read(row, values, &n, e) < 0)
			return EX_PROTOCOL;
		is_stopped = sink->row(sink->arg, values, n, row) != 0;
	}
	return code;
}

/* One page: EX code; cursor is where the next begins, "" at the end. */
static int
ask_page(struct asking *a, enum frame_type type, const void *ask, int fd,
	 char *cursor, size_t cursor_size, const struct asking_sink *sink,
	 struct err *e)
{
	if (chan_send(a->chan, type, ++a->token, ask, fd) < 0) {
		err_set(e, "mcd: not asked: %s", chan_error(a->chan));
		return EX_UNAVAILABLE;
	}
	return take_answer(a, cursor, cursor_size, sink, e);
}

int
asking_run(struct asking *a, const char *command, const char *arg,
	   const struct asking_sink *sink, struct err *e)
{
	char cursor[65] = "";
	struct frame_ctl_ask ask = {
		.command = command, .arg = arg, .cursor = cursor, .who = ""
	};
	int code;

	do {
		code = ask_page(a, FRAME_ctl_ask, &ask, -1, cursor,
				sizeof(cursor), sink, e);
		if (sink != NULL && sink->page != NULL)
			sink->page(sink->arg);
	} while (code == EX_OK && cursor[0] != '\0');
	return code;
}

int
asking_trial(struct asking *a, const struct frame_trial_ask *ask, int fd,
	     const struct asking_sink *sink, struct err *e)
{
	char cursor[65];

	return ask_page(a, FRAME_trial_ask, ask, fd, cursor, sizeof(cursor),
			sink, e);
}
