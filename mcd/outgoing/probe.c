/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A way that is gone without mail.  Each step is a row as soon as it is
 * known: a server that is silent for minutes has said something before.
 */
#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "hop.h"
#include "list.h"
#include "policy.h"
#include "record.h"
#include "role.h"
#include "str.h"
#include "way.h"
#include "xalloc.h"

#define PROBES_MAX 16
#define ROWS_MAX 1000 /* of one, whatever servers say */

struct probe {
	struct list node;
	peer_id from;
	uint32_t token;
	bool is_session; /* as opposed to the route alone */
	struct way way;
	struct hop *hop;
	struct client_mail mail;
	char relay[HOP_RELAY_SIZE];
	bool is_in_clear;
	unsigned rows;
	bool was_answered; /* MAIL */
	int code; /* of it */
};

static struct {
	struct list all;
	size_t count;
} probes = { .all = LIST_INIT(probes.all) };

static void
probe_free(struct probe *p)
{
	if (p->hop != NULL)
		hop_drop(p->hop);
	way_cancel(&p->way);
	list_del(&p->node);
	probes.count--;
	free(p);
}

static void
finish(struct probe *p, uint32_t code, const char *text)
{
	struct frame_ctl_done done = { .exit_code = code,
				       .text = text,
				       .cursor = "" };

	(void)peer_answer(p->from, p->token, FRAME_ctl_done, &done, -1);
	probe_free(p);
}

static void
row(struct probe *p, const char *step, const char *text)
{
	struct frame_ctl_row body;
	struct record r = { 0 };

	if (p->rows++ >= ROWS_MAX)
		return;
	record_str(&r, "relay", p->relay);
	record_str(&r, "step", step);
	record_str(&r, "text", text);
	body.record = buf_span(&r.b);
	(void)peer_answer(p->from, p->token, FRAME_ctl_row, &body, -1);
	record_release(&r);
}

/* A session. */

static void
on_heard(void *arg, const char *where, const struct smtp_reply *r)
{
	struct probe *p = arg;
	const char *word = strrchr(where, ' ');
	char text[SMTP_REPLY_TEXT_MAX + 40];

	str_fmt(text, sizeof(text), "%d %s%s%s", r->code, r->enhanced,
		r->enhanced[0] != '\0' ? " " : "", r->text);
	row(p, word != NULL ? word + 1 : where, text);
	if (word != NULL && str_eq(word, " MAIL")) {
		p->was_answered = true;
		p->code = r->code;
	}
}

static void
on_offered(void *arg, struct span line)
{
	char text[200];

	str_printable(text, sizeof(text), line.p, line.len);
	row(arg, "offers", text);
}

static void
on_secured(void *arg)
{
	struct probe *p = arg;
	const struct tls_info *t = hop_tls(p->hop);
	char text[400];

	if (t == NULL)
		return;
	str_fmt(text, sizeof(text), "%s %s, certificate %s%s%s", t->version,
		t->cipher, t->is_verified ? "verified" : "not verified",
		t->is_verified ? "" : ": ", t->is_verified ? "" : t->why);
	row(p, "TLS", text);
}

static void
on_rcpt(void *arg, size_t index, const struct client_result *r)
{
	(void)arg, (void)index, (void)r;
}

static int
on_piece(void *arg, struct span *out)
{
	(void)arg, (void)out;
	return -1; /* there is no message */
}

static void
on_done(void *arg)
{
	struct probe *p = arg;

	p->hop = NULL;
	if (p->was_answered && p->code >= 500)
		finish(p, EX_UNAVAILABLE,
		       "the next hop refuses mail of the null sender");
	else if (!p->was_answered || p->code >= 300)
		finish(p, EX_TEMPFAIL, "the next hop puts off mail");
	else
		finish(p, EX_OK, "");
}

