/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The outgoing role: what its parent and peers tell it, handed on.
 */
#include "delivery.h"
#include "hop.h"
#include "outgoing.h"

static bool is_stopping;

static void
init(const struct conf *conf)
{
	(void)conf;
	hop_init(role_hostname());
}

static void
reload(const struct conf *conf)
{
	(void)conf;
	hop_hostname(role_hostname());
}

static void
stop(int64_t data_ms, int64_t reply_ms)
{
	if (is_stopping)
		role_exit();
	is_stopping = true;
	hop_close_idle();
	delivery_stop(data_ms, reply_ms, role_exit);
}

static void
peer_down(peer_id p, enum role r)
{
	(void)p;
	if (r == ROLE_QUEUE)
		delivery_abandon_all();
}

static const struct peer_handler handlers[] = {
	{ FRAME_deliver, delivery_ask },
	{ FRAME_deliver_rcpt, delivery_ask_rcpt },
	{ FRAME_deliver_end, delivery_ask_end },
	{ 0, NULL },
};

const struct role_ops outgoing_ops = {
	.role = ROLE_OUTGOING,
	.init = init,
	.conf = reload,
	.knobs = hop_knobs,
	.stop = stop,
	.peers = { .handlers = handlers, .down = peer_down },
};
