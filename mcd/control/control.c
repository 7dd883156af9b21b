/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The control role's wiring: who asks what, and who is told of changes.
 */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "answers.h"
#include "ctlsock.h"
#include "file.h"
#include "greylist.h"
#include "learnt.h"
#include "log.h"
#include "names.h"
#include "rbl_rows.h"
#include "remember.h"
#include "snapshot.h"
#include "str.h"
#include "verify.h"

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

/* The rows for the filters, in a file that nobody can change any more. */
static void
tell_lists(peer_id p)
{
	struct frame_lists body;
	struct span text;
	int fd;

	if (p == 0 || snapshot() == NULL)
		return;
	text = policy_lists(snapshot());
	fd = memfd_create("lists", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || file_write_all(fd, text.p, text.len) != 0 ||
	    fcntl(fd, F_ADD_SEALS,
		  F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) !=
		    0) {
		log_error("- lists not sent to the filters: %s",
			  strerror(errno));
		file_shut(&fd);
		return;
	}
	body.size = text.len;
	(void)peer_note(p, FRAME_lists, &body, fd);
}

static void
on_changed(void)
{
	role_set_knobs(policy_global(snapshot()));
	tell_lists(peer_of(ROLE_FILTER));
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
		tell_knobs(peer_of(told[i]));
	/* Behind the knobs, which say how often lists are tested. */
	rbl_rows_tell(peer_of(ROLE_LOOKUP), snapshot());
}

static void
on_up(peer_id p, enum role r)
{
	if (r != ROLE_CTL)
		tell_knobs(p);
	if (r == ROLE_LOOKUP)
		rbl_rows_tell(p, snapshot());
	if (r == ROLE_FILTER) {
		tell_lists(p);
		learnt_tell();
	}
}

static void
on_down(peer_id p, enum role r)
{
	if (r == ROLE_CTL)
		ctlsock_gone(p);
	if (r == ROLE_INCOMING)
		verify_forget_askers();
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
	snapshot_start(role_home(), conf->node, on_changed, ctlsock_looked);
	learnt_start(role_home());
	remember_start(role_home());
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
	learnt_stop();
	remember_stop();
	snapshot_stop();
	role_exit();
}

static const struct peer_handler handlers[] = {
	{ FRAME_rcpt_ask, answer_rcpt },
	{ FRAME_verify_ask, verify_ask },
	{ FRAME_policy_ask, answer_policy },
	{ FRAME_route_ask, answer_route },
	{ FRAME_report_ask, answer_report },
	{ FRAME_grey_ask, greylist_ask },
	{ FRAME_ctl_ask, ctlsock_ask },
	{ FRAME_trial_ask, ctlsock_trial },
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
