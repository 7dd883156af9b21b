/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The explanation of a decision about mail, as the filters write it, the
 * ledger keeps it and `mcctl explain` shows it: lines of words.
 *
 *   sum SCORE THRESHOLD CLASS ACTION
 *   setting NAME LEVEL VALUE    (what decided; default, global, domain, user)
 *   step FILTER PLACE POINTS WEIGHT TIME_US CLASS DID DETAIL
 *   rule NAME POINTS OWN NOTE         (of the step above, the largest first)
 *
 * Words are separated by one space, lines end with LF; DETAIL, NOTE and VALUE
 * go to the end of the line and may be "".  Points are decimals; OWN are
 * those that the filter gives, POINTS those that count here.  PLACE is 0 for
 * a filter that has none.  CLASS is of a mail ham, spam or virus, of a step
 * also none or unknown.  DID is "decisive", "-", or of a filter that could
 * not tell what was done then: skip, later or hold.
 */
#ifndef EXPLANATION_H
#define EXPLANATION_H

#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"
#include "err.h"

#define EXPLANATION_MAX 4000 /* bytes of one */
#define EXPLANATION_STEPS 32
#define EXPLANATION_RULES 8 /* of a step that are shown */
#define EXPLANATION_SETTINGS 4

/* All points are thousandths. */
struct explained_rule {
	const char *name;
	int64_t points, own;
	const char *note;
};

struct explained_step {
	const char *filter;
	int64_t place, points, weight, time_us;
	const char *class, *did, *detail;
	struct explained_rule rules[EXPLANATION_RULES];
	size_t rule_count;
};

struct explained_setting {
	const char *name, *level, *value;
};

/* Strings are "" where nothing was said. */
struct explained {
	int64_t points, threshold;
	const char *class, *action;
	struct explained_setting settings[EXPLANATION_SETTINGS];
	size_t setting_count;
	struct explained_step steps[EXPLANATION_STEPS];
	size_t step_count;
};

/*
 * Reads what stands there: a line that is cut, malformed or not known, and
 * what passes the limits, is left out.  -1 when there is no sum.  Strings
 * go to the arena.
 */
int explanation_read(const char *text, struct arena *a, struct explained *out,
		     struct err *e);
/* The first line alone; -1 when it is no sum. */
int explanation_sum(const char *text, int64_t *points, int64_t *threshold);

#endif
