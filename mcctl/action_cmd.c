/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl threshold and mcctl action: the settings that are asked for most,
 * by short names.  What can be done is read off the table of settings:
 * all that end in _action.
 */
#include <string.h>
#include <sysexits.h>

#include "knob_put.h"
#include "str.h"
#include "target.h"

#define SUFFIX "_action"
#define WORDS_MAX 32

/* "spam" of spam_action; false for other settings. */
static bool
action_word(const struct knob *k, char *word, size_t size)
{
	size_t len = strlen(k->name), cut = sizeof(SUFFIX) - 1;

	return len > cut && str_eq(k->name + len - cut, SUFFIX) &&
	       str_fmt(word, size, "%.*s", (int)(len - cut), k->name);
}

static bool
is_threshold(const struct knob *k, char *word, size_t size)
{
	return str_copy(word, size, k->name) &&
	       (str_eq(word, "threshold") || str_eq(word, "out_threshold"));
}

int
cmd_threshold_show(struct ctx *c)
{
	return knobs_show(c, is_threshold);
}

int
cmd_action_show(struct ctx *c)
{
	return knobs_show(c, action_word);
}

int
cmd_threshold_set(struct ctx *c)
{
	const char *name =
		option_is_given(c, "out") ? "out_threshold" : "threshold";
	char *words[] = { (char *)name, c->args[0] };
	struct target t;
	int code = target_of(c, &t);

	return code == EX_OK ? knob_put_words(c, &t, words, 2) : code;
}

int
cmd_action_set(struct ctx *c)
{
	static char known[WORDS_MAX][64];
	const char *list[WORDS_MAX + 1] = { NULL };
	char name[128];
	char *words[] = { name, c->args[1] };
	struct target t;
	size_t n = 0;
	bool is_known = false;
	int code = target_of(c, &t);

	if (code != EX_OK)
		return code;
	for (size_t i = 0; i < knob_count && n < WORDS_MAX; i++)
		if (action_word(&knob_table[i], known[n], sizeof(known[n]))) {
			is_known |= str_eq(known[n], c->args[0]);
			list[n] = known[n];
			n++;
		}
	if (!is_known)
		return complain_unknown(c, "action", c->args[0], list);
	str_fmt(name, sizeof(name), "%s" SUFFIX, c->args[0]);
	return knob_put_words(c, &t, words, 2);
}
