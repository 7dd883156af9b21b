/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl: finds the command in its table, parses options by its row,
 * prepares what it needs, and runs it.
 */
#include <errno.h>
#include <locale.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "command.h"
#include "config.h"
#include "log.h"
#include "rights.h"
#include "str.h"

const struct command command_table[] = {
#define COMMAND(f, v, syn, opts, min, max, need, fn, help) \
	{ f, v, syn, opts, min, max, need, fn, help },
#include "commands.def"
#undef COMMAND
};
const size_t command_count = sizeof(command_table) / sizeof(*command_table);

static const struct option_values no_values;

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

int
complain(struct ctx *c, int code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	out_flush(&c->out);
	if (c->out.json) {
		struct buf b = { 0 };

		buf_add_str(&b, "{\"error\":");
		json_string(&b, text);
		buf_printf(&b, ",\"exit\":%d}", code);
		fprintf(stderr, "%s\n", buf_str(&b));
		buf_release(&b);
	} else {
		fprintf(stderr, "mcctl: %s\n", text);
	}
	return code;
}

int
complain_db(struct ctx *c, enum db_result r, const struct err *e)
{
	static const int codes[] = { [DB_OK] = EX_SOFTWARE,
				     [DB_LATER] = EX_TEMPFAIL,
				     [DB_NEWER] = EX_CONFIG,
				     [DB_FAIL] = EX_UNAVAILABLE };

	return complain(c, codes[r], "%s", e->text);
}

int
complain_unknown(struct ctx *c, const char *what, const char *name,
		 const char *const *known)
{
	const char *near = str_nearest(name, known);
	char shown[256];

	str_printable(shown, sizeof(shown), name, strlen(name));
	if (near == NULL)
		return complain(c, EX_DATAERR, "%s \"%s\": not known", what,
				shown);
	return complain(c, EX_DATAERR, "%s \"%s\": not known; did you mean %s?",
			what, shown, near);
}

static void
print_command(FILE *f, const struct command *cmd)
{
	fprintf(f, "  mcctl %s%s%s%s%s\n      %s\n", cmd->family,
		cmd->verb[0] != '\0' ? " " : "", cmd->verb,
		cmd->synopsis[0] != '\0' ? " " : "", cmd->synopsis, cmd->help);
}

/* All commands, or those of one family. */
static void
print_help(FILE *f, const char *family)
{
	fprintf(f,
		"usage: mcctl [-c FILE] [--json] [--no-headers] COMMAND\n"
		"  -c FILE       mcd.conf (%s)\n"
		"  --json        one JSON object a line\n"
		"  --no-headers  tables without their first line\n\n",
		conf_default_path);
	for (size_t i = 0; i < command_count; i++)
		if (family == NULL || str_eq(family, command_table[i].family))
			print_command(f, &command_table[i]);
}

static bool
family_exists(const char *family)
{
	for (size_t i = 0; i < command_count; i++)
		if (str_eq(command_table[i].family, family))
			return true;
	return false;
}

