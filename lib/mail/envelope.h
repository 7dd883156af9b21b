/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The envelope of a message in the spool, and its durable text form:
 * versioned `key: value` lines with a generation, closed by an end line
 * that holds a CRC-32 of all before it.  A newer mcd reads what an older
 * one wrote; an older one refuses a newer version by name.
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"

/* The newest that is read.  The oldest that says all is written, so that
 * an older mcd can go on with what it understands. */
#define ENVELOPE_VERSION 3
#define ENVELOPE_MAX (64 * 1024 * 1024) /* bytes of one envelope file */
#define ENVELOPE_RCPTS_MAX 20000
#define ENVELOPE_EDITS_MAX 256 /* of one fate */
#define ENVELOPE_EDIT_MAX 16384 /* bytes of one replacement */
#define ENVELOPE_EDITS_BYTES_MAX 32768 /* replacements of one fate in all */
#define ENVELOPE_CHILDREN_MAX 256

/* 16 characters of base 32, or ID.N of a split (N from 1). */
#define ENVELOPE_ID_LEN 16
#define ENVELOPE_ID_ALPHABET "0123456789abcdefghjkmnpqrstvwxyz" /* Crockford */
#define ENVELOPE_NAME_SIZE 24 /* ID.N and NUL */

/* The folder it is in is the state of a message. */
enum state {
	STATE_INCOMING,
	STATE_FILTERING,
	STATE_OUTGOING,
	STATE_HOLD,
	STATE_QUARANTINE,
	STATE_CORRUPT,
	STATE_COUNT
};

const char *state_name(enum state s);
int state_parse(const char *name, enum state *out);

/*
 * At offset of the body as stored, length bytes are left out and text is
 * put there.  Edits are ordered by offset and do not overlap; several at
 * one offset apply in their order.
 */
struct edit {
	uint64_t offset;
	uint64_t length;
	struct span text;
};

struct rcpt {
	const char *address; /* as delivered to */
	const char *orcpt; /* RFC 3461, xtext as given, "" if none */
	const char *notify; /* RFC 3461 NOTIFY as given, "" if none */
	uint32_t child; /* which fate of a split it goes to, 0: none */
	uint32_t attempts; /* deliveries tried */
	bool is_delay_told; /* a delay warning was sent */
	const char *status; /* last answer of the next hop, "" if none */
};

/* One fate of a message that is being split. */
struct child {
	uint32_t number; /* from 1: becomes ID.number */
	enum state state;
	const char *reason; /* for hold and quarantine, "" */
	bool is_spam, is_virus; /* its filters' verdict */
	bool is_dangerous; /* see below */
	struct edit *edits;
	size_t edit_count;
};

enum source { SOURCE_SMTP, SOURCE_OWN };

/* All pointers belong to one arena or to the caller. */
struct envelope {
	char name[ENVELOPE_NAME_SIZE]; /* ID or ID.N */
	uint64_t generation; /* grows with each durable change */
	const char *body; /* file name in body/: ID or ID.c */
	uint64_t size; /* of the body, bytes */
	uint64_t trailer; /* bytes behind the body in its file */
	int64_t received_us; /* wall clock, accepted */
	enum source source;
	bool is_outbound;
	bool is_8bit; /* BODY=8BITMIME */
	bool is_utf8; /* SMTPUTF8 */
	bool is_peer; /* its fields with our prefix are believed */
	bool is_spam, is_virus; /* the filters' verdict: nobody is told */
	/* Parked for what the antivirus cannot look into. */
	bool is_dangerous;
	const char *sender; /* "" for the null path */
	const char *client_ip; /* "" for our own */
	const char *client_name; /* verified reverse name or "" */
	const char *helo;
	const char *message_id;
	const char *subject; /* as it stands, cut, "" if none */
	const char *auth_spf; /* what SPF said at stage 1, "" if not asked */
	const char *envid, *ret; /* RFC 3461, "" if none */
	const char *reason; /* why it is held or parked, "" */
	uint32_t deaths; /* workers, or later outgoing, it killed (poison) */
	int64_t next_attempt_ms; /* wall clock, 0: at once */
	int64_t active_ms; /* time in outgoing while mcd ran */
	/* Seconds that mcd had run in all when it came into quarantine. */
	int64_t parked_s;
	struct edit *edits;
	size_t edit_count;
	struct rcpt *rcpts;
	size_t rcpt_count;
	struct child *children; /* not empty: a split is under way */
	size_t child_count;
};

/* All strings "", all else zero. */
void envelope_init(struct envelope *env);
/* True for 16 characters of the alphabet; span may have .N behind when
 * allow_child. */
bool envelope_name_valid(const char *name, bool allow_child);

/*
 * Appends the text form.  Whatever is in the strings is escaped; -1, and
 * nothing appended, when a limit above is passed, a name is none, the edits
 * do not fit the body, the children are not ordered by number, or a
 * recipient goes to a child that is not there.
 */
int envelope_write(const struct envelope *env, struct buf *out, struct err *e);

enum envelope_result {
	ENVELOPE_OK,
	ENVELOPE_BAD, /* damaged: e says which line */
	ENVELOPE_NEWER, /* written by a newer version */
	ENVELOPE_LATER /* the file could not be read; see spool.h */
};

/* Strings go to the arena. */
enum envelope_result envelope_read(struct span text, struct arena *a,
				   struct envelope *env, struct err *e);

/* Edits as one string of bytes, for frames: same limits, same checks. */
int edits_write(const struct edit *edits, size_t n, struct buf *out,
		struct err *e);
int edits_read(struct span in, struct arena *a, struct edit **edits, size_t *n,
	       struct err *e);
/* Ordered, not overlapping, within a body of size bytes. */
int edits_check(const struct edit *edits, size_t n, uint64_t size,
		struct err *e);
/* Size of the message after the edits. */
uint64_t edits_size(const struct edit *edits, size_t n, uint64_t size);

#endif
