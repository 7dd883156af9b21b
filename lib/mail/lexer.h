/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The words of a message that a Bayes filter learns and judges by: of
 * fields, of text as it is seen, of addresses in it, of names of files.
 * Words of a field have its name in front ("subj:offer"), so that what is
 * said in a subject is not what is said in a body.
 *
 * The same message always gives the same words, whatever version of the
 * filter learnt before: a change here needs LEXER_VERSION raised.
 */
#ifndef LEXER_H
#define LEXER_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct view;

#define LEXER_VERSION 1
#define LEXER_WORD_MAX 80 /* bytes of a word with what stands in front */
#define LEXER_WORDS_MAX 20000 /* of a message, not counting repeats */

/* Valid UTF-8 without blanks and controls. */
typedef void lexer_fn(void *arg, const char *word, size_t len);

/* Calls fn for every word, also when it was said before. */
void lexer_run(struct view *v, lexer_fn *fn, void *arg);

/*
 * A set of words without repeats, in one block of memory that is used
 * again for the next message.
 */
struct word_set {
	char *text; /* all words, one behind the other */
	size_t text_len, text_room;
	struct word {
		uint64_t hash;
		uint32_t at, len;
	} * words;
	size_t count, room;
	uint32_t *slots; /* number + 1 of a word */
	size_t slot_count;
};

void word_set_clear(struct word_set *s);
void word_set_release(struct word_set *s);
/* Takes up to LEXER_WORDS_MAX words; a lexer_fn. */
void word_set_add(void *set, const char *word, size_t len);
/* 64-bit FNV-1a with a final mix: the same in every process, for files. */
uint64_t word_hash(const char *word, size_t len);

#endif
