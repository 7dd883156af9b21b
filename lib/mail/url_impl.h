/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files of url share.
 */
#ifndef URL_IMPL_H
#define URL_IMPL_H

#include "url.h"

/* Appends with %XX resolved. */
void url_percent(struct span in, struct buf *out);
/* The host between "://" and what follows it; false when it is none. */
bool url_read_host(const struct url_hooks *hooks, struct span in,
		   char dst[URL_HOST_MAX], uint32_t *flags);
/* RFC 3492 for each label that needs it; false when it does not fit. */
bool url_punycode(const char *host, char *dst, size_t size);

#endif
