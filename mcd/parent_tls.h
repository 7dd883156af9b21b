/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Certificates, keys and authorities: files that only root may read or
 * that jails hide.  The parent reads and checks them at each start and
 * reload, and lends roles sealed copies, so that what a role gets when it
 * is started again is what was checked, whatever has come of the files.
 */
#ifndef PARENT_TLS_H
#define PARENT_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"

struct parent_tls {
	int pair[CONF_CERTIFICATES_MAX]; /* certificate and key, PEM */
	size_t count;
	int64_t ends_us; /* wall clock: when the first expires, 0: none is */
	int ca; /* of authorities for next hops; -1: none can be read */
};

/* Fills t; on -1 there is nothing in it, and e has the file. */
int parent_tls_read(const struct conf *conf, struct parent_tls *t,
		    struct err *e);
/* At a reload: authorities that cannot be read now are those of old. */
void parent_tls_keep_ca(const struct conf *conf, struct parent_tls *fresh,
			struct parent_tls *old);
void parent_tls_close(struct parent_tls *t);

#endif
