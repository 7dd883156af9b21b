/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reads a synopsis such as "add ENTRY... [--auth] | remove ENTRY...": `|`
 * outside of brackets parts whole lines, within a word it parts words.
 */
#include "synopsis.h"

#include <string.h>

#include "str.h"

/* A part between blanks, without the brackets around it. */
struct token {
	const char *p;
	size_t len;
	bool repeats; /* ... behind it */
	bool is_bar; /* | */
	bool ends_group; /* ] behind it */
};

struct reader {
	const char *at;
	int depth; /* of brackets */
};

static void
strip_end(struct token *t)
{
	bool again = true;

	while (again) {
		again = false;
		if (t->len > 3 && memcmp(t->p + t->len - 3, "...", 3) == 0) {
			t->len -= 3;
			t->repeats = again = true;
		}
		/* That of HOST[:PORT] belongs to the word. */
		if (t->len > 1 && t->p[t->len - 1] == ']' &&
		    memchr(t->p, '[', t->len) == NULL) {
			t->len--;
			t->ends_group = again = true;
		}
	}
}

static bool
next_token(struct reader *r, struct token *t)
{
	size_t len;

	r->at += strspn(r->at, " ");
	len = strcspn(r->at, " ");
	if (len == 0)
		return false;
	*t = (struct token){ .p = r->at, .len = len };
	for (size_t i = 0; i < len; i++)
		r->depth += r->at[i] == '[' ? 1 : r->at[i] == ']' ? -1 : 0;
	r->at += len;
	if (t->p[0] == '[') {
		t->p++;
		t->len--;
	}
	strip_end(t);
	t->is_bar = t->len == 1 && t->p[0] == '|';
	return true;
}

static bool
is_option(const struct token *t)
{
	return t->len > 1 && t->p[0] == '-' && t->p[1] != '.';
}

static bool
is_capital(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* The name that the word is for, or the word itself. */
static void
read_word(const char *p, size_t len, struct synopsis_word *w)
{
	const char *colon = memchr(p, ':', len);
	size_t n = 0;

	memset(w, 0, sizeof(*w));
	if (colon != NULL && !is_capital(p[0])) {
		str_fmt(w->prefix, sizeof(w->prefix), "%.*s",
			(int)(colon + 1 - p), p);
		len -= (size_t)(colon + 1 - p);
		p = colon + 1;
	}
	w->is_name = len > 0 && is_capital(p[0]);
	/* Of ADDRESS[/BITS] and HOST:PORT the first. */
	while (n < len && (!w->is_name || is_capital(p[n]) || p[n] == '-'))
		n++;
	str_fmt(w->name, sizeof(w->name), "%.*s", (int)n, p);
}

/* Each of "spam|ham", or the one word. */
static void
each_word(const struct token *t, synopsis_fn *fn, void *arg)
{
	const char *p = t->p, *end = t->p + t->len;
	struct synopsis_word w;

	while (p < end) {
		const char *bar = memchr(p, '|', (size_t)(end - p));
		size_t len = (size_t)((bar != NULL ? bar : end) - p);

		read_word(p, len, &w);
		fn(arg, &w);
		p += len + 1;
	}
}

struct match {
	const char *word;
	bool is_match;
};

static void
match_word(void *arg, const struct synopsis_word *w)
{
	struct match *m = arg;

	m->is_match |=
		w->is_name || w->prefix[0] != '\0' || str_eq(w->name, m->word);
}

/* Whether an argument may be this token. */
static bool
can_be(const struct token *t, const char *word)
{
	struct match m = { .word = word };

	each_word(t, match_word, &m);
	return m.is_match;
}

/* Reads over an option and its value. */
static void
skip_option(struct reader *r, const struct token *option)
{
	struct reader ahead = *r;
	struct token value;

	if (!option->ends_group && next_token(&ahead, &value) &&
	    !value.is_bar && !is_option(&value))
		*r = ahead;
}

/* A line of the synopsis, from r to the `|` that ends it. */
struct line {
	char *const *args;
	int count; /* of args */
	int at; /* how many of them were read */
	bool fits;
	synopsis_fn *fn;
	void *arg;
};

static bool
has_prefix(const struct token *t)
{
	return memchr(t->p, ':', t->len) != NULL && !is_capital(t->p[0]);
}

static void
read_token(struct line *l, const struct token *t)
{
	if (!l->fits)
		return;
	if (has_prefix(t)) {
		/* Such words stand in any order. */
		each_word(t, l->fn, l->arg);
		return;
	}
	if (l->at < l->count) {
		l->fits = can_be(t, l->args[l->at]);
		l->at = t->repeats ? l->count : l->at + 1;
		if (!t->repeats || !l->fits)
			return;
	}
	each_word(t, l->fn, l->arg);
	/* What is behind it needs it first. */
	l->fits = false;
}

void
synopsis_next(const struct command *cmd, char *const *args, int count,
	      synopsis_fn *fn, void *arg)
{
	struct reader r = { .at = cmd->synopsis };
	struct line fresh = {
		.args = args, .count = count, .fits = true, .fn = fn, .arg = arg
	};
	struct line l = fresh;
	struct token t;

	while (next_token(&r, &t)) {
		if (t.is_bar && r.depth == 0)
			l = fresh;
		else if (is_option(&t))
			skip_option(&r, &t);
		else if (!t.is_bar)
			read_token(&l, &t);
	}
}

bool
synopsis_value(const struct command *cmd, const char *option, size_t len,
	       char letter, char name[SYNOPSIS_WORD])
{
	struct reader r = { .at = cmd->synopsis };
	struct token t, value;
	struct synopsis_word w;

	while (next_token(&r, &t)) {
		struct reader ahead = r;
		bool is_it =
			(t.len == len + 2 && t.p[0] == '-' && t.p[1] == '-' &&
			 strncmp(t.p + 2, option, len) == 0) ||
			(letter != '\0' && t.len == 2 && t.p[0] == '-' &&
			 t.p[1] == letter);

		if (!is_it || t.ends_group || !next_token(&ahead, &value) ||
		    value.is_bar || is_option(&value))
			continue;
		read_word(value.p, value.len, &w);
		str_copy(name, SYNOPSIS_WORD, w.name);
		return w.is_name;
	}
	return false;
}

void
synopsis_all(const struct command *cmd, synopsis_fn *fn, void *arg)
{
	struct reader r = { .at = cmd->synopsis };
	struct token t;

	while (next_token(&r, &t))
		if (!t.is_bar && !is_option(&t))
			each_word(&t, fn, arg);
}
