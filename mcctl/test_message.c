/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl test message: mcd's own workers judge a file as they would if it
 * came by SMTP now; nothing is queued and nothing learnt.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "asking.h"
#include "command.h"
#include "decisions.h"
#include "file.h"
#include "ip.h"
#include "setting.h"
#include "str.h"

#define FILE_MAX (256u << 20)
#define ANSWER_MS 900000 /* mcd gives up before */

/* Lines end as they do in SMTP: a lone LF gets its CR. */
static void
put_crlf(struct span in, struct buf *out)
{
	const char *p = in.p, *end = in.p + in.len, *lf;

	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		bool has_cr = lf > p && lf[-1] == '\r';

		(void)buf_add(out, p, (size_t)(lf - p) - has_cr);
		(void)buf_add_str(out, "\r\n");
		p = lf + 1;
	}
	if (p < end)
		(void)buf_add(out, p, (size_t)(end - p));
}

/* The message in memory that nobody can change any more; -1. */
static int
seal(struct ctx *c, struct span text)
{
	int fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && file_write_all(fd, text.p, text.len) == 0 &&
	    fcntl(fd, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ==
		    0)
		return fd;
	complain(c, EX_OSERR, "no room for the message: %s", strerror(errno));
	file_shut(&fd);
	return -1;
}

static int
read_message(struct ctx *c, int *fd, uint64_t *size)
{
	struct buf raw = { 0 }, text = { 0 };
	struct err e;
	int rc;

	if (str_eq(c->args[0], "-"))
		rc = file_read_fd(STDIN_FILENO, &raw, FILE_MAX, &e);
	else
		rc = file_read(c->args[0], &raw, FILE_MAX, &e);
	*fd = -1;
	if (rc < 0) {
		complain(c, EX_NOINPUT, "%s", e.text);
	} else {
		put_crlf(buf_span(&raw), &text);
		*size = text.len;
		*fd = seal(c, buf_span(&text));
	}
	buf_release(&text);
	buf_release(&raw);
	return *fd >= 0 ? EX_OK : rc < 0 ? EX_NOINPUT : EX_OSERR;
}

/* All values of an option, a line each. */
static int
put_lines(struct ctx *c, const char *name, struct buf *out)
{
	const struct option_values *o = option(c, name);
	size_t i;

	for (i = 0; i < o->count; i++) {
		if (strchr(o->value[i], '\n') != NULL)
			return complain(c, EX_DATAERR, "--%s: a line end in it",
					name);
		(void)buf_printf(out, "%s\n", o->value[i]);
	}
	return EX_OK;
}

/* Wrong words are told here, where the right ones are known. */
static int
put_what_if(struct ctx *c, struct buf *out)
{
	const struct option_values *o = option(c, "what-if");
	char name[64], text[KNOB_TEXT_SIZE];
	struct knob_value value;
	const struct knob *k;
	struct err e;
	size_t i;

	for (i = 0; i < o->count; i++) {
		size_t n = strcspn(o->value[i], "=");

		if (o->value[i][n] == '\0' ||
		    !str_fmt(name, sizeof(name), "%.*s", (int)n, o->value[i]))
			return complain(c, EX_USAGE,
					"--what-if: expected SETTING=VALUE");
		k = knob_find(name, &e);
		if (k == NULL ||
		    knob_parse(k, o->value[i] + n + 1, &value, &e) != 0)
			return complain(c, EX_DATAERR, "%s", e.text);
		knob_text(k, &value, text, sizeof(text));
		(void)buf_printf(out, "%s=%s\n", k->name, text);
	}
	return EX_OK;
}

static int
ask(struct ctx *c, const struct frame_trial_ask *trial, int fd)
{
	struct decisions d = { .only = NULL };
	struct asking_sink sink = { .row = decisions_row, .arg = &d };
	struct err e = { "" };
	int code = EX_OK;
	struct asking *a = asking_open(&c->conf, &code, &e);

	if (a != NULL) {
		asking_set_wait(a, ANSWER_MS);
		code = asking_trial(a, trial, fd, &sink, &e);
		asking_close(a);
	} else {
		file_shut(&fd);
	}
	if (code == EX_OK)
		decisions_show(c, &d);
	else
		complain(c, code, "%s", e.text);
	decisions_release(&d);
	return code;
}

static const char *
value_or_nothing(struct ctx *c, const char *name)
{
	const char *value = option_value(c, name);

	return value != NULL ? value : "";
}

int
cmd_test_message(struct ctx *c)
{
	struct buf rcpts = { .limit = 24576 }, what_if = { .limit = 16384 };
	struct frame_trial_ask trial = {
		.sender = value_or_nothing(c, "from"),
		.client_ip = value_or_nothing(c, "ip"),
		.helo = value_or_nothing(c, "helo"),
	};
	struct ip ip;
	int fd, code;

	if (trial.client_ip[0] != '\0' &&
	    ip_parse(trial.client_ip, &ip, NULL) != 0)
		return complain(c, EX_DATAERR, "--ip: expected an address");
	code = put_lines(c, "to", &rcpts);
	if (code == EX_OK)
		code = put_what_if(c, &what_if);
	if (code == EX_OK)
		code = read_message(c, &fd, &trial.size);
	if (code == EX_OK) {
		trial.rcpts = buf_span(&rcpts);
		trial.what_if = buf_span(&what_if);
		code = ask(c, &trial, fd);
	}
	buf_release(&rcpts);
	buf_release(&what_if);
	return code;
}
