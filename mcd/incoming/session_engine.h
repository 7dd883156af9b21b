/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files of the SMTP engine share: session.c takes lines,
 * session_verb.c acts on commands, session_mail.c has recipients and the
 * message.  For nobody else.
 */
#ifndef SESSION_ENGINE_H
#define SESSION_ENGINE_H

#include "session.h"

/* What a verb needs. */
#define NEED_HELO 1
#define NEED_MAIL 2
#define NEED_NO_MAIL 4

/* The reply of a recipient, kept until all before it are given. */
struct session_slot {
	bool is_done;
	int code;
	char *line;
};

struct session_message {
	struct smtp_data data;
	struct header_scan header;
	uint64_t size;
	bool is_refused; /* body() wants no more */
	bool is_too_large;
};

/* session.c */
void session_format(struct buf *dst, const struct session_reply *r);
/* Counts a reply that is an error of the client's, once it is given. */
void session_count(struct session *s, enum smtp_verb verb, int code);
/* Closes when there were too many of them. */
void session_check_errors(struct session *s);
/* Replies to s->verb. */
void session_say(struct session *s, int code, const char *enhanced,
		 const char *text);
/* Done or not: forgets it, with what is due to it. */
void session_end_mail(struct session *s);

/* session_verb.c */
/* The reply to a command out of order; NULL when all is well. */
const char *session_check(const struct session *s, unsigned needs);
/* Any verb but RCPT. */
void session_run(struct session *s, const struct smtp_command *cmd);

/* session_mail.c */
/* A RCPT; fault is NULL when its syntax is right. */
void session_rcpt(struct session *s, const struct smtp_command *cmd,
		  const struct smtp_fault *fault);
/* Input of a message; returns the bytes taken. */
size_t session_data(struct session *s, struct span in);

#endif
