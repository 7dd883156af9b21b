/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of filters, made from filters.def, and what their files share.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "filter.h"
#include "log.h"
#include "role.h"
#include "str.h"

/* clang-format off */
#define FILTER(name, is_on, order, time_ms, size, decisive, failure, summary) \
	extern const struct filter filter_##name;
#include "filters.def"
#undef FILTER

const struct filter *const filter_table[] = {
#define FILTER(name, is_on, order, time_ms, size, decisive, failure, summary) \
	&filter_##name,
#include "filters.def"
#undef FILTER
};

const size_t filter_count = sizeof(filter_table) / sizeof(filter_table[0]);

struct filter_knobs
filter_knobs(const struct knobs *k, size_t index)
{
	const struct filter_knobs all[] = {
#define FILTER(name, on, place, ms, bytes, dec, fail, words) \
	{ .is_on = k->filter_##name, \
	  .order = k->filter_##name##_order, \
	  .weight = k->filter_##name##_weight, \
	  .time_ms = k->filter_##name##_time, \
	  .size = k->filter_##name##_size, \
	  .decisive = (enum decisive)k->filter_##name##_decisive, \
	  .failure = (enum failure)k->filter_##name##_failure },
#include "filters.def"
#undef FILTER
	};

	return all[index];
}
/* clang-format on */

void
filters_prepare(const struct conf *conf)
{
	size_t i;

	for (i = 0; i < filter_count; i++)
		if (filter_table[i]->prepare != NULL)
			filter_table[i]->prepare(conf);
}

static int
load_one(const struct filter *f)
{
	struct err e = { "" };

	if (f->load == NULL || f->load(&e) == 0)
		return 0;
	log_error("- %s", e.text);
	return -1;
}

uint64_t
filters_load_set(uint64_t set)
{
	uint64_t loaded = 0;
	size_t i;

	for (i = 0; i < filter_count; i++)
		if ((set >> i & 1) != 0 && load_one(filter_table[i]) == 0)
			loaded |= (uint64_t)1 << i;
	return loaded;
}

void
filters_adopt_set(uint64_t set)
{
	size_t i;

	for (i = 0; i < filter_count; i++)
		if ((set >> i & 1) != 0 && filter_table[i]->adopt != NULL)
			filter_table[i]->adopt();
}

void
filters_load(void)
{
	size_t i;

	for (i = 0; i < filter_count; i++) {
		filters_adopt_set(filters_load_set((uint64_t)1 << i));
		role_alive();
	}
}

uint64_t
filters_stale(void)
{
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < filter_count; i++)
		if (filter_table[i]->is_stale != NULL &&
		    filter_table[i]->is_stale())
			set |= (uint64_t)1 << i;
	return set;
}

void
filters_unload(void)
{
	size_t i;

	for (i = 0; i < filter_count; i++)
		if (filter_table[i]->unload != NULL)
			filter_table[i]->unload();
}

void
filter_symptom(const struct filter_mail *m, struct filter_result *out,
	       const char *name, int64_t points, const char *note)
{
	struct filter_symptom *s;
	char shown[FILTER_DETAIL_SIZE];

	if (out->symptom_count == FILTER_SYMPTOMS_MAX)
		return;
	if (out->symptoms == NULL)
		out->symptoms = arena_array(m->arena, FILTER_SYMPTOMS_MAX,
					    sizeof(*out->symptoms));
	s = &out->symptoms[out->symptom_count++];
	s->name = arena_strdup(m->arena, name);
	s->points = points;
	str_printable(shown, sizeof(shown), note, strlen(note));
	s->note = arena_strdup(m->arena, shown);
}

__attribute__((format(printf, 2, 0))) static void
say_why(struct filter_result *out, const char *fmt, va_list ap)
{
	char text[FILTER_DETAIL_SIZE];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	out->is_known = false;
	str_printable(out->why, sizeof(out->why), text, strlen(text));
}

void
filter_unknown(struct filter_result *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_why(out, fmt, ap);
	va_end(ap);
}

void
filter_fault(struct filter_result *out, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_why(out, fmt, ap);
	va_end(ap);
	out->is_fault = true;
}
