/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl complete -- WORD...: what the last word may become, a line each:
 * the word, and behind a tab what it is.  ":files" means names of files.
 * The scripts of the shells know no command; they ask here.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "offer.h"
#include "str.h"
#include "synopsis.h"
#include "words.h"

struct typing {
	struct offers o;
	bool wants_value; /* of an option: the name it has in the synopsis */
	char value[SYNOPSIS_WORD];
};

static void
offer_families(struct offers *o)
{
	for (size_t i = 0; i < command_count; i++)
		if (i == 0 || !str_eq(command_table[i].family,
				      command_table[i - 1].family)) {
			size_t k = 0;

			while (!str_eq(command_table[k].family,
				       command_table[i].family))
				k++;
			if (k == i)
				offer(o, command_table[i].family,
				      command_table[i].verb[0] == '\0'
					      ? command_table[i].help
					      : "");
		}
}

static void
offer_verbs(struct offers *o, const char *family)
{
	for (size_t i = 0; i < command_count; i++)
		if (str_eq(command_table[i].family, family) &&
		    command_table[i].verb[0] != '\0')
			offer(o, command_table[i].verb, command_table[i].help);
}

static void
offer_option(void *arg, const char *name, size_t len)
{
	char word[64];

	str_fmt(word, sizeof(word), "--%.*s", (int)len, name);
	offer(arg, word, "");
}

static void
offer_options(struct offers *o)
{
	static const char *const common[] = { "--json", "--no-headers",
					      "--help" };

	if (o->command != NULL)
		words_each_option(o->command, offer_option, o);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		offer(o, common[i], "");
	if (o->command == NULL)
		offer(o, "-c", "another mcd.conf");
}

static void
offer_next(void *arg, const struct synopsis_word *w)
{
	struct typing *t = arg;
	size_t len = strlen(w->prefix);
	struct offers all = t->o;

	if (len > 0 && strncmp(t->o.typed, w->prefix, len) != 0) {
		offer(&t->o, w->prefix, "");
		return;
	}
	all.prefix = w->prefix;
	all.typed += len;
	if (w->is_name)
		offer_names(&all, w->name);
	else if (w->name[0] != '\0' && w->name[0] != '-')
		offer(&all, w->name, "");
	all.prefix = "";
	all.typed = t->o.typed;
	t->o = all;
}

/* Takes one word that is complete. */
static void
take_word(struct typing *t, char **args, char *word)
{
	const char *name = word + strspn(word, "-");
	size_t len = strcspn(name, "=");

	if (t->wants_value) {
		if (str_eq(t->value, "FILE") && t->o.command == NULL)
			t->o.c->conf_path = word;
		t->wants_value = false;
	} else if (word[0] != '-' || word[1] == '\0') {
		args[t->o.arg_count++] = word;
	} else if (t->o.command == NULL) {
		t->wants_value = str_eq(word, "-c");
		str_copy(t->value, sizeof(t->value), "FILE");
	} else if (name[len] != '=') {
		t->wants_value = synopsis_value(
			t->o.command, name, word[1] == '-' ? len : 0,
			word[1] != '-' && word[2] == '\0' ? word[1] : '\0',
			t->value);
	}
}

/* Family and verb become the command. */
static void
take_command(struct typing *t, char **args)
{
	if (t->o.command != NULL || t->o.arg_count == 0)
		return;
	t->o.command =
		words_command(args[0], t->o.arg_count > 1 ? args[1] : NULL);
	if (t->o.command != NULL)
		t->o.arg_count = 0;
}

static void
offer_all(struct typing *t, char **args)
{
	struct offers *o = &t->o;

	o->args = args;
	if (t->wants_value &&
	    (o->command != NULL || str_eq(t->value, "FILE"))) {
		if (o->command == NULL)
			printf(":files\n");
		else
			offer_names(o, t->value);
	} else if (o->typed[0] == '-') {
		offer_options(o);
	} else if (o->command != NULL) {
		synopsis_next(o->command, args, o->arg_count, offer_next, t);
	} else if (o->arg_count == 0) {
		offer_families(o);
	} else if (o->arg_count == 1) {
		offer_verbs(o, args[0]);
	}
}

int
cmd_complete(struct ctx *c)
{
	struct typing t = { .o = { .c = c, .prefix = "", .typed = "" } };
	int last = c->arg_count - 1;

	for (int i = 0; i < last; i++) {
		take_word(&t, c->args, c->args[i]);
		take_command(&t, c->args);
	}
	if (last >= 0)
		t.o.typed = c->args[last];
	offer_all(&t, c->args);
	return EX_OK;
}
