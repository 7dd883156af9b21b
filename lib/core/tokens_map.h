/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The snapshot of learnt words that filters judge by: a file that is mapped
 * and never written again, so that all workers share its pages.  A word is
 * found by its hash with one look.  And the judgement: Robinson's f(w) of
 * each word, joined by Fisher's method.
 */
#ifndef TOKENS_MAP_H
#define TOKENS_MAP_H

#include <stdint.h>

#include "buf.h"
#include "err.h"
#include "lexer.h"

#define TOKENS_MAP_MAX ((size_t)4 << 30) /* bytes */

struct tokens_map_slot {
	uint64_t hash; /* 0: empty */
	uint32_t spam, ham; /* messages with this word */
};

struct tokens_map {
	const struct tokens_map_slot *slots;
	uint64_t slot_count; /* a power of two */
	uint64_t words;
	uint32_t spam, ham; /* messages */
	/* private */
	void *base;
	size_t size;
};

/* Makes the bytes of a snapshot: begin, one add a word, end. */
struct tokens_map_writer {
	struct buf out;
	uint64_t slot_count, words;
};
void tokens_map_begin(struct tokens_map_writer *w, uint64_t words,
		      uint32_t spam, uint32_t ham);
void tokens_map_add(struct tokens_map_writer *w, const char *word,
		    uint32_t spam, uint32_t ham);
/* The same of slots by word_hash(), in any order. */
void tokens_map_add_all(struct tokens_map_writer *w,
			const struct tokens_map_slot *slots, size_t count);
void tokens_map_end(struct tokens_map_writer *w);

/* Maps a file, which is closed or not without harm afterwards, and checks
 * all of it. */
int tokens_map_open(int fd, struct tokens_map *out, struct err *e);
/* The same of bytes in memory, which stay the caller's. */
int tokens_map_read(struct span in, struct tokens_map *out, struct err *e);
void tokens_map_close(struct tokens_map *m);

#define BAYES_CLUES_MAX 150 /* words that are counted */
#define BAYES_SAY_MAX 8 /* words that an explanation names */

struct bayes_clue {
	uint32_t word; /* number in the set */
	double f; /* 0 ham, 1 spam */
};

struct bayes_result {
	double score; /* 0 ham, 1 spam; 0.5 where nothing is known */
	size_t known; /* words that were learnt before */
	size_t clue_count;
	struct bayes_clue clues[BAYES_CLUES_MAX]; /* strongest first */
};

void bayes_judge(const struct tokens_map *m, const struct word_set *words,
		 struct bayes_result *out);

#endif
