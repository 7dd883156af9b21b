/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Where names that a command line may go on with come from: the tables,
 * settings.db, the queues.  What cannot be read now has no names; nothing
 * is ever complained about, as somebody is typing.
 */
#ifndef OFFER_H
#define OFFER_H

#include "command.h"

#define OFFERS_MAX 1000

struct offers {
	struct ctx *c; /* of "complete" */
	const struct command *command; /* that is being typed */
	char *const *args; /* typed so far */
	int arg_count;
	const char *prefix; /* goes before all offers: "kind:", or "" */
	const char *typed; /* of the word, behind the prefix */
	size_t count;
	bool has_conf, has_failed;
};

/* Prints a word that begins with what is typed; help may be "".  Words
 * that a shell would not take as they are are left out. */
void offer(struct offers *o, const char *word, const char *help);
/* Names that a synopsis calls so. */
void offer_names(struct offers *o, const char *name);
/* Whether complete.def knows what to do with such a name. */
bool offer_knows(const char *name);

#endif