/* Says which word is wrong and which it may have been. */
static int
unknown_command(struct ctx *c, const char *family, const char *verb)
{
	const char *words[128] = { NULL };
	bool has_family = family_exists(family);
	const char *near;
	size_t n = 0;

	for (size_t i = 0; i < command_count && n < 127; i++) {
		const struct command *cmd = &command_table[i];

		if (!has_family)
			words[n++] = cmd->family;
		else if (str_eq(cmd->family, family))
			words[n++] = cmd->verb;
	}
	if (has_family && verb == NULL) {
		print_help(stderr, family);
		return EX_USAGE;
	}
	near = str_nearest(has_family ? verb : family, words);
	return complain(c, EX_USAGE,
			"%s%s%s: no such command%s%s%s; see "
			"mcctl --help",
			log_text(family), has_family ? " " : "",
			has_family ? log_text(verb) : "",
			near != NULL ? "; did you mean " : "",
			near != NULL ? near : "", near != NULL ? "?" : "");
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

/* An option of this command with its value; the number of words taken. */
static int
take_option(struct ctx *c, char **words)
{
	const char *name = words[0] + 2;
	size_t len = strcspn(name, "=");
	int at = word_position(c->command->options, name, len);
	const char *value = name[len] == '=' ? name + len + 1 : words[1];
	struct option_values *v;

	if (at < 0 || len == 0) {
		complain(c, EX_USAGE,
			 "%s: no such option here; see mcctl %s "
			 "--help",
			 log_text(words[0]), c->command->family);
		return -1;
	}
	v = &c->options[at];
	if (value == NULL) {
		complain(c, EX_USAGE, "--%.*s wants a value", (int)len, name);
		return -1;
	}
	if (v->count == OPTION_VALUES_MAX) {
		complain(c, EX_USAGE, "--%.*s: more than %d times", (int)len,
			 name, OPTION_VALUES_MAX);
		return -1;
	}
	v->value[v->count++] = value;
	return name[len] == '=' ? 1 : 2;
}

/* Options that every command takes; words taken, 0: none of them. */
static int
take_common(struct ctx *c, char **words)
{
	if (str_eq(words[0], "--json"))
		c->out.json = true;
	else if (str_eq(words[0], "--no-headers"))
		c->out.no_headers = true;
	else if (str_eq(words[0], "-c") && words[1] != NULL) {
		c->conf_path = words[1];
		return 2;
	} else
		return 0;
	return 1;
}

/* Sorts the words behind the command into options and arguments. */
static int
parse_words(struct ctx *c, char **words)
{
	bool is_literal = false;
	int n = 0;

	c->args = words;
	while (*words != NULL) {
		int took = 0;

		if (!is_literal && str_eq(*words, "--")) {
			is_literal = true;
			words++;
			continue;
		}
		if (!is_literal && str_eq(*words, "--help")) {
			print_help(stdout, c->command->family);
			exit(EX_OK);
		}
		if (!is_literal)
			took = take_common(c, words);
		if (took == 0 && !is_literal && strncmp(*words, "--", 2) == 0)
			took = take_option(c, words);
		if (took < 0)
			return -1;
		if (took == 0)
			c->args[n++] = *words++;
		else
			words += took;
	}
	c->arg_count = n;
	if (n >= c->command->min_args && n <= c->command->max_args)
		return 0;
	complain(c, EX_USAGE, "usage: mcctl %s%s%s %s", c->command->family,
		 c->command->verb[0] != '\0' ? " " : "", c->command->verb,
		 c->command->synopsis);
	return -1;
}

static const char *
login_name(void)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *pw = getpwuid(getuid());

	if (sudo != NULL && sudo[0] != '\0')
		return sudo;
	return pw != NULL ? pw->pw_name : "unknown";
}

/* Runs the command with what its row wants prepared. */
static int
run_prepared(struct ctx *c)
{
	bool writes = c->command->need == NEED_DB_WRITE;
	char who[64];
	struct err e = { "" };
	enum db_result r;
	int code;

	if (c->command->need == NEED_NOTHING)
		return c->command->run(c);
	str_copy(who, sizeof(who), login_name());
	if (conf_read(c->conf_path, &c->conf, &e) < 0)
		return complain(c, EX_CONFIG, "%s", e.text);
	if (c->command->need == NEED_CONF)
		return c->command->run(c);
	if (rights_become(&c->conf, &e) < 0)
		return complain(c, EX_NOPERM, "%s", e.text);
	r = db_open(c->conf.lib_dir, writes, c->conf.node, &c->db, &e);
	if (r == DB_OK && writes)
		r = db_begin(c->db, who, &e);
	if (r != DB_OK)
		return complain_db(c, r, &e);
	code = c->command->run(c);
	if (!writes)
		return code;
	if (code != EX_OK) {
		db_rollback(c->db);
		return code;
	}
	r = db_commit(c->db, &e);
	if (r != DB_OK)
		return complain_db(c, r, &e);
	rights_nudge(&c->conf);
	return EX_OK;
}

static int
run_words(struct ctx *c, char **words)
{
	while (*words != NULL && (*words)[0] == '-') {
		int took = take_common(c, words);

		if (str_eq(*words, "--help") || str_eq(*words, "-h")) {
			print_help(stdout, NULL);
			return EX_OK;
		}
		if (str_eq(*words, "--version") || str_eq(*words, "-V")) {
			printf("mcctl %s\n", MCGATE_VERSION);
			return EX_OK;
		}
		if (took == 0)
			return complain(c, EX_USAGE,
					"%s: no such option; see mcctl --help",
					log_text(*words));
		words += took;
	}
	if (*words == NULL) {
		print_help(stderr, NULL);
		return EX_USAGE;
	}
	c->command = find_command(words[0], words[1]);
	if (c->command == NULL)
		return unknown_command(c, words[0], words[1]);
	words += c->command->verb[0] != '\0' ? 2 : 1;
	if (parse_words(c, words) < 0)
		return EX_USAGE;
	return run_prepared(c);
}

int
main(int argc, char **argv)
{
	struct ctx c = { .conf_path = conf_default_path };
	int code;

	(void)argc;
	setlocale(LC_CTYPE, "");
	code = run_words(&c, argv + 1);
	out_flush(&c.out);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (code == EX_OK && errno != EPIPE)
			code = complain(&c, EX_IOERR, "standard output: %s",
					strerror(errno));
	}
	out_release(&c.out);
	db_close(c.db);
	conf_release(&c.conf);
	return code;
}
