/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Only a 5xx to RCPT is a "no".  What refuses us altogether (a greeting,
 * HELO, or 4xx anywhere, as greylisting does) leaves it open; a 5xx to MAIL
 * FROM:<> tells nothing of the recipient, who is then taken.
 */
#include "callout.h"

#include <stdlib.h>
#include <string.h>

#include "hop.h"
#include "loop.h"
#include "role.h"
#include "str.h"
#include "way.h"
#include "xalloc.h"

#define CALLOUTS_MAX 1000
#define RCPTS 2

struct callout_run {
	struct list node;
	peer_id from;
	uint32_t token;
	struct timer timer;
	struct way way;
	struct hop *hop;
	struct client_mail mail;
	struct client_rcpt rcpts[RCPTS];
	char addresses[RCPTS][324];
	bool is_in_clear;
	int mail_code; /* of MAIL, 0: not answered */
	enum callout result;
	bool is_catch_all;
	char text[400];
};

static struct {
	struct list all;
	size_t count;
} runs = { .all = LIST_INIT(runs.all) };

static void
run_free(struct callout_run *c)
{
	if (c->hop != NULL)
		hop_drop(c->hop);
	way_cancel(&c->way);
	timer_release(&c->timer);
	list_del(&c->node);
	runs.count--;
	free(c);
}

static void
finish(struct callout_run *c)
{
	struct frame_callout_reply r = {
		.result = c->result,
		.text = c->text,
		.is_catch_all = c->is_catch_all,
		.is_null_refused = c->mail_code >= 500,
	};

	(void)peer_answer(c->from, c->token, FRAME_callout_reply, &r, -1);
	run_free(c);
}

static void
on_heard(void *arg, const char *where, const struct smtp_reply *r)
{
	struct callout_run *c = arg;

	if (str_eq(where, "after MAIL"))
		c->mail_code = r->code;
}

static void
on_rcpt(void *arg, size_t index, const struct client_result *r)
{
	struct callout_run *c = arg;
	bool is_yes = r->code / 100 == 2;

	if (index == 1) {
		c->is_catch_all = is_yes && c->result == CALLOUT_YES;
		return;
	}
	str_fmt(c->text, sizeof(c->text), "%.200s said: %d %s %.150s",
		c->way.host, r->code, r->enhanced, r->text);
	if (is_yes || c->mail_code >= 500)
		c->result = CALLOUT_YES;
	else if (r->code >= 500 && c->mail_code / 100 == 2)
		c->result = CALLOUT_NO;
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
	struct callout_run *c = arg;

	c->hop = NULL;
	finish(c);
}

static void
on_failed(void *arg, const struct client_result *why, bool was_stale,
	  bool is_past_end)
{
	struct callout_run *c = arg;
	bool in_tls = hop_failed_in_tls(c->hop) && c->way.tls == DEST_TLS_MAY;

	(void)was_stale, (void)is_past_end;
	c->hop = NULL;
	/* The answer was there before the server went. */
	if (c->result != CALLOUT_UNREACHABLE) {
		finish(c);
		return;
	}
	str_copy(c->text, sizeof(c->text), why->text);
	c->mail_code = 0;
	if (in_tls && !c->is_in_clear) {
		c->is_in_clear = true;
		way_again(&c->way);
		return;
	}
	c->is_in_clear = false;
	way_next(&c->way);
}

static const struct hop_ops hop_ops = {
	.heard = on_heard,
	.rcpt = on_rcpt,
	.piece = on_piece,
	.done = on_done,
	.failed = on_failed,
};

static void
on_way(void *arg)
{
	struct callout_run *c = arg;
	struct hop_target target = {
		.name = c->way.host,
		.to = c->way.to,
		.tls = c->is_in_clear ? DEST_TLS_NONE : c->way.tls,
		.is_hurried = c->way.is_hurried,
		.is_fresh = true, /* or heard() would tell nothing */
	};
	struct err e;

	if (c->way.is_end) {
		if (c->text[0] == '\0')
			str_copy(c->text, sizeof(c->text), c->way.text);
		finish(c);
		return;
	}
	if (hop_send(&target, &c->mail, &hop_ops, c, &c->hop, &e) == 0)
		return;
	str_copy(c->text, sizeof(c->text), e.text);
	way_next(&c->way);
}

static void
on_timeout(void *arg)
{
	struct callout_run *c = arg;

	str_copy(c->text, sizeof(c->text), "no answer in time");
	finish(c);
}

static bool
is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s > 127)
			return false;
	return true;
}

static void
run_set(struct callout_run *c, const struct frame_callout_ask *ask)
{
	bool is_utf8 = !is_ascii(ask->rcpt);

	str_copy(c->addresses[0], sizeof(c->addresses[0]), ask->rcpt);
	str_copy(c->addresses[1], sizeof(c->addresses[1]), ask->probe);
	for (size_t i = 0; i < RCPTS; i++)
		c->rcpts[i] = (struct client_rcpt){ c->addresses[i], "", "" };
	c->mail = (struct client_mail){
		.sender = "",
		.envid = "",
		.ret = "",
		.is_utf8 = is_utf8,
		.needs_utf8 = is_utf8,
		.rcpts = c->rcpts,
		.rcpt_count = ask->probe[0] != '\0' ? 2 : 1,
		.is_probe = true,
	};
}

void
callout_ask(peer_id from, struct frame *f)
{
	const struct frame_callout_ask *ask = FRAME_BODY(f, callout_ask);
	const char *at = strrchr(ask->rcpt, '@');
	struct frame_callout_reply no = { .result = CALLOUT_UNREACHABLE,
					  .text = "too many callouts" };
	struct callout_run *c;

	if (runs.count >= CALLOUTS_MAX || at == NULL) {
		(void)peer_answer(from, f->token, FRAME_callout_reply, &no, -1);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->from = from;
	c->token = f->token;
	c->result = CALLOUT_UNREACHABLE;
	run_set(c, ask);
	list_push(&runs.all, &c->node);
	runs.count++;
	timer_init(&c->timer, on_timeout, c);
	timer_set(&c->timer, role_knobs()->callout_time);
	way_start(&c->way, strrchr(c->addresses[0], '@') + 1, false, on_way, c);
}

void
callout_abandon_all(void)
{
	struct list *n, *tmp;

	list_for_safe(n, tmp, &runs.all)
		run_free(list_entry(n, struct callout_run, node));
}
