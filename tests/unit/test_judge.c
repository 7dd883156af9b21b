/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Decisions by made-up results, and what they change in a message.
 */
#include "judge.h"

#include <string.h>

#include "check.h"
#include "envelope.h"
#include "explain.h"
#include "mark.h"
#include "str.h"
#include "view.h"

static struct filter_result results[64];
static int asked;

static const struct filter_result *
ask(void *arg, size_t i)
{
	(void)arg;
	asked++;
	return &results[i];
}

static size_t
filter_at(const char *name)
{
	size_t i;

	for (i = 0; i < filter_count; i++)
		if (str_eq(filter_table[i]->name, name))
			return i;
	return 0;
}

/* One filter speaks, the others saw nothing. */
static struct filter_result *
speaks(const char *name)
{
	size_t i;

	memset(results, 0, sizeof(results));
	for (i = 0; i < filter_count; i++)
		results[i].is_known = true;
	asked = 0;
	return &results[filter_at(name)];
}

static struct judge_policy
policy(const char *text)
{
	struct judge_policy p;
	struct err e = { "" };

	CHECK(judge_policy_read(span_of(text), &p, &e) == 0, "a policy: %s",
	      e.text);
	return p;
}

static void
check_sums(struct filter_mail *m)
{
	static const struct {
		const char *words, *policy;
		int64_t points;
		enum filter_class class;
		enum action action;
		enum mail_class want;
	} rows[] = {
		{ "nothing found", "", 0, FILTER_NOTHING, ACTION_DELIVER,
		  MAIL_HAM },
		{ "under the threshold", "filter_gtube_decisive=none\n", 4999,
		  FILTER_SPAM, ACTION_DELIVER, MAIL_HAM },
		{ "at the threshold", "filter_gtube_decisive=none\n", 5000,
		  FILTER_SPAM, ACTION_DELIVER, MAIL_SPAM },
		{ "quarantine as set", "spam_action=quarantine\n", 5000,
		  FILTER_SPAM, ACTION_QUARANTINE, MAIL_SPAM },
		{ "delete as set", "spam_action=delete\n", 5000, FILTER_SPAM,
		  ACTION_DISCARD, MAIL_SPAM },
		{ "a lower threshold", "threshold=1.5\n", 1500, FILTER_NOTHING,
		  ACTION_DELIVER, MAIL_SPAM },
		{ "half the weight",
		  "filter_gtube_weight=0.5\nfilter_gtube_decisive=none\n", 9998,
		  FILTER_SPAM, ACTION_DELIVER, MAIL_HAM },
		{ "decisive spam needs no points", "", 1, FILTER_SPAM,
		  ACTION_DELIVER, MAIL_SPAM },
		{ "decisive ham is ham", "filter_gtube_decisive=ham\n", 90000,
		  FILTER_HAM, ACTION_DELIVER, MAIL_HAM },
		{ "a filter that is off", "filter_gtube=no\n", 90000,
		  FILTER_SPAM, ACTION_DELIVER, MAIL_HAM },
		{ "held as set", "hold_mail=yes\n", 0, FILTER_NOTHING,
		  ACTION_HOLD, MAIL_HAM },
	};
	struct judge_verdict v;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct judge_policy p = policy(rows[i].policy);
		struct filter_result *r = speaks("gtube");

		r->points = rows[i].points;
		r->class = rows[i].class;
		judge(m, &p, ask, NULL, &v);
		CHECK_INT(v.class, rows[i].want, "%s: class", rows[i].words);
		CHECK_INT(v.action, rows[i].action, "%s: action",
			  rows[i].words);
	}
}

static void
check_outbound(struct filter_mail *m)
{
	struct judge_policy p = policy("spam_action=delete\n");
	struct judge_verdict v;

	m->is_outbound = true;
	speaks("gtube")->class = FILTER_SPAM;
	judge(m, &p, ask, NULL, &v);
	CHECK_INT(v.action, ACTION_HOLD, "outbound spam is held");
	CHECK(!v.is_marked && v.threshold == 8000,
	      "by a threshold of its own, and not tagged");
	p = policy("virus_action=delete\n");
	speaks("antivirus")->class = FILTER_VIRUS;
	judge(m, &p, ask, NULL, &v);
	CHECK_INT(v.action, ACTION_HOLD, "a virus is held on its way out");
	CHECK_STR(v.action_knob, "out_virus_action", "by a setting of its own");
	p = policy("out_virus_action=delete\n");
	judge(m, &p, ask, NULL, &v);
	CHECK_INT(v.action, ACTION_DISCARD, "which may say otherwise");
	m->is_outbound = false;
	judge(m, &p, ask, NULL, &v);
	CHECK_INT(v.action, ACTION_QUARANTINE, "and says so of it alone");
}

