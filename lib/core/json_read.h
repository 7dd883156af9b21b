/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading JSON (RFC 8259): a text becomes nodes in the order in which they
 * begin.  Depth and number of nodes are limited; a text that is not all
 * JSON is refused whole.
 */
#ifndef JSON_READ_H
#define JSON_READ_H

#include <stddef.h>

#include "buf.h"
#include "err.h"

#define JSON_DEPTH_MAX 32
#define JSON_NODES_MAX 65536

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json_node {
	enum json_type type;
	const char *name; /* of a member, else NULL */
	const char *text; /* as it stands, of a string what it means; of an
			   * array or object "" */
	size_t end; /* index behind its last node: the next beside it; the
		     * first node inside is the next of all */
};

/* A zeroed one is empty and usable; texts and nodes are its own. */
struct json {
	struct buf text;
	struct json_node *nodes; /* the first is the whole */
	size_t count, room;
};

/*
 * Replaces what was read before; -1 with e (may be NULL), and then it is
 * empty.  A NUL in a string becomes U+FFFD, and so does half a surrogate
 * pair; other bytes are taken as they are.
 */
int json_read(struct json *j, struct span in, struct err *e);
/* Makes `to` what `from` is. */
void json_copy(struct json *to, const struct json *from);
void json_release(struct json *j);
/* A member of the object at index `of`; NULL when it has none. */
const struct json_node *json_member(const struct json *j, size_t of,
				    const char *name);

#endif
