/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tables of views and actions.
 */
#include "views.h"

#include "keys.h"
#include "str.h"

const struct view view_table[VIEW_COUNT] = {
#define VIEW(name, title, words, member, columns, flags, help) \
	{ #name, title, words, member, columns, flags, help },
#define ACTION(name, view, key, label, flags, when, words, help)
#include "views.def"
#undef VIEW
#undef ACTION
};

const struct view_action action_table[] = {
#define VIEW(name, title, words, member, columns, flags, help)
#define ACTION(name, view, key, label, flags, when, words, help) \
	{ VIEW_##view, key, label, flags, when, words, help },
#include "views.def"
#undef VIEW
#undef ACTION
};
const size_t action_count = sizeof(action_table) / sizeof(*action_table);

enum view_id
view_find(const char *name)
{
	int i = 0;

	while (i < VIEW_COUNT && !str_eq(view_table[i].name, name))
		i++;
	return (enum view_id)i;
}
