/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A mail under way: what commit.c (body and commit) and commit_rcpt.c (its
 * recipients) share.  For nobody else.
 */
#ifndef COMMIT_MAIL_H
#define COMMIT_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "checks.h"
#include "connection.h"
#include "dict.h"
#include "list.h"

/* A recipient, first asked for, then accepted. */
struct rcpt_item {
	struct list node;
	struct mail *mail;
	uint32_t token; /* 0: answered */
	unsigned slot;
	bool is_outbound;
	bool has_at_data; /* refuses spam at the end of data */
	const char *given; /* as the client wrote it */
	const char *address; /* to deliver to */
	const char *orcpt, *notify;
	struct check_rcpt facts; /* while it is checked */
	struct check_run *run; /* NULL: none */
};

/* Knobs of recipients that share them, as control sent them. */
struct rcpt_knobs {
	struct list node;
	struct span text;
	struct knobs knobs;
};

enum body_step {
	BODY_NONE,
	BODY_ASKED, /* body_token is out */
	BODY_OPEN, /* fd and id are ours */
	BODY_REFUSED, /* refusal says why */
	BODY_SENT /* the commit is out, or done */
};

/* A transaction. */
struct mail {
	struct connection *c;
	struct arena arena;
	struct check_mail *checks;
	const char *sender, *envid, *ret;
	bool is_8bit, is_utf8;
	bool is_outbound;
	bool is_peer; /* the client's fields with our prefix are believed */
	uint64_t size_hint;
	struct list asked, accepted; /* struct rcpt_item */
	struct list knobs; /* struct rcpt_knobs */
	struct dict addresses; /* of the accepted */
	unsigned rcpt_count; /* accepted, each address once */
	enum body_step step;
	uint32_t body_token, commit_token;
	int fd;
	char id[24];
	struct check_run named; /* waits for the client's name at DATA */
	bool is_named_due;
	bool is_data_due; /* the session waits for the descriptor */
	struct session_reply refusal;
	char refusal_text[SESSION_TEXT_MAX];
	uint64_t size;
	char message_id[256];
};

/* Asks queue for a descriptor, if that was not done yet. */
void mail_body_ask(struct mail *m);

/* A RCPT, as in struct session_ops. */
void mail_on_rcpt(void *arg, const struct smtp_command *cmd, unsigned slot);
/* It will not be answered any more. */
void mail_rcpt_stop(struct rcpt_item *it);

#endif
