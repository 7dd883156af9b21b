/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Listening sockets: made by the parent, which may bind low ports, or
 * taken over from the service manager, and lent to incoming and control.
 */
#ifndef PARENT_LISTEN_H
#define PARENT_LISTEN_H

#include <stddef.h>

#include "err.h"
#include "parent_conf.h"

/* One that is open. */
struct listener {
	char name[64];
	struct ip_port wanted; /* as in mcd.conf; port 0: any */
	char address[IP_TEXT_SIZE]; /* as bound */
	int fd;
	int was; /* private: its index in the old set, -1: it is new */
};

struct listeners {
	struct listener row[CONF_LISTENERS_MAX];
	size_t count;
};

/* Takes what the service manager passed; before parent_listen_open(). */
void parent_listen_inherit(void);
/*
 * Makes set those of conf.  A socket of old with the same address moves
 * to it, then one from the service manager, else a new one is bound.  On
 * -1 old is as it was and set is empty.
 */
int parent_listen_open(const struct conf *conf, struct listeners *old,
		       struct listeners *set, struct err *e);
void parent_listen_close(struct listeners *set);
/* Closes what the service manager passed and mcd.conf does not name. */
void parent_listen_inherited_done(void);

/* The control socket, run_dir/control; -1 on failure. */
int parent_listen_control(const struct parent_conf *pc, struct err *e);

#endif
