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
#include "str.h"
#include "xalloc.h"

#define ANSWER_MS 60000

struct asking {
	struct chan *chan;
	uint32_t token;
};

struct asking *
asking_open(const struct conf *conf, struct err *e)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct asking *a;
	int fd;

	if (!str_fmt(sun.sun_path, sizeof(sun.sun_path), "%s/control",
		     conf->run_dir)) {
		err_set(e, "%s/control: path too long", conf->run_dir);
		return NULL;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		err_sys(e, "socket");
		return NULL;
	}
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		if (errno == ECONNREFUSED || errno == ENOENT)
			err_set(e, "mcd is not running (nobody answers at %s)",
				sun.sun_path);
		else
			err_sys(e, "%s", sun.sun_path);
		close(fd);
		return NULL;
	}
	a = xcalloc(1, sizeof(*a));
	a->chan = chan_new(fd, ROLE_CTL, ROLE_CONTROL);
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

/* One page: EX code; cursor is where the next begins, "" at the end. */
static int
ask_page(struct asking *a, const struct frame_ctl_ask *ask, char *cursor,
	 size_t cursor_size, asking_row_fn *fn, void *fn_arg, struct err *e)
{
	struct value values[RECORD_FIELDS_MAX];
	const struct frame_ctl_row *row;
	const struct frame_ctl_done *done;
	struct frame f;
	bool is_stopped = false;
	size_t n;

	if (chan_send(a->chan, FRAME_ctl_ask, ++a->token, ask, -1) < 0) {
		err_set(e, "mcd went away");
		return EX_UNAVAILABLE;
	}
	for (;;) {
		switch (chan_wait(a->chan, &f, ANSWER_MS, e)) {
		case 1:
			break;
		case 0:
			err_set(e, "no answer from mcd for %d s",
				ANSWER_MS / 1000);
			return EX_TEMPFAIL;
		default:
			if (e->text[0] == '\0')
				err_set(e, "mcd closed the connection");
			return EX_UNAVAILABLE;
		}
		if (f.token != a->token)
			continue;
		if (f.type == FRAME_ctl_done) {
			done = FRAME_BODY(&f, ctl_done);
			err_set(e, "%s", done->text);
			str_copy(cursor, cursor_size,
				 is_stopped ? "" : done->cursor);
			return (int)done->exit_code;
		}
		row = FRAME_BODY(&f, ctl_row);
		if (is_stopped || fn == NULL)
			continue;
		if (record_read(row->record, values, &n, e) < 0)
			return EX_PROTOCOL;
		is_stopped = fn(fn_arg, values, n, row->record) != 0;
	}
}

int
asking_run(struct asking *a, const char *command, const char *arg,
	   asking_row_fn *fn, void *fn_arg, struct err *e)
{
	char cursor[65] = "";
	struct frame_ctl_ask ask = {
		.command = command, .arg = arg, .cursor = cursor, .who = ""
	};
	int code;

	do {
		code = ask_page(a, &ask, cursor, sizeof(cursor), fn, fn_arg, e);
	} while (code == EX_OK && cursor[0] != '\0');
	return code;
}
