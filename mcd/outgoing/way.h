/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The way to a domain (RFC 5321 section 5.1): its route, the mail
 * exchangers where it goes by them, and their addresses, looked up one
 * after the other as far as they are needed.  Their number is bounded, and
 * none of them is this gateway itself.
 */
#ifndef WAY_H
#define WAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ip.h"
#include "mx.h"
#include "proto.h"
#include "resolve.h"
#include "route.h"

#define WAY_TRIES_MAX 12 /* addresses of one way */

struct way;
typedef void way_fn(void *arg);
/* What was found or left out, for who shows it. */
typedef void way_note_fn(void *arg, const char *text);

/* Embedded in who goes it; zeroed, or filled by way_start(). */
struct way {
	/* For the callee: an address to try, ... */
	bool is_end; /* ... or no more */
	char host[256];
	struct ip_port to;
	bool is_hurried; /* the next one may be much better */
	/* Known with the first address. */
	bool is_ours; /* an administrator has said where */
	enum dest_tls tls;
	enum dest_8bit eightbit;
	/*
	 * Why hosts were left out, "" if none was.  At an end without any
	 * address it is the reason: OUTCOME_FAILED when it will not change.
	 */
	enum outcome why;
	char enhanced[16];
	char text[400];
	unsigned tries; /* addresses given */
	/* private */
	char domain[256];
	bool is_outbound, is_by_mx, is_fixed;
	struct route_want want;
	struct route_dest *dests;
	size_t dest_count, dest_next;
	struct mx mx; /* hosts of the last dest */
	size_t host_next;
	struct resolve resolve; /* addresses of the last host */
	size_t ip_next;
	struct ip_port tried[WAY_TRIES_MAX];
	size_t tried_count;
	way_fn *fn;
	way_note_fn *note; /* may be NULL */
	void *arg;
};

/*
 * fn is called once, perhaps before this returns, and once for each
 * way_next().  domain is a key or an address literal; a domain of others
 * has a way only when is_outbound.
 */
void way_start(struct way *w, const char *domain, bool is_outbound, way_fn *fn,
	       void *arg);
/* To one host and port, whatever the settings say. */
void way_start_at(struct way *w, const char *host, uint16_t port, way_fn *fn,
		  void *arg);
void way_next(struct way *w);
/* The same address once more. */
void way_again(struct way *w);
/* Nothing is called any more; fine on a zeroed one, and twice. */
void way_cancel(struct way *w);

#endif