static void
check_at_data(struct filter_mail *m)
{
	static const struct {
		const char *words, *policy;
		enum filter_class class;
		enum action action;
		bool is_refused;
	} rows[] = {
		{ "spam", "at_data=refuse\n", FILTER_SPAM, ACTION_QUARANTINE,
		  true },
		{ "ham", "at_data=refuse\n", FILTER_HAM, ACTION_DELIVER,
		  false },
		{ "as usual", "at_data=refuse\nat_data_else=usual\n",
		  FILTER_SPAM, ACTION_DELIVER, true },
		{ "deleted else",
		  "at_data=refuse\nat_data_else=usual\nspam_action=delete\n",
		  FILTER_SPAM, ACTION_DISCARD, true },
		{ "never what would be deleted",
		  "at_data=refuse\nspam_action=delete\n", FILTER_SPAM,
		  ACTION_QUARANTINE, true },
		{ "off", "at_data_else=quarantine\n", FILTER_SPAM,
		  ACTION_DELIVER, false },
	};
	struct judge_verdict v;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct judge_policy p = policy(rows[i].policy);

		speaks("gtube")->class = rows[i].class;
		judge(m, &p, ask, NULL, &v);
		CHECK_INT(v.action, rows[i].action, "at_data, %s: action",
			  rows[i].words);
		CHECK(v.is_refused == rows[i].is_refused, "at_data, %s: told",
		      rows[i].words);
	}
	speaks("antivirus")->class = FILTER_VIRUS;
	{
		struct judge_policy p =
			policy("at_data=refuse\nvirus_action=delete\n");

		judge(m, &p, ask, NULL, &v);
	}
	CHECK(v.is_refused && v.action == ACTION_QUARANTINE,
	      "at_data, a virus is refused");
}

static void
check_unknown(struct filter_mail *m)
{
	static const struct {
		const char *words, *policy;
		bool is_later;
		enum action action;
	} rows[] = {
		{ "skipped", "", false, ACTION_DELIVER },
		{ "waited for", "filter_gtube_failure=later\n", true,
		  ACTION_DELIVER },
		{ "held", "filter_gtube_failure=hold\n", false, ACTION_HOLD },
	};
	struct judge_verdict v;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct judge_policy p = policy(rows[i].policy);
		struct filter_result *r = speaks("gtube");

		filter_unknown(r, "%s is down", "it");
		r->points = 99000; /* means nothing */
		judge(m, &p, ask, NULL, &v);
		CHECK_INT(v.is_later, rows[i].is_later, "%s: later",
			  rows[i].words);
		CHECK_INT(v.action, rows[i].action, "%s: action",
			  rows[i].words);
		CHECK_INT(v.class, MAIL_HAM, "%s: no points", rows[i].words);
	}
	CHECK_STR(v.reason, "gtube could not tell: it is down",
		  "a hold says why");
}

/* One rule's score, changed for a domain. */
static void
check_rules(struct filter_mail *m)
{
	struct judge_policy one = policy("@domain=a.example\n");
	struct judge_policy other = policy("");
	struct filter_result *r = speaks("gtube");
	struct judge_verdict v;
	struct buf lines = { 0 };
	struct err e;
	struct lists *l =
		lists_read(SPAN_LIT("rule\tdomain a.example SOMMA\t0.1\n"), &e);

	m->lists = l;
	filter_symptom(m, r, "SOMMA", 6000, "somma");
	filter_symptom(m, r, "OTHER", 100, "");
	judge(m, &other, ask, NULL, &v);
	CHECK(v.class == MAIL_SPAM && v.points == 6100, "as the filter says");
	judge(m, &one, ask, NULL, &v);
	CHECK(v.class == MAIL_HAM && v.points == 200, "as the domain says");
	explain_lines(m, &one, &v, 8000, &lines);
	CHECK(strstr(buf_str(&lines), "rule SOMMA 0.1 6.0 somma\n") != NULL,
	      "which is what is explained: %s", buf_str(&lines));
	buf_clear(&lines);
	explain_lines(m, &one, &v, 40, &lines);
	CHECK(lines.len > 0 && lines.len <= 40 &&
		      lines.data[lines.len - 1] == '\n',
	      "an explanation is cut at a line");
	m->lists = NULL;
	lists_free(l);
	buf_release(&lines);
}

/* A reason to trust that an administrator has taken away. */
static void
check_ham(struct filter_mail *m)
{
	struct judge_policy p = policy("");
	struct filter_result *r = speaks("trusted");
	struct judge_verdict v;
	struct err e;
	struct lists *l = lists_read(SPAN_LIT("rule\tglobal HOST\t0\n"), &e);

	results[filter_at("prerbl")].points = 9000;
	r->class = FILTER_HAM;
	filter_symptom(m, r, "HOST", -5000, "");
	judge(m, &p, ask, NULL, &v);
	CHECK(v.class == MAIL_HAM && v.decisive != NULL, "ham decides");
	m->lists = l;
	judge(m, &p, ask, NULL, &v);
	CHECK(v.class == MAIL_SPAM && v.decisive == NULL,
	      "and not once it is worth nothing");
	m->lists = NULL;
	lists_free(l);
}

