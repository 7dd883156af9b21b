/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * IPv4 and IPv6 addresses, networks and endpoints.  IPv4-mapped IPv6
 * addresses become IPv4 when they are read.
 */
#ifndef IP_H
#define IP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "err.h"

struct ip {
	int family; /* AF_INET, AF_INET6, or 0: none */
	uint8_t b[16]; /* network order; 4 or 16 bytes count */
};

struct ip_net {
	struct ip ip; /* host bits are zero */
	int bits;
};

struct ip_port {
	struct ip ip;
	uint16_t port; /* host order */
};

#define IP_TEXT_SIZE 64 /* holds every text below */

int ip_parse(const char *s, struct ip *out, struct err *e);
/* "192.0.2.0/24", "2001:db8::/32", or an address alone; host bits are
 * cleared.  No IPv6 network, not even ::/0, holds an IPv4 address. */
int ip_net_parse(const char *s, struct ip_net *out, struct err *e);
/* "192.0.2.1:25", "[2001:db8::1]:25"; no names; port 0 is taken. */
int ip_port_parse(const char *s, struct ip_port *out, struct err *e);

/* Each returns dst, which holds IP_TEXT_SIZE bytes; no address is "-". */
const char *ip_text(const struct ip *ip, char *dst);
const char *ip_port_text(const struct ip_port *ap, char *dst);
/* RFC 5321 section 4.1.3 address literal: "[192.0.2.1]", "[IPv6:...]". */
const char *ip_literal(const struct ip *ip, char *dst);
const char *ip_net_text(const struct ip_net *net, char *dst);

bool ip_eq(const struct ip *a, const struct ip *b);
bool ip_in_net(const struct ip *ip, const struct ip_net *net);
bool ip_is_loopback(const struct ip *ip);
/* The address with all but its first v4_bits or v6_bits cleared: the key
 * of a counter. */
struct ip ip_masked(const struct ip *ip, int v4_bits, int v6_bits);

/* Returns the length of the sockaddr. */
socklen_t ip_to_sockaddr(const struct ip_port *ap, struct sockaddr_storage *ss);
/* -1 for families other than the two. */
int ip_from_sockaddr(const struct sockaddr *sa, struct ip_port *out);

#endif
