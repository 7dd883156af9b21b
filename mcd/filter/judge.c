/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The walk.  Nothing here looks at the message itself.
 */
#include "judge.h"

#include <string.h>

#include "listed.h"
#include "points.h"
#include "str.h"

/* Takes the next line off in; false at the end or where it is cut. */
static bool
next_line(struct span *in, struct span *line)
{
	const char *end = in->len > 0 ? memchr(in->p, '\n', in->len) : NULL;

	if (end == NULL)
		return false;
	line->p = in->p;
	line->len = (size_t)(end - in->p);
	in->p = end + 1;
	in->len -= line->len + 1;
	return true;
}

static int
take_scope(struct span line, const char *prefix, char *dst, size_t size)
{
	size_t n = strlen(prefix);

	if (line.len < n || memcmp(line.p, prefix, n) != 0)
		return 0;
	return str_fmt(dst, size, "%.*s", (int)(line.len - n), line.p + n) ? 1
									   : -1;
}

/* A level more that does not fit is not worth a message's delay. */
static void
take_level(struct span line, struct judge_policy *out)
{
	const struct span word = SPAN_LIT("@level=");
	size_t at = strlen(out->levels);

	if (line.len > word.len && memcmp(line.p, word.p, word.len) == 0 &&
	    line.len - word.len + 2 < sizeof(out->levels) - at)
		(void)str_fmt(out->levels + at, sizeof(out->levels) - at,
			      "%.*s;", (int)(line.len - word.len),
			      line.p + word.len);
}

const char *
judge_level(const struct judge_policy *p, const char *knob)
{
	static const char *const levels[] = { "what-if", "global", "domain",
					      "user" };
	char line[80];
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(*levels); i++)
		if (str_fmt(line, sizeof(line), ";%s %s;", knob, levels[i]) &&
		    strstr(p->levels, line) != NULL)
			return levels[i];
	return "default";
}

int
judge_policy_read(struct span in, struct judge_policy *out, struct err *e)
{
	struct span line;
	int user, domain;

	memset(out, 0, sizeof(*out));
	out->levels[0] = ';';
	knobs_default(&out->knobs);
	/* The scopes stand before the knobs. */
	while (in.len > 0 && in.p[0] == '@') {
		if (!next_line(&in, &line))
			return err_set(e, "policy: the last line is cut");
		user = take_scope(line, "@user=", out->user, sizeof(out->user));
		domain = take_scope(line, "@domain=", out->domain,
				    sizeof(out->domain));
		if (user < 0 || domain < 0)
			return err_set(e, "policy: a scope is too long");
		take_level(line, out);
	}
	return knobs_read(in, &out->knobs, e);
}

/* Filters that are on, by their order; the table's where it is equal. */
static size_t
order_filters(const struct knobs *k, size_t *order)
{
	int64_t places[64];
	size_t i, at, n = 0;

	for (i = 0; i < filter_count && i < 64; i++) {
		struct filter_knobs f = filter_knobs(k, i);

		if (!f.is_on)
			continue;
		for (at = n; at > 0 && places[at - 1] > f.order; at--) {
			places[at] = places[at - 1];
			order[at] = order[at - 1];
		}
		places[at] = f.order;
		order[at] = i;
		n++;
	}
	return n;
}

int64_t
judge_symptom_points(const struct filter_mail *m, const struct judge_policy *p,
		     const struct filter_symptom *s)
{
	struct lists_scope scope = { p->user, p->domain };
	const char *text = lists_get(m->lists, "rule", &scope, s->name);
	int64_t points;

	if (text != NULL && points_parse(text, &points, NULL) == 0)
		return points;
	return s->points;
}

/* Before the weight. */
static int64_t
result_points(const struct filter_mail *m, const struct judge_policy *p,
	      const struct filter_result *r)
{
	int64_t sum = r->points;
	size_t i;

	for (i = 0; i < r->symptom_count; i++)
		sum += judge_symptom_points(m, p, &r->symptoms[i]);
	return sum;
}

