/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The messages of the spool as the queue role remembers them: the least
 * that scheduling needs, in the order of their names.  Whole envelopes
 * are read from disk when they are needed.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "due.h"
#include "envelope.h"
#include "list.h"

struct group;
struct update;

/* What an administrator wants with a message that is at work now. */
enum wish { WISH_NONE, WISH_HOLD, WISH_UNHOLD, WISH_DELETE };

struct message {
	/* The index by name. */
	struct message *left, *right;
	uint32_t weight;

	uint32_t group_count; /* in outgoing: a group for each domain */
	struct group *groups;
	struct list backlog; /* of groups: see schedule.h */
	uint32_t ready_groups;
	struct update *update; /* results that are being taken in, or NULL */
	struct list node; /* on a list of its stage, or on none */
	struct due due; /* its next step, when that waits for a time */
	uint64_t generation; /* greatest that was tried */
	uint64_t size; /* of the body */
	int64_t received_us; /* wall clock */
	int64_t active_ms; /* time in outgoing, as of since_ms */
	int64_t since_ms; /* loop time */
	int64_t parked_s; /* in quarantine: since, see quarantine.h */
	char name[ENVELOPE_NAME_SIZE];
	uint32_t jobs; /* deliveries under way */
	uint8_t state; /* enum state */
	uint8_t ghosts; /* set of states whose folders may still hold it */
	uint8_t deaths; /* workers it killed */
	uint8_t tries; /* of a step that failed, for the back-off */
	uint8_t wish; /* enum wish */
	uint8_t kind; /* enum quar_kind, were it in quarantine */
	uint8_t heading; /* while it changes: the state it comes to */
	bool is_known : 1; /* generation, size and the rest were read */
	bool is_busy : 1; /* a change or a scan is under way */
	bool is_gone : 1; /* is being removed; not shown any more */
	bool is_splitting : 1; /* its children are being made */
	bool is_judged : 1; /* its verdict is being made durable */
	bool is_accounted : 1; /* start: the ledger knows it */
	bool is_orphan : 1; /* start: only its body was found */
	bool is_cleaned : 1; /* its body is ID.c */
	bool has_null_sender : 1;
};

/* Enters a message; the name is not there yet. */
struct message *message_new(const char *name, enum state s);
/* Takes over what envelope says. */
void message_learn(struct message *m, const struct envelope *env);
/* Takes it out and frees it; groups are gone by then. */
void message_free(struct message *m);
/* NULL when unknown; what is_gone is found too. */
struct message *message_find(const char *name);
/* The first whose name is greater than name; "" for the first of all. */
struct message *message_after(const char *name);
/* The envelopes that name stands for: itself, and when it is an ID all of
 * its children; NULL at the end. */
struct message *message_first_of(const char *name);
struct message *message_next_of(const char *name, const struct message *m);
/* Whether an envelope of the ID of name is left, m aside. */
bool message_has_kin(const struct message *m);

/* The only places where the counts change. */
void message_set_state(struct message *m, enum state s);
void message_set_gone(struct message *m);
size_t message_count(enum state s);
/* Bodies of the three queues, and the oldest message there (0: none). */
int64_t message_bytes(void);
int64_t message_oldest_us(void);

/* The wait before a failed step is tried again: 1 s .. 60 s. */
int64_t message_backoff_ms(struct message *m);

/* For the end of a process and for tests. */
void message_free_all(void);

#endif