/* Which setting decided, and whose it is. */
static void
check_settings(struct filter_mail *m)
{
	static const struct {
		const char *words, *policy, *want;
	} rows[] = {
		{ "as shipped", "",
		  "setting threshold default 5.0\n"
		  "setting spam_action default tag\n" },
		{ "levels that the policy names",
		  "@level=threshold user\n@level=spam_action domain\n"
		  "threshold=4.0\nspam_action=quarantine\n",
		  "setting threshold user 4.0\n"
		  "setting spam_action domain quarantine\n" },
		{ "a name that is part of another",
		  "@level=out_threshold user\n",
		  "setting threshold default 5.0\n" },
	};
	struct filter_result *r = speaks("gtube");
	struct buf lines = { 0 };
	struct judge_policy p;
	struct judge_verdict v;
	size_t i;

	filter_symptom(m, r, "GTUBE", 6000, "");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = policy(rows[i].policy);
		judge(m, &p, ask, NULL, &v);
		buf_clear(&lines);
		explain_lines(m, &p, &v, 4000, &lines);
		CHECK(strstr(buf_str(&lines), rows[i].want) != NULL, "%s: %s",
		      rows[i].words, buf_str(&lines));
	}
	buf_release(&lines);
}

static void
check_bad_policies(void)
{
	static const char *const rows[] = { "@user=joe@a.example",
					    "@domain=a.example\nthreshold",
					    "threshold=many\n" };
	struct judge_policy p;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_INT(judge_policy_read(span_of(rows[i]), &p, &e), -1,
			  "a damaged policy, %zu: %s", i, e.text);
}

static const struct {
	const char *words, *policy, *text, *want;
	bool is_peer;
} marked[] = {
	{ "the tag before the subject", "headers_add=no\n",
	  "A: b\r\nSubject: hi\r\n\r\n",
	  "A: b\r\nSubject: {Spam?} hi\r\n\r\n" },
	{ "a subject without a blank", "headers_add=no\n", "Subject:hi\r\n\r\n",
	  "Subject:{Spam?} hi\r\n\r\n" },
	{ "a tag that is there", "headers_add=no\n",
	  "subject: {Spam?} hi\r\n\r\n", "subject: {Spam?} hi\r\n\r\n" },
	{ "no subject", "headers_add=no\n", "A: b\r\n\r\n",
	  "Subject: {Spam?} \r\nA: b\r\n\r\n" },
	{ "only the first subject", "headers_add=no\n",
	  "Subject: a\r\nSubject: b\r\n\r\n",
	  "Subject: {Spam?} a\r\nSubject: b\r\n\r\n" },
	{ "no tag", "headers_add=no\nsubject_tag=\n", "Subject: hi\r\n\r\n",
	  "Subject: hi\r\n\r\n" },
	{ "a tag in another script", "headers_add=no\nsubject_tag=\xc3\xa0\n",
	  "Subject: hi\r\n\r\n", "Subject: =?UTF-8?Q?=C3=A0_?= hi\r\n\r\n" },
	{ "fields, and those of others renamed",
	  "header_prefix=X-Q-\nsubject_tag=\n", "X-Spam-Status: No\r\n\r\n",
	  "X-Q-Score: 0.0 (spam from 5.0 on)\r\n"
	  "X-Q-Status: spam, tagged\r\n"
	  "X-Q-SpamCheck: spam, gtube (99%, always, spam "
	  "decisive)\r\n"
	  "X-Foreign-X-Spam-Status: No\r\n\r\n" },
	{ "our own names, whatever the case, also without marks",
	  "headers_add=no\nsubject_tag=\n",
	  "x-mc-status: clean\r\nX-MC-ID : 1\r\n\r\nX-MC-A: b\r\n",
	  "X-Foreign-x-mc-status: clean\r\nX-Foreign-X-MC-ID : 1\r\n"
	  "\r\nX-MC-A: b\r\n" },
	{ "names only like ours", "headers_add=no\nsubject_tag=\n",
	  "X-MCA: 1\r\nAX-MC-ID: 1\r\n\r\n",
	  "X-MCA: 1\r\nAX-MC-ID: 1\r\n\r\n" },
	{ "names of others with our prefix", "headers_add=no\nsubject_tag=\n",
	  "X-MC-Unique: 1\r\nX-MC-IDs: 1\r\nX-MC-: 1\r\n\r\n",
	  "X-MC-Unique: 1\r\nX-MC-IDs: 1\r\nX-MC-: 1\r\n\r\n" },
	{ "no prefix, no names of ours",
	  "headers_add=no\nsubject_tag=\nheader_prefix=\n", "Status: 1\r\n\r\n",
	  "Status: 1\r\n\r\n" },
	{ "a trusted peer's are kept", "headers_add=no\nsubject_tag=\n",
	  "X-MC-Status: clean\r\n\r\n", "X-MC-Status: clean\r\n\r\n", true },
};

