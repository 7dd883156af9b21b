/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rows "trusted" of settings.db: whom mail is taken from without further
 * questions.  A key is "host:192.0.2.0/24", whose mail is ham;
 * "relay:192.0.2.0/24", whose Received fields are believed; or
 * "spf:example.org", a domain whose mail is ham when SPF says pass.  The
 * value is a note.
 */
#ifndef TRUSTED_H
#define TRUSTED_H

#include <stdbool.h>

#include "err.h"
#include "ip.h"
#include "lists.h"

#define TRUSTED_KEY_SIZE 280

/* The key of a row, canonical; kind is "host", "relay" or "spf". */
int trusted_key(const char *kind, const char *what, char dst[TRUSTED_KEY_SIZE],
		struct err *e);

/* The row of this kind that holds ip, as it is written; NULL for none. */
const char *trusted_net(const struct lists *l, const char *kind,
			const struct ip *ip);
/* The row "spf" that is domain or a domain above it. */
const char *trusted_spf(const struct lists *l, const char *domain);

#endif
