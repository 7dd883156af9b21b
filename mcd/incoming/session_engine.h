/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files of the SMTP engine share: session.c takes lines,
 * session_verb.c acts on commands, session_mail.c has recipients and the
 * message, session_chunk.c its parts by BDAT.  For nobody else.
 */
#ifndef SESSION_ENGINE_H
#define SESSION_ENGINE_H

#include "session.h"

/* What a verb needs. */
#define NEED_HELO 1
#define NEED_MAIL 2
#define NEED_NO_MAIL 4
#define NEED_LAST 8 /* nothing may come behind it before its reply */

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
	bool is_chunked; /* BDAT */
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
/* Says so and closes, as a refusal of s->verb. */
void session_refuse_all(struct session *s, const struct session_reply *r);
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
/* DATA or BDAT with nobody to go to. */
void session_no_rcpt(const struct session *s, struct session_reply *r);
void session_begin_message(struct session *s, bool is_chunked);
/* Bytes of a message; returns how many were taken, less at its end. */
size_t session_take(struct session *s, struct span in);
/* The reply that is due for what has come so far, false when all is well. */
bool session_fault(const struct session *s, struct session_reply *r);
/* The message is complete. */
void session_finish(struct session *s);
/* Input of a message; returns the bytes taken. */
size_t session_data(struct session *s, struct span in);

/* session_chunk.c */
void session_bdat(struct session *s, const struct smtp_command *cmd);
/* The answer of data() to the first BDAT. */
void session_chunk_reply(struct session *s, const struct session_reply *r);
/* Bytes of a chunk; returns those taken. */
size_t session_chunk(struct session *s, struct span in);

#endif
