/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One delivery: up to 100 recipients of one domain, what was answered for
 * each, and the step from there to the envelope.  Shared by deliver.c,
 * which asks, and settle.c, which acts on the answers.
 */
#ifndef JOB_H
#define JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "envelope.h"
#include "list.h"
#include "message.h"
#include "proto.h"
#include "schedule.h"

#define JOB_RCPTS_MAX 100
#define JOB_STATUS_SIZE 512 /* of an answer is kept, NUL included */

struct target {
	const char *address;
	bool is_told; /* outgoing has said what became of it */
	bool is_expired; /* deferred, and too old */
	bool has_dsn; /* delivered, and the next hop tells of it */
	enum outcome outcome;
	const char *enhanced;
	const char *status; /* "450 4.2.0 words" */
	const char *relay;
	int64_t at_us; /* when it was told */
};

struct job {
	struct list node;
	struct message *m;
	struct group *g;
	struct arena arena;
	struct target *targets; /* in the order of the envelope */
	size_t count;
	uint32_t level; /* attempts all of them had */
	bool is_lost; /* outgoing went away before the end */
	bool has_answer; /* a server's */
	bool has_success;
	const char *why; /* the last status */
	int64_t at_us; /* when the last was told */
	/* While the envelope is changed. */
	uint32_t least; /* attempts of those who are left */
	int64_t wait_ms; /* of the group, < 0: nobody is left */
};

void settle_init(void (*idle)(struct message *m));
/* Takes the job, whatever is told in it. */
void settle_job(struct job *j);
size_t settle_pending(void);

#endif
