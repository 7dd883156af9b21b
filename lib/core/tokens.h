/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the Bayes filter has learnt: DIR/bayes.db (SQLite), a row a word and
 * a row a message, and DIR/bayes.map, a snapshot for those who judge (see
 * tokens_map.h).  Learning a message twice is learning it once; learning it
 * as the other kind moves it.
 *
 * One writer at a time: tokens_begin() waits at most 5 s for another.  All
 * between begin and commit holds or nothing does.
 */
#ifndef TOKENS_H
#define TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "lexer.h"
#include "mime.h"

#define TOKENS_DB "bayes.db"
#define TOKENS_MAP "bayes.map"
#define TOKENS_VERSION 1 /* user_version */
#define TOKENS_ENOUGH 100 /* messages of each kind before it is believed */

enum tokens_kind { TOKENS_HAM, TOKENS_SPAM };

struct tokens;

struct tokens_counts {
	int64_t messages[2]; /* by enum tokens_kind */
	int64_t words;
};

/* Opens dir/bayes.db, and makes it where create is set. */
int tokens_open(const char *dir, bool create, struct tokens **out,
		struct err *e);
void tokens_close(struct tokens *t);

int tokens_begin(struct tokens *t, struct err *e);
/* Makes the words durable that were learnt since. */
int tokens_commit(struct tokens *t, struct err *e);
/* Does nothing where nothing was begun. */
void tokens_rollback(struct tokens *t);

/* What a message is known by: its contents and the fields that its writer
 * has made, whatever its line ends and its way. */
void tokens_message_id(const struct mime *m, unsigned char id[SHA256_SIZE]);
/* 1 learnt (or moved), 0 known already, -1. */
int tokens_learn(struct tokens *t, const unsigned char id[SHA256_SIZE],
		 enum tokens_kind kind, const struct word_set *words,
		 struct err *e);
/* 1 forgotten, 0 not known, -1. */
int tokens_forget(struct tokens *t, const unsigned char id[SHA256_SIZE],
		  const struct word_set *words, struct err *e);
/*
 * A row of `bogoutil -d`, added to what there is.  ".MSG_COUNT" counts
 * messages; other words that begin with a dot are passed over.
 */
int tokens_import(struct tokens *t, const char *word, int64_t spam, int64_t ham,
		  int64_t day, struct err *e);

int tokens_count(struct tokens *t, struct tokens_counts *out, struct err *e);
/* Rows in the order of their words, day as 20261124. */
typedef int tokens_fn(void *arg, const char *word, int64_t spam, int64_t ham,
		      int64_t day);
int tokens_each(struct tokens *t, tokens_fn *fn, void *arg, struct err *e);
/* Writes the snapshot of what is committed. */
int tokens_write_map(struct tokens *t, struct err *e);

#endif
