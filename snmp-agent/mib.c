/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The objects, and their values as one sorted list: a question is a search
 * in it.  It is made anew when the glance it was made of is a second old.
 */
#include "mib.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "config.h"
#include "events.h"
#include "str.h"
#include "xalloc.h"

#define FRESH_MS 1000
#define SCALAR_LEN 4
#define NAME_SIZE 64
#define TEXT_MAX 255

enum mib_status {
#define STATUS(name, number, id, kind, unit, help) STATUS_##id,
#define SCALAR(stat, number)
#define SCALAR_AGE(stat, number, name, help)
#define SCALAR_TIME(stat, number, name, kind, help)
#define LEFT_OUT(stat)
#define TABLE(name, number, table, help)
#define COLUMN(name, table, number, column, kind, unit, help)
#include "mib.def"
#undef STATUS
#undef SCALAR
#undef SCALAR_AGE
#undef SCALAR_TIME
#undef LEFT_OUT
#undef TABLE
#undef COLUMN
};

/* clang-format off */
static struct mib_object objects[] = {
#define STATUS(name, number, id, kind, unit, help) \
	{ MIB_GROUP_STATUS, number, #name, unit, help, MIB_##kind, \
	  STATUS_##id, -1, false },
#define SCALAR(stat, number) \
	{ MIB_GROUP_STATS, number, NULL, NULL, NULL, MIB_GAUGE, STAT_##stat, \
	  -1, true },
#define SCALAR_AGE(stat, number, name, help) \
	{ MIB_GROUP_STATS, number, name, "seconds", help, MIB_AGE, \
	  STAT_##stat, -1, true },
#define SCALAR_TIME(stat, number, name, kind, help) \
	{ MIB_GROUP_STATS, number, name, "seconds", help, MIB_##kind, \
	  STAT_##stat, -1, true },
#define LEFT_OUT(stat)
#define TABLE(name, number, table, help)
#define COLUMN(name, table, number, column, kind, unit, help) \
	{ 0, number, #name, unit, help, MIB_##kind, column, TABLE_##table, \
	  false },
#include "mib.def"
#undef STATUS
#undef SCALAR
#undef SCALAR_AGE
#undef SCALAR_TIME
#undef LEFT_OUT
#undef TABLE
#undef COLUMN
};

const struct mib_table mib_tables[] = {
#define STATUS(name, number, id, kind, unit, help)
#define SCALAR(stat, number)
#define SCALAR_AGE(stat, number, name, help)
#define SCALAR_TIME(stat, number, name, kind, help)
#define LEFT_OUT(stat)
#define TABLE(name, number, table, help) \
	{ number, TABLE_##table, #name, help },
#define COLUMN(name, table, number, column, kind, unit, help)
#include "mib.def"
#undef STATUS
#undef SCALAR
#undef SCALAR_AGE
#undef SCALAR_TIME
#undef LEFT_OUT
#undef TABLE
#undef COLUMN
};

static const bool has_stat[STAT_COUNT] = {
#define STATUS(name, number, id, kind, unit, help)
#define SCALAR(stat, number) [STAT_##stat] = true,
#define SCALAR_AGE(stat, number, name, help) [STAT_##stat] = true,
#define SCALAR_TIME(stat, number, name, kind, help) [STAT_##stat] = true,
#define LEFT_OUT(stat) [STAT_##stat] = true,
#define TABLE(name, number, table, help)
#define COLUMN(name, table, number, column, kind, unit, help)
#include "mib.def"
#undef STATUS
#undef SCALAR
#undef SCALAR_AGE
#undef SCALAR_TIME
#undef LEFT_OUT
#undef TABLE
#undef COLUMN
};
/* clang-format on */

#define OBJECTS (sizeof(objects) / sizeof(objects[0]))
const size_t mib_table_count = sizeof(mib_tables) / sizeof(mib_tables[0]);

static struct {
	bool is_ready; /* objects have their names */
	struct mib_cell *cells;
	size_t count, cap;
	struct arena arena; /* of their OIDs and texts */
	int64_t taken_us;
	const struct glance *glance;
} self;

bool
mib_has(enum stat_id id)
{
	return has_stat[id];
}

/* in_refused_rcpt -> mcInRefusedRcpt */
static char *
camel(const char *name)
{
	char *made = xcalloc(1, NAME_SIZE), *to = made;
	bool is_start = true;

	*to++ = 'm';
	*to++ = 'c';
	for (; *name != '\0' && to < made + NAME_SIZE - 1; name++) {
		if (*name == '_') {
			is_start = true;
			continue;
		}
		*to++ = is_start && *name >= 'a' && *name <= 'z'
				? (char)(*name - 'a' + 'A')
				: *name;
		is_start = false;
	}
	return made;
}

static uint32_t
number_of(int table)
{
	for (size_t i = 0; i < mib_table_count; i++) {
		if (mib_tables[i].table == table)
			return mib_tables[i].number;
	}
	return 0;
}

/* What stats.def says, once. */
static void
prepare(void)
{
	for (size_t i = 0; i < OBJECTS && !self.is_ready; i++) {
		struct mib_object *o = &objects[i];
		enum stat_id id = (enum stat_id)o->source;

		if (o->table >= 0)
			o->group = number_of(o->table);
		if (!o->is_stat || o->name != NULL)
			continue;
		o->name = camel(stats_name(id));
		o->unit = stats_unit(id);
		o->help = stats_help(id);
		if (stats_is_counter(id))
			o->kind = MIB_COUNTER;
		else if (str_eq(o->unit, "bytes"))
			o->kind = MIB_GAUGE64;
	}
	self.is_ready = true;
}

size_t
mib_objects(const struct mib_object **first)
{
	prepare();
	*first = objects;
	return OBJECTS;
}

static uint64_t
number_as(enum mib_kind kind, int64_t value)
{
	int64_t n = value;

	if (kind == MIB_AGE || kind == MIB_SINCE)
		n = value > 0 ? (self.glance->taken_us - value) / 1000000 : 0;
	else if (kind == MIB_LEFT)
		n = (value - self.glance->taken_us) / 1000000;
	else if (kind == MIB_PROCESS)
		n = value + 1;
	if (n < 0)
		n = 0;
	if (kind != MIB_COUNTER && kind != MIB_GAUGE64 && n > UINT32_MAX)
		n = UINT32_MAX;
	return (uint64_t)n;
}

static struct mib_cell *
add(const struct mib_object *o, const char *key)
{
	size_t keys = strlen(key), i;
	struct mib_cell *c;
	uint32_t *oid;

	if (self.count == self.cap) {
		self.cap = self.cap > 0 ? self.cap * 2 : 256;
		self.cells = xreallocarray(self.cells, self.cap,
					   sizeof(self.cells[0]));
	}
	c = &self.cells[self.count++];
	oid = arena_array(&self.arena, SCALAR_LEN + keys, sizeof(*oid));
	*c = (struct mib_cell){ .oid = oid, .object = o, .key = key };
	oid[c->len++] = 1;
	oid[c->len++] = o->group;
	if (o->table >= 0)
		oid[c->len++] = 1;
	oid[c->len++] = o->number;
	if (o->table < 0)
		oid[c->len++] = 0;
	for (i = 0; i < keys; i++)
		oid[c->len++] = (unsigned char)key[i];
	return c;
}

static void
add_number(const struct mib_object *o, const char *key, int64_t value)
{
	add(o, key)->number = number_as(o->kind, value);
}

static void
add_text(const struct mib_object *o, const char *key, const char *text)
{
	/* As DisplayString has it. */
	add(o, key)->text =
		arena_strndup(&self.arena, text, strnlen(text, TEXT_MAX));
}

static void
add_status(const struct mib_object *o)
{
	const struct glance *g = self.glance;

	switch ((enum mib_status)o->source) {
	case STATUS_VERSION:
		add_text(o, "", MCGATE_VERSION);
		break;
	case STATUS_STATE:
		add_number(o, "", g->state);
		break;
	case STATUS_TEXT:
		add_text(o, "", g->text);
		break;
	case STATUS_BEAT:
		if (g->beat_us > 0)
			add_number(o, "", g->beat_us);
		break;
	case STATUS_UPTIME:
		if (g->state == GLANCE_RUNNING || g->state == GLANCE_STARTING)
			add_number(o, "", g->started_us);
		break;
	case STATUS_ERROR:
		if (g->has_error)
			add_text(o, "", g->error.text);
		break;
	case STATUS_ERROR_AGE:
		if (g->has_error)
			add_number(o, "", g->error.at_us);
		break;
	}
}

static int
compare_keys(const void *a, const void *b)
{
	const struct stats_row_copy *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static void
add_column(const struct mib_object *o, const struct stats_row_copy **rows,
	   size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct stats_row_copy *r = rows[i];

		if (o->source == MIB_ROW_TEXT)
			add_text(o, r->key, r->text);
		else
			add_number(o, r->key, r->n[o->source]);
	}
}

static size_t
event_rows(struct stats_row_copy *rows)
{
	size_t i;

	for (i = 0; i < EVENT_COUNT; i++) {
		const struct event *e = events_get((enum event_id)i);
		struct stats_row_copy *r = &rows[i];

		*r = (struct stats_row_copy){ .n = { 0 } };
		str_copy(r->key, sizeof(r->key), e->name);
		r->n[EVENT_ACTIVE] = e->is_raised;
		r->n[EVENT_SINCE_US] = e->since_us;
		r->n[EVENT_VALUE] = e->is_known ? e->value : 0;
		r->n[EVENT_LIMIT] = e->limit;
		events_text(e, r->text, sizeof(r->text));
	}
	return i;
}

/* Column by column, in each row by row: the order of OIDs. */
static void
add_rows(const struct mib_table *t, const struct stats_row_copy *all,
	 size_t count)
{
	const struct stats_row_copy *rows[STATS_ROWS_LIMIT];
	struct mib_object *name;
	size_t i;

	for (i = 0; i < count; i++)
		rows[i] = &all[i];
	qsort(rows, count, sizeof(rows[0]), compare_keys);
	name = arena_alloc(&self.arena, sizeof(*name));
	*name = (struct mib_object){ .group = t->number,
				     .number = 2,
				     .table = t->table,
				     .kind = MIB_TEXT };
	for (i = 0; i < count; i++)
		add_text(name, rows[i]->key, rows[i]->key);
	for (i = 0; i < OBJECTS; i++) {
		if (objects[i].table == t->table)
			add_column(&objects[i], rows, count);
	}
}

static void
add_table(const struct mib_table *t)
{
	const struct glance *g = self.glance;
	/* Cells borrow their keys, as they do those of the glance. */
	static struct stats_row_copy rows[EVENT_COUNT];

	if (t->table == TABLE_EVENT)
		add_rows(t, rows, event_rows(rows));
	else if (g->has_rows[t->table])
		add_rows(t, g->rows[t->table], g->counts[t->table]);
}

static bool
is_there(const struct glance *g, const struct mib_object *o)
{
	if (!o->is_stat || !g->is_known[o->source])
		return false;
	return (o->kind != MIB_SINCE && o->kind != MIB_LEFT) ||
	       g->values[o->source] > 0;
}

static void
refresh(void)
{
	const struct glance *g = glance_now(FRESH_MS);
	size_t i;

	prepare();
	if (g == self.glance && g->taken_us == self.taken_us)
		return;
	self.glance = g;
	self.taken_us = g->taken_us;
	self.count = 0;
	arena_clear(&self.arena);
	for (i = 0; i < OBJECTS; i++) {
		const struct mib_object *o = &objects[i];

		if (o->group == MIB_GROUP_STATUS)
			add_status(o);
		else if (is_there(g, o))
			add_number(o, "", g->values[o->source]);
	}
	for (i = 0; i < mib_table_count; i++)
		add_table(&mib_tables[i]);
}

size_t
mib_cells(const struct mib_cell **first)
{
	refresh();
	*first = self.cells;
	return self.count;
}

static int
compare_oids(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len)
{
	size_t i;

	for (i = 0; i < a_len && i < b_len; i++) {
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	return a_len == b_len ? 0 : a_len < b_len ? -1 : 1;
}

const struct mib_cell *
mib_next(const uint32_t *oid, size_t len, bool is_inclusive)
{
	size_t low = 0, high, middle;
	int order;

	refresh();
	high = self.count;
	while (low < high) {
		middle = low + (high - low) / 2;
		order = compare_oids(self.cells[middle].oid,
				     self.cells[middle].len, oid, len);
		if (order < 0 || (order == 0 && !is_inclusive))
			low = middle + 1;
		else
			high = middle;
	}
	return low < self.count ? &self.cells[low] : NULL;
}

const struct mib_cell *
mib_get(const uint32_t *oid, size_t len)
{
	const struct mib_cell *c = mib_next(oid, len, true);

	if (c == NULL || compare_oids(c->oid, c->len, oid, len) != 0)
		return NULL;
	return c;
}

void
mib_release(void)
{
	arena_release(&self.arena);
	free(self.cells);
	self.cells = NULL;
	self.count = self.cap = 0;
	self.glance = NULL;
}

size_t
mib_parse_oid(const char *text, uint32_t *oid, size_t max)
{
	size_t n = 0;
	uint64_t value;

	if (*text == '.')
		text++;
	for (;;) {
		if (!ascii_isdigit(*text) || n == max)
			return 0;
		for (value = 0; ascii_isdigit(*text); text++) {
			value = value * 10 + (uint64_t)(*text - '0');
			if (value > UINT32_MAX)
				return 0;
		}
		oid[n++] = (uint32_t)value;
		if (*text == '\0')
			return n;
		if (*text++ != '.')
			return 0;
	}
}
