/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One mail from MAIL to the answer to its end.  control judges recipients;
 * queue's descriptor is asked for with the first good one, so that it is
 * there when DATA comes; 250 is said when queue says that it is durable,
 * and at no other time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "commit.h"
#include "commit_mail.h"
#include "dict.h"
#include "file.h"
#include "log.h"
#include "received.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define BODY_WAIT_MS 60000 /* for a descriptor */
#define COMMIT_WAIT_MS 300000 /* for the disk */

static struct {
	bool is_closed; /* queue takes no mail now */
	char reason[SESSION_TEXT_MAX];
} intake;

static const struct session_reply r_ok = { 250, "2.1.0", "Ok" };
static const struct session_reply r_no_queue = {
	451, "4.3.0", "Message cannot be taken now, try again later"
};
static const struct session_reply r_refused = { 550, "5.7.1",
						"Message is refused" };
static const struct session_reply r_write = {
	452, "4.3.1", "Message cannot be stored now, try again later"
};
static const struct session_reply r_data = {
	354, "", "End data with <CR><LF>.<CR><LF>"
};

/* What the checks at the connection have said. */
struct connect_answer {
	bool is_refused;
	struct session_reply reply;
	char text[SESSION_TEXT_MAX];
};

static const char *
span_dup(struct arena *a, struct span s)
{
	return s.len == 0 ? "" : arena_strndup(a, s.p, s.len);
}

/* The address that the client has connected to. */
static struct ip
local_of(const struct connection *c)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct ip_port local = { .port = 0 };

	if (getsockname(c->io.fd, (struct sockaddr *)&ss, &len) == 0)
		(void)ip_from_sockaddr((struct sockaddr *)&ss, &local);
	return local.ip;
}

/* The client as the checks know it. */
static struct check_client *
checks_of(struct connection *c)
{
	struct check_who who = { .ip = c->client.ip,
				 .local = local_of(c),
				 .is_early = c->is_early };

	if (c->checks == NULL) {
		c->checks = check_client_new(&who);
		check_client_look(c->checks, role_knobs());
	}
	return c->checks;
}

static void
on_connect_checked(void *arg, const struct session_reply *r, bool was_late)
{
	struct connect_answer *a = arg;

	(void)was_late;
	a->is_refused = r != NULL;
	if (r == NULL)
		return;
	str_copy(a->text, sizeof(a->text), r->text);
	a->reply = *r;
	a->reply.text = a->text;
}

const struct session_reply *
commit_connect(struct connection *c)
{
	static struct connect_answer answer;
	struct check_run run = { .client = checks_of(c),
				 .knobs = role_knobs(),
				 .stage = CHECK_CONNECT,
				 .done = on_connect_checked,
				 .arg = &answer };

	check_start(&run);
	return answer.is_refused ? &answer.reply : NULL;
}

void
commit_release(struct connection *c)
{
	check_client_free(c->checks);
	c->checks = NULL;
}

/* Nobody waits for this descriptor any more: queue keeps no body for it. */
static void
tell_forget(uint32_t token)
{
	struct frame_body_forget forget = { .token = token };

	(void)peer_note(peer_of(ROLE_QUEUE), FRAME_body_forget, &forget, -1);
}

/* Nothing will come of the body; queue is told if it has begun. */
static void
body_drop(struct mail *m)
{
	struct frame_body_drop drop = { .id = m->id };

	if (m->body_token != 0) {
		peer_forget(m->body_token);
		tell_forget(m->body_token);
	}
	m->body_token = 0;
	file_shut(&m->fd);
	if (m->step == BODY_OPEN)
		(void)peer_note(peer_of(ROLE_QUEUE), FRAME_body_drop, &drop,
				-1);
	m->step = BODY_NONE;
}

/* From now on the message is refused with r. */
static void
body_refuse(struct mail *m, const struct session_reply *r)
{
	body_drop(m);
	str_copy(m->refusal_text, sizeof(m->refusal_text), r->text);
	m->refusal = *r;
	m->refusal.text = m->refusal_text;
	m->step = BODY_REFUSED;
}

