/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Mail that needs no further questions: of listed hosts, of people who had
 * said to a listed relay who they are, of listed domains whose SPF says
 * pass, and of hosts on allow-lists.  A host that may relay outwards is
 * not trusted for that.
 */
#include <string.h>

#include "auth.h"
#include "data.h"
#include "filter.h"
#include "hops.h"
#include "str.h"
#include "trusted.h"
#include "worker_rbl.h"

#define POINTS (-5000) /* of each reason but allow-lists, which say */

static void
ask(const struct filter_mail *m)
{
	char text[IP_TEXT_SIZE];
	struct hops hops;

	if (m->is_outbound || (m->data->rbl_uses & RBL_TRUSTED) == 0)
		return;
	hops_read(m, &hops);
	if (!rbl_is_private(&hops.first))
		worker_rbl_want(m->rbl, RBL_TRUSTED, 'a',
				ip_text(&hops.first, text));
}

static void
check_hosts(const struct filter_mail *m, const struct hops *hops,
	    struct filter_result *out)
{
	char ip[IP_TEXT_SIZE], note[FILTER_DETAIL_SIZE];
	const char *row = trusted_net(m->lists, "host", &hops->first);

	if (row != NULL) {
		(void)str_fmt(note, sizeof(note), "%s in %s",
			      ip_text(&hops->first, ip), row);
		filter_symptom(m, out, "TRUSTED_HOST", POINTS, note);
	}
	if (hops->is_authenticated) {
		(void)str_fmt(note, sizeof(note), "by relay %s", hops->relay);
		filter_symptom(m, out, "TRUSTED_AUTH", POINTS, note);
	}
}

static void
check_spf(const struct filter_mail *m, struct filter_result *out)
{
	const char *at = strrchr(m->sender, '@');
	const char *row = at != NULL ? trusted_spf(m->lists, at + 1) : NULL;
	const struct auth_result *a;
	char note[FILTER_DETAIL_SIZE];

	/* DNS is asked only of those that it would help. */
	a = row != NULL ? auth_get(m) : NULL;
	/* HELO is not what the mail says it is from. */
	if (a == NULL || a->spf.result != SPF_PASS || a->spf.is_helo ||
	    !str_ieq(a->spf.domain, at + 1))
		return;
	(void)str_fmt(note, sizeof(note), "%s by %s", a->spf.domain, row);
	filter_symptom(m, out, "TRUSTED_SPF", POINTS, note);
}

/* Of a reply that speaks for the host. */
static void
check_lists(const struct filter_mail *m, struct filter_result *out)
{
	struct worker_rbl *w = m->rbl;
	char note[FILTER_DETAIL_SIZE];
	const struct rbl_tally *t;
	size_t i;

	if (w == NULL || !w->is_asked)
		return;
	if (!worker_rbl_wait(w, m->deadline_ms)) {
		filter_unknown(out, "lists: no answer from lookup");
		return;
	}
	for (i = 0; i < w->found_count; i++) {
		const struct rbl_found *f = &w->found[i];

		if ((f->uses & RBL_TRUSTED) == 0 || f->points >= 0)
			continue;
		(void)str_fmt(note, sizeof(note), "%s (%s)", f->item->text,
			      f->reply);
		filter_symptom(m, out, f->symptom, f->points, note);
	}
	t = worker_rbl_tally(w, RBL_TRUSTED);
	if (out->symptom_count == 0 && t->asked > 0 && t->failed == t->asked)
		filter_unknown(out, "%s", t->trouble);
}

static void
check(const struct filter_mail *m, struct span part, struct filter_result *out)
{
	struct hops hops;

	(void)part;
	out->is_known = true;
	if (m->is_outbound)
		return;
	hops_read(m, &hops);
	check_hosts(m, &hops, out);
	check_spf(m, out);
	/* What is known already needs no list. */
	if (out->symptom_count == 0)
		check_lists(m, out);
	if (out->symptom_count > 0) {
		out->class = FILTER_HAM;
		(void)str_copy(out->detail, sizeof(out->detail),
			       out->symptoms[0].note);
	}
}

const struct filter filter_trusted = {
	.name = "trusted",
	.ask = ask,
	.check = check,
};
