/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The verbs of administrators, for one message each.  queue_act.c brings
 * them messages that are at rest and answers for them.
 */
#ifndef QUEUE_VERB_H
#define QUEUE_VERB_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "envelope.h"
#include "err.h"
#include "list.h"
#include "message.h"
#include "record.h"

struct act;
struct request;

struct verb {
	const char *name;
	enum wish wish; /* for one that is at work; none: it needs no rest */
	/* 1 begun: it ends with act_done() or act_failed(); 0 nothing to do,
	 * -1 cannot be done with this one now. */
	int (*begin)(struct act *a, struct err *e);
};
extern const struct verb verb_retry, verb_hold, verb_unhold, verb_delete;
/* Only of what is in quarantine, of all its recipients or of some. */
extern const struct verb verb_quar_release, verb_quar_delete;

/* One message of a request. */
struct act {
	struct list node; /* waits for its message */
	struct request *r;
	struct message *m; /* not while it waits */
	char name[ENVELOPE_NAME_SIZE];
	const char *who; /* of the request */
	bool is_one_of_all;
	/* The recipients that are meant, each between two blanks and in lower
	 * case; "": all. */
	const char *rcpts;
	struct arena arena;
	struct envelope env;
	enum state from;
};

/* The message is what the administrator wanted: idle, or gone. */
void act_done(struct act *a);
/* Something to be said of it before. */
void act_row(struct act *a, const struct record *row);
/* Whether the act is about a recipient. */
bool act_means(const struct act *a, const char *rcpt);
/* code is of sysexits(3). */
void act_failed(struct act *a, uint32_t code, const struct err *e);
/* m is no more: what waits for it is told. */
void act_fail_waiting(const struct message *m);

#endif