/* The message behind its edits. */
static void
check_marks(struct filter_mail *m)
{
	size_t i, k;

	for (i = 0; i < sizeof(marked) / sizeof(marked[0]); i++) {
		struct judge_policy p = policy(marked[i].policy);
		struct filter_result *r = speaks("gtube");
		struct buf edits = { 0 }, got = { 0 };
		struct judge_verdict v;
		struct edit *list = NULL;
		size_t n = 0, at = 0;
		struct err e = { "" };

		r->class = FILTER_SPAM;
		str_copy(r->detail, sizeof(r->detail), "99%");
		m->text = m->header = span_of(marked[i].text);
		m->is_peer = marked[i].is_peer;
		judge(m, &p, ask, NULL, &v);
		CHECK(mark_edits(m, &p, &v, &edits, &e) == 0, "%s: %s",
		      marked[i].words, e.text);
		if (edits.len > 0)
			(void)edits_read(buf_span(&edits), m->arena, &list, &n,
					 &e);
		for (k = 0; k < n; k++) {
			(void)buf_add(&got, m->text.p + at,
				      (size_t)list[k].offset - at);
			(void)buf_add_span(&got, list[k].text);
			at = (size_t)(list[k].offset + list[k].length);
		}
		(void)buf_add(&got, m->text.p + at, m->text.len - at);
		CHECK_STR(buf_str(&got), marked[i].want, "%s", marked[i].words);
		buf_release(&edits);
		buf_release(&got);
	}
}

/* However many somebody sends, none is left and the mail goes on. */
static void
check_forged(struct filter_mail *m)
{
	struct judge_policy p = policy("headers_add=no\n");
	struct judge_verdict v = { .is_marked = true };
	struct buf text = { 0 }, edits = { 0 }, got = { 0 };
	struct edit *list = NULL;
	struct err e = { "" };
	size_t n = 0, at = 0;

	for (int i = 0; i < 500; i++)
		(void)buf_printf(&text,
				 "X-MC-Score: a\r\n\t%d\r\nX-Spam-%d: c\r\n", i,
				 i);
	(void)buf_add_str(&text, "Subject: hi\r\n\r\nX-MC-Score: body\r\n");
	m->text = m->header = buf_span(&text);
	m->is_peer = false;
	CHECK(mark_edits(m, &p, &v, &edits, &e) == 0 &&
		      edits_read(buf_span(&edits), m->arena, &list, &n, &e) ==
			      0 &&
		      edits_check(list, n, text.len, &e) == 0,
	      "hundreds of forged fields: %s", e.text);
	for (size_t k = 0; k < n; k++) {
		(void)buf_add(&got, m->text.p + at,
			      (size_t)list[k].offset - at);
		(void)buf_add_span(&got, list[k].text);
		at = (size_t)(list[k].offset + list[k].length);
	}
	(void)buf_add(&got, m->text.p + at, m->text.len - at);
	CHECK(str_has_prefix(buf_str(&got),
			     "X-Foreign-X-MC-Score: a\r\n\t0\r\n"),
	      "the first are renamed");
	CHECK(strstr(buf_str(&got), "\nX-MC-Score: a") == NULL,
	      "none of them is left");
	CHECK(strstr(buf_str(&got), "\r\nSubject: {Spam?} hi\r\n\r\n"
				    "X-MC-Score: body\r\n") != NULL,
	      "what is behind them stays, and is tagged");
	buf_release(&text);
	buf_release(&edits);
	buf_release(&got);
}

int
main(void)
{
	struct arena arena = { 0 };
	static const char text[] = "From: a@b.example\r\n\r\n";
	struct filter_mail m = { .arena = &arena,
				 .name = "0123456789abcdef",
				 .sender = "",
				 .client_ip = "",
				 .auth_spf = "",
				 .header = SPAN_LIT(text),
				 .text = SPAN_LIT(text) };

	/* Lists of senders look at From. */
	m.view = view_new(m.text, NULL, NULL);
	m.mime = m.view->mime;
	check_sums(&m);
	check_at_data(&m);
	check_outbound(&m);
	check_unknown(&m);
	check_ham(&m);
	check_settings(&m);
	check_rules(&m);
	check_bad_policies();
	check_marks(&m);
	check_forged(&m);
	view_free(m.view);
	arena_release(&arena);
	return check_done();
}
