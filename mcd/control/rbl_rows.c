/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rows that are no lists are left out here and said once, by the snapshot
 * that has them.
 */
#include "rbl_rows.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "rbl.h"
#include "str.h"
#include "xalloc.h"

#define PREFIX "rbl\t"

struct rows {
	char *text[RBL_LISTS_MAX]; /* "NAME\tVALUE" */
	unsigned count;
};

static void
add_row(struct rows *rows, struct span line)
{
	char *copy = xmalloc(line.len + 1);
	char *tab;
	struct rbl r;
	struct err e = { "" };

	memcpy(copy, line.p, line.len);
	copy[line.len] = '\0';
	tab = strchr(copy, '\t');
	if (tab != NULL)
		*tab = '\0';
	if (tab == NULL || rbl_read(&r, copy, tab + 1, &e) != 0)
		log_warn("- rbl list=%s not used why=%s", log_text(copy),
			 log_text(e.text));
	else if (rows->count == RBL_LISTS_MAX)
		log_warn("- rbl list=%s not used why=\"more than %d\"",
			 log_text(copy), RBL_LISTS_MAX);
	else {
		*tab = '\t';
		rows->text[rows->count++] = copy;
		return;
	}
	free(copy);
}

static void
find_rows(struct rows *rows, struct span text)
{
	const char *end;

	while (text.len > 0 && (end = memchr(text.p, '\n', text.len)) != NULL) {
		struct span line = { text.p, (size_t)(end - text.p) };
		size_t n = sizeof(PREFIX) - 1;

		text.len -= line.len + 1;
		text.p = end + 1;
		if (line.len > n && memcmp(line.p, PREFIX, n) == 0)
			add_row(rows,
				(struct span){ line.p + n, line.len - n });
	}
}

void
rbl_rows_tell(peer_id lookup, const struct policy *p)
{
	struct frame_rbl_row row = { .name = "", .value = "" };
	struct rows rows = { .count = 0 };
	unsigned i;
	char *tab;

	if (lookup == 0 || p == NULL)
		return;
	find_rows(&rows, policy_lists(p));
	if (rows.count == 0)
		(void)peer_note(lookup, FRAME_rbl_row, &row, -1);
	for (i = 0; i < rows.count; i++) {
		tab = strchr(rows.text[i], '\t');
		*tab = '\0';
		row.name = rows.text[i];
		row.value = tab + 1;
		row.left = rows.count - 1 - i;
		(void)peer_note(lookup, FRAME_rbl_row, &row, -1);
		free(rows.text[i]);
	}
}
