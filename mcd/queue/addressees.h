/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The envelope of a message in outgoing with its recipients by domain.
 * A message of many domains is delivered in as many jobs: the last ones
 * that were read are kept, so that not every job reads it all again.
 */
#ifndef ADDRESSEES_H
#define ADDRESSEES_H

#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "arena.h"
#include "dict.h"
#include "envelope.h"
#include "err.h"
#include "message.h"

#define ADDRESSEES_END SIZE_MAX

struct addressees {
	struct arena arena;
	struct envelope env;
	struct dict first; /* domain -> place in env.rcpts, from 1 */
	size_t *next; /* a recipient's next of its domain, or END */
	char name[ENVELOPE_NAME_SIZE]; /* "" for none */
	uint64_t generation; /* of the message when it was read */
	int64_t used_ms;
};

/* The key of an address's domain; what is none goes by its own letters. */
void addressees_key(const char *address, char dst[ADDRESS_DOMAIN_MAX + 1]);

/* *out is borrowed until the next call here; set for ENVELOPE_OK. */
enum envelope_result addressees_get(const struct message *m,
				    const struct addressees **out,
				    struct err *e);
/* The first recipient of a domain, or ADDRESSEES_END. */
size_t addressees_first(const struct addressees *a, const char *domain);

void addressees_release(void);

#endif
