/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DNS for a worker, which has no network: questions go over its channel
 * to the pool and on to lookup, and are waited for.
 */
#ifndef WORKER_DNS_H
#define WORKER_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "chan.h"
#include "records.h"

#define WORKER_QUESTIONS_MAX 40 /* of one message */

struct worker_dns {
	struct chan *c;
	uint32_t token; /* of the last question */
	unsigned left; /* questions that may still be asked */
	int64_t end_ms; /* all answers are failures from then on */
	struct buf records; /* of the last answer */
	bool is_lost; /* the channel is gone or out of step: exit */
};

/* A zeroed struct begins with its first message; time for all its
 * questions together. */
void worker_dns_start(struct worker_dns *w, struct chan *c, int64_t time_ms);
/* What SPF and its like are given.  Frames that were received before are
 * no longer valid once it has been used. */
struct dns_asker worker_dns_asker(struct worker_dns *w);

#endif
