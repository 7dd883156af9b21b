/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What was learnt from mail that people called spam or ham: Robinson's and
 * Fisher's combination over the words of the message.  It speaks once
 * enough of both kinds was learnt.
 */
#include <stdio.h>
#include <string.h>

#include "data.h"
#include "filter.h"
#include "str.h"
#include "tokens.h"
#include "view.h"

/* What a score is worth: from the first row whose least it reaches. */
static const struct {
	double least;
	int64_t points;
	enum filter_class class;
} grades[] = {
	{ 0.99, 5000, FILTER_SPAM },	{ 0.95, 3000, FILTER_SPAM },
	{ 0.80, 1500, FILTER_NOTHING }, { 0.20, 0, FILTER_NOTHING },
	{ 0.05, -500, FILTER_NOTHING }, { 0.00, -1500, FILTER_HAM },
};

/* The strongest words, for whoever wonders. */
static void
name_words(const struct word_set *words, const struct bayes_result *r,
	   char *dst, size_t size)
{
	size_t i, len = 0;

	dst[0] = '\0';
	for (i = 0; i < r->clue_count && i < BAYES_SAY_MAX; i++) {
		const struct word *w = &words->words[r->clues[i].word];
		int n = snprintf(dst + len, size - len, "%s%.*s %.2f",
				 i > 0 ? ", " : "", (int)w->len,
				 words->text + w->at, r->clues[i].f);

		if (n < 0 || (size_t)n >= size - len) {
			dst[len] = '\0';
			return;
		}
		len += (size_t)n;
	}
}

static void
check(const struct filter_mail *m, struct span part, struct filter_result *out)
{
	const struct tokens_map *map = &m->data->bayes;
	const struct word_set *words;
	struct bayes_result r;
	char text[FILTER_DETAIL_SIZE];
	size_t i = 0;

	(void)part; /* the words are bounded by themselves */
	out->is_known = true;
	if (map->base == NULL || map->spam < TOKENS_ENOUGH ||
	    map->ham < TOKENS_ENOUGH) {
		(void)str_copy(out->detail, sizeof(out->detail),
			       "has not learnt enough");
		return;
	}
	words = view_words(m->view);
	bayes_judge(map, words, &r);
	while (r.score < grades[i].least)
		i++;
	out->class = grades[i].class;
	(void)snprintf(out->detail, sizeof(out->detail), "%.2f%%",
		       r.score * 100);
	if (grades[i].points == 0)
		return;
	name_words(words, &r, text, sizeof(text));
	filter_symptom(m, out,
		       grades[i].points > 0 ? "BAYES_SPAM" : "BAYES_HAM",
		       grades[i].points, text);
}

const struct filter filter_bayes = {
	.name = "bayes",
	.check = check,
};
