/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The lookup role: takes questions of the other roles, each under its
 * token, and answers when the resolver does or the time is over.
 */
#include <stdlib.h>

#include "conf.h"
#include "dns.h"
#include "file.h"
#include "log.h"
#include "lookup.h"
#include "rbl_desk.h"
#include "rbl_list.h"
#include "spamd_desk.h"
#include "str.h"
#include "xalloc.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_MAX 65536
#define WAIT_DEFAULT_MS 10000
#define WAIT_MAX_MS 60000
#define EX_CONFIG 78

/* What resolv.conf says, read while it can be reached. */
static struct dns_conf system_conf;
/* The setting that is in force. */
static char resolver[256];

/* One question: who wants to know. */
struct asker {
	peer_id from;
	uint32_t token;
};

static void
before_jail(const struct conf *conf)
{
	struct buf text = { 0 };
	struct err e;

	if (file_read(RESOLV_CONF, &text, RESOLV_CONF_MAX, &e) == 0)
		dns_conf_resolv(&system_conf, buf_span(&text));
	else if (conf->resolver[0] == '\0')
		log_warn("- %s; asking from the root servers on", e.text);
	buf_release(&text);
}

static int
apply(const struct conf *conf, struct err *e)
{
	struct dns_conf dc = { .forwarder_count = 0 };

	if (conf->resolver[0] == '\0')
		dc = system_conf;
	else if (dns_conf_setting(&dc, conf->resolver, e) < 0)
		return err_prefix(e, "%s: resolver", conf->path);
	if (dns_init(&dc, e) < 0)
		return -1;
	str_copy(resolver, sizeof(resolver), conf->resolver);
	return 0;
}

static void
init(const struct conf *conf)
{
	struct err e;

	if (apply(conf, &e) < 0)
		fatal(EX_CONFIG, "%s", e.text);
	spamd_desk_init();
	spamd_desk_conf(conf);
}

/* A reload; without a change the cache is kept. */
static void
reload(const struct conf *conf)
{
	struct err e;

	spamd_desk_conf(conf);
	if (str_eq(conf->resolver, resolver))
		return;
	if (apply(conf, &e) < 0)
		log_error("- resolver kept: %s", e.text);
	else
		rbl_lists_renew();
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct asker *asker = arg;
	struct frame_dns_reply reply = {
		.rcode = (uint32_t)a->rcode,
		.is_secure = a->is_secure,
		.ttl = a->ttl,
		.records = a->records,
	};

	if (a->rcode == DNS_SERVFAIL)
		stats_add(role_stats(), STAT_dns_failures, 1);
	/* To one that has died this goes nowhere. */
	(void)peer_answer(asker->from, asker->token, FRAME_dns_reply, &reply,
			  -1);
	free(asker);
}

static void
on_ask(peer_id from, struct frame *f)
{
	const struct frame_dns_ask *b = FRAME_BODY(f, dns_ask);
	int64_t wait_ms = b->timeout_ms > 0 ? b->timeout_ms : WAIT_DEFAULT_MS;
	struct asker *asker = xmalloc(sizeof(*asker));

	asker->from = from;
	asker->token = f->token;
	if (wait_ms > WAIT_MAX_MS)
		wait_ms = WAIT_MAX_MS;
	stats_add(role_stats(), STAT_dns_questions, 1);
	dns_ask(b->name, b->type, wait_ms, on_answer, asker);
}

/* Nothing here has to be finished: its askers are gone or going. */
static void
stop(int64_t data_ms, int64_t reply_ms)
{
	(void)data_ms;
	(void)reply_ms;
	role_exit();
}

static void
on_down(peer_id p, enum role r)
{
	(void)r;
	spamd_desk_down(p);
}

static const struct peer_handler handlers[] = {
	{ FRAME_dns_ask, on_ask },
	{ FRAME_rbl_row, rbl_desk_row },
	{ FRAME_rbl_ask, rbl_desk_ask },
	{ FRAME_ctl_ask, rbl_desk_ctl },
	{ FRAME_spamd_ask, spamd_desk_ask },
	{ FRAME_spamd_done, spamd_desk_done },
	{ 0, NULL },
};

const struct role_ops lookup_ops = {
	.role = ROLE_LOOKUP,
	.before_jail = before_jail,
	.init = init,
	.conf = reload,
	.stop = stop,
	.peers = { .handlers = handlers, .down = on_down },
};
