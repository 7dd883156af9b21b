/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rows of settings.db that filters look into while they work: scores of
 * rules, DNS lists, lists of senders.  control sends them to the workers
 * as one text; each row has a scope, and the nearest scope counts.
 *
 *   KIND TAB KEY TAB VALUE LF
 *
 * KEY is "global NAME", "domain example.org NAME" or "user local@dom NAME";
 * one without a scope is global.
 */
#ifndef LISTS_H
#define LISTS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "err.h"

#define LISTS_TEXT_MAX (64 * 1024 * 1024) /* bytes of all rows */

struct lists;

/* Whose rows are asked for, the nearest first: "" where there are none. */
struct lists_scope {
	const char *user; /* policy key */
	const char *domain;
};

/* The kinds of rows that go to the workers, NULL at the end. */
extern const char *const lists_kinds[];
bool lists_has_kind(const char *kind);
/* Appends a row; -1 when a tab or line end is in it, or out is full. */
int lists_write(struct buf *out, const char *kind, const char *key,
		const char *value);
/* Cuts a key into its scope ("global", "domain", "user"), whose, and name;
 * all point into key, which is cut up. */
void lists_key(char *key, const char **level, const char **subject,
	       const char **name);

/* NULL when text is malformed; lists_free() takes NULL. */
struct lists *lists_read(struct span text, struct err *e);
void lists_free(struct lists *l);

/* The value in the nearest scope, NULL for none. */
const char *lists_get(const struct lists *l, const char *kind,
		      const struct lists_scope *scope, const char *name);
/* The same of exactly this level ("global", "domain", "user") and subject. */
const char *lists_get_at(const struct lists *l, const char *kind,
			 const char *level, const char *subject,
			 const char *name);
/* Calls fn for each row of exactly this level ("global", "domain", "user")
 * and subject (""), in the order they were written; not 0 stops. */
typedef int lists_fn(void *arg, const char *name, const char *value);
int lists_each(const struct lists *l, const char *kind, const char *level,
	       const char *subject, lists_fn *fn, void *arg);

#endif
