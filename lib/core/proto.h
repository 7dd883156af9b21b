/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The frames of proto.def as structs, and their codec.  A frame on the
 * wire is a header (u16 type, u16 zero, u32 token, little-endian) and its
 * fields in order: integers little-endian, STR and BLOB as u32 length and
 * bytes, STR followed by a NUL.  A datagram is one frame.
 */
#ifndef PROTO_H
#define PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

enum role {
	ROLE_PARENT,
	ROLE_INCOMING,
	ROLE_QUEUE,
	ROLE_FILTER, /* the pool */
	ROLE_WORKER, /* of the pool */
	ROLE_LOOKUP,
	ROLE_OUTGOING,
	ROLE_CONTROL,
	ROLE_STORE,
	ROLE_CTL, /* an mcctl at the control socket */
	ROLE_COUNT
};

const char *role_name(enum role r);
int role_parse(const char *name, enum role *out);

/* The three answers there are about mail. */
enum answer { ANSWER_OK, ANSWER_LATER, ANSWER_NO };

/* Of a connection to spamd. */
enum spamd_status {
	SPAMD_READY,
	SPAMD_UNSET, /* mcd.conf names none */
	SPAMD_BUSY, /* all connections are in use, or lookup is down */
	SPAMD_DOWN /* it does not take any */
};

/* What came of asking a filter. */
enum call_outcome {
	CALL_NOTHING, /* it found nothing to say */
	CALL_HAM,
	CALL_SPAM, /* or a virus */
	CALL_UNKNOWN, /* could not tell */
	CALL_FAULT, /* because its engine or server failed */
	CALL_LEFT_OUT /* was not asked: its breaker is open */
};

/* What control says of a recipient. */
enum rcpt_status {
	RCPT_OK,
	RCPT_LATER, /* the settings cannot be read, or nothing is set up */
	RCPT_BAD, /* no address */
	RCPT_NOT_OURS, /* and the client may not send outwards */
	RCPT_UNKNOWN /* not in the local list */
};

enum rcpt_flag {
	RCPT_FROM_RELAY = 1, /* the client is a relay host */
	RCPT_FROM_PEER = 2, /* its fields with our prefix are believed */
	RCPT_FROM_OWN = 4 /* the sender's domain is ours */
};

/* What a domain's servers say of a recipient. */
enum callout { CALLOUT_YES, CALLOUT_NO, CALLOUT_UNREACHABLE };

/* What greylisting says of a client, sender and recipient. */
enum grey {
	GREY_NEW, /* put off: not seen together before */
	GREY_EARLY, /* put off: the delay is not over yet */
	GREY_PASSED, /* has come again */
	GREY_KNOWN, /* has come through before */
	GREY_CLIENT /* all of this client passes */
};

enum action { ACTION_DELIVER, ACTION_HOLD, ACTION_QUARANTINE, ACTION_DISCARD };

/* What the filters hold a message for: its sender is told nothing. */
enum judged {
	JUDGED_SPAM = 1,
	JUDGED_VIRUS = 2,
	JUDGED_DANGEROUS = 4, /* what nobody could look into */
	/* Where all recipients have this its sender is told, if he waits. */
	JUDGED_REFUSE = 8
};

enum scan_status {
	SCAN_DONE,
	SCAN_LATER, /* could not be judged now; counts for nothing */
	SCAN_DIED, /* the worker died computing: counts against the mail */
	SCAN_LOST /* the worker went for another reason */
};

/* Words of the knobs dest_mode, dest_tls and dest_8bit, in their order. */
enum route_mode { ROUTE_ORDER, ROUTE_BALANCE, ROUTE_MX };
enum dest_tls {
	DEST_TLS_NONE,
	DEST_TLS_MAY,
	DEST_TLS_REQUIRE,
	DEST_TLS_VERIFY
};
enum dest_8bit { DEST_8BIT_SEND, DEST_8BIT_BOUNCE };

enum outcome { OUTCOME_DELIVERED, OUTCOME_DEFERRED, OUTCOME_FAILED };

#define PROTO_FRAME_MAX 65536 /* bytes of a datagram */

/* clang-format off */
/* Pointers of a decoded frame point into the received bytes. */
#define FRAME(n, value, from, to, fd, part) struct frame_##n {
#define STR(n, max) const char *n;
#define BLOB(n, max) struct span n;
#define U32(n) uint32_t n;
#define U64(n) uint64_t n;
#define I64(n) int64_t n;
#define END(n) };
#include "proto.def"
#undef FRAME
#undef STR
#undef BLOB
#undef U32
#undef U64
#undef I64
#undef END

/* clang-format on */

enum frame_type {
#define FRAME(n, value, from, to, fd, part) FRAME_##n = value,
#define STR(n, max)
#define BLOB(n, max)
#define U32(n)
#define U64(n)
#define I64(n)
#define END(n)
#include "proto.def"
#undef FRAME
#undef STR
#undef BLOB
#undef U32
#undef U64
#undef I64
#undef END
};

enum frame_part { FRAME_NOTE, FRAME_ASK, FRAME_MORE, FRAME_LAST };
enum frame_fd { FRAME_NO_FD, FRAME_WITH_FD, FRAME_MAY_FD };

/* What proto.def says of one frame. */
struct frame_info {
	const char *name;
	enum frame_type type;
	uint32_t from, to; /* sets: 1 << role */
	enum frame_fd fd;
	enum frame_part part;
	size_t size; /* of the struct */
	const struct frame_field *fields;
	size_t field_count;
};

/* NULL for an unknown type. */
const struct frame_info *frame_info(unsigned type);

/* A received frame.  body is valid until the next receive of any channel. */
struct frame {
	const struct frame_info *info;
	enum frame_type type;
	uint32_t token;
	int fd; /* -1: none; the handler owns it, or sets -1 after taking it */
	const void *body; /* struct frame_NAME */
};

/* The body as its struct: FRAME_BODY(f, commit)->size. */
#define FRAME_BODY(f, n) ((const struct frame_##n *)(f)->body)

/*
 * Appends header and fields.  A NULL STR is "".  token is 0 for a NOTE and
 * not 0 for all else.  -1 when that is not so, a field is over its limit
 * or the frame is too large: the frame is then not appended.
 */
int frame_encode(enum frame_type type, uint32_t token, const void *body,
		 struct buf *out, struct err *e);
/*
 * Decodes a datagram into f; body goes to storage, aligned, at least
 * FRAME_BODY_MAX bytes.  Checks type, token, every length and limit, NULs
 * inside STR, and that nothing is left over; not who sent it.
 */
#define FRAME_BODY_MAX 512
int frame_decode(struct span in, void *storage, struct frame *f, struct err *e);

#endif
