/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Words of a decision.
 */
#include "explain.h"

#include <string.h>

#include "explanation.h"
#include "listed.h"
#include "points.h"
#include "str.h"

static const char *const class_words[] = {
	[FILTER_NOTHING] = "none",
	[FILTER_HAM] = "ham",
	[FILTER_SPAM] = "spam",
	[FILTER_VIRUS] = "virus",
};

static const char *const action_words[] = {
	[ACTION_DELIVER] = "deliver",
	[ACTION_HOLD] = "hold",
	[ACTION_QUARANTINE] = "quarantine",
	[ACTION_DISCARD] = "discard",
};

static const char *const mail_words[] = {
	[MAIL_HAM] = "ham",
	[MAIL_SPAM] = "spam",
	[MAIL_VIRUS] = "virus",
};

static int64_t
size_of_points(int64_t points)
{
	return points < 0 ? -points : points;
}

/* The largest that is smaller than the last one shown. */
static const struct filter_symptom *
next_largest(const struct filter_result *r, bool *shown)
{
	const struct filter_symptom *best = NULL;
	size_t i;

	for (i = 0; i < r->symptom_count; i++)
		if (!shown[i] &&
		    (best == NULL || size_of_points(r->symptoms[i].points) >
					     size_of_points(best->points)))
			best = &r->symptoms[i];
	if (best != NULL)
		shown[best - r->symptoms] = true;
	return best;
}

static void
add_rules(const struct filter_mail *m, const struct judge_policy *p,
	  const struct filter_result *r, struct buf *out)
{
	bool shown[FILTER_SYMPTOMS_MAX] = { false };
	const struct filter_symptom *s;
	char points[32], own[32];
	int i;

	for (i = 0; i < EXPLANATION_RULES; i++) {
		s = next_largest(r, shown);
		if (s == NULL)
			return;
		points_text(judge_symptom_points(m, p, s), points,
			    sizeof(points));
		points_text(s->points, own, sizeof(own));
		(void)buf_printf(out, "rule %s %s %s %s\n", s->name, points,
				 own, s->note);
	}
}

static void
add_setting(const struct judge_policy *p, const char *name, struct buf *out)
{
	const struct knob *k = knob_find(name, NULL);
	struct knob_value v;
	char text[KNOB_TEXT_SIZE];

	if (name[0] == '\0' || k == NULL)
		return;
	v = knobs_get(&p->knobs, k);
	knob_text(k, &v, text, sizeof(text));
	(void)buf_printf(out, "setting %s %s %s\n", name, judge_level(p, name),
			 text);
}

/* What came of a step, beside its points. */
static const char *
did_word(const struct judge_step *s)
{
	static const char *const failures[] = { [FAILURE_SKIP] = "skip",
						[FAILURE_LATER] = "later",
						[FAILURE_HOLD] = "hold" };

	if (!s->result->is_known)
		return failures[s->failure];
	return s->is_decisive ? "decisive" : "-";
}

static void
add_step(const struct filter_mail *m, const struct judge_policy *p,
	 const struct judge_step *s, struct buf *out)
{
	const struct filter_result *r = s->result;
	char points[32], weight[32];

	points_text(s->points, points, sizeof(points));
	points_text(s->weight, weight, sizeof(weight));
	(void)buf_printf(out, "step %s %lld %s %s %lld %s %s %s\n",
			 filter_table[s->filter]->name, (long long)s->place,
			 points, weight, (long long)r->time_us,
			 r->is_known ? class_words[r->class] : "unknown",
			 did_word(s), r->is_known ? r->detail : r->why);
	add_rules(m, p, r, out);
}

/* Lists of senders are no filter, and are shown as one. */
static void
add_listed(const struct judge_verdict *v, struct buf *out)
{
	static const char *const classes[] = { [SENDER_ALLOW] = "ham",
					       [SENDER_BLOCK] = "spam",
					       [SENDER_WARN] = "none" };
	const struct sender_match *s = &v->listed;
	char text[SENDERS_ENTRY_SIZE + 64];

	if (s->is_found) {
		listed_text(s, text, sizeof(text));
		(void)buf_printf(out, "step lists 0 0.0 1.0 0 %s %s %s\n",
				 classes[s->word],
				 s->word == SENDER_WARN ? "-" : "decisive",
				 text);
	}
	if (s->has_unproven)
		(void)buf_add_str(out,
				  "step lists 0 0.0 1.0 0 none - an allow "
				  "entry does not count: the sender is not "
				  "proven\n");
}

void
explain_lines(const struct filter_mail *m, const struct judge_policy *p,
	      const struct judge_verdict *v, size_t max, struct buf *out)
{
	char points[32], threshold[32];
	size_t begin = out->len, i;

	points_text(v->points, points, sizeof(points));
	points_text(v->threshold, threshold, sizeof(threshold));
	(void)buf_printf(out, "sum %s %s %s %s\n", points, threshold,
			 mail_words[v->class], action_words[v->action]);
	add_setting(p, v->threshold_knob, out);
	add_setting(p, v->action_knob, out);
	add_listed(v, out);
	for (i = 0; i < v->step_count; i++)
		add_step(m, p, &v->steps[i], out);
	while (out->len - begin > max) {
		/* Whole lines only: what is cut is the end. */
		out->len--;
		while (out->len > begin && out->data[out->len - 1] != '\n')
			out->len--;
		out->data[out->len] = '\0';
	}
}

/* Whether a step says anything that a reader would look for. */
static bool
says_something(const struct judge_step *s)
{
	return s->is_decisive || s->points != 0 || !s->result->is_known ||
	       s->result->class != FILTER_NOTHING;
}

void
explain_check(const struct judge_verdict *v, struct buf *out)
{
	char points[32];
	size_t i;

	(void)buf_add_str(out, v->class == MAIL_HAM ? "not spam" : "spam");
	if (v->listed.is_found)
		(void)buf_printf(out, ", lists (%s, always)",
				 sender_word_name(v->listed.word));
	for (i = 0; i < v->step_count; i++) {
		const struct judge_step *s = &v->steps[i];
		const struct filter_result *r = s->result;

		if (!says_something(s))
			continue;
		(void)buf_printf(out, ", %s (", filter_table[s->filter]->name);
		if (!r->is_known)
			(void)buf_add_str(out, "could not tell, ");
		else if (r->detail[0] != '\0')
			(void)buf_printf(out, "%s, ", r->detail);
		if (s->points != 0) {
			points_text(s->points, points, sizeof(points));
			(void)buf_printf(out, "score %s, ", points);
		}
		if (s->place > 0)
			(void)buf_printf(out, "position %lld",
					 (long long)s->place);
		else
			(void)buf_add_str(out, "always");
		if (s->is_decisive)
			(void)buf_printf(out, ", %s decisive",
					 class_words[r->class]);
		(void)buf_add_str(out, ")");
	}
}

const char *
explain_status(const struct judge_verdict *v)
{
	if (v->class == MAIL_VIRUS)
		return "virus";
	if (v->class == MAIL_HAM && v->is_warned)
		return "warned of";
	if (v->class == MAIL_HAM)
		return v->action == ACTION_DELIVER ? "clean" : "held back";
	if (v->action == ACTION_DELIVER)
		return v->is_marked ? "spam, tagged" : "spam";
	return "spam, held back";
}
