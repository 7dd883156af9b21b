/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sessionplay.h"

#include <string.h>

#include "str.h"

struct play p;

const struct session_conf play_conf = {
	.hostname = "gw.example",
	.size_max = 1000,
	.rcpt_max = 50,
	.messages_max = 3,
	.errors_max = 4,
};

static void
answer(const struct due *d)
{
	if (d->what == 'm')
		session_mail_reply(&p.s, &d->r);
	else if (d->what == 'r')
		session_rcpt_reply(&p.s, d->slot, &d->r);
	else if (d->what == 'd')
		session_data_reply(&p.s, &d->r);
	else
		session_end_reply(&p.s, &d->r);
}

static void
ask(int what, unsigned slot, int code, const char *enhanced, const char *text)
{
	struct due d = { what, slot, { code, enhanced, text } };

	if (p.mode == AT_ONCE)
		answer(&d);
	else
		p.dues[p.due_count++] = d;
}

static bool
starts(const struct smtp_command *cmd, const char *word)
{
	return strncmp(cmd->path.text, word, strlen(word)) == 0;
}

static void
on_mail(void *arg, const struct smtp_command *cmd)
{
	(void)arg;
	p.in_mail = true;
	str_copy(p.sender, sizeof(p.sender), cmd->path.text);
	if (starts(cmd, "bad@"))
		ask('m', 0, 550, "5.7.1", "Bad sender");
	else
		ask('m', 0, 250, "2.1.0", "Ok");
}

static void
on_rcpt(void *arg, const struct smtp_command *cmd, unsigned slot)
{
	(void)arg;
	if (starts(cmd, "no@"))
		ask('r', slot, 550, "5.1.1", "No such user");
	else if (starts(cmd, "tmp@"))
		ask('r', slot, 451, "4.3.0", "Later");
	else
		ask('r', slot, 250, "2.1.5", "Ok");
}

static void
on_data(void *arg)
{
	(void)arg;
	buf_clear(&p.body);
	if (str_has_prefix(p.sender, "nodata@"))
		ask('d', 0, 452, "4.3.1", "No space");
	else
		ask('d', 0, 354, "", "End data with <CR><LF>.<CR><LF>");
}

static int
on_body(void *arg, struct span piece)
{
	(void)arg;
	if (str_has_prefix(p.sender, "nowrite@"))
		return -1;
	buf_add_span(&p.body, piece);
	return 0;
}

static void
on_end(void *arg, const struct session_body *body)
{
	(void)arg;
	if (str_has_prefix(p.sender, "no"))
		ask('e', 0, 451, "4.3.0", "Later");
	else if (body->size != p.body.len)
		ask('e', 0, 554, "5.0.0", "Wrong size told");
	else
		ask('e', 0, 250, "2.0.0", "Queued");
}

static void
on_reset(void *arg)
{
	(void)arg;
	p.resets += !p.in_mail;
	p.in_mail = false;
	p.due_count = 0;
}

static void
on_refused(void *arg, enum smtp_verb verb, const struct session_reply *r)
{
	(void)arg;
	(void)verb;
	p.refusals += r->code >= 400;
}

static void
on_starttls(void *arg)
{
	(void)arg;
	p.handshakes++;
}

static void
on_xclient(void *arg, const struct smtp_xclient *x)
{
	(void)arg;
	p.xclient = *x;
	session_restart(
		&p.s, x->state[XCLIENT_HELO] == XCLIENT_GIVEN ? x->helo : NULL,
		x->is_esmtp);
}

static const struct session_ops ops = {
	on_mail,  on_rcpt,    on_data,	   on_body,    on_end,
	on_reset, on_refused, on_starttls, on_xclient,
};

void
play_answer(void)
{
	while (p.due_count > 0) {
		struct due d = p.dues[0];

		p.due_count--;
		if (p.mode == REVERSED)
			d = p.dues[p.due_count];
		else
			memmove(p.dues, p.dues + 1, p.due_count * sizeof(d));
		answer(&d);
	}
}

void
play_feed(const char *in, size_t len, size_t chunk)
{
	size_t shown = 0, at = 0, n;

	while (at < len) {
		shown = shown + chunk < len ? shown + chunk : len;
		do {
			n = session_input(&p.s,
					  (struct span){ in + at, shown - at });
			at += n;
			if (n == 0 && p.due_count > 0) {
				play_answer();
				n = 1;
			}
		} while (n > 0 && at < shown);
		if (shown == len && n == 0)
			break;
	}
	play_answer();
}

void
play_open(enum mode mode)
{
	memset(&p, 0, sizeof(p));
	p.mode = mode;
	session_init(&p.s, &ops, NULL, &play_conf, &p.out);
}

void
play_close(void)
{
	session_release(&p.s);
	buf_release(&p.out);
	buf_release(&p.body);
}
