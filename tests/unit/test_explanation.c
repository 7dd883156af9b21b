/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading what is kept of a decision, whole, cut and made up.
 */
#include <string.h>

#include "check.h"
#include "explanation.h"

static const char whole[] =
	"sum 12.5 5.0 spam deliver\n"
	"setting threshold domain 5.0\n"
	"setting spam_action default tag\n"
	"step antivirus 0 0.0 1.0 1200 none - \n"
	"step clamspam 1 0.0 1.0 1 unknown skip no signatures yet\n"
	"later things that nobody knows\n"
	"step bayes 2 12.5 2.0 900 spam decisive 99.97%\n"
	"rule SOMMA 0.1 4.0 two words\n"
	"rule OTHER -1.25 -1.25 \n";

static struct arena arena;

static const struct {
	const char *words, *text, *want;
} rows[] = {
	{ "a whole one", whole,
	  "12500/5000 spam deliver; threshold domain 5.0; spam_action default "
	  "tag; antivirus 0 0 1000 1200 none - ||; clamspam 1 0 1000 1 unknown "
	  "skip |no signatures yet|; bayes 2 12500 2000 900 spam decisive "
	  "|99.97%| SOMMA 100 4000 |two words| OTHER -1250 -1250 ||" },
	{ "a sum alone", "sum 0.0 5.0 ham deliver\n", "0/5000 ham deliver" },
	{ "a last line that was cut",
	  "sum 0.0 5.0 ham deliver\nstep bayes 2 12.5 2.0 900 spam dec",
	  "0/5000 ham deliver" },
	{ "a step without its words",
	  "sum 0.0 5.0 ham deliver\nstep bayes 2\nstep\nstep x x x x x x x\n",
	  "0/5000 ham deliver" },
	{ "a rule before any step",
	  "sum 0.0 5.0 ham deliver\nrule SOMMA 1.0 1.0 \n",
	  "0/5000 ham deliver" },
	{ "a setting without a value",
	  "sum 0.0 5.0 ham deliver\nsetting subject_tag user \nsetting x\n",
	  "0/5000 ham deliver; subject_tag user " },
	{ "nothing", "", NULL },
	{ "no sum", "step bayes 2 12.5 2.0 900 spam decisive 99.97%\n", NULL },
	{ "a sum that is cut", "sum 12.5 5.0 spam deli", NULL },
	{ "a sum that is no number", "sum many 5.0 spam deliver\n", NULL },
	{ "a sum without its action", "sum 1.0 5.0 spam\n", NULL },
};

static void
write_out(const struct explained *x, struct buf *out)
{
	size_t i, k;

	(void)buf_printf(out, "%lld/%lld %s %s", (long long)x->points,
			 (long long)x->threshold, x->class, x->action);
	for (i = 0; i < x->setting_count; i++)
		(void)buf_printf(out, "; %s %s %s", x->settings[i].name,
				 x->settings[i].level, x->settings[i].value);
	for (i = 0; i < x->step_count; i++) {
		const struct explained_step *s = &x->steps[i];

		(void)buf_printf(out, "; %s %lld %lld %lld %lld %s %s |%s|",
				 s->filter, (long long)s->place,
				 (long long)s->points, (long long)s->weight,
				 (long long)s->time_us, s->class, s->did,
				 s->detail);
		for (k = 0; k < s->rule_count; k++)
			(void)buf_printf(
				out, " %s %lld %lld |%s|", s->rules[k].name,
				(long long)s->rules[k].points,
				(long long)s->rules[k].own, s->rules[k].note);
	}
}

static void
test_rows(void)
{
	struct explained x;
	struct buf out = { 0 };
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&out);
		if (explanation_read(rows[i].text, &arena, &x, &e) == 0) {
			write_out(&x, &out);
			CHECK_STR(buf_str(&out), rows[i].want, "%s",
				  rows[i].words);
		} else {
			CHECK(rows[i].want == NULL, "%s: none of ours: %s",
			      rows[i].words, e.text);
		}
		arena_clear(&arena);
	}
	buf_release(&out);
}

/* However much there is, it is bounded. */
static void
test_many(void)
{
	struct buf text = { 0 };
	struct explained x;
	struct err e;
	int i, k;

	(void)buf_add_str(&text, "sum 1.0 5.0 ham deliver\n");
	for (i = 0; i < 100; i++) {
		(void)buf_printf(&text, "setting s%d user 1\n", i);
		(void)buf_printf(&text, "step f%d 1 0.0 1.0 1 none - \n", i);
		for (k = 0; k < 20; k++)
			(void)buf_printf(&text, "rule R%d 1.0 1.0 \n", k);
	}
	CHECK_INT(explanation_read(buf_str(&text), &arena, &x, &e), 0,
		  "a hundred of everything are read");
	CHECK(x.step_count == EXPLANATION_STEPS &&
		      x.setting_count == EXPLANATION_SETTINGS &&
		      x.steps[0].rule_count == EXPLANATION_RULES,
	      "as far as there is room");
	buf_release(&text);
}

static void
test_sum(void)
{
	int64_t points = 7, threshold = 7;

	CHECK(explanation_sum(whole, &points, &threshold) == 0 &&
		      points == 12500 && threshold == 5000,
	      "the sum alone");
	CHECK(explanation_sum("no sum\n", &points, &threshold) == -1 &&
		      explanation_sum("", &points, &threshold) == -1 &&
		      points == 12500,
	      "or none, and nothing is changed");
}

int
main(void)
{
	test_rows();
	test_many();
	test_sum();
	arena_release(&arena);
	return check_done();
}
