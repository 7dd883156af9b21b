/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DKIM (RFC 6376, 8301, 8463): which signatures of a message hold.  Asks
 * DNS for keys and blocks meanwhile; it belongs into a worker.  The message
 * is fed in blocks and not kept; each signature gets its own result.
 */
#ifndef DKIM_H
#define DKIM_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "records.h"

enum dkim_result {
	DKIM_RESULT_NONE, /* no signature */
	DKIM_RESULT_PASS,
	DKIM_RESULT_FAIL, /* it does not fit the message */
	DKIM_RESULT_POLICY, /* it fits, and does not count */
	DKIM_RESULT_NEUTRAL, /* it was not looked at */
	DKIM_RESULT_TEMPERROR, /* DNS did not answer: try again */
	DKIM_RESULT_PERMERROR /* signature, key or message are malformed */
};
#define DKIM_RESULTS 7

#define DKIM_SIGS_MAX 10 /* that are verified and reported */

struct dkim_sig {
	enum dkim_result result;
	char domain[DNS_NAME_SIZE]; /* d=, "" where it cannot be read */
	char selector[DNS_NAME_SIZE];
	char algorithm[32]; /* "rsa-sha256", "" */
	/* l= covers less than the body: others may have added to it. */
	bool is_partial;
	char reason[80]; /* of what is no pass, for people */
};

struct dkim_report {
	/* The best of the signatures: a pass, or else the first. */
	enum dkim_result result;
	struct dkim_sig sig[DKIM_SIGS_MAX];
	size_t count;
	size_t more; /* signatures beyond those */
	char reason[80]; /* where no signature says why */
};

struct dkim_check;

/* Before a jail: what the libraries load when they are first used. */
void dkim_prepare(void);
/* NULL when the library cannot be set up.  dns is used until
 * dkim_check_end(). */
struct dkim_check *dkim_check_new(const struct dns_asker *dns);
/* The next block.  A line may end in LF alone. */
void dkim_check_feed(struct dkim_check *k, struct span block);
/* The message is over; k is gone. */
void dkim_check_end(struct dkim_check *k, struct dkim_report *out);

/* RFC 8601 section 2.7.1 */
const char *dkim_result_name(enum dkim_result r);

#endif
