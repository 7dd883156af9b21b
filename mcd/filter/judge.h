/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A decision: the kept results of the filters walked once for one policy,
 * in that policy's order, until one is decisive.  It depends on nothing
 * but message and policy.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "address.h"
#include "filter.h"
#include "proto.h"
#include "senders.h"

/* What mail was found to be. */
enum mail_class { MAIL_HAM, MAIL_SPAM, MAIL_VIRUS };

/* A policy as it comes with the scan: knobs, and whose rows count. */
struct judge_policy {
	struct knobs knobs;
	char user[ADDRESS_TEXT_SIZE], domain[ADDRESS_DOMAIN_MAX + 1];
	/* Settings that are not as shipped: ";NAME LEVEL;NAME LEVEL;". */
	char levels[512];
};

/* What one filter added to a decision. */
struct judge_step {
	size_t filter; /* in filter_table */
	const struct filter_result *result;
	int64_t points; /* after rules and weight */
	int64_t place; /* position, from 1; 0 for one that has none */
	bool is_decisive;
	enum failure failure; /* what is done when it could not tell */
	int64_t weight; /* thousandths */
};

struct judge_verdict {
	enum mail_class class;
	enum action action;
	bool is_dangerous; /* parked: nobody could look into all of it */
	bool is_dmarc_reject; /* a filter has found so */
	bool is_later; /* a filter could not tell, and mail waits for it */
	int64_t points, threshold;
	const struct judge_step *steps; /* in the order they were taken */
	size_t step_count;
	const struct judge_step *decisive; /* NULL: the sum decided */
	char reason[200]; /* "spam 7.5/5.0: bayes" */
	struct sender_match listed; /* a list of senders */
	bool is_warned; /* by one: the warn tag is put in */
	bool is_marked; /* the subject tag is put in */
	bool is_refused; /* if it is not too late for that (at_data) */
	/* The settings that threshold and action are from; "" for none. */
	const char *threshold_knob, *action_knob;
};

/* The result of a filter, asked for the first time or kept. */
typedef const struct filter_result *judge_ask_fn(void *arg, size_t filter);

/*
 * Reads the policy: knob lines, "@user=" and "@domain=" where these have
 * rows of their own, and "@level=" of settings that are not as shipped.
 */
int judge_policy_read(struct span in, struct judge_policy *out, struct err *e);
/* What lies behind out is m's arena. */
void judge(const struct filter_mail *m, const struct judge_policy *p,
	   judge_ask_fn *ask, void *arg, struct judge_verdict *out);

/* What a symptom is worth for this policy: a row "rule" replaces what the
 * filter says. */
int64_t judge_symptom_points(const struct filter_mail *m,
			     const struct judge_policy *p,
			     const struct filter_symptom *s);

/* Where a setting of the policy is from: "default", "global" ... */
const char *judge_level(const struct judge_policy *p, const char *knob);

#endif
