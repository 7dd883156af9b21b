/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Robinson's f(w) for each word, the strongest of them joined by Fisher's
 * chi-square, once as evidence for spam and once for ham (G. Robinson, "A
 * Statistical Approach to the Spam Problem", 2003).
 */
#include <math.h>
#include <stdlib.h>

#include "tokens_map.h"

/* A word that was never seen is as likely in spam as X; S is how many
 * messages' worth that belief is; weaker words than MIN_DEV say nothing. */
#define ROBINSON_X 0.52
#define ROBINSON_S 0.3
#define MIN_DEV 0.375
#define AHEAD 8

static const struct tokens_map_slot *
find(const struct tokens_map *m, uint64_t hash)
{
	uint64_t at;

	if (m->slot_count == 0)
		return NULL;
	hash = hash != 0 ? hash : 1;
	for (at = hash & (m->slot_count - 1); m->slots[at].hash != 0;
	     at = (at + 1) & (m->slot_count - 1))
		if (m->slots[at].hash == hash)
			return &m->slots[at];
	return NULL;
}

/* A look is a wait for memory: those to come wait at the same time. */
static void
look_ahead(const struct tokens_map *m, uint64_t hash)
{
	if (m->slot_count > 0)
		__builtin_prefetch(&m->slots[hash & (m->slot_count - 1)]);
}

static double
f_of(const struct tokens_map *m, const struct tokens_map_slot *s)
{
	double spam = m->spam > 0 ? s->spam / (double)m->spam : 0;
	double ham = m->ham > 0 ? s->ham / (double)m->ham : 0;
	double n = (double)s->spam + s->ham;

	if (spam + ham <= 0)
		return ROBINSON_X;
	return (ROBINSON_S * ROBINSON_X + n * (spam / (spam + ham))) /
	       (ROBINSON_S + n);
}

/* By strength; equal ones by number, so that the order is always the same. */
static int
compare(const void *a, const void *b)
{
	const struct bayes_clue *x = a, *y = b;
	double dx = fabs(x->f - 0.5), dy = fabs(y->f - 0.5);

	if (dx != dy)
		return dx < dy ? 1 : -1;
	return x->word < y->word ? -1 : x->word > y->word;
}

/*
 * The probability that chi-square with 2n degrees of freedom exceeds -2 ln
 * of a product of n numbers: exp(-m) * sum of m^i / i! for i < n, summed in
 * logarithms, because both factors leave the range of a double.
 */
static double
chi2(double minus_ln, size_t n, const double *ln)
{
	double term = -minus_ln, top, sum, ln_m;
	size_t i;

	if (n == 0)
		return 1;
	if (minus_ln <= 0)
		return 1;
	ln_m = log(minus_ln);
	top = term;
	for (i = 1; i < n; i++) {
		term += ln_m - ln[i];
		top = term > top ? term : top;
	}
	sum = 0;
	term = -minus_ln;
	for (i = 0; i < n; i++) {
		if (i > 0)
			term += ln_m - ln[i];
		sum += exp(term - top);
	}
	sum = top + log(sum);
	return sum < 0 ? exp(sum) : 1;
}

/* Of the numbers that chi2() divides by; made once in a process. */
static const double *
logarithms(void)
{
	static double ln[BAYES_CLUES_MAX + 1];
	size_t i;

	if (ln[2] <= 0)
		for (i = 1; i <= BAYES_CLUES_MAX; i++)
			ln[i] = log((double)i);
	return ln;
}

/* Keeps the strongest of all clues in out. */
static void
strongest(const struct tokens_map *m, const struct word_set *words,
	  struct bayes_clue *all, struct bayes_result *out)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < words->count; i++) {
		const struct tokens_map_slot *s;
		double f;

		if (i + AHEAD < words->count)
			look_ahead(m, words->words[i + AHEAD].hash);
		s = find(m, words->words[i].hash);

		if (s == NULL)
			continue;
		out->known++;
		f = f_of(m, s);
		if (fabs(f - 0.5) < MIN_DEV)
			continue;
		all[count].word = (uint32_t)i;
		all[count].f = f;
		count++;
	}
	qsort(all, count, sizeof(all[0]), compare);
	out->clue_count = count < BAYES_CLUES_MAX ? count : BAYES_CLUES_MAX;
	for (i = 0; i < out->clue_count; i++)
		out->clues[i] = all[i];
}

void
bayes_judge(const struct tokens_map *m, const struct word_set *words,
	    struct bayes_result *out)
{
	struct bayes_clue all[LEXER_WORDS_MAX];
	double for_ham = 0, for_spam = 0;
	const double *ln;
	size_t i;

	out->score = 0.5;
	out->known = 0;
	strongest(m, words, all, out);
	if (out->clue_count == 0)
		return;
	for (i = 0; i < out->clue_count; i++) {
		for_spam -= log(1 - out->clues[i].f);
		for_ham -= log(out->clues[i].f);
	}
	/* Small where the words are not such as ham, or spam, has. */
	ln = logarithms();
	out->score = (1 + chi2(for_ham, out->clue_count, ln) -
		      chi2(for_spam, out->clue_count, ln)) /
		     2;
}
