/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Groups by the longest prefix.
 */
#include "knob_groups.h"

#include <string.h>

#include "str.h"

const struct knob_group knob_groups[] = {
#define GROUP(name, title, prefixes, help) { #name, title, prefixes, help },
#include "knob_groups.def"
#undef GROUP
	{ "others", "Others", "", "what belongs nowhere else" },
};
const size_t knob_group_count = sizeof(knob_groups) / sizeof(*knob_groups);

static const char *const filters[] = {
#define FILTER(name, is_on, order, time_ms, size, decisive, failure, summary) \
#name,
#include "filters.def"
#undef FILTER
};

/* The longest of the prefixes that the name begins with. */
static size_t
match(const char *prefixes, const char *name)
{
	size_t best = 0, n;

	for (; *prefixes != '\0'; prefixes += n + (prefixes[n] == ' ')) {
		n = strcspn(prefixes, " ");
		if (n > best && strncmp(prefixes, name, n) == 0)
			best = n;
	}
	return best;
}

void
knob_group_of(const char *knob, char *dst, size_t size)
{
	size_t best = 0, n, i;

	str_copy(dst, size, "others");
	for (i = 0; i < knob_group_count; i++) {
		n = match(knob_groups[i].prefixes, knob);
		if (n > best) {
			best = n;
			str_copy(dst, size, knob_groups[i].name);
		}
	}
	for (i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		n = strlen(filters[i]);
		if (str_has_prefix(knob, "filter_") &&
		    strncmp(knob + 7, filters[i], n) == 0 &&
		    (knob[7 + n] == '\0' || knob[7 + n] == '_') &&
		    7 + n > best) {
			best = 7 + n;
			str_fmt(dst, size, "filter_%s", filters[i]);
		}
	}
}

void
knob_group_title(const char *group, char *dst, size_t size)
{
	str_copy(dst, size, group);
	for (size_t i = 0; i < knob_group_count; i++)
		if (str_eq(knob_groups[i].name, group))
			str_copy(dst, size, knob_groups[i].title);
	if (str_has_prefix(group, "filter_"))
		str_fmt(dst, size, "Filter %s", group + 7);
}
