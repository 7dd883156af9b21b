/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * DNS lists of what a message leads to: hosts, their registered domains
 * and addresses, in text, HTML and header fields, links first.  So many
 * are asked for, the others are not.
 */
#include "data.h"
#include "filter.h"
#include "psl.h"
#include "rbl_result.h"
#include "str.h"
#include "view.h"
#include "worker_rbl.h"

#define HOSTS_MAX 25 /* of a message */

static bool
is_repeated(const struct url_set *urls, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (str_eq(urls->items[i].host, urls->items[at].host))
			return true;
	return false;
}

static void
want(const struct filter_mail *m, const struct url *u)
{
	char domain[DNS_NAME_SIZE];
	struct ip ip;

	if ((u->flags & URL_IP) != 0) {
		if (ip_parse(u->host, &ip, NULL) == 0 && !rbl_is_private(&ip))
			worker_rbl_want(m->rbl, RBL_URIRBL, 'a', u->host);
		return;
	}
	/* What is no domain that somebody could have is not asked for. */
	if (!psl_org_domain(u->host, domain))
		return;
	worker_rbl_want(m->rbl, RBL_URIRBL, 'd', domain);
	worker_rbl_want(m->rbl, RBL_URIRBL, 'h', u->host);
}

static void
ask(const struct filter_mail *m)
{
	const struct url_set *urls;
	size_t i, hosts = 0;

	if ((m->data->rbl_uses & RBL_URIRBL) == 0)
		return;
	urls = view_urls(m->view);
	for (i = 0; i < urls->count && hosts < HOSTS_MAX; i++) {
		if (urls->items[i].host[0] == '\0' || is_repeated(urls, i))
			continue;
		want(m, &urls->items[i]);
		hosts++;
	}
}

static void
prepare(const struct conf *conf)
{
	(void)conf;
	psl_open();
}

static void
check(const struct filter_mail *m, struct span part, struct filter_result *out)
{
	(void)part;
	rbl_result(m, RBL_URIRBL, out);
}

const struct filter filter_urirbl = {
	.name = "urirbl",
	.prepare = prepare,
	.ask = ask,
	.check = check,
};
