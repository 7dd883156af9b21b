/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Our addresses: those of the listeners, and for one that listens at any
 * address those of this host's interfaces, looked up anew now and then.
 */
#include "ourselves.h"

#include <ifaddrs.h>
#include <string.h>

#include "clock.h"
#include "role.h"
#include "str.h"

#define LOOK_MS 10000
#define OWN_MAX 256

static struct {
	struct ip_port listeners[CONF_LISTENERS_MAX];
	size_t listener_count;
	struct ip own[OWN_MAX];
	size_t own_count;
	int64_t looked_ms; /* 0: never */
} self;

void
ourselves_conf(const struct conf *conf)
{
	size_t i;

	self.listener_count = conf->listener_count;
	for (i = 0; i < conf->listener_count; i++)
		self.listeners[i] = conf->listeners[i].address;
	self.looked_ms = 0;
}

static void
look(void)
{
	struct ifaddrs *all, *a;
	struct ip_port ap;

	if (self.looked_ms != 0 && clock_mono_ms() - self.looked_ms < LOOK_MS)
		return;
	self.looked_ms = clock_mono_ms();
	if (getifaddrs(&all) != 0)
		return; /* the last ones hold */
	self.own_count = 0;
	for (a = all; a != NULL && self.own_count < OWN_MAX; a = a->ifa_next)
		if (a->ifa_addr != NULL &&
		    ip_from_sockaddr(a->ifa_addr, &ap) == 0)
			self.own[self.own_count++] = ap.ip;
	freeifaddrs(all);
}

/* 0.0.0.0 or :: */
static bool
is_any(const struct ip *ip)
{
	static const struct ip zero;

	return memcmp(ip->b, zero.b, sizeof(ip->b)) == 0;
}

static bool
is_own(const struct ip *ip)
{
	size_t i;

	if (ip_is_loopback(ip) || is_any(ip))
		return true;
	look();
	for (i = 0; i < self.own_count; i++)
		if (ip_eq(ip, &self.own[i]))
			return true;
	return false;
}

bool
ourselves_is_at(const struct ip_port *to)
{
	size_t i;

	for (i = 0; i < self.listener_count; i++) {
		const struct ip_port *l = &self.listeners[i];

		if (l->port != to->port)
			continue;
		if (ip_eq(&l->ip, &to->ip))
			return true;
		/* Whoever connects to "any" comes to this host, and one that
		 * listens at :: may hear IPv4 as well. */
		if ((is_any(&l->ip) || is_any(&to->ip)) && is_own(&to->ip))
			return true;
	}
	return false;
}

bool
ourselves_has_port(unsigned port)
{
	size_t i;

	for (i = 0; i < self.listener_count; i++)
		if (self.listeners[i].port == port)
			return true;
	return false;
}

bool
ourselves_is_name(const char *host)
{
	return str_ieq(host, role_hostname());
}
