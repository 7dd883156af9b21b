/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sender authentication of one message: SPF, DKIM and DMARC, worked out at
 * most once, when somebody wants to know.  It asks DNS and blocks, by at
 * most WORKER_QUESTIONS_MAX questions.  SPF is what stage 1 has found where
 * it was asked there.
 *
 * What DNS did not answer for is a temperror: no opinion, never a pass.
 */
#ifndef AUTH_H
#define AUTH_H

#include "dkim.h"
#include "dmarc.h"
#include "filter.h"
#include "spf.h"
#include "worker_dns.h"

#define AUTH_TIME_MS 20000 /* for all of it */

struct auth_result {
	struct spf spf;
	bool was_asked; /* SPF is stage 1's */
	struct dkim_report dkim;
	struct dmarc_report dmarc;
};

/* A message's; the worker's DNS is used by one message after the other. */
struct auth {
	struct worker_dns *dns;
	struct chan *c;
	bool is_known;
	struct auth_result result;
};

/* In the pool, before workers are forked: what a jail would hide. */
void auth_prepare(void);
/*
 * NULL where nothing can be said: mail of our own hosts, or without a
 * channel to ask by.  The result lasts as long as the message.
 */
const struct auth_result *auth_get(const struct filter_mail *m);

/* The value of our Authentication-Results field, unfolded. */
void auth_field(const struct filter_mail *m, const struct auth_result *r,
		const char *id, struct buf *out);

#endif
