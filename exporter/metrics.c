/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A family an object: its words once, then its cells, which stand side by
 * side in the order of OIDs.
 */
#include "metrics.h"

#include <inttypes.h>
#include <string.h>

#include "str.h"

/* The base unit that a name ends with, "" for what is merely counted. */
static const char *
unit_of(const struct mib_object *o)
{
	if (str_eq(o->unit, "microseconds") || str_eq(o->unit, "seconds"))
		return "seconds";
	return str_eq(o->unit, "bytes") ? "bytes" : "";
}

static bool
has_suffix(const char *s, const char *suffix)
{
	size_t len = strlen(s), tail = strlen(suffix);

	return len >= tail && str_eq(s + len - tail, suffix);
}

/* mcHopLastError -> mcgate_hop_last_error */
void
metrics_name(const struct mib_object *o, char dst[METRICS_NAME_SIZE])
{
	const char *unit = unit_of(o), *from = o->name + 2;
	size_t at = sizeof("mcgate") - 1;

	str_copy(dst, METRICS_NAME_SIZE, "mcgate");
	for (; *from != '\0' && at + 2 < METRICS_NAME_SIZE; from++) {
		if (*from >= 'A' && *from <= 'Z') {
			dst[at++] = '_';
			dst[at++] = (char)(*from - 'A' + 'a');
		} else {
			dst[at++] = *from;
		}
	}
	dst[at] = '\0';
	if (*unit != '\0' && !has_suffix(dst, unit))
		str_fmt(dst + at, METRICS_NAME_SIZE - at, "_%s", unit);
}

static bool
is_version(const struct mib_object *o)
{
	return str_eq(o->name, "mcAgentVersion");
}

/* As both forms want it in a label and in help. */
static void
add_escaped(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\\' || *s == '"')
			buf_add_char(b, '\\');
		if (*s == '\n')
			buf_add_str(b, "\\n");
		else
			buf_add_char(b, *s);
	}
}

/* OpenMetrics names the family, the older form what its samples are called;
 * and that has quotes in help as they are, of which rows have none. */
static void
begin(const struct mib_object *o, enum metrics_form form, const char *name,
      const char *suffix, struct buf *b)
{
	const char *what = form == METRICS_OPEN ? "" : suffix;
	const char *type = o->kind == MIB_COUNTER ? "counter" : "gauge";
	const char *unit = unit_of(o);

	buf_printf(b, "# TYPE %s%s %s\n", name, what, type);
	if (form == METRICS_OPEN && *unit != '\0')
		buf_printf(b, "# UNIT %s %s\n", name, unit);
	buf_printf(b, "# HELP %s%s ", name, what);
	add_escaped(b, o->help);
	if (*unit == '\0' && o->unit[0] != '\0')
		buf_printf(b, ", in %s", o->unit);
	buf_add_str(b, ".\n");
}

static void
add_value(const struct mib_object *o, uint64_t n, struct buf *b)
{
	if (str_eq(o->unit, "microseconds"))
		buf_printf(b, " %" PRIu64 ".%06" PRIu64 "\n", n / 1000000,
			   n % 1000000);
	else
		buf_printf(b, " %" PRIu64 "\n", n);
}

static void
add_version(const struct mib_cell *c, struct buf *b)
{
	buf_add_str(b, "# TYPE mcgate_build_info gauge\n"
		       "# HELP mcgate_build_info Version of the exporter.\n"
		       "mcgate_build_info{version=\"");
	add_escaped(b, c->text);
	buf_add_str(b, "\"} 1\n");
}

/* The row's label is called as its table: mcHop -> hop. */
static void
add_label(const struct mib_cell *c, struct buf *b)
{
	for (size_t i = 0; i < mib_table_count; i++) {
		const char *name = mib_tables[i].name + 2;

		if (mib_tables[i].table != c->object->table)
			continue;
		buf_printf(b, "{%c%s=\"", name[0] - 'A' + 'a', name + 1);
		add_escaped(b, c->key);
		buf_add_str(b, "\"}");
	}
}

static void
add_cell(const struct mib_cell *c, bool is_first, enum metrics_form form,
	 struct buf *b)
{
	const struct mib_object *o = c->object;
	const char *suffix = o->kind == MIB_COUNTER ? "_total" : "";
	char name[METRICS_NAME_SIZE];

	metrics_name(o, name);
	if (is_first)
		begin(o, form, name, suffix, b);
	buf_printf(b, "%s%s", name, suffix);
	if (o->table >= 0)
		add_label(c, b);
	add_value(o, c->number, b);
}

void
metrics_write(const struct mib_cell *cells, size_t count,
	      enum metrics_form form, struct buf *b)
{
	const struct mib_object *last = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct mib_object *o = cells[i].object;

		if (o->kind != MIB_TEXT)
			add_cell(&cells[i], o != last, form, b);
		else if (o->name != NULL && is_version(o))
			add_version(&cells[i], b);
		last = o;
	}
	if (form == METRICS_OPEN)
		buf_add_str(b, "# EOF\n");
}
