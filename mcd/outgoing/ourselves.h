/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Whether a next hop is this gateway: mail to it would come back for ever.
 */
#ifndef OURSELVES_H
#define OURSELVES_H

#include <stdbool.h>

#include "conf.h"
#include "ip.h"

/* The listeners of mcd.conf; again at a reload. */
void ourselves_conf(const struct conf *conf);
/* One of our listeners stands at this address and port. */
bool ourselves_is_at(const struct ip_port *to);
/* One of our listeners has this port, at any address. */
bool ourselves_has_port(unsigned port);
/* Our own name in SMTP. */
bool ourselves_is_name(const char *host);

#endif
