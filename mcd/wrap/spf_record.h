/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The grammar of an SPF record (RFC 7208 section 12), strictly, and its
 * terms as libspf2 can be given them.  Knows no library and asks nobody.
 */
#ifndef SPF_RECORD_H
#define SPF_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "buf.h"
#include "err.h"

#define SPF_RECORD_MAX 4096 /* bytes; longer ones are no record */
#define SPF_TERM_MAX 255 /* bytes */

struct spf_term {
	const char *given; /* as it stands in the record */
	const char *text; /* for libspf2 */
	/* A prefix length of 0: whatever address is found matches. */
	bool is_any;
};

/* Whether a TXT record is an SPF record at all (section 4.5). */
bool spf_record_is(struct span text);

/*
 * Reads a record: its mechanisms in their order, then redirect=.  What can
 * have no part in the result (exp=, unknown modifiers, networks of the
 * other family than the client's) is checked and left out.  -1: e says
 * what breaks the grammar.
 */
int spf_record_read(struct span text, bool is_v4, struct arena *a,
		    struct spf_term **terms, size_t *count, struct err *e);

#endif
