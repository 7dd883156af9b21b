/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Sockets that lie outside the jail of the role that needs them: the
 * parent connects and hands the descriptor over.  The path is mcd.conf's,
 * never one that somebody asks for, and no role gets a folder by which it
 * could leave its jail.
 */
#ifndef PARENT_SOCKET_H
#define PARENT_SOCKET_H

#include "conf.h"
#include "peer.h"

/* f is a socket_ask; answered at once. */
void parent_socket_ask(const struct conf *conf, peer_id from,
		       const struct frame *f);

#endif
