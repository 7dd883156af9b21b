/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Greylisting (RFC 6647): the first mail of a client's network, sender and
 * recipient that were not seen together is put off; a server tries again,
 * most who send spam do not.  Networks are /24 and /64, as a sender's next
 * try may come from the host beside.  Digits in a sender count as one, so
 * that mailing lists (VERP) are known again.  A network that has come
 * through so often is known itself, and waits no more.
 *
 * The tables are bounded: triplets that wait and those that are known have
 * each a size of their own, and the ones seen longest ago go first, so that
 * a flood of new ones displaces nobody who is known.
 */
#ifndef GREYLIST_H
#define GREYLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ip.h"
#include "peer.h"
#include "setting.h"

struct greylist_triplet {
	struct ip client;
	const char *sender; /* "" for the null sender: as any other */
	const char *rcpt; /* canonical */
};

/* What is decided at now_ms (wall clock).  With is_dry nothing is changed.
 * *wait_ms gets what is left to wait, where it waits. */
enum grey greylist_judge(const struct greylist_triplet *t,
			 const struct knobs *k, int64_t now_ms, bool is_dry,
			 int64_t *wait_ms);

/* A grey_ask of incoming's. */
void greylist_ask(peer_id from, struct frame *f);

/* A row of seen.db, the oldest first. */
void greylist_recall(const char *kind, const char *key, const char *value,
		     int64_t at_ms);

/* For mcctl, as verify_list() and verify_flush(). */
void greylist_list(peer_id p, uint32_t token, const char *word,
		   const char *cursor, char *dst, size_t size);
size_t greylist_flush(const char *word, bool *has_more);

#endif
