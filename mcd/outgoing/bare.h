/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses whose TLS has failed where it was not required.  They are
 * reached without TLS for a while (dest_tls_broken_keep), so that not each
 * session to them begins with a failure.  In memory only.
 */
#ifndef BARE_H
#define BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ip.h"
#include "peer.h"

#define BARE_MAX 10000 /* addresses; more are not remembered */

/* Its TLS has failed, and is not tried again before until_ms. */
void bare_note(const char *name, const struct ip_port *to, const char *why,
	       int64_t now_ms, int64_t until_ms);
bool bare_is_known(const struct ip_port *to, int64_t now_ms);
/* Its TLS works. */
void bare_forget(const struct ip_port *to);
/* All whose key has word in it; how many there were. */
size_t bare_flush(const char *word);

/*
 * The questions of mcctl: dest-list WORD, a row of each, and dest-flush
 * WORD, a row with how many are forgotten.  Both answer at once; false:
 * it is none of them.
 */
bool bare_ask(peer_id from, struct frame *f, int64_t now_ms);

#endif
