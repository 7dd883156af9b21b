/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The client's SMTP engine on what a hostile server says: the first byte
 * says how, the rest are the replies.  No recipient gets two outcomes, all
 * have one when the mail is done, and nothing but commands goes out.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#define RCPTS 5
#define MAILS_MAX 4

struct play {
	struct client c;
	struct client_mail mail;
	struct client_rcpt rcpts[RCPTS];
	struct buf out;
	bool told[RCPTS];
	bool in_mail, is_securing;
	unsigned mails, fails;
};

static void
send_mail(struct play *p)
{
	memset(p->told, 0, sizeof(p->told));
	p->in_mail = true;
	p->mails++;
	client_send(&p->c, &p->mail);
}

static void
on_ready(void *arg)
{
	send_mail(arg);
}

static void
on_rcpt(void *arg, size_t index, const struct client_result *r)
{
	struct play *p = arg;

	if (!p->in_mail || index >= p->mail.rcpt_count || p->told[index] ||
	    r->enhanced[0] == '\0' || r->text == NULL)
		abort();
	/* Only a server says that it has taken a message, and only when it
	 * has seen all of it. */
	if (r->outcome == OUTCOME_DELIVERED &&
	    (r->code / 100 != 2 ||
	     client_state(&p->c) !=
		     (p->mail.is_probe ? CLIENT_MAIL : CLIENT_END)))
		abort();
	if (p->c.tls >= DEST_TLS_REQUIRE && !p->c.is_secured)
		abort();
	p->told[index] = true;
}

static void
on_body(void *arg)
{
	struct play *p = arg;

	client_body(&p->c, SPAN_LIT("Subject: x\r\n\r\n.\r\nbody"));
	client_body_end(&p->c);
}

static void
on_done(void *arg, bool is_usable)
{
	struct play *p = arg;
	size_t i;

	if (!p->in_mail)
		abort();
	for (i = 0; i < p->mail.rcpt_count; i++)
		if (!p->told[i])
			abort();
	p->in_mail = false;
	if (is_usable && p->mails < MAILS_MAX)
		send_mail(p);
}

static void
on_failed(void *arg, const struct client_result *why)
{
	struct play *p = arg;

	if (p->fails++ > 0 || why->outcome != OUTCOME_DEFERRED)
		abort();
	p->in_mail = false;
}

static void
on_starttls(void *arg)
{
	struct play *p = arg;

	if (p->c.tls == DEST_TLS_NONE || p->c.is_secured)
		abort();
	p->is_securing = true;
}

/* A reply as it is shown to a person. */
static void
on_heard(void *arg, const char *where, const struct smtp_reply *r)
{
	(void)arg;
	if (where == NULL || r->code < 200 || r->code > 599 ||
	    strlen(r->text) != r->text_len)
		abort();
}

static const struct client_ops ops = {
	.starttls = on_starttls,
	.ready = on_ready,
	.rcpt = on_rcpt,
	.body = on_body,
	.done = on_done,
	.failed = on_failed,
	.heard = on_heard,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play p;
	const char *in = (const char *)data + 1;
	size_t chunk, shown = 0, at = 0, i;

	if (size < 1)
		return 0;
	size--;
	memset(&p, 0, sizeof(p));
	for (i = 0; i < RCPTS; i++)
		p.rcpts[i] =
			(struct client_rcpt){ "r@d.example",
					      "rfc822;r@d.example", "FAILURE" };
	p.mail = (struct client_mail){
		.sender = "a@b.example",
		.envid = "q",
		.ret = "FULL",
		.size = 100,
		.is_8bit = true,
		.is_utf8 = (data[0] & 1) != 0,
		.needs_utf8 = (data[0] & 2) != 0,
		.rcpts = p.rcpts,
		.rcpt_count = (data[0] >> 2) % RCPTS + 1,
	};
	p.mail.is_probe = (data[0] & 0x40) != 0;
	chunk = (data[0] & 0x80) != 0 ? 3 : 100000;
	client_init(&p.c, &ops, &p, "gw.example", &p.out);
	client_want_tls(&p.c, (data[0] & 0x20) != 0   ? DEST_TLS_REQUIRE
			      : (data[0] & 0x10) != 0 ? DEST_TLS_MAY
						      : DEST_TLS_NONE);
	while (shown < size) {
		shown = shown + chunk < size ? shown + chunk : size;
		at += client_input(&p.c, (struct span){ in + at, shown - at });
		client_pump(&p.c);
		if (p.is_securing)
			client_secured(&p.c);
		p.is_securing = false;
		if (at > shown || shown - at > SMTP_REPLY_LINE_MAX + 2)
			abort();
	}
	client_lost(&p.c, "4.4.2", "connection lost");
	if (p.in_mail || memchr(buf_str(&p.out), '\0', p.out.len) != NULL)
		abort();
	client_release(&p.c);
	buf_release(&p.out);
	return 0;
}
