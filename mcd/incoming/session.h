/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The server's side of an SMTP session (RFC 5321, 2920, 1870, 2034, 3030,
 * 3207, 3461, 6152, 6531, and Postfix' XCLIENT) as an engine over buffers:
 * it knows the grammar, the order of commands and the limits, and asks its
 * owner about everything else.  No sockets, no clock, no policy.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "header.h"
#include "smtp.h"
#include "smtp_xclient.h"

#define SESSION_OUT_HIGH 65536 /* no commands while more than this waits */
#define SESSION_TURN_MAX 100 /* commands of one session_input() */
#define SESSION_ASKS_MAX 32 /* recipients asked for at a time */
#define SESSION_HOPS_MAX 100 /* Received fields of a message */
#define SESSION_IDLE_MAX 100 /* commands that lead to no message */
#define SESSION_HELO_MAX 255
#define SESSION_TEXT_MAX 400 /* text of one reply */

/* What the engine is told about its world; may change between calls. */
struct session_conf {
	const char *hostname;
	uint64_t size_max; /* bytes of a message */
	unsigned rcpt_max; /* of a message */
	unsigned messages_max; /* of a session */
	unsigned errors_max; /* of a session */
	bool mends_newlines;
	/* A client that sends on where it has to wait (RFC 2920 section 3.1)
	 * is one that does not look at replies: it is closed. */
	bool is_strict;
	bool is_draining; /* no message begins: 421 */
};

/* One reply: the text is copied, made printable and cut. */
struct session_reply {
	int code;
	const char *enhanced; /* RFC 3463, "" for none */
	const char *text;
};

/* What is known of a message when its end was seen. */
struct session_body {
	uint64_t size;
	bool has_8bit;
	const struct header_scan *header;
};

/*
 * Questions: each is answered by its session_*_reply(), at once or later.
 * Until then no further command is looked at, but for RCPT after RCPT.
 */
struct session_ops {
	/* cmd is valid for the call.  2xx opens a transaction. */
	void (*mail)(void *arg, const struct smtp_command *cmd);
	/* slot goes with the answer.  2xx is a recipient. */
	void (*rcpt)(void *arg, const struct smtp_command *cmd, unsigned slot);
	/* There are recipients. 354: body() follows. */
	void (*data)(void *arg);
	/* Bytes of the message; -1: no more of them, end() is called still. */
	int (*body)(void *arg, struct span piece);
	/* The message is complete.  2xx: it is ours now. */
	void (*end)(void *arg, const struct session_body *body);
	/* The transaction is over, done or not; no answer is due any more. */
	void (*reset)(void *arg);
	/* A 4xx or 5xx reply was given. */
	void (*refused)(void *arg, enum smtp_verb verb,
			const struct session_reply *r);
	/* 220 is in the output, and nothing came behind the command: secure
	 * the connection, then session_secured(). */
	void (*starttls)(void *arg);
	/* Who the client is is told anew; session_restart() answers. */
	void (*xclient)(void *arg, const struct smtp_xclient *x);
};

enum session_state {
	SESSION_COMMAND, /* wants a command, unless session_waits() */
	SESSION_DATA, /* a message is coming in */
	SESSION_CHUNK, /* the bytes of a BDAT are */
	SESSION_SECURING, /* until session_secured() */
	SESSION_CLOSED /* send the output and close */
};

enum session_wait {
	SESSION_WAIT_NONE,
	SESSION_WAIT_MAIL,
	SESSION_WAIT_DATA,
	SESSION_WAIT_END,
	SESSION_WAIT_XCLIENT
};

struct session_slot;
struct session_message;

/* Embedded in its owner; to be read only through functions. */
struct session {
	const struct session_ops *ops;
	void *arg;
	const struct session_conf *conf;
	struct buf *out;
	struct session_slot *slots; /* SESSION_ASKS_MAX, while any is in use */
	struct session_message *message; /* while SESSION_DATA or its end */
	char *helo; /* NULL before HELO */
	enum session_state state;
	enum session_wait wait;
	enum smtp_verb verb; /* the one that is being answered */
	unsigned slot_first, slot_count;
	unsigned rcpts; /* accepted in this transaction */
	unsigned rcpts_tried;
	unsigned errors;
	unsigned messages;
	unsigned commands; /* in all */
	unsigned idle_commands; /* since the last recipient was taken */
	uint64_t chunk_size, chunk_left; /* of a BDAT */
	char *chunk_reply; /* refused: what is said behind its bytes */
	int chunk_code;
	bool chunk_is_last;
	bool offers_starttls, offers_xclient, is_tls;
	bool has_more; /* input behind the command that is looked at */
	bool is_esmtp;
	bool has_mail;
	bool is_utf8;
	bool is_skipping; /* the rest of a line that was too long */
	bool has_put_off; /* a recipient of this transaction got 4xx */
	bool slots_full; /* none is given until all are answered */
};

/* What a host says that is being drained. */
extern const struct session_reply session_drained;

/* conf and out are borrowed until session_release(). */
void session_init(struct session *s, const struct session_ops *ops, void *arg,
		  const struct session_conf *conf, struct buf *out);
/* Ends the transaction; calls nothing but reset(). */
void session_release(struct session *s);
void session_greet(struct session *s);
/* What this client is offered besides. */
void session_offer(struct session *s, bool starttls, bool xclient);
/* TLS is on: all that came before is forgotten (RFC 3207 section 4.2). */
void session_secured(struct session *s);
/* After xclient(): all is forgotten, greets again.  helo may be NULL. */
void session_restart(struct session *s, const char *helo, bool is_esmtp);
/* Instead of a greeting, or at any time: says so and closes. */
void session_close(struct session *s, const struct session_reply *r);

/*
 * Takes input, returns how many bytes; 0 when it has to wait for an answer,
 * for more input, or for output to go.  More than SMTP_LINE_MAX + 2 bytes
 * are always enough to go on.
 */
size_t session_input(struct session *s, struct span in);

void session_mail_reply(struct session *s, const struct session_reply *r);
void session_rcpt_reply(struct session *s, unsigned slot,
			const struct session_reply *r);
/* 354 or a refusal. */
void session_data_reply(struct session *s, const struct session_reply *r);
void session_end_reply(struct session *s, const struct session_reply *r);

/* An answer of the owner's is due. */
bool session_waits(const struct session *s);
/* Between two commands, nothing under way. */
bool session_is_idle(const struct session *s);
bool session_is_closed(const struct session *s);
/* A message has begun and its end has not come. */
bool session_is_in_data(const struct session *s);
bool session_is_securing(const struct session *s);
/* Those that were looked at, whole lines, also such as are none. */
unsigned session_commands(const struct session *s);
/* "" before HELO. */
const char *session_helo(const struct session *s);
bool session_is_esmtp(const struct session *s);

#endif
