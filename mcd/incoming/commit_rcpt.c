/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The recipients of a mail: control says whose they are, the checks whether
 * they are taken.  Each is answered once, whoever is down.
 */
#include <stdlib.h>
#include <string.h>

#include "commit_mail.h"
#include "peer.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define RCPT_WAIT_MS 30000 /* for control's answer */

static const struct session_reply r_no_control = {
	451, "4.3.0", "Recipient cannot be checked now, try again later"
};
static const struct session_reply r_direction = {
	452, "4.5.3",
	"Recipients of another direction need a message of their own"
};

void
mail_rcpt_stop(struct rcpt_item *it)
{
	if (it->token != 0)
		peer_forget(it->token);
	it->token = 0;
	if (it->run != NULL)
		check_stop(it->run);
	free(it->run);
	it->run = NULL;
}

/* One that was there before gets no second copy. */
static void
rcpt_accept(struct rcpt_item *it)
{
	struct mail *m = it->mail;

	it->address = it->facts.canonical[0] != '\0' ? it->facts.canonical
						     : it->given;
	m->is_outbound = it->is_outbound;
	m->is_peer = (it->facts.flags & RCPT_FROM_PEER) != 0;
	list_del(&it->node);
	if (dict_get(&m->addresses, it->address) == NULL) {
		dict_set(&m->addresses, it->address, it);
		list_push(&m->accepted, &it->node);
		m->rcpt_count++;
	}
	mail_body_ask(m);
}

/* The last word about it; the mail may be gone after this. */
static void
rcpt_answer(struct rcpt_item *it, const struct session_reply *r)
{
	struct connection *c = it->mail->c;

	list_del(&it->node);
	session_rcpt_reply(&c->session, it->slot, r);
}

/* All that is asked of it is known, and it is good. */
static void
rcpt_take(struct rcpt_item *it)
{
	static const struct session_reply ok = { 250, "2.1.5", "recipient ok" };
	struct mail *m = it->mail;

	if (m->rcpt_count > 0 && m->is_outbound != it->is_outbound) {
		rcpt_answer(it, &r_direction);
		return;
	}
	rcpt_accept(it);
	session_rcpt_reply(&m->c->session, it->slot, &ok);
}

static void
on_checked(void *arg, const struct session_reply *r, bool was_late)
{
	struct rcpt_item *it = arg;
	struct connection *c = it->mail->c;
	struct check_run *run = it->run;

	it->run = NULL;
	if (r == NULL) {
		rcpt_take(it);
	} else {
		c->is_check_logged = true;
		rcpt_answer(it, r);
		c->is_check_logged = false;
	}
	free(run);
	if (was_late)
		connection_wake(c);
}

/* The recipient's knobs, read once for all that have the same. */
static const struct knobs *
knobs_of(struct mail *m, struct span text)
{
	struct rcpt_knobs *k;
	struct list *n;

	if (text.len == 0)
		return role_knobs();
	list_for(n, &m->knobs)
	{
		k = list_entry(n, struct rcpt_knobs, node);
		if (span_eq(k->text, text))
			return &k->knobs;
	}
	k = arena_alloc(&m->arena, sizeof(*k));
	k->text = (struct span){ arena_strndup(&m->arena, text.p, text.len),
				 text.len };
	knobs_default(&k->knobs);
	(void)knobs_read(text, &k->knobs, NULL);
	list_push(&m->knobs, &k->node);
	return &k->knobs;
}

static void
rcpt_check(struct rcpt_item *it, const struct frame_rcpt_reply *b)
{
	struct mail *m = it->mail;

	it->is_outbound = b->is_outbound != 0;
	it->facts = (struct check_rcpt){
		.given = it->given,
		.canonical = arena_strdup(&m->arena, b->canonical),
		.status = b->status,
		.flags = b->flags,
		.taken = &m->rcpt_count,
	};
	it->run = xcalloc(1, sizeof(*it->run));
	it->run->client = m->c->checks;
	it->run->mail = m->checks;
	it->run->rcpt = &it->facts;
	it->run->knobs = knobs_of(m, b->knobs);
	it->has_at_data = it->run->knobs->at_data == AT_DATA_REFUSE;
	it->run->stage = CHECK_RCPT;
	it->run->done = on_checked;
	it->run->arg = it;
	check_start(it->run);
}

/* b is NULL when control did not answer. */
static void
rcpt_judged(struct rcpt_item *it, const struct frame_rcpt_reply *b)
{
	struct session_reply r = r_no_control;

	if (b != NULL && b->status != RCPT_LATER && b->status != RCPT_BAD) {
		rcpt_check(it, b);
		return;
	}
	if (b != NULL && b->status == RCPT_BAD)
		r = (struct session_reply){ 501, "5.1.3", b->text };
	else if (b != NULL && b->text[0] != '\0')
		r.text = b->text;
	rcpt_answer(it, &r);
}

static void
on_rcpt_reply(void *arg, struct frame *f)
{
	struct rcpt_item *it = arg;
	struct connection *c = it->mail->c;

	it->token = 0;
	rcpt_judged(it, f != NULL ? FRAME_BODY(f, rcpt_reply) : NULL);
	connection_wake(c);
}

static const char *
span_dup(struct arena *a, struct span s)
{
	return s.len == 0 ? "" : arena_strndup(a, s.p, s.len);
}

void
mail_on_rcpt(void *arg, const struct smtp_command *cmd, unsigned slot)
{
	struct connection *c = arg;
	struct mail *m = c->mail;
	struct rcpt_item *it = arena_alloc(&m->arena, sizeof(*it));
	struct frame_rcpt_ask ask = {
		.client_ip = c->client_text,
		.sender = m->sender,
		.rcpt = cmd->path.text,
	};

	it->mail = m;
	it->slot = slot;
	it->given = arena_strdup(&m->arena, cmd->path.text);
	it->orcpt = span_dup(&m->arena, cmd->orcpt);
	it->notify = span_dup(&m->arena, cmd->notify);
	list_push(&m->asked, &it->node);
	it->token = peer_ask(peer_of(ROLE_CONTROL), FRAME_rcpt_ask, &ask, -1,
			     RCPT_WAIT_MS, on_rcpt_reply, it);
	if (it->token == 0)
		rcpt_judged(it, NULL);
}
