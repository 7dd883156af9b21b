/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Verbs of the SMTP engine.  One row a verb: what has to be so (check) and
 * what is done (proceed).
 */
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "session_engine.h"
#include "str.h"
#include "xalloc.h"

struct verb {
	enum smtp_verb verb;
	unsigned needs;
	void (*proceed)(struct session *s, const struct smtp_command *cmd);
};

static void
do_helo(struct session *s, const struct smtp_command *cmd)
{
	const struct session_conf *c = s->conf;

	if (cmd->arg.len > SESSION_HELO_MAX) {
		session_say(s, 501, "5.5.4", "Name too long");
		return;
	}
	session_end_mail(s);
	free(s->helo);
	s->helo = xstrndup(cmd->arg.p, cmd->arg.len);
	s->is_esmtp = cmd->verb == SMTP_EHLO;
	if (!s->is_esmtp) {
		session_say(s, 250, "", c->hostname);
		return;
	}
	buf_printf(s->out, "250-%s\r\n250-PIPELINING\r\n250-SIZE %llu\r\n",
		   c->hostname, (unsigned long long)c->size_max);
	if (s->offers_starttls)
		buf_add_str(s->out, "250-STARTTLS\r\n");
	if (s->offers_xclient)
		buf_add_str(s->out, "250-XCLIENT " SMTP_XCLIENT_ATTRS "\r\n");
	buf_add_str(s->out, "250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n"
			    "250-DSN\r\n250-CHUNKING\r\n250 SMTPUTF8\r\n");
}

const struct session_reply session_drained = {
	421, "4.3.2", "This host takes no new mail now, try another"
};

static void
do_mail(struct session *s, const struct smtp_command *cmd)
{
	static const struct session_reply enough = {
		421, "4.7.0", "Too many messages in one session, closing"
	};

	if (s->conf->is_draining) {
		session_refuse_all(s, &session_drained);
		return;
	}
	if (cmd->body == SMTP_BODY_BINARYMIME) {
		session_say(s, 555, "5.6.1", "BINARYMIME is not offered");
		return;
	}
	if (cmd->has_size && cmd->size > s->conf->size_max) {
		session_say(s, 552, "5.3.4", "Message too large");
		return;
	}
	if (s->messages >= s->conf->messages_max) {
		s->ops->refused(s->arg, SMTP_MAIL, &enough);
		session_close(s, &enough);
		return;
	}
	s->is_utf8 = cmd->smtputf8;
	s->wait = SESSION_WAIT_MAIL;
	s->ops->mail(s->arg, cmd);
}

static void
do_data(struct session *s, const struct smtp_command *cmd)
{
	struct session_reply r;

	(void)cmd;
	if (s->message != NULL) {
		session_say(s, 503, "5.5.1", "DATA after BDAT");
		return;
	}
	if (s->rcpts == 0) {
		session_no_rcpt(s, &r);
		session_say(s, r.code, r.enhanced, r.text);
		return;
	}
	if (s->conf->is_draining) {
		session_refuse_all(s, &session_drained);
		return;
	}
	s->wait = SESSION_WAIT_DATA;
	s->ops->data(s->arg);
}

static void
do_rset(struct session *s, const struct smtp_command *cmd)
{
	(void)cmd;
	session_end_mail(s);
	session_say(s, 250, "2.0.0", "Reset");
}

static void
do_noop(struct session *s, const struct smtp_command *cmd)
{
	(void)cmd;
	session_say(s, 250, "2.0.0", "Ok");
}

static void
do_quit(struct session *s, const struct smtp_command *cmd)
{
	static const struct session_reply r = { 221, "2.0.0", "Bye" };

	(void)cmd;
	session_close(s, &r);
}

static void
do_vrfy(struct session *s, const struct smtp_command *cmd)
{
	(void)cmd;
	session_say(s, 252, "2.1.5", "Cannot verify, send mail and see");
}

static void
do_help(struct session *s, const struct smtp_command *cmd)
{
	(void)cmd;
	session_say(s, 214, "2.0.0", "See RFC 5321");
}