/* The session waits at DATA, and there is something to say. */
static void
data_answer(struct mail *m)
{
	struct connection *c = m->c;
	struct session_reply r = m->refusal;
	char text[SESSION_TEXT_MAX];

	if (!m->is_data_due || m->is_named_due || m->step == BODY_ASKED)
		return;
	m->is_data_due = false;
	if (m->step == BODY_OPEN) {
		session_data_reply(&c->session, &r_data);
		return;
	}
	/* The refusal ends this mail, and its text with it. */
	str_copy(text, sizeof(text), m->refusal_text);
	r.text = text;
	session_data_reply(&c->session, &r);
}

static void
on_body_reply(void *arg, struct frame *f)
{
	struct mail *m = arg;
	struct connection *c = m->c;
	const struct frame_body_reply *b;
	struct session_reply r = r_no_queue;

	if (f == NULL) /* its answer may come too late */
		tell_forget(m->body_token);
	m->body_token = 0;
	m->step = BODY_NONE;
	b = f != NULL ? FRAME_BODY(f, body_reply) : NULL;
	if (b != NULL && b->status == ANSWER_OK && f->fd >= 0) {
		m->fd = f->fd;
		f->fd = -1;
		str_copy(m->id, sizeof(m->id), b->id);
		m->step = BODY_OPEN;
	} else {
		if (b != NULL && b->text[0] != '\0') {
			r.enhanced = "4.3.1";
			r.code = 452;
			r.text = b->text;
		}
		body_refuse(m, &r);
	}
	if (m->is_data_due) {
		data_answer(m);
		connection_wake(c);
	}
}

void
mail_body_ask(struct mail *m)
{
	struct frame_body_ask ask = { .size_hint = m->size_hint };

	if (m->step != BODY_NONE)
		return;
	m->body_token = peer_ask(peer_of(ROLE_QUEUE), FRAME_body_ask, &ask, -1,
				 BODY_WAIT_MS, on_body_reply, m);
	m->step = BODY_ASKED;
	if (m->body_token == 0)
		body_refuse(m, &r_no_queue);
}

static int
on_body(void *arg, struct span piece)
{
	struct connection *c = arg;
	struct mail *m = c->mail;

	if (m->step != BODY_OPEN)
		return -1;
	if (file_write_all(m->fd, piece.p, piece.len) == 0)
		return 0;
	log_error("%s write: %s", m->id, strerror(errno));
	body_refuse(m, &r_write);
	return -1;
}

static void
mail_free(struct mail *m)
{
	struct list *n;

	list_for(n, &m->asked)
		mail_rcpt_stop(list_entry(n, struct rcpt_item, node));
	if (m->commit_token != 0)
		peer_forget(m->commit_token);
	body_drop(m);
	check_stop(&m->named);
	check_mail_free(m->checks);
	dict_release(&m->addresses, NULL);
	arena_release(&m->arena);
	free(m);
}

static void
on_reset(void *arg)
{
	struct connection *c = arg;

	if (c->mail != NULL)
		mail_free(c->mail);
	c->mail = NULL;
}

static void
on_mail(void *arg, const struct smtp_command *cmd)
{
	struct connection *c = arg;
	struct session_reply r = r_no_queue;
	struct mail *m;

	if (peer_of(ROLE_QUEUE) == 0) {
		session_mail_reply(&c->session, &r);
		return;
	}
	if (intake.is_closed) {
		r.code = 452;
		r.enhanced = "4.3.1";
		if (intake.reason[0] != '\0')
			r.text = intake.reason;
		session_mail_reply(&c->session, &r);
		return;
	}
	m = xcalloc(1, sizeof(*m));
	m->c = c;
	m->fd = -1;
	list_init(&m->asked);
	list_init(&m->accepted);
	list_init(&m->knobs);
	check_client_helo(checks_of(c), session_helo(&c->session));
	m->checks = check_mail_new(c->checks, cmd->path.text);
	m->sender = arena_strdup(&m->arena, cmd->path.text);
	m->envid = span_dup(&m->arena, cmd->envid);
	m->ret = span_dup(&m->arena, cmd->ret);
	m->is_8bit = cmd->body == SMTP_BODY_8BITMIME;
	m->is_utf8 = cmd->smtputf8;
	m->size_hint = cmd->has_size ? cmd->size : 0;
	c->mail = m;
	session_mail_reply(&c->session, &r_ok);
}

