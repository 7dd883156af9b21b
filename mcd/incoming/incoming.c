/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The incoming role: what its parent and peers tell it, handed on.
 */
#include "certs.h"
#include "check_test.h"
#include "commit.h"
#include "conf.h"
#include "incoming.h"
#include "listen.h"
#include "server.h"

static bool is_stopping;
static bool has_defaults; /* the first knobs, which are nobody's setting */

static void
init(const struct conf *conf)
{
	server_init(role_hostname());
	listen_conf(conf);
	certs_conf(conf);
}

static void
reload(const struct conf *conf)
{
	server_hostname(role_hostname());
	listen_conf(conf);
	certs_conf(conf);
}

static void
knobs(const struct knobs *k)
{
	server_knobs(k);
	if (has_defaults)
		listen_accept();
	has_defaults = true;
}

static void
stop(int64_t data_ms, int64_t reply_ms)
{
	if (is_stopping)
		role_exit();
	is_stopping = true;
	server_stop(data_ms, reply_ms, role_exit);
}

static void
peer_up(peer_id p, enum role r)
{
	(void)p;
	commit_peer_up(r);
}

static void
peer_down(peer_id p, enum role r)
{
	(void)p;
	if (r == ROLE_CONTROL)
		check_test_forget_all();
}

static void
tls_pair(peer_id from, struct frame *f)
{
	(void)from;
	certs_add(f->fd);
	f->fd = -1;
}

static void
start_done(void)
{
	certs_done();
	listen_done();
}

static const struct peer_handler handlers[] = {
	{ FRAME_ctl_ask, check_test_ask },
	{ FRAME_intake, commit_intake },
	{ FRAME_tls_pair, tls_pair },
	{ 0, NULL },
};

const struct role_ops incoming_ops = {
	.role = ROLE_INCOMING,
	.init = init,
	.conf = reload,
	.listener = listen_add,
	.listeners_done = start_done,
	.knobs = knobs,
	.stop = stop,
	.peers = { .handlers = handlers, .up = peer_up, .down = peer_down },
};
