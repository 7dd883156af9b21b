/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The outgoing role: what its parent and peers tell it, handed on.
 */
#include "outgoing.h"

#include "bare.h"
#include "callout.h"
#include "clock.h"
#include "delivery.h"
#include "file.h"
#include "hop.h"
#include "log.h"
#include "ourselves.h"
#include "probe.h"

static bool is_stopping;
static int ca = -1; /* of the parent, until all of a start is there */

static void
init(const struct conf *conf)
{
	hop_init(role_hostname());
	ourselves_conf(conf);
}

static void
reload(const struct conf *conf)
{
	hop_hostname(role_hostname());
	ourselves_conf(conf);
}

static void
tls_ca(peer_id from, struct frame *f)
{
	(void)from;
	file_shut(&ca);
	ca = f->fd;
	f->fd = -1;
}

static void
start_done(void)
{
	hop_trust(ca);
	file_shut(&ca);
}

static void
on_ctl(peer_id from, struct frame *f)
{
	if (!bare_ask(from, f, clock_mono_ms()))
		probe_ask(from, f);
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
	{ FRAME_ctl_ask, on_ctl },
	{ FRAME_tls_ca, tls_ca },
	{ FRAME_callout_ask, callout_ask },
	{ 0, NULL },
};

const struct role_ops outgoing_ops = {
	.role = ROLE_OUTGOING,
	.init = init,
	.conf = reload,
	.listeners_done = start_done,
	.knobs = hop_knobs,
	.stop = stop,
	.peers = { .handlers = handlers, .down = peer_down },
};