static void
do_not_offered(struct session *s, const struct smtp_command *cmd)
{
	char text[64];

	str_fmt(text, sizeof(text), "%s is not offered",
		smtp_verb_name(cmd->verb));
	session_say(s, 502, "5.5.1", text);
}

/* RFC 3207 section 4: what stands behind it was not protected, and must not
 * be taken for what comes when all is. */
static void
do_starttls(struct session *s, const struct smtp_command *cmd)
{
	static const struct session_reply early = {
		554, "5.5.1", "Text behind STARTTLS, closing"
	};

	if (s->is_tls) {
		session_say(s, 503, "5.5.1", "TLS is on already");
		return;
	}
	if (!s->offers_starttls) {
		do_not_offered(s, cmd);
		return;
	}
	if (s->has_more) {
		session_refuse_all(s, &early);
		return;
	}
	session_end_mail(s);
	session_say(s, 220, "2.0.0", "Ready to start TLS");
	s->state = SESSION_SECURING;
	s->ops->starttls(s->arg);
}

static void
do_xclient(struct session *s, const struct smtp_command *cmd)
{
	struct smtp_xclient x;
	struct smtp_fault fault;

	if (!s->offers_xclient) {
		session_say(s, 550, "5.7.0", "XCLIENT is not for this client");
		return;
	}
	if (smtp_parse_xclient(cmd->arg, &x, &fault) < 0) {
		session_say(s, fault.code, fault.enhanced, fault.text.text);
		return;
	}
	s->wait = SESSION_WAIT_XCLIENT;
	s->ops->xclient(s->arg, &x);
}

static void
do_unknown(struct session *s, const struct smtp_command *cmd)
{
	(void)cmd;
	session_say(s, 500, "5.5.1", "Command not known");
}

/* RCPT is not here: its replies have an order of their own. */
static const struct verb verbs[] = {
	{ SMTP_HELO, NEED_LAST, do_helo },
	{ SMTP_EHLO, NEED_LAST, do_helo },
	{ SMTP_MAIL, NEED_HELO | NEED_NO_MAIL, do_mail },
	{ SMTP_DATA, NEED_HELO | NEED_MAIL | NEED_LAST, do_data },
	{ SMTP_BDAT, 0, session_bdat },
	{ SMTP_RSET, 0, do_rset },
	{ SMTP_NOOP, 0, do_noop },
	{ SMTP_QUIT, 0, do_quit },
	{ SMTP_VRFY, NEED_LAST, do_vrfy },
	{ SMTP_HELP, 0, do_help },
	{ SMTP_EXPN, NEED_LAST, do_not_offered },
	{ SMTP_STARTTLS, NEED_HELO, do_starttls },
	{ SMTP_XCLIENT, NEED_NO_MAIL | NEED_LAST, do_xclient },
	{ SMTP_AUTH, 0, do_not_offered },
	{ SMTP_UNKNOWN, 0, do_unknown },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *
find_verb(enum smtp_verb verb)
{
	size_t i;

	for (i = 0; i < VERBS - 1; i++)
		if (verbs[i].verb == verb)
			break;
	return &verbs[i];
}

const char *
session_check(const struct session *s, unsigned needs)
{
	if ((needs & NEED_HELO) != 0 && s->helo == NULL)
		return "Say EHLO first";
	if ((needs & NEED_MAIL) != 0 && !s->has_mail)
		return "Need MAIL first";
	if ((needs & NEED_NO_MAIL) != 0 && s->has_mail)
		return "MAIL was given already";
	return NULL;
}

void
session_run(struct session *s, const struct smtp_command *cmd)
{
	static const struct session_reply early = {
		554, "5.5.0",
		"Sent before this was answered (RFC 2920), closing"
	};
	const struct verb *v = find_verb(cmd->verb);
	const char *wrong = session_check(s, v->needs);

	if ((v->needs & NEED_LAST) != 0 && s->has_more && s->conf->is_strict)
		session_refuse_all(s, &early);
	else if (wrong != NULL)
		session_say(s, 503, "5.5.1", wrong);
	else
		v->proceed(s, cmd);
}
