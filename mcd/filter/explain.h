/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A decision in words: as the fields that go with the mail, and as the
 * lines that are kept of it (explanation.h).
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "judge.h"

/* At most max bytes, whole lines. */
void explain_lines(const struct filter_mail *m, const struct judge_policy *p,
		   const struct judge_verdict *v, size_t max, struct buf *out);
/* "spam, bayes (99.97%, position 2, spam decisive), ...", unfolded. */
void explain_check(const struct judge_verdict *v, struct buf *out);
/* "clean", "spam, tagged" ... */
const char *explain_status(const struct judge_verdict *v);

#endif
