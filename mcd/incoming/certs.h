/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Our certificates, as the parent gives them: a new set is in use when it
 * is complete, sessions go on with the one they began with.
 */
#ifndef CERTS_H
#define CERTS_H

#include "conf.h"
#include "tls.h"

/* What the next set is made with. */
void certs_conf(const struct conf *conf);
/* Reads fd and closes it. */
void certs_add(int fd);
/* All of a start or reload have come. */
void certs_done(void);
/* NULL when there is no certificate; borrowed. */
struct tls_ctx *certs_ctx(void);

#endif
