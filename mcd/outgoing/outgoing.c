/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The outgoing role: what its parent and peers tell it, handed on.
 */
#include "outgoing.h"

#include "callout.h"
#include "delivery.h"
#include "file.h"
#include "hop.h"
#include "log.h"
#include "ourselves.h"
#include "probe.h"

#define CA_MAX (8 * 1024 * 1024)

static bool is_stopping;
static struct buf ca; /* between before_jail() and init() */

static void
before_jail(const struct conf *conf)
{
	struct err e;

	if (conf->tls_ca[0] != '\0' &&
	    file_read(conf->tls_ca, &ca, CA_MAX, &e) != 0)
		log_warn("- tls_ca: %s; no certificate of a next hop is right",
			 e.text);
}

static void
init(const struct conf *conf)
{
	hop_init(role_hostname());
	hop_trust(buf_span(&ca));
	buf_release(&ca);
	ourselves_conf(conf);
}

static void
reload(const struct conf *conf)
{
	hop_hostname(role_hostname());
	ourselves_conf(conf);
}

static void
stop(int64_t data_ms, int64_t reply_ms)
{
	if (is_stopping)
		role_exit();
	is_stopping = true;
	hop_close_idle();
	probe_abandon_all();
	callout_abandon_all();
	delivery_stop(data_ms, reply_ms, role_exit);
}

static void
peer_down(peer_id p, enum role r)
{
	(void)p;
	if (r == ROLE_QUEUE)
		delivery_abandon_all();
	if (r == ROLE_CONTROL) {
		probe_abandon_all();
		callout_abandon_all();
	}
}

static const struct peer_handler handlers[] = {
	{ FRAME_deliver, delivery_ask },
	{ FRAME_deliver_rcpt, delivery_ask_rcpt },
	{ FRAME_deliver_end, delivery_ask_end },
	{ FRAME_ctl_ask, probe_ask },
	{ FRAME_callout_ask, callout_ask },
	{ 0, NULL },
};

const struct role_ops outgoing_ops = {
	.role = ROLE_OUTGOING,
	.before_jail = before_jail,
	.init = init,
	.conf = reload,
	.knobs = hop_knobs,
	.stop = stop,
	.peers = { .handlers = handlers, .down = peer_down },
};
