/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * An index of what is in quarantine, so that lists need not read
 * envelopes: quarantine.db.  It is made from what queue tells and can be
 * made again: one that is damaged, or of another version, is thrown away.
 */
#ifndef QUAR_INDEX_H
#define QUAR_INDEX_H

#include "err.h"
#include "quar.h"

struct quar_index;

int quar_index_open(const char *dir, struct quar_index **out, struct err *e);
void quar_index_close(struct quar_index *x);

/* All that is said of a page stands in one transaction. */
int quar_index_begin(struct quar_index *x, struct err *e);
int quar_index_put(struct quar_index *x, const struct quar_row *r,
		   struct err *e);
/* Drops what lies behind `after` up to `upto` ("": the end) and was not put
 * since the begin: it is not in quarantine any more. */
int quar_index_sweep(struct quar_index *x, const char *after, const char *upto,
		     struct err *e);
/* The same for one name. */
int quar_index_forget(struct quar_index *x, const char *name, struct err *e);
int quar_index_commit(struct quar_index *x, struct err *e);
void quar_index_rollback(struct quar_index *x);

/*
 * Rows, the newest first: those before the name `before` ("": from the
 * newest), or those of one ID when id is not NULL; filter may be NULL.  fn
 * gets each, non-zero stops; cursor gets the last name that was looked at
 * when there is more.  -1 on error.
 */
struct quar_query {
	const struct quar_filter *filter;
	const char *before, *id;
	unsigned rows_max;
};
typedef int quar_row_fn(void *arg, const struct quar_row *r);
int quar_index_each(struct quar_index *x, const struct quar_query *q,
		    quar_row_fn *fn, void *arg, char cursor[ENVELOPE_NAME_SIZE],
		    struct err *e);

#endif
