/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The nearest known word: optimal string alignment distance (insert,
 * delete, replace, swap of neighbours), ASCII case ignored.
 */
#include "str.h"

#include <string.h>

#define NEAR_MAX 64 /* longer words are not compared, bytes */

static size_t
min3(size_t a, size_t b, size_t c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Of words shorter than NEAR_MAX. */
static size_t
distance(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t rows[3][NEAR_MAX];
	size_t *before = rows[0], *last = rows[1], *row = rows[2], *swap;
	size_t i, j;
	int ca, cb;

	for (j = 0; j <= blen; j++)
		last[j] = j;
	for (i = 1; i <= alen; i++) {
		ca = ascii_lower(a[i - 1]);
		row[0] = i;
		for (j = 1; j <= blen; j++) {
			cb = ascii_lower(b[j - 1]);
			row[j] = min3(last[j] + 1, row[j - 1] + 1,
				      last[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == ascii_lower(b[j - 2]) &&
			    cb == ascii_lower(a[i - 2]) &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		swap = before;
		before = last;
		last = row;
		row = swap;
	}
	return last[blen];
}

const char *
str_nearest(const char *s, const char *const *words)
{
	size_t len = strlen(s);
	size_t best = len <= 4 ? 1 : len <= 8 ? 2 : 3;
	const char *found = NULL;
	size_t wlen, d;

	if (len >= NEAR_MAX)
		return NULL;
	/* best is how near a word has to be to be said. */
	for (; *words != NULL; words++) {
		wlen = strlen(*words);
		if (wlen >= NEAR_MAX || wlen > len + best || len > wlen + best)
			continue;
		d = distance(s, len, *words, wlen);
		/* With every letter replaced it is another word. */
		if (d > best || (d > 0 && (d >= len || d >= wlen)))
			continue;
		if (d == 0)
			return *words;
		if (found == NULL || d < best)
			found = *words;
		best = d;
	}
	return found;
}
