/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Help, and words that are no command.
 */
#include "help.h"

#include <sysexits.h>

#include "log.h"
#include "str.h"

#define WORDS_MAX 128

void
help_usage(const struct command *cmd, char *dst, size_t size)
{
	str_fmt(dst, size, "usage: mcctl %s%s%s%s%s", cmd->family,
		cmd->verb[0] != '\0' ? " " : "", cmd->verb,
		cmd->synopsis[0] != '\0' ? " " : "", cmd->synopsis);
}

static void
print_command(FILE *f, const struct command *cmd)
{
	char usage[256];

	help_usage(cmd, usage, sizeof(usage));
	fprintf(f, "  %s\n      %s\n", usage + sizeof("usage: ") - 1,
		cmd->help);
}

void
help_print(FILE *f, const char *family, const char *verb)
{
	fprintf(f,
		"usage: mcctl [-c FILE] [--json] [--no-headers] COMMAND\n"
		"  -c FILE       mcd.conf (%s)\n"
		"  --json        one JSON object a line\n"
		"  --no-headers  tables without their first line\n"
		"  --unchanged-since=SERIAL  change nothing if what is "
		"changed was\n"
		"                changed after that line of `log`\n"
		"  --help        this, or what belongs to COMMAND\n"
		"  --version     the version of mcctl\n\n",
		conf_default_path);
	for (size_t i = 0; i < command_count; i++) {
		const struct command *cmd = &command_table[i];

		if (family != NULL && !str_eq(family, cmd->family))
			continue;
		if (verb != NULL && !str_eq(verb, cmd->verb))
			continue;
		print_command(f, cmd);
	}
}

static bool
family_exists(const char *family)
{
	for (size_t i = 0; i < command_count; i++)
		if (str_eq(command_table[i].family, family))
			return true;
	return false;
}

int
help_unknown(struct ctx *c, const char *family, const char *verb)
{
	const char *words[WORDS_MAX + 1] = { NULL };
	bool has_family = family_exists(family);
	const char *near;
	size_t n = 0;

	if (has_family && verb == NULL) {
		help_print(stderr, family, NULL);
		return EX_USAGE;
	}
	for (size_t i = 0; i < command_count && n < WORDS_MAX; i++) {
		const struct command *cmd = &command_table[i];

		if (!has_family)
			words[n++] = cmd->family;
		else if (str_eq(cmd->family, family))
			words[n++] = cmd->verb;
	}
	near = str_nearest(has_family ? verb : family, words);
	return complain(c, EX_USAGE,
			"%s%s%s: no such command%s%s%s; see mcctl --help",
			has_family ? family : "", has_family ? " " : "",
			log_text(has_family ? verb : family),
			near != NULL ? "; did you mean " : "",
			near != NULL ? near : "", near != NULL ? "?" : "");
}
