/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Values such as `text/plain; charset=utf-8; name="a b"`: the first word
 * and its parameters (RFC 2045 section 5.1, RFC 2231), as written and as
 * other readers may take them.
 */
#ifndef MIME_PARAM_H
#define MIME_PARAM_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "buf.h"

#define PARAM_MAX 64 /* of one value; what follows is not looked at */
#define PARAM_TEXT_MAX 4096 /* bytes of one value that are looked at */
#define PARAM_READINGS_MAX 8

struct mime_param {
	const char *name; /* lower case, without *0* */
	struct span value; /* quotes and comments taken off */
	int section; /* of RFC 2231; -1 none */
	bool is_extended; /* percent-encoded */
};

struct mime_value {
	const char *word; /* lower case, "" when there is none */
	struct mime_param params[PARAM_MAX];
	size_t count;
	bool is_odd; /* readers may take it in several ways */
	const char *text; /* all of it, unfolded */
};

/* All memory is of the arena; NULL is never returned. */
void mime_value_read(struct arena *a, struct span value,
		     struct mime_value *out);
/*
 * What a parameter says, UTF-8 without controls, or NULL: RFC 2231 before
 * the plain form, encoded words decoded.  is_odd is set where the sections
 * are not in order or the parameter comes twice with another value.
 */
const char *mime_param_get(struct arena *a, struct mime_value *v,
			   const char *name);
/* The same as it stands: for boundaries, where no word is decoded. */
const char *mime_param_raw(struct arena *a, struct mime_value *v,
			   const char *name);
/*
 * What readers may take a parameter for, without duplicates: up to
 * PARAM_READINGS_MAX texts; how many.  The first is mime_param_get()'s
 * where there is one.
 */
size_t mime_param_readings(struct arena *a, struct mime_value *v,
			   const char *name,
			   const char *out[PARAM_READINGS_MAX]);

#endif
