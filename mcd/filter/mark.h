/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What a decision changes in the message: fields of ours on top, the tag
 * before the subject, and fields of others that look like a filter's
 * renamed.  The body is never touched.
 */
#ifndef MARK_H
#define MARK_H

#include "envelope.h"
#include "judge.h"

/*
 * Appends the edits of a decision (edits_write()).  -1 when they are too
 * many or too long.
 */
int mark_edits(const struct filter_mail *m, const struct judge_policy *p,
	       const struct judge_verdict *v, struct buf *out, struct err *e);

#endif
