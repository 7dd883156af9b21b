/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The listening sockets of the incoming role, as the parent lends them, and
 * what mcd.conf says about each.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include "conf.h"
#include "ip.h"

struct listen_options {
	char name[64];
	enum conf_tls tls;
	struct conf_nets proxy_from, xclient_from;
};

/* Takes fd; options are borrowed for the call. */
typedef void listen_fn(int fd, const struct ip_port *peer,
		       const struct listen_options *options);

void listen_init(listen_fn *on_client);
/* What holds for clients from now on; nothing of conf is kept. */
void listen_conf(const struct conf *conf);
/*
 * The settings are known: clients are taken from now on, and not only
 * when the wait for them is over.
 */
void listen_accept(void);
/* Takes fd; a listener of that name and address replaces the one before. */
void listen_add(const char *name, const char *address, int fd);
/* Listeners that were not given again since the last call are closed. */
void listen_done(void);
/* All are closed, for good. */
void listen_close(void);

#endif
