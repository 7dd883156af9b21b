/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Common options may stand anywhere, a command's own behind it; `--` ends
 * all options.
 */
#include "words.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "config.h"
#include "help.h"
#include "log.h"
#include "str.h"

static const struct option_values no_values;

/* What a word turned out to be. */
enum took { TOOK_NONE, TOOK_ONE, TOOK_TWO, TOOK_END };

/* Position of a word in a list of words parted by blanks, or -1. */
static int
word_position(const char *list, const char *word, size_t len)
{
	int at = 0;

	while (*list != '\0') {
		size_t n = strcspn(list, " ");

		if (n == len && strncmp(list, word, len) == 0)
			return at;
		list += n;
		list += strspn(list, " ");
		at++;
	}
	return -1;
}

const struct option_values *
option(const struct ctx *c, const char *name)
{
	int at = word_position(c->command->options, name, strlen(name));

	return at < 0 ? &no_values : &c->options[at];
}

const char *
option_value(const struct ctx *c, const char *name)
{
	const struct option_values *v = option(c, name);

	return v->count > 0 ? v->value[v->count - 1] : NULL;
}

static int
wrong_option(struct ctx *c, const char *word)
{
	const char *words[OPTIONS_MAX + 4] = { "json", "no-headers", "help" };
	char list[256] = "";
	char *rest = list;
	size_t n = 3;
	const char *near;
	char name[64];

	if (c->command != NULL)
		str_copy(list, sizeof(list), c->command->options);
	while (rest != NULL && *rest != '\0' && n < OPTIONS_MAX + 3)
		words[n++] = strsep(&rest, " ");
	words[n] = NULL;
	str_fmt(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	near = str_nearest(name + strspn(name, "-"), words);
	return complain(c, EX_USAGE,
			"%s: no such option here%s%s%s; see mcctl %s%s--help",
			log_text(word), near != NULL ? "; did you mean --" : "",
			near != NULL ? near : "", near != NULL ? "?" : "",
			c->command != NULL ? c->command->family : "",
			c->command != NULL ? " " : "");
}

/* An option of this command with its value. */
static enum took
take_own(struct ctx *c, char **words, int *code)
{
	const char *name = words[0] + 2;
	size_t len = strcspn(name, "=");
	int at = word_position(c->command->options, name, len);
	const char *value = name[len] == '=' ? name + len + 1 : words[1];
	struct option_values *v;

	if (at < 0 || len == 0) {
		*code = wrong_option(c, words[0]);
		return TOOK_END;
	}
	v = &c->options[at];
	if (value == NULL) {
		*code = complain(c, EX_USAGE, "--%.*s: expected a value",
				 (int)len, name);
		return TOOK_END;
	}
	if (v->count == OPTION_VALUES_MAX) {
		*code = complain(c, EX_USAGE, "--%.*s: more than %d times",
				 (int)len, name, OPTION_VALUES_MAX);
		return TOOK_END;
	}
	v->value[v->count++] = value;
	return name[len] == '=' ? TOOK_ONE : TOOK_TWO;
}

/* Options that every command takes. */
static enum took
take_common(struct ctx *c, char **words, int *code)
{
	if (str_eq(words[0], "--json")) {
		c->out.json = true;
		return TOOK_ONE;
	}
	if (str_eq(words[0], "--no-headers")) {
		c->out.no_headers = true;
		return TOOK_ONE;
	}
	if (str_eq(words[0], "--help") || str_eq(words[0], "-h")) {
		help_print(stdout,
			   c->command != NULL ? c->command->family : NULL,
			   c->command != NULL ? c->command->verb : NULL);
		*code = EX_OK;
		return TOOK_END;
	}
	if (str_eq(words[0], "--version") || str_eq(words[0], "-V")) {
		printf("mcctl %s\n", MCGATE_VERSION);
		*code = EX_OK;
		return TOOK_END;
	}
	if (!str_eq(words[0], "-c"))
		return TOOK_NONE;
	if (words[1] == NULL) {
		*code = complain(c, EX_USAGE, "-c: expected a file");
		return TOOK_END;
	}
	c->conf_path = words[1];
	return TOOK_TWO;
}

static enum took
take_word(struct ctx *c, char **words, int *code)
{
	enum took took = take_common(c, words, code);

	if (took != TOOK_NONE)
		return took;
	if (strncmp(words[0], "--", 2) == 0)
		return take_own(c, words, code);
	if (words[0][0] == '-' && words[0][1] != '\0') {
		*code = wrong_option(c, words[0]);
		return TOOK_END;
	}
	return TOOK_NONE;
}

/* Sorts the words behind the command into options and arguments. */
static bool
sort_words(struct ctx *c, char **words, int *code)
{
	bool is_literal = false;
	char usage[256];

	c->args = words;
	while (*words != NULL) {
		enum took took = TOOK_NONE;

		if (!is_literal && str_eq(*words, "--")) {
			is_literal = true;
			words++;
			continue;
		}
		if (!is_literal)
			took = take_word(c, words, code);
		if (took == TOOK_END)
			return false;
		if (took == TOOK_NONE)
			c->args[c->arg_count++] = *words++;
		else
			words += took == TOOK_TWO ? 2 : 1;
	}
	if (c->arg_count >= c->command->min_args &&
	    c->arg_count <= c->command->max_args)
		return true;
	help_usage(c->command, usage, sizeof(usage));
	*code = complain(c, EX_USAGE, "%s", usage);
	return false;
}

static const struct command *
find_command(const char *family, const char *verb)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *cmd = &command_table[i];

		if (!str_eq(cmd->family, family))
			continue;
		if (cmd->verb[0] == '\0' ||
		    (verb != NULL && str_eq(cmd->verb, verb)))
			return cmd;
	}
	return NULL;
}

static bool
is_family(const char *word)
{
	for (size_t i = 0; i < command_count; i++)
		if (str_eq(command_table[i].family, word))
			return true;
	return false;
}

/* `mcctl queue --help` and `mcctl queue --json` have no verb yet. */
static bool
asks_family_help(const char *family, char **words)
{
	for (; *words != NULL; words++)
		if (str_eq(*words, "--help") || str_eq(*words, "-h"))
			return is_family(family);
	return false;
}

bool
words_parse(struct ctx *c, char **words, int *code)
{
	while (*words != NULL && (*words)[0] == '-') {
		enum took took = take_common(c, words, code);

		if (took == TOOK_NONE)
			*code = wrong_option(c, *words);
		if (took == TOOK_NONE || took == TOOK_END)
			return false;
		words += took == TOOK_TWO ? 2 : 1;
	}
	if (*words == NULL) {
		help_print(stderr, NULL, NULL);
		*code = EX_USAGE;
		return false;
	}
	c->command = find_command(words[0], words[1]);
	if (c->command == NULL && asks_family_help(words[0], words + 1)) {
		help_print(stdout, words[0], NULL);
		*code = EX_OK;
		return false;
	}
	if (c->command == NULL) {
		*code = help_unknown(c, words[0], words[1]);
		return false;
	}
	return sort_words(c, words + (c->command->verb[0] != '\0' ? 2 : 1),
			  code);
}
