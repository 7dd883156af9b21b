/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * The server's SMTP engine on hostile input: the first byte says how, the
 * rest is what the client sends.  Played twice, in pieces of two sizes:
 * replies and message must be the same, and every reply line well formed.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "str.h"

#define DUES_MAX (SESSION_ASKS_MAX + 1)

struct due {
	int what;
	unsigned slot;
	struct session_reply r;
};

struct play {
	struct session s;
	struct session_conf conf;
	struct buf out, all, body;
	struct due dues[DUES_MAX];
	size_t due_count;
	size_t body_at; /* where the message under way begins in body */
	bool is_late, in_mail, is_small;
	bool offers; /* STARTTLS and XCLIENT */
	bool hangs_on_pieces; /* what is told may differ with them */
};

static void
answer(struct play *p, const struct due *d)
{
	if (d->what == 'm')
		session_mail_reply(&p->s, &d->r);
	else if (d->what == 'r')
		session_rcpt_reply(&p->s, d->slot, &d->r);
	else if (d->what == 'd')
		session_data_reply(&p->s, &d->r);
	else if (d->what == 't')
		session_secured(&p->s);
	else if (d->what == 'x')
		session_restart(&p->s, d->slot ? "x.example" : NULL, true);
	else
		session_end_reply(&p->s, &d->r);
}

static void
ask(struct play *p, int what, unsigned slot, int code)
{
	struct due d = { what, slot, { code, "2.0.0", "text" } };

	if (!p->is_late) {
		answer(p, &d);
		return;
	}
	if (p->due_count == DUES_MAX)
		abort();
	p->dues[p->due_count++] = d;
}

/* Who is refused hangs on the address alone. */
static int
code_for(const struct smtp_command *cmd)
{
	size_t len = strlen(cmd->path.text);

	return len % 5 == 4 ? 550 : 250;
}

static void
on_mail(void *arg, const struct smtp_command *cmd)
{
	struct play *p = arg;

	if (p->in_mail)
		abort();
	p->in_mail = true;
	ask(p, 'm', 0, code_for(cmd));
}

static void
on_rcpt(void *arg, const struct smtp_command *cmd, unsigned slot)
{
	struct play *p = arg;

	if (!p->in_mail)
		abort();
	ask(p, 'r', slot, code_for(cmd));
}

static void
on_data(void *arg)
{
	struct play *p = arg;

	if (!p->in_mail)
		abort();
	p->body_at = p->body.len;
	ask(p, 'd', 0, 354);
}

static int
on_body(void *arg, struct span piece)
{
	struct play *p = arg;

	if (!p->in_mail)
		abort();
	return buf_add_span(&p->body, piece);
}

static void
on_end(void *arg, const struct session_body *body)
{
	struct play *p = arg;

	if (!p->in_mail || body->size > p->conf.size_max)
		abort();
	buf_add_str(&p->body, "<end>");
	p->body_at = p->body.len;
	ask(p, 'e', 0, body->size % 3 == 2 ? 451 : 250);
}

static void
on_reset(void *arg)
{
	struct play *p = arg;

	p->in_mail = false;
	p->due_count = 0;
	/* What came of a message that is refused hangs on the pieces. */
	if (p->body.len > p->body_at)
		p->body.len = p->body_at;
	buf_add_str(&p->body, "<reset>");
	p->body_at = p->body.len;
}

static void
on_refused(void *arg, enum smtp_verb verb, const struct session_reply *r)
{
	(void)arg;
	(void)verb;
	if (r->code < 400 || r->code > 599)
		abort();
}

/* Only a line that comes alone begins TLS. */
static void
on_starttls(void *arg)
{
	struct play *p = arg;

	if (p->in_mail || p->s.is_tls)
		abort();
	p->hangs_on_pieces = true;
	ask(p, 't', 0, 0);
}

static void
on_xclient(void *arg, const struct smtp_xclient *x)
{
	struct play *p = arg;

	if (p->in_mail)
		abort();
	ask(p, 'x', x->state[XCLIENT_HELO] == XCLIENT_GIVEN, 0);
}