static bool
is_decisive(enum decisive d, enum filter_class class)
{
	return (class == FILTER_HAM &&
		(d == DECISIVE_HAM || d == DECISIVE_BOTH)) ||
	       (class == FILTER_SPAM &&
		(d == DECISIVE_SPAM || d == DECISIVE_BOTH));
}

/*
 * A class that rests on symptoms alone is gone when an administrator has
 * taken their points away: a rule that was set to nothing decides nothing.
 */
static enum filter_class
class_of(const struct filter_result *r, int64_t points, int64_t weighted)
{
	if (r->class == FILTER_SPAM && r->symptom_count > 0 &&
	    (weighted <= 0 || points < r->spam_from))
		return FILTER_NOTHING;
	if (r->class == FILTER_HAM && r->symptom_count > 0 && points >= 0)
		return FILTER_NOTHING;
	return r->class;
}

/* Whether the walk goes on. */
static bool
take_result(const struct filter_mail *m, const struct judge_policy *p,
	    const struct filter_knobs *f, struct judge_step *step,
	    struct judge_verdict *out)
{
	const struct filter_result *r = step->result;
	int64_t points;

	if (!r->is_known) {
		if (f->failure == FAILURE_LATER)
			out->is_later = true;
		if (f->failure == FAILURE_HOLD && out->action != ACTION_HOLD) {
			out->action = ACTION_HOLD;
			(void)str_fmt(out->reason, sizeof(out->reason),
				      "%s could not tell: %s",
				      filter_table[step->filter]->name, r->why);
		}
		return !out->is_later;
	}
	out->is_dmarc_reject |= r->is_dmarc_reject;
	points = result_points(m, p, r);
	step->points = points * f->weight / 1000;
	out->points += step->points;
	step->is_decisive =
		is_decisive(f->decisive, class_of(r, points, step->points));
	if (step->is_decisive)
		out->decisive = step;
	return !step->is_decisive;
}

/* Found by its bytes: no list and no threshold changes that. */
static enum action
virus_action(int64_t knob)
{
	static const enum action actions[] = {
		[VIRUS_QUARANTINE] = ACTION_QUARANTINE,
		[VIRUS_HOLD] = ACTION_HOLD,
		[VIRUS_DELETE] = ACTION_DISCARD,
	};

	return actions[knob];
}

static enum action
odd_action(int64_t knob)
{
	static const enum action actions[] = {
		[ODD_DELIVER] = ACTION_DELIVER,
		[ODD_QUARANTINE] = ACTION_QUARANTINE,
		[ODD_HOLD] = ACTION_HOLD,
	};

	return actions[knob];
}

static void
park_odd(enum action action, const char *knob, const char *why,
	 struct judge_verdict *out)
{
	out->action = action;
	out->action_knob = knob;
	if (action == ACTION_DELIVER)
		return;
	out->is_dangerous = true;
	(void)str_fmt(out->reason, sizeof(out->reason), "antivirus: %s", why);
}

/* Its sender is told, if he still waits and nobody else takes it; else it is
 * as good as any mail that we have taken, and action says what is done. */
static void
refuse_at_data(const struct knobs *k, struct judge_verdict *out)
{
	if (k->at_data != AT_DATA_REFUSE || out->class == MAIL_HAM)
		return;
	out->is_refused = true;
	if (k->at_data_else == AT_DATA_ELSE_USUAL)
		return;
	out->is_marked = false;
	out->action = ACTION_QUARANTINE;
	out->action_knob = "at_data_else";
}

/* What the antivirus has found, which every policy asks that has it on;
 * true when the matter ends with it. */
