/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Dialogues with the server's SMTP engine, for its tests: an owner that
 * says no to addresses by their names, at once, late or in reverse.
 */
#ifndef SESSIONPLAY_H
#define SESSIONPLAY_H

#include <stdbool.h>

#include "check.h"
#include "session.h"

#define EHLO "EHLO c.example\r\n"
#define EHLO_REST                                                \
	"250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n" \
	"250-CHUNKING\r\n250 SMTPUTF8\r\n"
#define EHLO_REPLY \
	"250-gw.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n" EHLO_REST
#define HELO "HELO c.example\r\n"
#define HELO_OK "250 gw.example\r\n"
#define MAIL "MAIL FROM:<a@b.example>\r\n"
#define MAIL_OK "250 2.1.0 Ok\r\n"
#define RCPT "RCPT TO:<ok@d.example>\r\n"
#define RCPT_OK "250 2.1.5 Ok\r\n"
#define DATA "DATA\r\n"
#define GO "354 End data with <CR><LF>.<CR><LF>\r\n"
#define SENT "250 2.0.0 Queued\r\n"
#define QUIT "QUIT\r\n"
#define BYE "221 2.0.0 Bye\r\n"
#define NOOP "NOOP\r\n"
#define OK "250 2.0.0 Ok\r\n"
#define TO_DATA HELO MAIL RCPT DATA
#define TO_GO HELO_OK MAIL_OK RCPT_OK GO
#define NO_USER "550 5.1.1 No such user\r\n"
#define NO "RCPT TO:<no@x.example>\r\n"
#define TOO_MANY "452 4.5.3 Too many recipients\r\n"
#define TEN(x) x x x x x x x x x x
#define BARE                                                                   \
	"550 5.6.11 Bare CR or LF in the message; RFC 5321 allows only CRLF\r" \
	"\n"

/* A client's words and what they are answered. */
struct play_row {
	const char *name;
	const char *in, *out;
	const char *body; /* of the last message that was taken, or NULL */
};

enum mode { AT_ONCE, LATE, REVERSED, MODES };

/* A question of the engine's that waits for its answer. */
struct due {
	int what; /* 'm', 'r', 'd', 'e' */
	unsigned slot;
	struct session_reply r;
};

struct play {
	struct session s;
	struct buf out, body;
	enum mode mode;
	struct due dues[64];
	size_t due_count;
	char sender[64];
	unsigned resets, refusals, handshakes;
	struct smtp_xclient xclient; /* the last */
	bool in_mail;
};
extern struct play p;
extern const struct session_conf play_conf;

/*
 * Senders: bad@ is refused, nodata@ at DATA, noend@ at the end, nowrite@
 * fails in its body.  Recipients: no@ is refused, tmp@ put off.
 */
void play_open(enum mode mode);
void play_close(void);
/* Gives all of in, at most chunk bytes more at a time. */
void play_feed(const char *in, size_t len, size_t chunk);
/* The answers that are due, in the order of the mode. */
void play_answer(void);
static inline const char *
play_mode_name(enum mode mode)
{
	static const char *const names[] = { "at once", "late", "reversed" };

	return names[mode];
}

/* Each whole and in pieces, in each mode: the replies are the same. */
static inline void
play_rows(const struct play_row *rows, size_t count)
{
	size_t i, chunk;
	int mode;

	for (i = 0; i < count; i++) {
		const struct play_row *r = &rows[i];

		for (mode = 0; mode < MODES; mode++) {
			for (chunk = 1; chunk < 100000; chunk *= 9) {
				play_open(mode);
				play_feed(r->in, strlen(r->in), chunk);
				CHECK_STR(buf_str(&p.out), r->out,
					  "%s (%s, %zu bytes)", r->name,
					  play_mode_name(mode), chunk);
				if (r->body != NULL)
					CHECK_STR(buf_str(&p.body), r->body,
						  "%s: the body", r->name);
				CHECK_INT(p.resets, 0,
					  "%s: resets only what began",
					  r->name);
				play_close();
			}
		}
	}
}

#endif
