/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl filter: the filters in their order, what is set of each, and what
 * came of them since mcd was started.
 */
#include <string.h>
#include <sysexits.h>

#include "figures_of.h"
#include "knob_put.h"
#include "log.h"
#include "str.h"
#include "target.h"

static const struct filter_word {
	const char *name, *summary;
} filters[] = {
#define FILTER(name, is_on, order, time_ms, size, decisive, failure, summary) \
	{ #name, summary },
#include "filters.def"
#undef FILTER
};
#define FILTERS (sizeof(filters) / sizeof(filters[0]))

/* What of a filter can be set; the setting is filter_NAME or
 * filter_NAME_WORD. */
static const char *const words[] = { "on",   "order", "weight",	 "decisive",
				     "time", "size",  "failure", NULL };

static int
filter_of(struct ctx *c, const char *name, size_t *out)
{
	const char *known[FILTERS + 1];
	size_t i;

	for (i = 0; i < FILTERS; i++) {
		known[i] = filters[i].name;
		if (str_eq(name, filters[i].name)) {
			*out = i;
			return EX_OK;
		}
	}
	known[FILTERS] = NULL;
	return complain_unknown(c, "filter", name, known);
}

static const struct knob *
knob_of(size_t filter, const char *word)
{
	char name[80];

	(void)str_fmt(name, sizeof(name), "filter_%s%s%s", filters[filter].name,
		      str_eq(word, "on") ? "" : "_",
		      str_eq(word, "on") ? "" : word);
	return knob_find(name, NULL);
}

static struct knob_value
value_of(const struct policy *p, const struct target *t, size_t filter,
	 const char *word)
{
	return policy_effective(p, knob_of(filter, word), t->asked).value;
}

/* The filters as they are asked; equal places as in the table. */
static void
sort_filters(const struct policy *p, const struct target *t,
	     size_t order[FILTERS], int64_t place[FILTERS])
{
	size_t i, at;
	int64_t n;

	for (i = 0; i < FILTERS; i++) {
		n = value_of(p, t, i, "order").number;
		for (at = i; at > 0 && place[at - 1] > n; at--) {
			place[at] = place[at - 1];
			order[at] = order[at - 1];
		}
		place[at] = n;
		order[at] = i;
	}
}

static void
add_values(const struct policy *p, const struct target *t, size_t filter,
	   struct record *r)
{
	char text[KNOB_TEXT_SIZE];
	struct knob_value v;
	size_t i;

	record_str(r, "name", filters[filter].name);
	for (i = 0; words[i] != NULL; i++) {
		v = value_of(p, t, filter, words[i]);
		if (str_eq(words[i], "order")) {
			record_int(r, words[i], v.number);
		} else {
			knob_text(knob_of(filter, words[i]), &v, text,
				  sizeof(text));
			record_str(r, words[i], text);
		}
	}
}

static int
begin(struct ctx *c, struct target *t, struct policy **p)
{
	struct err e;
	int code = target_of(c, t);

	if (code != EX_OK)
		return code;
	*p = policy_load(c->db, NULL, &e);
	return *p != NULL ? EX_OK : complain(c, EX_UNAVAILABLE, "%s", e.text);
}

int
cmd_filter_list(struct ctx *c)
{
	struct record r = { 0 };
	size_t order[FILTERS];
	int64_t place[FILTERS];
	struct figures f;
	struct policy *p;
	struct target t;
	int code = begin(c, &t, &p);

	if (code != EX_OK)
		return code;
	figures_read(&c->conf, &f);
	sort_filters(p, &t, order, place);
	for (size_t i = 0; i < FILTERS; i++) {
		record_clear(&r);
		add_values(p, &t, order[i], &r);
		figures_add(&f, filters[order[i]].name, &r);
		out_row(&c->out, &r);
	}
	record_release(&r);
	policy_free(p);
	return EX_OK;
}

int
cmd_filter_show(struct ctx *c)
{
	struct record r = { 0 };
	struct figures f;
	struct policy *p;
	struct target t;
	size_t i;
	int code = filter_of(c, c->args[0], &i);

	if (code == EX_OK)
		code = begin(c, &t, &p);
	if (code != EX_OK)
		return code;
	figures_read(&c->conf, &f);
	add_values(p, &t, i, &r);
	record_str(&r, "summary", filters[i].summary);
	figures_add(&f, filters[i].name, &r);
	figures_add_error(&f, filters[i].name, &r);
	out_object(&c->out, &r);
	record_release(&r);
	policy_free(p);
	return EX_OK;
}

static int
set_word(struct ctx *c, const char *word, const char *value)
{
	struct target t;
	size_t i;
	int code = filter_of(c, c->args[0], &i);

	if (code == EX_OK)
		code = target_of(c, &t);
	return code == EX_OK ? knob_put(c, knob_of(i, word), &t, value) : code;
}

int
cmd_filter_enable(struct ctx *c)
{
	return set_word(c, "on",
			str_eq(c->command->verb, "enable") ? "yes" : "no");
}

int
cmd_filter_disable(struct ctx *c)
{
	return cmd_filter_enable(c);
}

int
cmd_filter_set(struct ctx *c)
{
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		if (str_eq(c->args[1], words[i]))
			return set_word(c, words[i], c->args[2]);
	return complain_unknown(c, "setting of a filter", c->args[1], words);
}

/* The named ones take each other's places; all others stay. */
static int
permute(struct ctx *c, size_t order[FILTERS])
{
	size_t named[FILTERS], i, k, next = 0;
	bool is_named[FILTERS] = { false };
	int code;

	for (i = 0; i < (size_t)c->arg_count; i++) {
		code = filter_of(c, c->args[i], &k);
		if (code != EX_OK)
			return code;
		if (is_named[k])
			return complain(c, EX_USAGE, "filter %s: named twice",
					c->args[i]);
		is_named[k] = true;
		named[i] = k;
	}
	for (i = 0; i < FILTERS; i++)
		if (is_named[order[i]])
			order[i] = named[next++];
	return EX_OK;
}

/* Each gets the place it had there, or the next that is free. */
static int
put_order(struct ctx *c, const struct policy *p, const struct target *t,
	  const size_t order[FILTERS], int64_t place[FILTERS])
{
	char text[32];
	size_t i;
	int code = EX_OK;

	for (i = 0; i < FILTERS && code == EX_OK; i++) {
		if (i > 0 && place[i] <= place[i - 1])
			place[i] = place[i - 1] + 1;
		if (value_of(p, t, order[i], "order").number == place[i])
			continue;
		(void)str_fmt(text, sizeof(text), "%lld", (long long)place[i]);
		code = knob_put(c, knob_of(order[i], "order"), t, text);
	}
	return code;
}

int
cmd_filter_order(struct ctx *c)
{
	size_t order[FILTERS];
	int64_t place[FILTERS];
	struct policy *p;
	struct target t;
	int code = begin(c, &t, &p);

	if (code != EX_OK)
		return code;
	sort_filters(p, &t, order, place);
	code = permute(c, order);
	if (code == EX_OK)
		code = put_order(c, p, &t, order, place);
	policy_free(p);
	return code;
}
