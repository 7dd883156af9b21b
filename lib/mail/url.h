/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses of the web and of mail in a message, as a browser would go to
 * them: tricks with blanks, dots, digits and names are undone, what is
 * carried inside another address is taken out too.
 *
 * What needs a library or a list (public suffixes, IDNA) is asked of hooks;
 * without them a plain rule holds.
 */
#ifndef URL_H
#define URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "buf.h"

#define URL_HOST_MAX 256
#define URL_TEXT_MAX 2048 /* bytes of one address that are looked at */
#define URL_SET_MAX 200 /* addresses of a message */

enum url_flag {
	URL_IP = 1, /* the host is an address */
	URL_ODD_IP = 2, /* written so that people do not see it */
	URL_USERINFO = 4, /* http://bank.example@evil.example */
	URL_IDN = 8, /* letters beyond ASCII, or xn-- */
	URL_ODD_HOST = 16, /* wide letters, percent signs, invisible ones */
	URL_PORT = 32, /* not the usual one */
	URL_CARRIED = 64, /* found inside of another address */
	URL_CARRIES = 128, /* and the one it was in */
	URL_BARE = 256, /* a name without http:// or www. */
	URL_MAIL = 512, /* an address of mail */
	URL_LIES = 1024 /* shown as another domain than it leads to */
};

struct url {
	const char *text; /* scheme://host[:port]/rest, or mailto:local@host */
	const char *host; /* lower case, A-labels; an IP address canonical */
	const char *domain; /* registrable part of host; host for an IP */
	uint32_t flags; /* enum url_flag */
};

struct url_hooks {
	/* Writes the A-labels of a host in UTF-8; false when it is none. */
	bool (*to_ascii)(const char *host, char *dst, size_t size);
	/* The registrable part, pointing into host, or NULL; is_known tells
	 * whether it ends in a public suffix of the list. */
	const char *(*registrable)(const char *host, bool *is_known);
};

struct url_set {
	struct arena *arena; /* of all strings */
	const struct url_hooks *hooks; /* may be NULL */
	struct url items[URL_SET_MAX];
	size_t count;
	bool is_full; /* more were found */
};

void url_set_init(struct url_set *s, struct arena *arena,
		  const struct url_hooks *hooks);
/* Adds one address and what it carries; a link without a host (cid:, #top,
 * a relative one) is none.  flags are given to it besides. */
void url_add(struct url_set *s, struct span raw, uint32_t flags);
/* Adds all that stand in a text. */
void url_find(struct url_set *s, struct span text);
/* The host that an address leads to, "" when it has none. */
void url_host(const struct url_hooks *hooks, struct span raw,
	      char host[URL_HOST_MAX], uint32_t *flags);

#endif
