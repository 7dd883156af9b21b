/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files of the lexer share.
 */
#ifndef LEXER_IMPL_H
#define LEXER_IMPL_H

#include <stdbool.h>
#include <stddef.h>

#include "lexer.h"

struct lexer {
	lexer_fn *fn;
	void *arg;
	/* The word before, for pairs. */
	char last[LEXER_WORD_MAX];
	size_t last_len;
};

/* One word; blanks and controls in it become "_", too long is cut. */
void lexer_put(struct lexer *x, const char *tag, const char *p, size_t len);
/* A number as its order of magnitude. */
void lexer_count(struct lexer *x, const char *tag, size_t n);
/* All words of a text.  is_hosts: names of hosts and addresses count, with
 * what they end in, and words do not make pairs. */
void lexer_text(struct lexer *x, const char *tag, struct span text,
		bool is_hosts);
/* The host of an address, what it ends in, words of its path. */
void lexer_url(struct lexer *x, struct span url, const char *tag);

#endif
