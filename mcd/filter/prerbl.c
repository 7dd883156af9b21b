/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DNS lists of the connecting address, or, behind a relay whose Received
 * fields are believed, of the host that it had the message from.
 */
#include "data.h"
#include "filter.h"
#include "hops.h"
#include "rbl_result.h"
#include "worker_rbl.h"

static void
ask(const struct filter_mail *m)
{
	char text[IP_TEXT_SIZE];
	struct hops hops;

	if (m->is_outbound || (m->data->rbl_uses & RBL_PRERBL) == 0)
		return;
	hops_read(m, &hops);
	if (!rbl_is_private(&hops.client))
		worker_rbl_want(m->rbl, RBL_PRERBL, 'a',
				ip_text(&hops.client, text));
	if (hops.is_relayed && !rbl_is_private(&hops.first))
		worker_rbl_want(m->rbl, RBL_PRERBL, 'a',
				ip_text(&hops.first, text));
}

static void
check(const struct filter_mail *m, struct span part, struct filter_result *out)
{
	(void)part;
	rbl_result(m, RBL_PRERBL, out);
}

const struct filter filter_prerbl = {
	.name = "prerbl",
	.ask = ask,
	.check = check,
};
