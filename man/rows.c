/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Prints a table of the program as a list for a manual page, so that no
 * page lists a key, a setting, a counter or a command by hand. Run by the
 * build only.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "conf_keys.h"
#include "keys.h"
#include "setting.h"
#include "stats.h"

/* Text as roff shows it unchanged. */
static void
put(const char *s)
{
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", stdout);
		else if (*s == '-')
			fputs("\\-", stdout);
		else if (*s == '"')
			fputs("\\(dq", stdout);
		else
			putchar(*s);
	}
}

static void
put_name(const char *name)
{
	fputs(".TP\n.B ", stdout);
	put(name);
	putchar('\n');
}

static void
put_help(const char *help)
{
	fputs("\\&", stdout);
	put(help);
	fputs(".\n", stdout);
}

static void
put_conf(const struct conf_row *row)
{
	put_name(row->key);
	put_help(row->help);
	switch (row->type) {
	case CONF_TYPE_STR:
		fputs("Default \\(dq", stdout);
		put(row->text);
		fputs("\\(dq.\n", stdout);
		break;
	case CONF_TYPE_INT:
		printf("From %" PRId64 " to %" PRId64 ", default %" PRId64
		       ".\n",
		       row->min, row->max, row->dflt);
		break;
	case CONF_TYPE_BOOL:
		printf("Default %s.\n", row->dflt ? "true" : "false");
		break;
	}
}

static void
put_knob(const struct knob *k)
{
	char dflt[KNOB_TEXT_SIZE], range[2 * KNOB_TEXT_SIZE];
	struct knob_value v = knob_default(k);
	bool has_quotes = k->type == KNOB_TYPE_TEXT;

	knob_text(k, &v, dflt, sizeof(dflt));
	knob_range(k, range, sizeof(range));
	put_name(k->name);
	put_help(k->help);
	printf("Takes ");
	put(range);
	fputs(has_quotes ? ", default \\(dq" : ", default ", stdout);
	put(dflt);
	fputs(has_quotes ? "\\(dq" : "", stdout);
	fputs("; for all", stdout);
	if (k->levels & LEVEL_DOMAIN)
		fputs(", a domain", stdout);
	if (k->levels & LEVEL_USER)
		fputs(", a user", stdout);
	if (k->way == WAY_IN)
		fputs("; inbound mail", stdout);
	else if (k->way == WAY_OUT)
		fputs("; outbound mail", stdout);
	fputs(".\n", stdout);
}

static void
put_stat(enum stat_id id)
{
	put_name(stats_name(id));
	put_help(stats_help(id));
	printf("%s, in %s.\n", stats_is_counter(id) ? "Counter" : "Gauge",
	       stats_unit(id));
}

static const struct {
	const char *family, *verb, *synopsis, *help;
} commands[] = {
#define COMMAND(family, verb, synopsis, options, least, most, need, fn, help) \
	{ family, verb, synopsis, help },
#include "commands.def"
};

static void
put_command(const char *family, const char *verb, const char *synopsis,
	    const char *help)
{
	fputs(".TP\n.BR \"", stdout);
	put(family);
	if (*verb) {
		putchar(' ');
		put(verb);
	}
	fputs("\" \" ", stdout);
	put(synopsis);
	fputs("\"\n", stdout);
	put_help(help);
}

/* Keys and panels of mctop. */
static const struct {
	int key, other;
	const char *help;
} top_keys[] = {
#define KEY(action, key, other, label, help) { key, other, help },
#include "mctop_keys.def"
#undef KEY
};

static const struct {
	const char *name, *title, *help;
} top_panels[] = {
#define PANEL(name, title, help) { #name, title, help },
#include "panels.def"
#undef PANEL
};

/* Keys, lists and actions of the console. */
static const struct {
	int key, other;
	const char *help;
} console_keys[] = {
#define KEY(action, key, other, label, help) { key, other, help },
#include "console_keys.def"
#undef KEY
};