/* The client's name is known, or will not be. */
static void
on_named(void *arg, const struct session_reply *r, bool was_late)
{
	struct mail *m = arg;
	struct connection *c = m->c;

	(void)r;
	m->is_named_due = false;
	if (!was_late)
		return;
	data_answer(m);
	connection_wake(c);
}

static void
on_data(void *arg)
{
	struct connection *c = arg;
	struct mail *m = c->mail;

	m->is_data_due = m->is_named_due = true;
	m->named = (struct check_run){ .client = c->checks,
				       .mail = m->checks,
				       .knobs = role_knobs(),
				       .stage = CHECK_DATA,
				       .done = on_named,
				       .arg = m };
	check_start(&m->named);
	mail_body_ask(m);
	data_answer(m);
}

/* A trusted client's word goes before what DNS says. */
static const char *
client_name(const struct connection *c)
{
	return c->told_name != NULL ? c->told_name
				    : check_client_name(c->checks);
}

static void
log_accepted(const struct mail *m)
{
	const struct connection *c = m->c;
	const struct tls_info *tls = io_tls(&c->io);
	char how[128] = "";

	if (tls != NULL)
		(void)str_fmt(how, sizeof(how), " tls=%s cipher=%s",
			      tls->version, tls->cipher);
	log_info("%s accepted from=<%s> client=%s helo=%s size=%llu "
		 "rcpts=%u msgid=%s%s%s",
		 m->id, m->sender[0] != '\0' ? log_text(m->sender) : "",
		 c->client_text, log_text(session_helo(&c->session)),
		 (unsigned long long)m->size, m->rcpt_count,
		 log_text(m->message_id), how,
		 c->is_lost ? " client went before the answer" : "");
}

static void
on_commit_reply(void *arg, struct frame *f)
{
	struct mail *m = arg;
	struct connection *c = m->c;
	const struct frame_commit_reply *b;
	struct session_reply r = r_no_queue;
	char text[64];

	m->commit_token = 0;
	b = f != NULL ? FRAME_BODY(f, commit_reply) : NULL;
	if (b != NULL && b->status == ANSWER_NO)
		r = r_refused;
	if (b != NULL && b->status == ANSWER_OK) {
		log_accepted(m);
		stats_add(role_stats(), STAT_in_messages, 1);
		stats_add(role_stats(), STAT_in_bytes, (int64_t)m->size);
		stats_add(role_stats(), STAT_in_rcpts, m->rcpt_count);
		str_fmt(text, sizeof(text), "%s queued", m->id);
		r = (struct session_reply){ 250, "2.0.0", text };
	} else if (b != NULL && b->text[0] != '\0') {
		r.text = b->text;
	}
	session_end_reply(&c->session, &r);
	connection_wake(c);
}

/* Envelope and recipients under one token; 0 when queue is not there. */
static uint32_t
commit_send(struct mail *m, const struct frame_commit *commit)
{
	struct frame_commit_end end = { .id = m->id };
	uint32_t token = peer_ask(peer_of(ROLE_QUEUE), FRAME_commit, commit, -1,
				  COMMIT_WAIT_MS, on_commit_reply, m);
	struct list *n;

	if (token == 0)
		return 0;
	list_for(n, &m->accepted)
	{
		struct rcpt_item *it = list_entry(n, struct rcpt_item, node);
		struct frame_commit_rcpt rcpt = {
			.address = it->address,
			.orcpt = it->orcpt,
			.notify = it->notify,
		};

		/* A failure is a dead queue: the answer to the ask says so. */
		(void)peer_ask_more(token, FRAME_commit_rcpt, &rcpt);
	}
	(void)peer_ask_more(token, FRAME_commit_end, &end);
	return token;
}

static bool
all_have_at_data(const struct mail *m)
{
	struct list *n;

	list_for(n, &m->accepted)
	{
		if (!list_entry(n, struct rcpt_item, node)->has_at_data)
			return false;
	}
	return true;
}

