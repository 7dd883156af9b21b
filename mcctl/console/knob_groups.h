/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Which group a setting belongs to.
 */
#ifndef KNOB_GROUPS_H
#define KNOB_GROUPS_H

#include <stddef.h>

struct knob_group {
	const char *name, *title, *prefixes, *help;
};

extern const struct knob_group knob_groups[];
extern const size_t knob_group_count;

/* The name of a setting's group: "filter_NAME" of a filter's, "others" of
 * one that no row names.  dst holds 64 bytes. */
void knob_group_of(const char *knob, char *dst, size_t size);
/* What a group is called. */
void knob_group_title(const char *group, char *dst, size_t size);

#endif