static bool
act_on_virus(const struct filter_mail *m, const struct knobs *k,
	     const struct filter_result *r, struct judge_verdict *out)
{
	if (r->is_known && r->class == FILTER_VIRUS) {
		out->class = MAIL_VIRUS;
		out->action = virus_action(m->is_outbound ? k->out_virus_action
							  : k->virus_action);
		out->action_knob =
			m->is_outbound ? "out_virus_action" : "virus_action";
		(void)str_fmt(out->reason, sizeof(out->reason), "virus %s",
			      r->detail);
		refuse_at_data(k, out);
		return true;
	}
	if (r->is_over_limits)
		park_odd(odd_action(k->limits_action), "limits_action",
			 "limits exceeded", out);
	if (r->is_encrypted && out->action == ACTION_DELIVER)
		park_odd(odd_action(k->encrypted_action), "encrypted_action",
			 "encrypted archive", out);
	return false;
}

/* What lists of senders say, once it is known that there is no virus; true
 * when no filter is asked any more. */
static bool
take_lists(const struct filter_mail *m, const struct judge_policy *p,
	   struct judge_verdict *out)
{
	listed_look(m, p, &out->listed);
	return out->listed.is_found && out->listed.word != SENDER_WARN;
}

static bool
is_listed_as(const struct judge_verdict *v, enum sender_word word)
{
	return v->listed.is_found && v->listed.word == word;
}

static bool
is_spam(const struct judge_verdict *v)
{
	if (is_listed_as(v, SENDER_ALLOW) || is_listed_as(v, SENDER_BLOCK))
		return v->listed.word == SENDER_BLOCK;
	if (v->decisive != NULL)
		return v->decisive->result->class == FILTER_SPAM;
	return v->points >= v->threshold;
}

static void
act_on_spam(const struct filter_mail *m, const struct knobs *k,
	    struct judge_verdict *out)
{
	static const enum action in[] = { [SPAM_TAG] = ACTION_DELIVER,
					  [SPAM_QUARANTINE] = ACTION_QUARANTINE,
					  [SPAM_DELETE] = ACTION_DISCARD };
	static const enum action away[] = { [SPAM_OUT_DELIVER] = ACTION_DELIVER,
					    [SPAM_OUT_HOLD] = ACTION_HOLD,
					    [SPAM_OUT_QUARANTINE] =
						    ACTION_QUARANTINE };

	out->action =
		m->is_outbound ? away[k->out_spam_action] : in[k->spam_action];
	out->action_knob = m->is_outbound ? "out_spam_action" : "spam_action";
	out->is_marked = !m->is_outbound && k->spam_action == SPAM_TAG;
}

static void
act_on_block(const struct knobs *k, struct judge_verdict *out)
{
	static const enum action actions[] = { [BLOCK_QUARANTINE] =
						       ACTION_QUARANTINE,
					       [BLOCK_DELETE] = ACTION_DISCARD,
					       [BLOCK_TAG] = ACTION_DELIVER };

	out->action = actions[k->block_action];
	out->action_knob = "block_action";
	out->is_marked = k->block_action == BLOCK_TAG;
}

static void
tell_reason(struct judge_verdict *out)
{
	char points[32], threshold[32], text[SENDERS_ENTRY_SIZE + 64];

	if (is_listed_as(out, SENDER_ALLOW) ||
	    is_listed_as(out, SENDER_BLOCK)) {
		listed_text(&out->listed, text, sizeof(text));
		(void)str_fmt(out->reason, sizeof(out->reason), "%s: %.150s",
			      out->class == MAIL_SPAM ? "spam" : "not spam",
			      text);
		return;
	}
	points_text(out->points, points, sizeof(points));
	points_text(out->threshold, threshold, sizeof(threshold));
	(void)str_fmt(out->reason, sizeof(out->reason), "%s %s/%s%s%s",
		      out->class == MAIL_SPAM ? "spam" : "not spam", points,
		      threshold, out->decisive != NULL ? ": " : "",
		      out->decisive != NULL
			      ? filter_table[out->decisive->filter]->name
			      : "");
}

/* What the owner of the domain in From has asked for, where an administrator
 * follows it; not against a filter that has decided for ham. */
