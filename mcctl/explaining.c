/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A decision for people: who it is for, what it came to and by which
 * settings, then every filter with its evidence, and the sum.  As JSON the
 * same, one object a decision.
 */
#include "explaining.h"

#include <stdio.h>
#include <string.h>

#include "points.h"
#include "str.h"

#define RCPTS_SHOWN 5

static const struct {
	const char *word, *people;
} done_words[] = {
	{ "skip", "went on without it" },
	{ "later", "mail waits for it" },
	{ "hold", "mail held" },
};

static const struct {
	const char *verdict, *action, *people;
} action_words[] = {
	{ "ham", "deliver", "delivered" },
	{ "spam", "deliver", "delivered, marked as settings say" },
	{ "virus", "deliver", "delivered" },
	{ NULL, "hold", "held" },
	{ NULL, "quarantine", "put into quarantine" },
	{ NULL, "discard", "deleted" },
	{ NULL, "refuse", "refused at the end of data, where all refuse it" },
};

static const char *
action_text(const struct decision *d)
{
	size_t i;

	for (i = 0; i < sizeof(action_words) / sizeof(*action_words); i++)
		if (str_eq(action_words[i].action, d->action) &&
		    (action_words[i].verdict == NULL ||
		     str_eq(action_words[i].verdict, d->verdict)))
			return action_words[i].people;
	return d->action;
}

/* What a filter found, or what was done when it could not tell. */
static void
step_text(const struct explained_step *s, struct buf *out)
{
	size_t i;

	if (str_eq(s->class, "unknown")) {
		(void)buf_printf(out, "could not tell: %s", s->detail);
		for (i = 0; i < sizeof(done_words) / sizeof(*done_words); i++)
			if (str_eq(s->did, done_words[i].word))
				(void)buf_printf(out, "; %s",
						 done_words[i].people);
		return;
	}
	(void)buf_add_str(out, str_eq(s->class, "none") ? "nothing" : s->class);
	if (s->detail[0] != '\0')
		(void)buf_printf(out, ", %s", s->detail);
	if (str_eq(s->did, "decisive"))
		(void)buf_add_str(out, ", decisive");
}

static void
row(struct ctx *c, const char *place, const char *filter, const char *points,
    const char *weight, const char *time, const char *evidence)
{
	struct record r = { 0 };

	record_str(&r, "place", place);
	record_str(&r, "filter", filter);
	record_str(&r, "points", points);
	record_str(&r, "weight", weight);
	record_str(&r, "time", time);
	record_str(&r, "evidence", evidence);
	out_row(&c->out, &r);
	record_release(&r);
}

static void
print_rule(struct ctx *c, const struct explained_rule *rule)
{
	char points[40], number[32], own[32], name[120];
	struct buf note = { 0 };

	points_text(rule->points, number, sizeof(number));
	points_text(rule->own, own, sizeof(own));
	(void)str_fmt(points, sizeof(points), "(%s)", number);
	(void)str_fmt(name, sizeof(name), "  %s", rule->name);
	(void)buf_add_str(&note, rule->note);
	if (rule->points != rule->own)
		(void)buf_printf(&note, "%s%s of its own; a rule says %s",
				 note.len > 0 ? "; " : "", own, number);
	row(c, "", name, points, "", "", buf_str(&note));
	buf_release(&note);
}

static void
print_step(struct ctx *c, const struct explained_step *s)
{
	char place[32] = "always", points[32], weight[32], time[40];
	struct buf text = { 0 };
	size_t i;

	if (s->place > 0)
		(void)str_fmt(place, sizeof(place), "%lld",
			      (long long)s->place);
	points_text(s->points, points, sizeof(points));
	points_text(s->weight, weight, sizeof(weight));
	(void)str_fmt(time, sizeof(time), "%lld.%lld ms",
		      (long long)(s->time_us / 1000),
		      (long long)(s->time_us / 100 % 10));
	step_text(s, &text);
	row(c, place, s->filter, points, weight, time, buf_str(&text));
	for (i = 0; i < s->rule_count; i++)
		print_rule(c, &s->rules[i]);
	buf_release(&text);
}

