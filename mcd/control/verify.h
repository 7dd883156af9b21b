/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whether recipients exist, as their domains' servers say: what is known,
 * for as long as the knobs keep it, and callouts by outgoing for what is
 * not.  One callout for an address at a time, a few for a domain.
 */
#ifndef VERIFY_H
#define VERIFY_H

#include "peer.h"

/* A verify_ask of incoming's. */
void verify_ask(peer_id from, struct frame *f);
/* A row of seen.db, the oldest first. */
void verify_recall(const char *key, const char *value, int64_t at_ms);
/* Incoming is gone: nobody waits any more. */
void verify_forget_askers(void);

/*
 * For mcctl: rows to p under token of what is known, word by word of their
 * address or domain ("": all), behind cursor; dst gets the next cursor, ""
 * at the end.
 */
void verify_list(peer_id p, uint32_t token, const char *word,
		 const char *cursor, char *dst, size_t size);
/* Forgets them; returns how many.  Some thousands at a time: has_more says
 * that others are left. */
size_t verify_flush(const char *word, bool *has_more);

#endif