static void
follow_dmarc(const struct knobs *k, struct judge_verdict *out)
{
	bool is_wanted = k->dmarc_reject == DMARC_REJECT_DELETE
				 ? out->action != ACTION_DISCARD
				 : out->action == ACTION_DELIVER;

	if (!out->is_dmarc_reject || k->dmarc_reject == DMARC_REJECT_SCORE ||
	    !is_wanted || (out->decisive != NULL && out->class == MAIL_HAM))
		return;
	out->class = MAIL_SPAM;
	out->is_marked = false;
	out->action = k->dmarc_reject == DMARC_REJECT_DELETE
			      ? ACTION_DISCARD
			      : ACTION_QUARANTINE;
	out->action_knob = "dmarc_reject";
	(void)str_copy(out->reason, sizeof(out->reason),
		       "DMARC: the domain in From asks for its rejection");
}

static void
decide(const struct filter_mail *m, const struct knobs *k,
       struct judge_verdict *out)
{
	bool is_parked = out->action != ACTION_DELIVER;

	out->class = is_spam(out) ? MAIL_SPAM : MAIL_HAM;
	/* For the sake of a filter that could not tell, or of what nobody
	 * could look into. */
	if (is_parked)
		return;
	tell_reason(out);
	if (is_listed_as(out, SENDER_BLOCK))
		act_on_block(k, out);
	else if (out->class == MAIL_SPAM)
		act_on_spam(m, k, out);
	follow_dmarc(k, out);
	refuse_at_data(k, out);
	out->is_warned = is_listed_as(out, SENDER_WARN) && !m->is_outbound &&
			 out->action == ACTION_DELIVER;
	if (k->hold_mail && out->action == ACTION_DELIVER) {
		out->action = ACTION_HOLD;
		out->action_knob = "hold_mail";
		(void)str_copy(out->reason, sizeof(out->reason), "hold_mail");
	}
}

static void
move_to_front(size_t *order, size_t at)
{
	size_t filter = order[at];

	memmove(order + 1, order, at * sizeof(*order));
	order[0] = filter;
}

void
judge(const struct filter_mail *m, const struct judge_policy *p,
      judge_ask_fn *ask, void *arg, struct judge_verdict *out)
{
	size_t order[64];
	size_t n = order_filters(&p->knobs, order);
	struct judge_step *steps = arena_array(m->arena, n + 1, sizeof(*steps));
	bool goes_on = true, has_lists = false;
	int64_t place = 0;
	size_t i;

	memset(out, 0, sizeof(*out));
	out->action = ACTION_DELIVER;
	out->action_knob = "";
	out->threshold_knob = m->is_outbound ? "out_threshold" : "threshold";
	out->threshold =
		m->is_outbound ? p->knobs.out_threshold : p->knobs.threshold;
	out->steps = steps;
	/* The antivirus goes first wherever it stands: a decision for ham
	 * must not keep it from looking. */
	for (i = 0; i < n; i++)
		if (filter_table[order[i]] == &filter_antivirus)
			move_to_front(order, i);
	for (i = 0; i < n && goes_on; i++) {
		struct filter_knobs f = filter_knobs(&p->knobs, order[i]);
		struct judge_step *step;

		if (!has_lists && filter_table[order[i]] != &filter_antivirus) {
			has_lists = true;
			if (take_lists(m, p, out))
				break;
		}
		step = &steps[out->step_count++];
		step->filter = order[i];
		step->failure = f.failure;
		step->weight = f.weight;
		if (!filter_table[order[i]]->has_no_place)
			step->place = ++place;
		step->result = ask(arg, order[i]);
		if (filter_table[order[i]] == &filter_antivirus &&
		    act_on_virus(m, &p->knobs, step->result, out))
			return;
		goes_on = take_result(m, p, &f, step, out);
	}
	if (!has_lists && goes_on)
		(void)take_lists(m, p, out);
	decide(m, &p->knobs, out);
}
