/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The frames of a start.  Each descriptor sent is a copy: the parent
 * keeps its own for the next start.
 */
#include "parent_tell.h"

#include <fcntl.h>

#include "parent_stats.h"

/* A failure shows at the sending. */
static int
copy_of(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

void
parent_tell_conf(peer_id to, const struct start *s)
{
	struct frame_conf f = { .generation = s->generation };

	(void)peer_note(to, FRAME_conf, &f, copy_of(s->conf.fd));
}

void
parent_tell_stats(peer_id to)
{
	struct frame_stats_map f = { .size = stats_size() };

	(void)peer_note(to, FRAME_stats_map, &f, copy_of(parent_stats_fd()));
}

void
parent_tell_tls(peer_id to, enum role r, const struct start *s)
{
	struct frame_tls_pair pair = { .generation = s->generation };
	struct frame_tls_ca ca = { .generation = s->generation };
	size_t i;

	for (i = 0; r == ROLE_INCOMING && i < s->tls.count; i++)
		(void)peer_note(to, FRAME_tls_pair, &pair,
				copy_of(s->tls.pair[i]));
	if (r == ROLE_OUTGOING && s->tls.ca >= 0)
		(void)peer_note(to, FRAME_tls_ca, &ca, copy_of(s->tls.ca));
}

static void
tell_listener(peer_id to, const char *name, const char *address, int fd,
	      uint32_t generation)
{
	struct frame_listener f = {
		.name = name,
		.address = address,
		.generation = generation,
	};

	(void)peer_note(to, FRAME_listener, &f, copy_of(fd));
}

void
parent_tell_listeners(peer_id to, enum role r, const struct start *s)
{
	const struct listener *l = s->listeners.row;
	size_t i;

	if (r == ROLE_CONTROL)
		tell_listener(to, "control", "", s->control_fd, s->generation);
	for (i = 0; r == ROLE_INCOMING && i < s->listeners.count; i++)
		tell_listener(to, l[i].name, l[i].address, l[i].fd,
			      s->generation);
}

void
parent_wire(peer_id a, enum role a_role, peer_id b, enum role b_role,
	    uint32_t serial)
{
	struct frame_peer to_a = { .role = b_role, .serial = serial };
	struct frame_peer to_b = { .role = a_role, .serial = serial };
	struct err e;
	int fd[2];

	if (chan_pair(fd, &e) != 0) {
		parent_stats_error("roles not wired %s to %s: %s",
				   role_name(a_role), role_name(b_role),
				   e.text);
		return;
	}
	(void)peer_note(a, FRAME_peer, &to_a, fd[0]);
	(void)peer_note(b, FRAME_peer, &to_b, fd[1]);
}

void
parent_tell_done(peer_id to, const struct start *s)
{
	struct frame_start_done f = { .generation = s->generation };

	(void)peer_note(to, FRAME_start_done, &f, -1);
}
