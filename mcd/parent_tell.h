/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the parent tells a role when it starts and at each reload.  A
 * frame that cannot be sent is a role that dies: its death tells.
 */
#ifndef PARENT_TELL_H
#define PARENT_TELL_H

#include <stdint.h>

#include "parent_conf.h"
#include "parent_listen.h"
#include "parent_tls.h"
#include "peer.h"

/* What all roles are told of. */
struct start {
	struct parent_conf conf;
	struct listeners listeners;
	struct parent_tls tls;
	int control_fd;
	uint32_t generation; /* from 1, one more at each reload */
};

void parent_tell_conf(peer_id to, const struct start *s);
void parent_tell_stats(peer_id to);
/* Certificates, if they are its business. */
void parent_tell_tls(peer_id to, enum role r, const struct start *s);
/* Those that are the role's business. */
void parent_tell_listeners(peer_id to, enum role r, const struct start *s);
/* A channel between two that both run. */
void parent_wire(peer_id a, enum role a_role, peer_id b, enum role b_role,
		 uint32_t serial);
/* All of this start or reload has been told. */
void parent_tell_done(peer_id to, const struct start *s);

#endif
