/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A panel: a const struct in a file of its own, and a row in panels.def.
 */
#ifndef PANEL_H
#define PANEL_H

#include "source.h"
#include "table.h"

struct panel {
	const struct column *columns;
	int column_count;
	int sort; /* column at first, -1: as filled in */
	const char *empty; /* words for no rows */
	void (*fill)(const struct sample *s, struct table *t);
	/* A drawing at the right edge, where there is room; returns the
	 * columns that it took.  May be NULL. */
	int (*beside)(const struct sample *s, const struct pane *p);
};

#define PANEL(name, title, help) extern const struct panel panel_##name;
#include "panels.def"
#undef PANEL

#define COLUMNS_OF(c) (c), (int)(sizeof(c) / sizeof((c)[0]))

/* What a table of the stats file that has no panel is shown by. */
void panel_keyed_columns(enum stats_table t, struct column *columns,
			 int *count);
void panel_keyed_fill(enum stats_table st, const struct sample *s,
		      struct table *t);
/* Whether one of the panels above shows it already. */
bool panel_keyed_is_known(enum stats_table t);

/* A cell of each kind; a value that is nothing to look at is dim. */
void panel_count(struct table_row *r, int col, int64_t n);
void panel_count_bad(struct table_row *r, int col, int64_t n);
void panel_rate(struct table_row *r, int col, int64_t milli);

/* Kinds of mail, and what they came to over some time. */
enum kind {
	KIND_CLEAN,
	KIND_TAGGED,
	KIND_SPAM,
	KIND_VIRUS,
	KIND_REFUSED,
	KIND_COUNT
};
struct kind_row {
	const char *name, *help;
	enum stat_id stat;
	enum ink ink;
};
extern const struct kind_row kind_rows[KIND_COUNT];
/* Over the last so many microseconds, 0: since ever; returns the sum. */
int64_t kinds_count(const struct sample *s, int64_t last_us,
		    int64_t counts[KIND_COUNT]);

#endif