static const struct {
	const char *name, *title, *words, *help;
} views[] = {
#define VIEW(name, title, words, member, columns, flags, help) \
	{ #name, title, words, help },
#define ACTION(name, view, key, label, flags, when, words, help)
#include "views.def"
#undef VIEW
#undef ACTION
};

static const struct {
	const char *view;
	int key;
	const char *help;
} actions[] = {
#define VIEW(name, title, words, member, columns, flags, help)
#define ACTION(name, view, key, label, flags, when, words, help) \
	{ #view, key, help },
#include "views.def"
#undef VIEW
#undef ACTION
};

static void
put_key(int key, int other, const char *help)
{
	char name[16];

	fputs(".TP\n.B \"", stdout);
	tui_key_name(key, name, sizeof(name));
	put(name);
	if (other >= 0) {
		fputs(", ", stdout);
		tui_key_name(other, name, sizeof(name));
		put(name);
	}
	fputs("\"\n", stdout);
	put_help(help);
}

static void
put_panels(void)
{
	size_t i;

	for (i = 0; i < sizeof(top_panels) / sizeof(*top_panels); i++) {
		put_name(top_panels[i].name);
		put_help(top_panels[i].help);
	}
}

static void
put_keys(void)
{
	size_t i;

	for (i = 0; i < sizeof(top_keys) / sizeof(*top_keys); i++)
		put_key(top_keys[i].key, top_keys[i].other, top_keys[i].help);
}

/* Each list with its keys, in the order of the menu. */
static void
put_views(void)
{
	char name[16];
	size_t i, k;

	for (i = 0; i < sizeof(views) / sizeof(*views); i++) {
		put_name(views[i].title);
		put_help(views[i].help);
		for (k = 0; k < sizeof(actions) / sizeof(*actions); k++) {
			if (strcmp(actions[k].view, views[i].name) != 0)
				continue;
			tui_key_name(actions[k].key, name, sizeof(name));
			fputs(".br\n.B ", stdout);
			put(name);
			fputs("\n", stdout);
			put_help(actions[k].help);
		}
	}
}

static const struct {
	const char *name, *help;
} tallies[] = {
#define TALLY(name, help) { #name, help },
#include "tally.def"
#undef TALLY
};

static void
put_tallies(void)
{
	size_t i;

	for (i = 0; i < sizeof(tallies) / sizeof(*tallies); i++) {
		put_name(tallies[i].name);
		put_help(tallies[i].help);
	}
}

static void
put_console_keys(void)
{
	size_t i;

	for (i = 0; i < sizeof(console_keys) / sizeof(*console_keys); i++)
		put_key(console_keys[i].key, console_keys[i].other,
			console_keys[i].help);
}

int
main(int argc, char **argv)
{
	const char *table = argc == 2 ? argv[1] : "";
	size_t i;

	if (strcmp(table, "conf") == 0) {
		for (i = 0; i < conf_row_count; i++)
			put_conf(&conf_rows[i]);
	} else if (strcmp(table, "knobs") == 0) {
		for (i = 0; i < knob_count; i++)
			put_knob(&knob_table[i]);
	} else if (strcmp(table, "stats") == 0) {
		for (i = 0; i < STAT_COUNT; i++)
			put_stat((enum stat_id)i);
	} else if (strcmp(table, "commands") == 0) {
		for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			put_command(commands[i].family, commands[i].verb,
				    commands[i].synopsis, commands[i].help);
	} else if (strcmp(table, "topkeys") == 0) {
		put_keys();
	} else if (strcmp(table, "panels") == 0) {
		put_panels();
	} else if (strcmp(table, "views") == 0) {
		put_views();
	} else if (strcmp(table, "consolekeys") == 0) {
		put_console_keys();
	} else if (strcmp(table, "tallies") == 0) {
		put_tallies();
	} else {
		fputs("usage: rows conf|knobs|stats|commands|topkeys|panels|"
		      "views|consolekeys|tallies\n",
		      stderr);
		return 64;
	}
	return fflush(stdout) == 0 ? 0 : 74;
}
