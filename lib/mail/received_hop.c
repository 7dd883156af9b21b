/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The writers differ: "from helo (name [192.0.2.1])", "from name
 * ([192.0.2.1] helo=x)", "from helo (192.0.2.1)", "from [192.0.2.1]
 * (helo=x)", "from unknown (HELO x) (192.0.2.1)".
 */
#include "received_hop.h"

#include <string.h>

#include "str.h"

#define WORD_MAX 80 /* longer ones are no addresses */
#define WORDS_MAX 200 /* that are looked at */

struct walk {
	struct span rest;
	int depth; /* of comments */
	bool is_from, is_with; /* behind this word */
	bool has_seen_by;
	bool is_helo; /* behind this word in a comment */
	struct ip literal; /* as the client said it */
};

static bool
is_end(char c)
{
	return ascii_isspace((unsigned char)c) || c == '(' || c == ')' ||
	       c == ';';
}

/* The next word; comments are entered and left on the way.  False at the
 * end, which a semicolon outside of comments is. */
static bool
next_word(struct walk *w, struct span *word)
{
	while (w->rest.len > 0 && is_end(w->rest.p[0])) {
		if (w->rest.p[0] == '(')
			w->depth++;
		if (w->rest.p[0] == ')' && w->depth > 0)
			w->depth--;
		if (w->rest.p[0] == ';' && w->depth == 0)
			return false;
		w->rest.p++;
		w->rest.len--;
	}
	*word = (struct span){ w->rest.p, 0 };
	while (w->rest.len > 0 && !is_end(w->rest.p[0])) {
		w->rest.p++;
		w->rest.len--;
		word->len++;
	}
	return word->len > 0;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]:25", and bare where that is allowed. */
static bool
read_address(struct span word, bool may_be_bare, struct ip *out)
{
	static const char six[] = "IPv6:";
	char text[WORD_MAX + 1];
	char *p = text, *end;

	if (word.len > WORD_MAX)
		return false;
	memcpy(text, word.p, word.len);
	text[word.len] = '\0';
	if (*p == '[') {
		end = strchr(++p, ']');
		if (end == NULL)
			return false;
		*end = '\0';
	} else if (!may_be_bare) {
		return false;
	}
	if (strlen(p) > sizeof(six) - 1 &&
	    span_ieq((struct span){ p, sizeof(six) - 1 }, span_of(six)))
		p += sizeof(six) - 1;
	return ip_parse(p, out, NULL) == 0;
}

static void
take_protocol(struct span word, struct received_hop *out)
{
	static const char *const names[] = { "ESMTPA",	  "ESMTPSA",	"ASMTP",
					     "UTF8SMTPA", "UTF8SMTPSA", "LMTPA",
					     "LMTPSA",	  NULL };
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		if (span_ieq(word, span_of(names[i])))
			out->is_authenticated = true;
}

static void
take_word(struct walk *w, struct span word, struct received_hop *out)
{
	if (w->depth > 0) {
		/* What the client said stands behind "helo=" or "HELO". */
		if (!w->has_seen_by && out->ip.family == 0 && !w->is_helo)
			(void)read_address(word, w->depth == 1, &out->ip);
		w->is_helo = span_ieq(word, SPAN_LIT("helo"));
		return;
	}
	if (w->is_with) {
		take_protocol(word, out);
		w->is_with = false;
	} else if (w->is_from) {
		(void)read_address(word, false, &w->literal);
		w->is_from = false;
	} else if (span_ieq(word, SPAN_LIT("from"))) {
		w->is_from = !w->has_seen_by;
	} else if (span_ieq(word, SPAN_LIT("by"))) {
		w->has_seen_by = true;
	} else if (span_ieq(word, SPAN_LIT("with"))) {
		w->is_with = w->has_seen_by;
	}
}

void
received_hop_read(struct span value, struct received_hop *out)
{
	struct walk w = { .rest = value };
	struct span word;
	int i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < WORDS_MAX && next_word(&w, &word); i++)
		take_word(&w, word, out);
	if (out->ip.family == 0)
		out->ip = w.literal;
}
