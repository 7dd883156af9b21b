/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A reply counts once, however many hosts of a message it is about: a mail
 * with ten links to one spammer is not ten times as bad.
 */
#include "rbl_result.h"

#include <string.h>

#include "str.h"
#include "worker_rbl.h"

/* "192.0.2.1 (127.0.0.2)", or "a.example, b.example (127.0.0.2)". */
static void
add_symptom(const struct filter_mail *m, const struct worker_rbl *w,
	    size_t first, enum rbl_use use, struct filter_result *out)
{
	const struct rbl_found *f = &w->found[first];
	char note[FILTER_DETAIL_SIZE] = "";
	size_t i, len = 0;

	for (i = first; i < w->found_count; i++) {
		const struct rbl_found *g = &w->found[i];

		if ((g->uses & use) == 0 || !str_eq(g->symptom, f->symptom))
			continue;
		if (!str_fmt(note + len, sizeof(note) - len, "%s%s",
			     len > 0 ? ", " : "", g->item->text))
			break;
		len = strlen(note);
	}
	if (len < sizeof(note))
		(void)str_fmt(note + len, sizeof(note) - len, " (%s)",
			      f->reply);
	filter_symptom(m, out, f->symptom, f->points, note);
}

static bool
is_repeated(const struct worker_rbl *w, size_t at, enum rbl_use use)
{
	size_t i;

	for (i = 0; i < at; i++)
		if ((w->found[i].uses & use) != 0 &&
		    str_eq(w->found[i].symptom, w->found[at].symptom))
			return true;
	return false;
}

void
rbl_result(const struct filter_mail *m, enum rbl_use use,
	   struct filter_result *out)
{
	struct worker_rbl *w = m->rbl;
	const struct rbl_tally *t;
	int64_t sum = 0;
	size_t i;

	out->is_known = true;
	if (w == NULL || !w->is_asked)
		return;
	if (!worker_rbl_wait(w, m->deadline_ms)) {
		filter_unknown(out, "lists: no answer from lookup");
		return;
	}
	t = worker_rbl_tally(w, use);
	for (i = 0; i < w->found_count; i++) {
		if ((w->found[i].uses & use) == 0 || is_repeated(w, i, use))
			continue;
		add_symptom(m, w, i, use, out);
		sum += w->found[i].points;
	}
	/* One list that answers is as much as can be had; none is nothing. */
	if (out->symptom_count == 0 && t->asked > 0 && t->failed == t->asked) {
		filter_unknown(out, "%s", t->trouble);
		return;
	}
	if (sum > 0)
		out->class = FILTER_SPAM;
	(void)str_copy(out->detail, sizeof(out->detail), t->trouble);
}
