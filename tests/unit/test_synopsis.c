/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What may stand where by a synopsis; and the table of commands, of which
 * help, manual, and completion are made: nothing in it is undocumented.
 */
#include "synopsis.h"

#include <string.h>

#include "check.h"
#include "offer.h"
#include "str.h"
#include "words.h"

static void
add_word(void *arg, const struct synopsis_word *w)
{
	(void)buf_printf(arg, "%s%s%s%s", w->is_name ? "<" : "", w->prefix,
			 w->name, w->is_name ? "> " : " ");
}

static struct command
command_of(const char *synopsis)
{
	return (struct command){ .synopsis = synopsis, .options = "" };
}

static void
check_next(const char *synopsis, const char *args, const char *want)
{
	struct command cmd = command_of(synopsis);
	char copy[100], *list[10];
	struct buf b = { 0 };
	int count = 0;

	str_copy(copy, sizeof(copy), args);
	for (char *p = copy; *p != '\0'; count++) {
		list[count] = p;
		p += strcspn(p, " ");
		if (*p != '\0')
			*p++ = '\0';
	}
	synopsis_next(&cmd, list, count, add_word, &b);
	CHECK_STR(buf_str(&b), want, "%s", synopsis);
	buf_release(&b);
}

static void
check_places(void)
{
	static const char lists[] = "add ENTRY... [--auth] | remove ENTRY... "
				    "| show [--domain D | --user ADDRESS]";
	static const char many[] = "[kind:KIND] [--limit N] [domain:D]";

	check_next("", "", "");
	check_next("NAME VALUE", "", "<NAME> ");
	check_next("NAME VALUE", "x", "<VALUE> ");
	check_next("NAME VALUE", "x y", "");
	check_next("[WORD] [--last N]", "", "<WORD> ");
	check_next("ID... | all | -", "", "<ID> all - ");
	check_next("ID... | all | -", "x y", "<ID> ");
	check_next("spam|ham ID...", "", "spam ham ");
	check_next("spam|ham ID...", "ham", "<ID> ");
	check_next("spam|ham ID...", "eggs", "");
	check_next(lists, "", "add remove show ");
	check_next(lists, "add", "<ENTRY> ");
	check_next(lists, "remove x", "<ENTRY> ");
	check_next(lists, "show", "");
	check_next("--dest HOST:PORT[,P]... NAME", "", "<NAME> ");
	check_next("ADDRESS[/BITS] [--note TEXT]", "", "<ADDRESS> ");
	check_next(many, "", "<kind:KIND> <domain:D> ");
	check_next(many, "kind:x", "<kind:KIND> <domain:D> ");
}

static void
check_values(void)
{
	struct command cmd = command_of("[-z | -x] [-f FROM] [--domain D | "
					"--user ADDRESS] [--wait] [ID]");
	char name[SYNOPSIS_WORD];

	CHECK(synopsis_value(&cmd, "domain", 6, '\0', name), "an option");
	CHECK_STR(name, "D", "takes this");
	CHECK(synopsis_value(&cmd, "user", 4, '\0', name), "the next");
	CHECK_STR(name, "ADDRESS", "takes that");
	CHECK(synopsis_value(&cmd, "from", 4, 'f', name), "a letter");
	CHECK_STR(name, "FROM", "takes this");
	CHECK(!synopsis_value(&cmd, "wait", 4, '\0', name), "none by itself");
	CHECK(!synopsis_value(&cmd, "x", 1, 'x', name), "nor a letter");
	CHECK(!synopsis_value(&cmd, "do", 2, '\0', name), "nor a part of one");
}

static void
check_known(void *arg, const struct synopsis_word *w)
{
	char what[200];

	str_fmt(what, sizeof(what), "%s: complete.def knows %s",
		(const char *)arg, w->name);
	if (w->is_name)
		CHECK(offer_knows(w->name), "%s", what);
}

/* An option is in the synopsis by its name, or its letter is. */
static void
check_option(void *arg, const char *name, size_t len)
{
	const struct command *cmd = arg;
	char text[64], letter[8], what[200];
	const char *spec = strstr(cmd->options, name);

	str_fmt(text, sizeof(text), "--%.*s", (int)len, name);
	str_fmt(letter, sizeof(letter), "-%c",
		spec[len] == '/' ? spec[len + 1] : '\001');
	str_fmt(what, sizeof(what), "%s %s: its synopsis has %s", cmd->family,
		cmd->verb, text);
	CHECK(strstr(cmd->synopsis, text) != NULL ||
		      strstr(cmd->synopsis, letter) != NULL ||
		      strstr(cmd->synopsis, "OPTION") != NULL,
	      "%s", what);
}

static void
check_table(void)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *cmd = &command_table[i];
		char name[64];

		str_fmt(name, sizeof(name), "%s %s", cmd->family, cmd->verb);
		CHECK(cmd->help[0] != '\0', "%s", name);
		CHECK(words_command(cmd->family, cmd->verb) == cmd,
		      "no other row hides it");
		synopsis_all(cmd, check_known, name);
		words_each_option(cmd, check_option, (void *)cmd);
	}
}

int
main(void)
{
	check_places();
	check_values();
	check_table();
	return check_done();
}