static void
on_failed(void *arg, const struct client_result *why, bool was_stale,
	  bool is_past_end)
{
	struct probe *p = arg;
	bool in_tls = hop_failed_in_tls(p->hop) && p->way.tls == DEST_TLS_MAY;

	(void)was_stale, (void)is_past_end;
	p->hop = NULL;
	row(p, "failed", why->text);
	if (in_tls && !p->is_in_clear) {
		row(p, "note", "once more in the clear");
		p->is_in_clear = true;
		way_again(&p->way);
		return;
	}
	p->is_in_clear = false;
	way_next(&p->way);
}

static const struct hop_ops hop_ops = {
	.heard = on_heard,
	.offered = on_offered,
	.secured = on_secured,
	.rcpt = on_rcpt,
	.piece = on_piece,
	.done = on_done,
	.failed = on_failed,
};

static void
try_address(struct probe *p)
{
	struct hop_target target = {
		.name = p->way.host,
		.to = p->way.to,
		.tls = p->is_in_clear ? DEST_TLS_NONE : p->way.tls,
		.is_hurried = p->way.is_hurried,
		.is_fresh = true,
		.tries_tls = true,
	};
	struct err e;

	if (hop_send(&target, &p->mail, &hop_ops, p, &p->hop, &e) == 0) {
		row(p, "connect", "");
		return;
	}
	row(p, "failed", e.text);
	way_next(&p->way);
}

/* The way. */

static void
on_note(void *arg, const char *text)
{
	struct probe *p = arg;

	p->relay[0] = '\0';
	row(p, "left out", text);
}

static const char *
tls_words(enum dest_tls tls)
{
	static const char *const words[] = {
		[DEST_TLS_NONE] = "no TLS",
		[DEST_TLS_MAY] = "TLS where offered",
		[DEST_TLS_REQUIRE] = "TLS required",
		[DEST_TLS_VERIFY] = "TLS with a right certificate required",
	};

	return words[tls];
}

static void
on_way(void *arg)
{
	struct probe *p = arg;

	if (!p->way.is_end) {
		hop_relay(p->way.host, &p->way.to, p->relay);
		if (p->is_session) {
			try_address(p);
			return;
		}
		row(p, "address", tls_words(p->way.tls));
		way_next(&p->way);
		return;
	}
	if (p->way.tries == 0)
		finish(p,
		       p->way.why == OUTCOME_FAILED ? EX_UNAVAILABLE
						    : EX_TEMPFAIL,
		       p->way.text);
	else if (p->is_session)
		finish(p, EX_TEMPFAIL, "no next hop takes mail now");
	else
		finish(p, EX_OK, "");
}

/* "HOST:PORT", or else a domain. */
static void
start(struct probe *p, const char *arg)
{
	char host[POLICY_HOST_SIZE];
	uint16_t port;

	p->way.note = on_note;
	if (arg[0] != '\0' && policy_dest_parse(arg, host, &port, NULL) == 0)
		way_start_at(&p->way, host, port, on_way, p);
	else
		way_start(&p->way, arg, true, on_way, p);
}

void
probe_ask(peer_id from, struct frame *f)
{
	const struct frame_ctl_ask *ask = FRAME_BODY(f, ctl_ask);
	bool is_session = str_eq(ask->command, "dest-test");
	struct frame_ctl_done no = { .exit_code = EX_USAGE,
				     .text = "mcd does not know this command",
				     .cursor = "" };
	struct probe *p;

	if (!is_session && !str_eq(ask->command, "dest-route")) {
		(void)peer_answer(from, f->token, FRAME_ctl_done, &no, -1);
		return;
	}
	if (probes.count >= PROBES_MAX) {
		no.exit_code = EX_TEMPFAIL;
		no.text = "too many tests at a time; try again";
		(void)peer_answer(from, f->token, FRAME_ctl_done, &no, -1);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	p->from = from;
	p->token = f->token;
	p->is_session = is_session;
	p->mail = (struct client_mail){
		.sender = "", .envid = "", .ret = "", .is_probe = true
	};
	list_push(&probes.all, &p->node);
	probes.count++;
	start(p, ask->arg);
}

void
probe_abandon_all(void)
{
	struct list *n, *tmp;

	list_for_safe(n, tmp, &probes.all)
		probe_free(list_entry(n, struct probe, node));
}
