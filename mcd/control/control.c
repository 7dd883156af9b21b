/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The control role's wiring: who asks what, and who is told of changes.
 */
#include "control.h"

#include <unistd.h>

#include "answers.h"
#include "ctlsock.h"
#include "names.h"
#include "snapshot.h"
#include "str.h"

static const enum role told[] = { ROLE_PARENT, ROLE_INCOMING, ROLE_QUEUE,
				  ROLE_FILTER, ROLE_LOOKUP,   ROLE_OUTGOING,
				  ROLE_STORE };

static void
tell_knobs(peer_id p)
{
	struct frame_knobs body;
	struct buf text = { 0 };

	if (p == 0 || snapshot() == NULL)
		return;
	if (knobs_write(policy_global(snapshot()), &text) == 0) {
		body.text = buf_span(&text);
		(void)peer_note(p, FRAME_knobs, &body, -1);
	}
	buf_release(&text);
}

static void
on_changed(void)
{
	role_set_knobs(policy_global(snapshot()));
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
		tell_knobs(peer_of(told[i]));
}

static void
on_up(peer_id p, enum role r)
{
	if (r != ROLE_CTL)
		tell_knobs(p);
}

static void
on_down(peer_id p, enum role r)
{
	if (r == ROLE_CTL)
		ctlsock_gone(p);
}

static void
control_before_jail(const struct conf *conf)
{
	(void)conf;
	names_load();
}

static void
control_init(const struct conf *conf)
{
	snapshot_start(role_home(), conf->node, on_changed);
}

static void
control_listener(const char *name, const char *address, int fd)
{
	(void)address;
	if (str_eq(name, "control"))
		ctlsock_listen(fd);
	else
		close(fd);
}

static void
control_stop(int64_t data_ms, int64_t reply_ms)
{
	(void)data_ms, (void)reply_ms;
	ctlsock_stop();
	snapshot_stop();
	role_exit();
}

static const struct peer_handler handlers[] = {
	{ FRAME_rcpt_ask, answer_rcpt },
	{ FRAME_policy_ask, answer_policy },
	{ FRAME_route_ask, answer_route },
	{ FRAME_ctl_ask, ctlsock_ask },
	{ 0, NULL },
};

const struct role_ops control_ops = {
	.role = ROLE_CONTROL,
	.before_jail = control_before_jail,
	.init = control_init,
	.listener = control_listener,
	.stop = control_stop,
	.peers = { .handlers = handlers, .up = on_up, .down = on_down },
};