static void
commit(struct mail *m, const struct session_body *body)
{
	struct connection *c = m->c;
	int64_t now_us = clock_wall_us();
	struct buf field = { 0 };
	const struct tls_info *tls = io_tls(&c->io);
	struct received rec = {
		.helo = session_helo(&c->session),
		.client = &c->client.ip,
		.hostname = role_hostname(),
		.id = m->id,
		.is_esmtp = session_is_esmtp(&c->session),
		.is_utf8 = m->is_utf8,
		.client_name = client_name(c),
		.now_us = now_us,
	};
	struct frame_commit frame = {
		.id = m->id,
		.size = body->size,
		.received_us = now_us,
		.is_outbound = m->is_outbound,
		.is_peer = m->is_peer,
		.is_8bit = m->is_8bit || body->has_8bit,
		.is_utf8 = m->is_utf8,
		.sender = m->sender,
		.client_ip = c->client_text,
		.client_name = client_name(c),
		.helo = rec.helo,
		.message_id = m->message_id,
		.subject = body->header->subject,
		.envid = m->envid,
		.auth_spf = check_mail_spf(m->checks),
		.ret = m->ret,
		.at_data = all_have_at_data(m),
		.rcpt_count = m->rcpt_count,
	};

	if (m->rcpt_count == 1)
		rec.rcpt = list_entry(m->accepted.next, struct rcpt_item, node)
				   ->given;
	if (tls != NULL) {
		rec.tls_version = tls->version;
		rec.tls_cipher = tls->cipher;
		rec.tls_bits = tls->bits;
	}
	received_write(&rec, &field);
	frame.received = buf_span(&field);
	m->commit_token = commit_send(m, &frame);
	buf_release(&field);
	if (m->commit_token != 0)
		m->step = BODY_SENT;
}

static void
on_message_end(void *arg, const struct session_body *body)
{
	struct connection *c = arg;
	struct mail *m = c->mail;
	struct err e;

	m->size = body->size;
	str_copy(m->message_id, sizeof(m->message_id),
		 body->header->message_id);
	if (m->step == BODY_OPEN) {
		int fd = m->fd;

		m->fd = -1;
		if (file_close(fd, m->id, &e) < 0) {
			log_error("%s close: %s", m->id, e.text);
			body_refuse(m, &r_write);
		} else {
			commit(m, body);
		}
	}
	if (m->step == BODY_OPEN)
		body_refuse(m, &r_no_queue);
	if (m->step == BODY_REFUSED) {
		struct session_reply r = m->refusal;
		char text[SESSION_TEXT_MAX];

		str_copy(text, sizeof(text), m->refusal_text);
		r.text = text;
		session_end_reply(&c->session, &r);
	}
}

static void
on_refused(void *arg, enum smtp_verb verb, const struct session_reply *r)
{
	struct connection *c = arg;
	struct stats *st = role_stats();

	stats_add(st, r->code < 500 ? STAT_in_later : STAT_in_refused, 1);
	if (c->is_check_logged)
		return;
	if (r->code == 552)
		stats_add(st, STAT_in_refused_size, 1);
	if (str_eq(r->enhanced, "5.6.11"))
		stats_add(st, STAT_in_refused_newline, 1);
	log_info("- refused client=%s verb=%s code=%d %s", c->client_text,
		 smtp_verb_name(verb), r->code, log_text(r->text));
}

const struct session_ops commit_session_ops = {
	.mail = on_mail,
	.rcpt = mail_on_rcpt,
	.data = on_data,
	.body = on_body,
	.end = on_message_end,
	.reset = on_reset,
	.refused = on_refused,
};

void
commit_intake(peer_id from, struct frame *f)
{
	const struct frame_intake *b = FRAME_BODY(f, intake);

	(void)from;
	intake.is_closed = b->is_open == 0;
	str_copy(intake.reason, sizeof(intake.reason), b->reason);
}

void
commit_peer_up(enum role r)
{
	/* A new queue takes mail until it says otherwise. */
	if (r == ROLE_QUEUE)
		intake.is_closed = false;
}

bool
commit_is_due(const struct connection *c)
{
	return c->mail != NULL && c->mail->commit_token != 0;
}
