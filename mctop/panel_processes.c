/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Processes of mcd.
 */
#include "panel.h"
#include "str.h"
#include "units.h"

enum { ROLE, PID, STATE, AGE, CPU, MEMORY, RESTARTS };

static const struct column columns[] = {
	[ROLE] = { "process", 14, true, 0 },
	[PID] = { "pid", 8, false, 3 },
	[STATE] = { "state", 9, true, 0 },
	[AGE] = { "age", 7, false, 2 },
	[CPU] = { "cpu%", 7, false, 0 },
	[MEMORY] = { "memory", 7, false, 1 },
	[RESTARTS] = { "restarts", 9, false, 1 },
};

static void
fill_one(const struct sample *s, const struct member *m, struct table_row *r)
{
	bool is_well = m->state == PROCESS_RUNNING;
	char text[UNITS_SIZE];

	table_text(r, ROLE, INK_STRONG, m->role);
	str_fmt(text, sizeof(text), "%lld", (long long)m->is.pid);
	table_number(r, PID, INK_DIM, m->is.pid, m->is.pid > 0 ? text : "-");
	table_text(r, STATE, is_well ? INK_GOOD : INK_BAD,
		   process_state_name(m->state));
	table_number(r, AGE, INK_TEXT, s->wall_us - m->since_us,
		     units_age(text, s->wall_us - m->since_us));
	if (m->cpu_permille < 0)
		str_copy(text, sizeof(text), "-");
	else
		str_fmt(text, sizeof(text), "%.1f",
			(double)m->cpu_permille / 10);
	table_number(r, CPU,
		     m->cpu_permille <= 0    ? INK_DIM
		     : m->cpu_permille > 900 ? INK_WARN
					     : INK_STRONG,
		     m->cpu_permille, text);
	table_number(r, MEMORY, INK_TEXT, m->is.resident,
		     units_bytes(text, m->is.resident));
	panel_count_bad(r, RESTARTS, m->restarts);
}

static void
fill(const struct sample *s, struct table *t)
{
	for (size_t i = 0; i < s->member_count; i++) {
		struct table_row *r = table_add(t);

		if (r != NULL)
			fill_one(s, &s->members[i], r);
	}
}

const struct panel panel_processes = {
	COLUMNS_OF(columns),
	-1,
	"no process is known",
	fill,
};
