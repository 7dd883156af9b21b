/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SMTP syntax (RFC 5321) without any policy or I/O: command lines with
 * their parameters for the server, replies for the client, and the two
 * directions of the end-of-data transparency.
 */
#ifndef SMTP_H
#define SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "buf.h"
#include "err.h"

/* RFC 5321 section 4.5.3.1.4: 512, plus what extensions add. */
#define SMTP_LINE_MAX 2048
#define SMTP_REPLY_LINE_MAX 2048
#define SMTP_REPLY_LINES_MAX 100
#define SMTP_REPLY_TEXT_MAX 1000

enum smtp_verb {
	SMTP_UNKNOWN,
	SMTP_HELO,
	SMTP_EHLO,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_BDAT,
	SMTP_RSET,
	SMTP_NOOP,
	SMTP_QUIT,
	SMTP_VRFY,
	SMTP_EXPN,
	SMTP_HELP,
	SMTP_STARTTLS,
	SMTP_AUTH,
	SMTP_XCLIENT
};

enum smtp_body { SMTP_BODY_7BIT, SMTP_BODY_8BITMIME, SMTP_BODY_BINARYMIME };

/* A parsed command; spans point into the line. */
struct smtp_command {
	enum smtp_verb verb;
	struct span arg; /* all behind the verb, trimmed */
	/* MAIL and RCPT: */
	struct address path;
	bool has_size;
	uint64_t size; /* SIZE= (RFC 1870) */
	enum smtp_body body; /* BODY= (RFC 6152) */
	bool smtputf8; /* RFC 6531 */
	struct span envid, ret; /* DSN, RFC 3461, of MAIL */
	struct span notify, orcpt; /* of RCPT */
	/* BDAT (RFC 3030): */
	uint64_t chunk;
	bool is_last;
};

/* The SMTP reply that goes with a syntax error. */
struct smtp_fault {
	int code; /* 500, 501, 553, 555 */
	const char *enhanced; /* RFC 3463, static */
	struct err text;
};

/*
 * Parses a line without its line end.  Bytes above 127 are refused unless
 * utf8 is set; NUL and other controls always.  An unknown verb is no
 * error: SMTP_UNKNOWN.  -1 fills fault; out->verb is right then too.
 * A size beyond 64 bits is the largest.  What HELO, AUTH and the like have
 * as their argument is not looked into.
 */
int smtp_parse_command(struct span line, bool utf8, struct smtp_command *out,
		       struct smtp_fault *fault);
const char *smtp_verb_name(enum smtp_verb v);

/* A reply of a server as a client reads it, line by line. */
struct smtp_reply {
	int code; /* 0 before the first line */
	char enhanced[16]; /* "5.1.1" or "" */
	/* Lines joined by " ", printable, without their enhanced codes. */
	char text[SMTP_REPLY_TEXT_MAX];
	size_t text_len;
	int lines;
};

void smtp_reply_clear(struct smtp_reply *r);
/*
 * Takes the next line (without line end): 1 when the reply is complete, 0
 * when more lines follow, -1 when it breaks the grammar, changes its code
 * or has too many lines.
 */
int smtp_reply_line(struct smtp_reply *r, struct span line, struct err *e);

/*
 * The receiving side of DATA: takes bytes as they come in any pieces,
 * appends the message un-dot-stuffed to out.  Only CRLF.CRLF ends it.  A
 * line is what stands between two CRLF of the sender; a dot at its start
 * is dropped, and only then are bare CR and LF in it made CRLF or not.
 */
enum smtp_data_state {
	SMTP_DATA_CRLF, /* at the start of a line (also the first) */
	SMTP_DATA_TEXT,
	SMTP_DATA_CR,
	SMTP_DATA_DOT,
	SMTP_DATA_DOT_CR,
	SMTP_DATA_END
};

struct smtp_data {
	enum smtp_data_state state;
	/* The bytes of BDAT (RFC 3030): no dots are taken off, and the end is
	 * smtp_data_end().  Set after smtp_data_init(). */
	bool is_chunked;
	bool makes_crlf; /* knob: bare CR or LF become CRLF, else counted */
	bool has_bare; /* a bare CR or LF was seen */
	bool has_nul;
	bool has_8bit;
	size_t line_len; /* of the current line */
	size_t line_max; /* the longest seen, without CRLF */
};

void smtp_data_init(struct smtp_data *d);
/*
 * Returns the number of bytes of in that were consumed: all of them, or
 * up to and with the end mark, after which d->state is SMTP_DATA_END.
 * At most 2 * in.len + 2 bytes are appended; -1 when out refuses.
 */
int64_t smtp_data_receive(struct smtp_data *d, struct span in, struct buf *out);

/* The end of what is_chunked: a CR that came last is a bare one. */
int smtp_data_end(struct smtp_data *d, struct buf *out);

/* The sending side: dot-stuffs a message that comes in pieces. */
struct smtp_stuff {
	bool in_line; /* false at the start of a line */
	bool had_cr;
};

void smtp_stuff_init(struct smtp_stuff *s);
/*
 * Appends the stuffed text.  A bare CR or LF in the message, which could
 * end the data early at a lax server, is sent as CRLF.
 */
int smtp_stuff_send(struct smtp_stuff *s, struct span in, struct buf *out);
/* Appends the end mark, with a CRLF before it if the last line has none. */
int smtp_stuff_end(struct smtp_stuff *s, struct buf *out);

#endif
