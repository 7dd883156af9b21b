/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One dict for rows by kind, scope and name, one for the rows of a scope
 * in order.
 */
#include "lists.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "dict.h"
#include "str.h"
#include "xalloc.h"

#define KEY_MAX 2048

struct row {
	const char *name, *value;
	struct row *next; /* of the same kind and scope */
};

struct group {
	struct row *first, *last;
};

struct lists {
	struct arena arena;
	struct dict rows; /* "KIND\tLEVEL\tSUBJECT\tNAME" to struct row */
	struct dict groups; /* "KIND\tLEVEL\tSUBJECT" to struct group */
};

const char *const lists_kinds[] = { "pattern", "rbl",	  "rule",
				    "sender",  "trusted", NULL };

bool
lists_has_kind(const char *kind)
{
	size_t i;

	for (i = 0; lists_kinds[i] != NULL; i++)
		if (str_eq(kind, lists_kinds[i]))
			return true;
	return false;
}

int
lists_write(struct buf *out, const char *kind, const char *key,
	    const char *value)
{
	if (strpbrk(key, "\t\n") != NULL || strpbrk(value, "\t\n") != NULL)
		return -1;
	return buf_printf(out, "%s\t%s\t%s\n", kind, key, value);
}

void
lists_key(char *key, const char **level, const char **subject,
	  const char **name)
{
	char *first = strchr(key, ' ');
	char *last;

	*level = "global";
	*subject = "";
	*name = key;
	if (first == NULL)
		return;
	if (strncmp(key, "global ", 7) == 0) {
		*name = first + 1;
		return;
	}
	if (strncmp(key, "domain ", 7) != 0 && strncmp(key, "user ", 5) != 0)
		return;
	/* A local part in quotes may hold spaces, a name does not. */
	last = strrchr(key, ' ');
	if (last == first)
		return;
	*first = *last = '\0';
	*level = key;
	*subject = first + 1;
	*name = last + 1;
}

static bool
row_key(char *dst, const char *kind, const char *level, const char *subject,
	const char *name)
{
	return str_fmt(dst, KEY_MAX, "%s\t%s\t%s%s%s", kind, level, subject,
		       name != NULL ? "\t" : "", name != NULL ? name : "");
}

static int
add_row(struct lists *l, const char *kind, char *key, const char *value,
	struct err *e)
{
	const char *level, *subject, *name;
	char at[KEY_MAX];
	struct group *g;
	struct row *r;

	lists_key(key, &level, &subject, &name);
	if (!row_key(at, kind, level, subject, name))
		return err_set(e, "lists: a key is too long");
	r = arena_alloc(&l->arena, sizeof(*r));
	r->name = name;
	r->value = value;
	(void)dict_set(&l->rows, at, r);
	(void)row_key(at, kind, level, subject, NULL);
	g = dict_get(&l->groups, at);
	if (g == NULL) {
		g = arena_alloc(&l->arena, sizeof(*g));
		(void)dict_set(&l->groups, at, g);
	}
	if (g->last != NULL)
		g->last->next = r;
	else
		g->first = r;
	g->last = r;
	return 0;
}

/* Takes the text up to the next end; NULL when there is none. */
static char *
cut(char **at, char end)
{
	char *begin = *at;
	char *stop = strchr(begin, end);

	if (stop == NULL)
		return NULL;
	*stop = '\0';
	*at = stop + 1;
	return begin;
}

static int
read_rows(struct lists *l, char *text, struct err *e)
{
	char *line, *kind, *key;

	while (*text != '\0') {
		line = cut(&text, '\n');
		kind = line != NULL ? cut(&line, '\t') : NULL;
		key = kind != NULL ? cut(&line, '\t') : NULL;
		if (key == NULL)
			return err_set(e, "lists: a row is damaged");
		if (add_row(l, kind, key, line, e) != 0)
			return -1;
	}
	return 0;
}

struct lists *
lists_read(struct span text, struct err *e)
{
	struct lists *l;

	if (text.len > LISTS_TEXT_MAX ||
	    (text.len > 0 && memchr(text.p, '\0', text.len) != NULL)) {
		err_set(e, "lists: too long, or a NUL in them");
		return NULL;
	}
	l = xcalloc(1, sizeof(*l));
	if (read_rows(l, arena_strndup(&l->arena, text.p, text.len), e) != 0) {
		lists_free(l);
		return NULL;
	}
	return l;
}

void
lists_free(struct lists *l)
{
	if (l == NULL)
		return;
	dict_release(&l->rows, NULL);
	dict_release(&l->groups, NULL);
	arena_release(&l->arena);
	free(l);
}

const char *
lists_get_at(const struct lists *l, const char *kind, const char *level,
	     const char *subject, const char *name)
{
	char at[KEY_MAX];
	struct row *r;

	if (l == NULL || !row_key(at, kind, level, subject, name))
		return NULL;
	r = dict_get(&l->rows, at);
	return r != NULL ? r->value : NULL;
}

const char *
lists_get(const struct lists *l, const char *kind,
	  const struct lists_scope *scope, const char *name)
{
	const char *levels[] = { "user", "domain", "global" };
	const char *subjects[] = { scope->user, scope->domain, "" };
	const char *value = NULL;
	size_t i;

	for (i = 0; i < 3 && value == NULL; i++)
		if (i == 2 || subjects[i][0] != '\0')
			value = lists_get_at(l, kind, levels[i], subjects[i],
					     name);
	return value;
}

int
lists_each(const struct lists *l, const char *kind, const char *level,
	   const char *subject, lists_fn *fn, void *arg)
{
	char at[KEY_MAX];
	struct group *g;
	struct row *r;
	int rc = 0;

	if (l == NULL || !row_key(at, kind, level, subject, NULL))
		return 0;
	g = dict_get(&l->groups, at);
	for (r = g != NULL ? g->first : NULL; r != NULL && rc == 0; r = r->next)
		rc = fn(arg, r->name, r->value);
	return rc;
}
