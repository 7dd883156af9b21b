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
#include <unistd.h>

#include "config.h"
#include "help.h"
#include "log.h"
#include "str.h"

#define SINCE "--unchanged-since="

static const struct option_values no_values;

/* What a word turned out to be. */
enum took { TOOK_NONE, TOOK_ONE, TOOK_TWO, TOOK_END };

/* A word of a command's list of options: "name", "name!", "name/l", or
 * "name/l!" where l is its letter and ! says that it takes no value. */
struct spec {
	const char *name;
	size_t len;
	char letter; /* 0: none */
	bool is_flag;
};

/* Takes the next word off the list; false at its end. */
static bool
next_spec(const char **list, struct spec *s)
{
	const char *p = *list;
	size_t n = strcspn(p, " ");

	if (n == 0)
		return false;
	s->name = p;
	s->len = strcspn(p, " /!");
	s->letter = p[s->len] == '/' ? p[s->len + 1] : '\0';
	s->is_flag = p[n - 1] == '!';
	*list = p + n + strspn(p + n, " ");
	return true;
}

/* Position of an option in a command's list, or -1: by its name, or by its
 * letter when name is NULL. */
static int
find_spec(const char *list, const char *name, size_t len, char letter,
	  struct spec *s)
{
	int at;

	for (at = 0; next_spec(&list, s); at++) {
		if (name == NULL
			    ? s->letter == letter
			    : s->len == len && strncmp(s->name, name, len) == 0)
			return at;
	}
	return -1;
}

const struct option_values *
option(const struct ctx *c, const char *name)
{
	struct spec spec;
	int at =
		find_spec(c->command->options, name, strlen(name), '\0', &spec);

	return at < 0 ? &no_values : &c->options[at];
}

const char *
option_value(const struct ctx *c, const char *name)
{
	const struct option_values *v = option(c, name);

	return v->count > 0 ? v->value[v->count - 1] : NULL;
}

int
option_count(struct ctx *c, const char *name, size_t otherwise, size_t max,
	     size_t *out)
{
	const char *text = option_value(c, name);
	uint64_t n = otherwise;

	if (text != NULL &&
	    (str_to_u64(text, &n, NULL) < 0 || n == 0 || n > max))
		return complain(c, EX_DATAERR,
				"--%s: expected a number from 1 to %zu", name,
				max);
	*out = (size_t)n;
	return EX_OK;
}

bool
option_is_given(const struct ctx *c, const char *name)
{
	return option(c, name)->count > 0;
}

void
words_each_option(const struct command *cmd,
		  void (*fn)(void *arg, const char *name, size_t len),
		  void *arg)
{
	const char *list = cmd->options;
	struct spec spec;

	while (next_spec(&list, &spec))
		fn(arg, spec.name, spec.len);
}

static int
wrong_option(struct ctx *c, const char *word)
{
	const char *words[OPTIONS_MAX + 4] = { "json", "no-headers", "help" };
	const char *list = c->command != NULL ? c->command->options : "";
	char names[OPTIONS_MAX][32];
	struct spec spec;
	size_t n = 3;
	const char *near;
	char name[64];

	for (; n < OPTIONS_MAX + 3 && next_spec(&list, &spec); n++) {
		str_fmt(names[n - 3], sizeof(names[0]), "%.*s", (int)spec.len,
			spec.name);
		words[n] = names[n - 3];
	}
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

static enum took
add_value(struct ctx *c, int at, const struct spec *spec, const char *value,
	  int *code)
{
	struct option_values *v = &c->options[at];

	if (value == NULL) {
		*code = complain(c, EX_USAGE, "--%.*s: expected a value",
				 (int)spec->len, spec->name);
		return TOOK_END;
	}
	if (v->count == OPTION_VALUES_MAX) {
		*code = complain(c, EX_USAGE, "--%.*s: more than %d times",
				 (int)spec->len, spec->name, OPTION_VALUES_MAX);
		return TOOK_END;
	}
	v->value[v->count++] = value;
	return TOOK_ONE;
}

/* An option of this command with its value. */
static enum took
take_own(struct ctx *c, char **words, int *code)
{
	const char *name = words[0] + 2;
	size_t len = strcspn(name, "=");
	struct spec spec;
	int at = find_spec(c->command->options, name, len, '\0', &spec);
	enum took took;

	if (at < 0 || len == 0) {
		*code = wrong_option(c, words[0]);
		return TOOK_END;
	}
	if (spec.is_flag && name[len] == '=') {
		*code = complain(c, EX_USAGE, "--%.*s takes no value", (int)len,
				 name);
		return TOOK_END;
	}
	if (spec.is_flag)
		return add_value(c, at, &spec, "", code);
	if (name[len] == '=')
		return add_value(c, at, &spec, name + len + 1, code);
	took = add_value(c, at, &spec, words[1], code);
	return took == TOOK_ONE ? TOOK_TWO : took;
}

/* -l VALUE, -lVALUE, or -l alone; none when the command has no such. */
static enum took
take_letter(struct ctx *c, char **words, int *code)
{
	const char *word = words[0];
	struct spec spec;
	enum took took;
	int at;

	if (word[0] != '-' || word[1] == '-' || word[1] == '\0')
		return TOOK_NONE;
	at = find_spec(c->command->options, NULL, 0, word[1], &spec);
	if (at < 0 || (spec.is_flag && word[2] != '\0'))
		return TOOK_NONE;
	if (spec.is_flag)
		return add_value(c, at, &spec, "", code);
	if (word[2] != '\0')
		return add_value(c, at, &spec, word + 2, code);
	took = add_value(c, at, &spec, words[1], code);
	return took == TOOK_ONE ? TOOK_TWO : took;
}

static enum took
take_since(struct ctx *c, const char *text, int *code)
{
	if (str_to_i64(text, &c->since, NULL) == 0 && c->since >= 0) {
		c->is_guarded = true;
		return TOOK_ONE;
	}
	*code = complain(c, EX_USAGE,
			 SINCE "%.60s: expected a serial of "
			       "mcctl log",
			 text);
	return TOOK_END;
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
	if (str_has_prefix(words[0], SINCE))
		return take_since(c, words[0] + strlen(SINCE), code);
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
	/* A letter of the command's own goes before -c and -h. */
	enum took took = take_letter(c, words, code);

	if (took == TOOK_NONE)
		took = take_common(c, words, code);
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

const struct command *
words_command(const char *family, const char *verb)
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
	/* What a person gets who names no command. */
	static char word[] = "console", *console[] = { word, NULL };

	while (*words != NULL && (*words)[0] == '-') {
		enum took took = take_common(c, words, code);

		if (took == TOOK_NONE)
			*code = wrong_option(c, *words);
		if (took == TOOK_NONE || took == TOOK_END)
			return false;
		words += took == TOOK_TWO ? 2 : 1;
	}
	if (*words == NULL && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		words = console;
	if (*words == NULL) {
		help_print(stderr, NULL, NULL);
		*code = EX_USAGE;
		return false;
	}
	c->command = words_command(words[0], words[1]);
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
