/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * From the greeting to a session that takes mail: what the server offers,
 * TLS where it is wanted, and that it is not ourselves.
 */
#include "buf.h"
#include "client_impl.h"
#include "str.h"

static const struct offer {
	const char *word;
	enum client_offer offer;
} offers[] = {
	{ "PIPELINING", OFFERS_PIPELINING },
	{ "SIZE", OFFERS_SIZE },
	{ "8BITMIME", OFFERS_8BITMIME },
	{ "SMTPUTF8", OFFERS_SMTPUTF8 },
	{ "DSN", OFFERS_DSN },
	{ "STARTTLS", OFFERS_STARTTLS },
};

#define OFFERS (sizeof(offers) / sizeof(offers[0]))

/* A line of the reply to EHLO behind its code. */
static void
note_offer(struct client *c, struct span line)
{
	struct span word = line;
	uint64_t size;
	size_t i;

	for (i = 0; i < line.len; i++)
		if (line.p[i] == ' ' || line.p[i] == '=')
			break;
	word.len = i;
	for (i = 0; i < OFFERS; i++)
		if (span_ieq(word, span_of(offers[i].word)))
			c->offers |= offers[i].offer;
	if (!span_ieq(word, SPAN_LIT("SIZE")) || word.len == line.len)
		return;
	line.p += word.len + 1;
	line.len -= word.len + 1;
	if (span_to_u64(line, &size) == 0)
		c->size_max = size;
}

static void
say_ehlo(struct client *c)
{
	c->offers = 0;
	c->size_max = 0;
	c->state = CLIENT_EHLO;
	buf_printf(c->out, "EHLO %s\r\n", c->hostname);
}

/* Mail to a server that is ourselves would come back for ever. */
static bool
fail_loop(struct client *c)
{
	struct client_result why = {
		.outcome = OUTCOME_DEFERRED,
		.enhanced = "4.4.6",
		.text = "next hop greets with the name of this host",
		.is_loop = true
	};

	if (c->is_loop)
		client_end(c, &why);
	return c->is_loop;
}

static void
be_ready(struct client *c)
{
	c->state = CLIENT_READY;
	c->ops->ready(c->arg);
}

static void
greeting_reply(struct client *c, const struct smtp_reply *r)
{
	if (r->code != 220)
		client_refused(c, r);
	else if (!fail_loop(c))
		say_ehlo(c);
}

/* Greeted, as secure as it is going to be. */
static void
be_ready_if_secure(struct client *c)
{
	if (c->tls < DEST_TLS_REQUIRE || c->is_secured) {
		be_ready(c);
		return;
	}
	client_fail(c, "4.7.4",
		    "TLS is required, and the next hop does not "
		    "offer it");
}

static void
ehlo_reply(struct client *c, const struct smtp_reply *r)
{
	if (r->code >= 400 && r->code < 500) {
		client_refused(c, r);
	} else if (r->code >= 500) {
		c->offers = 0;
		c->size_max = 0;
		c->state = CLIENT_HELO;
		buf_printf(c->out, "HELO %s\r\n", c->hostname);
	} else if (fail_loop(c)) {
		return;
	} else if (!c->is_secured && c->tls != DEST_TLS_NONE &&
		   client_has(c, OFFERS_STARTTLS)) {
		c->state = CLIENT_STARTTLS;
		buf_add_str(c->out, "STARTTLS\r\n");
	} else {
		be_ready_if_secure(c);
	}
}

/* RFC 3207 section 4 */
static void
starttls_reply(struct client *c, const struct smtp_reply *r)
{
	char text[400];

	if (r->code == 220) {
		c->state = CLIENT_HANDSHAKE;
		c->ops->starttls(c->arg);
		return;
	}
	if (c->tls == DEST_TLS_MAY) {
		be_ready(c);
		return;
	}
	str_fmt(text, sizeof(text),
		"TLS is required, and the next hop refuses: %d %.300s", r->code,
		r->text);
	client_fail(c, "4.7.4", text);
}

void
client_want_tls(struct client *c, enum dest_tls tls)
{
	c->tls = tls;
}

void
client_secured(struct client *c)
{
	if (c->state != CLIENT_HANDSHAKE)
		return;
	/* RFC 3207 section 4.2: what was said before counts for nothing. */
	c->is_secured = true;
	say_ehlo(c);
}

bool
client_is_securing(const struct client *c)
{
	if (c->state == CLIENT_OVER)
		return c->failed_securing;
	return c->state == CLIENT_STARTTLS || c->state == CLIENT_HANDSHAKE ||
	       (c->state == CLIENT_EHLO && c->is_secured);
}

static void
helo_reply(struct client *c, const struct smtp_reply *r)
{
	if (r->code >= 300)
		client_refused(c, r);
	else if (!fail_loop(c))
		be_ready_if_secure(c);
}

/* The name that the server says first, to the greeting and to EHLO. */
static void
note_name(struct client *c, struct span text)
{
	size_t n = 0;

	while (n < text.len && text.p[n] != ' ')
		n++;
	if (span_ieq((struct span){ text.p, n }, span_of(c->hostname)))
		c->is_loop = true;
}

/* What a line tells beyond its code. */
void
client_greet_line(struct client *c, struct span line)
{
	struct span text = { line.p + 4, line.len - 4 };

	if (c->state == CLIENT_EHLO && c->ops->offered != NULL)
		c->ops->offered(c->arg, text);
	if (c->state == CLIENT_EHLO && c->reply->lines > 0)
		note_offer(c, text);
	else if (c->reply->lines == 0 && line.p[0] == '2' &&
		 (c->state == CLIENT_GREETING || c->state == CLIENT_EHLO ||
		  c->state == CLIENT_HELO))
		note_name(c, text);
}

void
client_greet_reply(struct client *c, const struct smtp_reply *r)
{
	switch (c->state) {
	case CLIENT_GREETING:
		greeting_reply(c, r);
		break;
	case CLIENT_EHLO:
		ehlo_reply(c, r);
		break;
	case CLIENT_HELO:
		helo_reply(c, r);
		break;
	case CLIENT_STARTTLS:
		starttls_reply(c, r);
		break;
	default:
		break;
	}
}
