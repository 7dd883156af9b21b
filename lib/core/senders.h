/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lists of senders: what they say of a message.  Rows of settings.db of the
 * kind "sender" (found by their name) and "pattern" (looked through):
 *
 *   user@domain      an address
 *   @domain          all of a domain
 *   @*.domain        all of the domains under it
 *   a*b@c*           a pattern, * for any characters (kind "pattern")
 *   192.0.2.0/24     clients of a network (kind "pattern")
 *
 * The value is "allow", "block" or "warn", and " auth" behind it where an
 * allow entry wants the sender to be proven.
 *
 * The nearest scope with an entry that counts decides: user, then domain,
 * then global.  In a scope the more special entry counts: address, domain,
 * domains under it (the longest first), network (the smallest first),
 * pattern; of equals block before allow before warn.
 *
 * An allow entry could be used by whoever forges the sender.  So it counts
 * for an envelope sender only while nothing speaks against that, and for
 * the address in From only when that is proven; see struct sender_facts.
 */
#ifndef SENDERS_H
#define SENDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "ip.h"
#include "lists.h"

#define SENDERS_ENTRY_SIZE 330
#define SENDERS_ROWS_MAX 10000 /* of one scope looked through */

enum sender_word { SENDER_ALLOW, SENDER_BLOCK, SENDER_WARN };
const char *sender_word_name(enum sender_word w);
int sender_word_parse(const char *name, enum sender_word *out);

/* How sure it is that an address is not forged. */
enum sender_proof { PROOF_AGAINST, PROOF_NONE, PROOF_PASS };

struct sender_facts {
	const char *envelope; /* "" for the null sender */
	const char *from; /* address in From, "" when there is not one alone */
	struct ip client;
	bool by_envelope, by_from; /* which of them are looked for */
	bool wants_auth; /* allow entries want proof, whatever they say */
	/* Asked only when an allow entry fits. */
	enum sender_proof (*proof)(void *arg, bool of_from);
	void *arg;
};

struct sender_match {
	bool is_found;
	enum sender_word word;
	char entry[SENDERS_ENTRY_SIZE];
	const char *level; /* "user", "domain", "global" */
	const char *by; /* "envelope sender", "From", "client" */
	/* An allow entry fits and does not count, as the sender is not proven:
	 * for the explanation, whether something else is found or not. */
	bool has_unproven;
};

void senders_match(const struct lists *l, const struct lists_scope *scope,
		   const struct sender_facts *f, struct sender_match *out);

/*
 * An entry as people type it in its usual form, which is its key:
 * "Example.ORG" is "@example.org", "*.example.org" "@*.example.org".
 * *is_pattern tells the kind.  -1 with e.
 */
int senders_entry(const char *text, char dst[SENDERS_ENTRY_SIZE],
		  bool *is_pattern, struct err *e);
/* Whether a pattern (lower case) fits an address. */
bool senders_fits(const char *pattern, const char *address);

#endif
