/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The words of a command with holes, as rows of views.def have them:
 *
 *   word           as it stands
 *   {member}       of the chosen row; {+member} and {-member} of the row
 *                  below and above it
 *   @              --domain or --user of the view
 *   &              the same of the chosen row, by its level and subject
 *   <label>        a field of a form, which must be filled in; _ is a blank
 *   --name=<label> an option, left out when its field is empty
 *   --name?<label> an option without a value, there when its field is yes
 *
 * Behind the label of a field: * for a value that is split at blanks,
 * =member for what it holds at first, :a|b for the words it takes.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "cmdline.h"
#include "json_read.h"

#define TEMPLATE_LABEL 48
#define TEMPLATE_FIELDS 12

/* --domain or --user; both "": everybody. */
struct scope {
	char option[16]; /* "--domain", "--user" or "" */
	char subject[400];
};

struct template_field {
	char label[TEMPLATE_LABEL];
	char member[TEMPLATE_LABEL]; /* "" none */
	char choices[128]; /* "a|b", "" any text */
	bool is_many; /* split at blanks */
	bool is_optional;
};

/* What a template is filled from.  Members that a row lacks are empty. */
struct template_source {
	const struct json *row, *above, *below; /* may be NULL */
	const struct scope *scope;
	/* Of {id_member}: several rows at once, where ids is not NULL. */
	const char *id_member;
	const char *const *ids;
	int id_count;
	/* One for each field. */
	const char *const *values;
};

/* The fields in their order; returns how many there are. */
int template_fields(const char *t,
		    struct template_field fields[TEMPLATE_FIELDS]);
/* False when a member of a row that is not there is wanted. */
bool template_fill(const char *t, const struct template_source *s,
		   struct cmdline *out);
/* A member of a row as text, the items of a list with blanks between; ""
 * when it has none. */
void template_member(const struct json *row, const char *name, struct buf *out);

#endif
