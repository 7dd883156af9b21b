/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The rows of the table "filter".
 */
#include "figures_of.h"

#include "str.h"

void
figures_of(const struct stats *s, struct figures *out)
{
	out->count = stats_rows(s, TABLE_FILTER, out->row, FIGURES_ROWS);
}

void
figures_read(const struct conf *conf, struct figures *out)
{
	struct stats *s = NULL;
	char path[1024];

	out->count = 0;
	if (str_fmt(path, sizeof(path), "%s/stats", conf->run_dir))
		s = stats_open(path, NULL);
	if (s == NULL)
		return;
	figures_of(s, out);
	stats_unmap(s);
}

static const struct stats_row_copy *
row_of(const struct figures *f, const char *filter)
{
	size_t i;

	for (i = 0; i < f->count; i++)
		if (str_eq(f->row[i].key, filter))
			return &f->row[i];
	return NULL;
}

const char *
figures_breaker(const struct stats_row_copy *row)
{
	static const char *const names[] = { "closed", "half open", "open" };
	int64_t n = row->n[FILTER_ROW_BREAKER];

	return n >= 0 && n < 3 ? names[n] : "?";
}

void
figures_add(const struct figures *f, const char *filter, struct record *r)
{
	static const int columns[] = { FILTER_ROW_CALLS,  FILTER_ROW_HAM,
				       FILTER_ROW_SPAM,	  FILTER_ROW_UNKNOWN,
				       FILTER_ROW_ERRORS, FILTER_ROW_LEFT_OUT };
	const struct stats_row_copy *row = row_of(f, filter);
	const char *name;
	int64_t calls;
	size_t i;

	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		name = stats_column_name(TABLE_FILTER, columns[i]);
		if (row != NULL)
			record_int(r, name, row->n[columns[i]]);
		else
			record_null(r, name);
	}
	calls = row != NULL ? row->n[FILTER_ROW_CALLS] : 0;
	if (calls > 0)
		record_int(r, "us_per_call",
			   row->n[FILTER_ROW_TIME_US] / calls);
	else
		record_null(r, "us_per_call");
	record_str(r, "breaker", row != NULL ? figures_breaker(row) : NULL);
}

void
figures_add_error(const struct figures *f, const char *filter, struct record *r)
{
	const struct stats_row_copy *row = row_of(f, filter);

	record_str(r, "last_error", row != NULL ? row->text : NULL);
}