static const char *
level_text(const char *level)
{
	static const struct {
		const char *level, *people;
	} words[] = {
		{ "default", "as shipped" },
		{ "global", "set for the host" },
		{ "domain", "set for the domain" },
		{ "user", "set for the user" },
		{ "what-if", "what if" },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (str_eq(words[i].level, level))
			return words[i].people;
	return level;
}

static void
add_settings(const struct explained *x, struct buf *out)
{
	size_t i;

	for (i = 0; i < x->setting_count; i++) {
		const struct explained_setting *s = &x->settings[i];

		(void)buf_printf(out, "%s%s %s (%s)", i > 0 ? ", " : "",
				 s->name, s->value, level_text(s->level));
	}
}

static void
print_head(struct ctx *c, const struct decision *d, const struct explained *x)
{
	struct record r = { 0 };
	struct buf text = { 0 };
	size_t i;

	if (d->id[0] != '\0') {
		record_str(&r, "id", d->id);
		record_str(&r, "judged", d->time);
	}
	for (i = 0; i < d->rcpt_count && i < RCPTS_SHOWN; i++)
		(void)buf_printf(&text, "%s%s", i > 0 ? ", " : "", d->rcpts[i]);
	if (i < d->rcpt_count)
		(void)buf_printf(&text, " and %zu more", d->rcpt_count - i);
	record_str(&r, "for", buf_str(&text));
	buf_clear(&text);
	(void)buf_printf(&text, "%s, %s of %s: %s", d->verdict, d->score,
			 d->threshold, action_text(d));
	record_str(&r, "verdict", buf_str(&text));
	record_str(&r, "why", d->reason);
	buf_clear(&text);
	add_settings(x, &text);
	record_str(&r, "settings", buf_str(&text));
	out_object(&c->out, &r);
	buf_release(&text);
	record_release(&r);
}

static void
print_sum(struct ctx *c, const struct decision *d, const struct explained *x)
{
	char points[32], text[80];

	points_text(x->points, points, sizeof(points));
	if (str_eq(d->verdict, "virus"))
		(void)str_fmt(text, sizeof(text),
			      "a virus is found by its bytes: no sum counts");
	else
		(void)str_fmt(text, sizeof(text), "spam from %s on",
			      d->threshold);
	row(c, "", "sum", points, "", "", text);
}

/* As JSON. */

static void
add_member(struct buf *b, const char *name, const char *value)
{
	(void)buf_printf(b, ", \"%s\": ", name);
	(void)json_string(b, value);
}

static void
add_json_points(struct buf *b, const char *name, int64_t points)
{
	char text[32];

	points_text(points, text, sizeof(text));
	(void)buf_printf(b, ", \"%s\": %s", name, text);
}

static void
add_json_step(struct buf *b, const struct explained_step *s)
{
	size_t i;

	(void)buf_add_str(b, "{\"filter\": ");
	(void)json_string(b, s->filter);
	(void)buf_printf(b, ", \"place\": %lld", (long long)s->place);
	add_json_points(b, "points", s->points);
	add_json_points(b, "weight", s->weight);
	(void)buf_printf(b, ", \"time_us\": %lld", (long long)s->time_us);
	add_member(b, "class", s->class);
	add_member(b, "did", s->did);
	add_member(b, "detail", s->detail);
	(void)buf_add_str(b, ", \"findings\": [");
	for (i = 0; i < s->rule_count; i++) {
		(void)buf_add_str(b, i > 0 ? ", {\"name\": " : "{\"name\": ");
		(void)json_string(b, s->rules[i].name);
		add_json_points(b, "points", s->rules[i].points);
		add_json_points(b, "own_points", s->rules[i].own);
		add_member(b, "note", s->rules[i].note);
		(void)buf_add_char(b, '}');
	}
	(void)buf_add_str(b, "]}");
}

static void
print_json(struct ctx *c, const struct decision *d, const struct explained *x)
{
	struct buf b = { 0 };
	size_t i;

	(void)buf_add_str(&b, "{\"id\": ");
	(void)json_string(&b, d->id);
	add_member(&b, "time", d->time);
	(void)buf_add_str(&b, ", \"rcpts\": [");
	for (i = 0; i < d->rcpt_count; i++) {
		(void)buf_add_str(&b, i > 0 ? ", " : "");
		(void)json_string(&b, d->rcpts[i]);
	}
	(void)buf_add_char(&b, ']');
	add_member(&b, "verdict", d->verdict);
	add_member(&b, "action", d->action);
	add_member(&b, "reason", d->reason);
	add_json_points(&b, "score", x->points);
	add_json_points(&b, "threshold", x->threshold);
	(void)buf_add_str(&b, ", \"settings\": [");
	for (i = 0; i < x->setting_count; i++) {
		(void)buf_add_str(&b, i > 0 ? ", {\"name\": " : "{\"name\": ");
		(void)json_string(&b, x->settings[i].name);
		add_member(&b, "value", x->settings[i].value);
		add_member(&b, "from", x->settings[i].level);
		(void)buf_add_char(&b, '}');
	}
	(void)buf_add_str(&b, "], \"filters\": [");
	for (i = 0; i < x->step_count; i++) {
		(void)buf_add_str(&b, i > 0 ? ", " : "");
		add_json_step(&b, &x->steps[i]);
	}
	(void)buf_add_str(&b, "]}");
	out_line(&c->out, buf_str(&b));
	buf_release(&b);
}

void
explain_decision(struct ctx *c, const struct decision *d)
{
	struct arena a = { 0 };
	struct explained x;
	struct err e;
	size_t i;

	if (explanation_read(d->explanation, &a, &x, &e) != 0) {
		(void)points_parse(d->score, &x.points, NULL);
		(void)points_parse(d->threshold, &x.threshold, NULL);
	}
	if (c->out.json) {
		print_json(c, d, &x);
	} else {
		if (c->out.has_printed)
			out_line(&c->out, "");
		print_head(c, d, &x);
		out_end(&c->out);
		out_line(&c->out, "");
		for (i = 0; i < x.step_count; i++)
			print_step(c, &x.steps[i]);
		print_sum(c, d, &x);
		out_end(&c->out);
	}
	arena_release(&a);
}
