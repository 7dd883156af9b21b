/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Settings of one level written and shown, for all commands that do so.
 */
#ifndef KNOB_PUT_H
#define KNOB_PUT_H

#include "setting.h"
#include "target.h"

/* Parses the value and puts it, in the transaction of c; complains and
 * returns an exit code. */
int knob_put(struct ctx *c, const struct knob *k, const struct target *t,
	     const char *value);
/* SETTING VALUE by turns, as many as there are. */
int knob_put_words(struct ctx *c, const struct target *t, char *const *words,
		   int count);
/* Appends name, value, from and subject of the effective value. */
void knob_record(const struct policy *p, const struct knob *k,
		 const struct target *t, struct record *r);
/* The word that a knob goes by in a family of commands; false: it is none
 * of theirs. */
typedef bool knob_word_fn(const struct knob *k, char *word, size_t size);
/* A row for each knob that has a value at the level that c names, or for
 * those of is_one; returns an exit code. */
int knobs_show(struct ctx *c, knob_word_fn *is_one);

#endif