static const struct session_ops ops = {
	on_mail,  on_rcpt,    on_data,	   on_body,    on_end,
	on_reset, on_refused, on_starttls, on_xclient,
};

/* Moves the output on, as a socket that takes all would. */
static void
drain(struct play *p)
{
	buf_add_span(&p->all, buf_span(&p->out));
	buf_clear(&p->out);
}

static bool
answer_due(struct play *p)
{
	bool had = p->due_count > 0;

	while (p->due_count > 0) {
		struct due d = p->dues[--p->due_count];

		answer(p, &d);
	}
	return had;
}

static void
run(struct play *p, struct span in, size_t chunk)
{
	size_t shown = 0, at = 0, n;

	session_init(&p->s, &ops, p, &p->conf, &p->out);
	session_offer(&p->s, p->offers, p->offers);
	session_greet(&p->s);
	while (shown < in.len) {
		shown = shown + chunk < in.len ? shown + chunk : in.len;
		do {
			n = session_input(
				&p->s, (struct span){ in.p + at, shown - at });
			at += n;
			if (at > shown)
				abort();
			drain(p);
			if (answer_due(p))
				n = 1;
			drain(p);
		} while (n > 0 && at < shown);
		/* A line's worth of input always gets it on. */
		if (shown - at > SMTP_LINE_MAX + 2)
			abort();
	}
	drain(p);
	session_release(&p->s);
}

/* Lines of three digits, a space or hyphen, and printable text. */
static void
check_replies(const struct buf *all)
{
	const char *p = buf_str(all);
	const char *end = p + all->len;

	while (p < end) {
		const char *cr = memchr(p, '\r', (size_t)(end - p));

		if (cr == NULL || cr + 1 == end || cr[1] != '\n' ||
		    cr - p < 4 || cr - p > 510 || p[0] < '2' || p[0] > '5' ||
		    (p[3] != ' ' && p[3] != '-') ||
		    memchr(p, '\n', (size_t)(cr - p)) != NULL)
			abort();
		p = cr + 2;
	}
}

/*
 * Answers that come late count when they come: what was read by then is
 * still replied to before the session ends for its errors.
 */
static bool
ends_for_errors(const struct play *p)
{
	static const char words[] = "421 4.7.0 Too many errors";

	return p->is_late && memmem(buf_str(&p->all), p->all.len, words,
				    sizeof(words) - 1) != NULL;
}

static void
set_up(struct play *p, uint8_t how)
{
	memset(p, 0, sizeof(*p));
	p->is_late = (how & 1) != 0;
	p->is_small = (how & 2) != 0;
	p->offers = (how & 8) != 0;
	p->hangs_on_pieces = (how & 16) != 0;
	p->conf = (struct session_conf){
		.hostname = "gw.example",
		.size_max = p->is_small ? 64 : 1 << 20,
		.rcpt_max = 40,
		.messages_max = 5,
		.errors_max = 20,
		.mends_newlines = (how & 4) != 0,
		.is_strict = (how & 16) != 0,
	};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t chunks[] = { 1, 3, 17, 100000 };
	static struct play a, b;
	struct span in;

	if (size < 1)
		return 0;
	in = (struct span){ (const char *)data + 1, size - 1 };
	set_up(&a, data[0]);
	set_up(&b, data[0]);
	run(&a, in, 100000);
	run(&b, in, chunks[data[0] >> 6]);
	check_replies(&a.all);
	a.hangs_on_pieces |= ends_for_errors(&a) && ends_for_errors(&b);
	/* Where a message that is too long is cut hangs on the pieces. */
	if (!a.is_small && !a.hangs_on_pieces && !b.hangs_on_pieces &&
	    (!span_eq(buf_span(&a.all), buf_span(&b.all)) ||
	     !span_eq(buf_span(&a.body), buf_span(&b.body))))
		abort();
	buf_release(&a.out);
	buf_release(&a.all);
	buf_release(&a.body);
	buf_release(&b.out);
	buf_release(&b.all);
	buf_release(&b.body);
	return 0;
}
