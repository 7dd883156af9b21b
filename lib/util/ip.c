/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses, networks and endpoints, in and out of text and sockaddrs.
 * No names are looked up, no zone ids taken.
 */
#include "ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "str.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static int
wrong(struct err *e, const char *s, const char *what)
{
	char shown[IP_TEXT_SIZE];

	str_printable(shown, sizeof(shown), s, strlen(s));
	return err_set(e, "\"%s\" is not %s", shown, what);
}

static int
max_bits(int family)
{
	return family == AF_INET ? 32 : family == AF_INET6 ? 128 : 0;
}

static bool
is_mapped(const struct ip *ip)
{
	return ip->family == AF_INET6 &&
	       memcmp(ip->b, mapped, sizeof(mapped)) == 0;
}

static void
unmap(struct ip *ip)
{
	if (!is_mapped(ip))
		return;
	ip->family = AF_INET;
	memmove(ip->b, ip->b + 12, 4);
	memset(ip->b + 4, 0, 12);
}

/* Reads s as it stands; a mapped address stays IPv6. */
static int
parse_raw(const char *s, struct ip *out)
{
	struct ip ip = { 0 };

	ip.family = strchr(s, ':') != NULL ? AF_INET6 : AF_INET;
	if (inet_pton(ip.family, s, ip.b) != 1)
		return -1;
	*out = ip;
	return 0;
}

static void
mask(struct ip *ip, int bits)
{
	int max = max_bits(ip->family);
	int i = bits / 8;

	if (bits < 0)
		bits = i = 0;
	if (bits >= max)
		return;
	ip->b[i] &= (uint8_t)(0xff00 >> bits % 8);
	memset(ip->b + i + 1, 0, sizeof(ip->b) - (size_t)i - 1);
}

int
ip_parse(const char *s, struct ip *out, struct err *e)
{
	if (parse_raw(s, out) == -1)
		return wrong(e, s, "an IPv4 or IPv6 address");
	unmap(out);
	return 0;
}

/* One to three digits without a leading zero. */
static int
parse_bits(const char *s, int max, int *out)
{
	uint64_t n;

	if (strlen(s) > 3 || (s[0] == '0' && s[1] != '\0') ||
	    str_to_u64(s, &n, NULL) == -1 || n > (uint64_t)max)
		return -1;
	*out = (int)n;
	return 0;
}

int
ip_net_parse(const char *s, struct ip_net *out, struct err *e)
{
	static const char form[] = "a network such as 192.0.2.0/24 or "
				   "2001:db8::/32";
	size_t len = strcspn(s, "/");
	char text[IP_TEXT_SIZE];
	struct ip_net net;

	if (len >= sizeof(text))
		return wrong(e, s, form);
	memcpy(text, s, len);
	text[len] = '\0';
	if (parse_raw(text, &net.ip) == -1)
		return wrong(e, s, form);
	net.bits = max_bits(net.ip.family);
	if (s[len] == '/' && parse_bits(s + len + 1, net.bits, &net.bits) == -1)
		return wrong(e, s, form);
	if (is_mapped(&net.ip) && net.bits >= 96) {
		net.bits -= 96;
		unmap(&net.ip);
	}
	mask(&net.ip, net.bits);
	*out = net;
	return 0;
}

int
ip_port_parse(const char *s, struct ip_port *out, struct err *e)
{
	static const char form[] = "an address and port such as 192.0.2.1:25 "
				   "or [2001:db8::1]:25";
	const char *colon = strrchr(s, ':');
	char text[IP_TEXT_SIZE];
	struct ip_port ap;
	const char *p = s;
	bool has_brackets = *s == '[';
	uint64_t port;
	size_t len;

	if (colon == NULL)
		return wrong(e, s, form);
	len = (size_t)(colon - s);
	if (has_brackets) {
		if (colon[-1] != ']' || len < 2)
			return wrong(e, s, form);
		p++;
		len -= 2;
	}
	/* Five digits at most, so that 00000000025 is none. */
	if (len >= sizeof(text) || strlen(colon + 1) > 5 ||
	    str_to_u64(colon + 1, &port, NULL) == -1 || port > UINT16_MAX)
		return wrong(e, s, form);
	memcpy(text, p, len);
	text[len] = '\0';
	/* Without brackets the end of an IPv6 address is not to be told. */
	if (parse_raw(text, &ap.ip) == -1 ||
	    (ap.ip.family == AF_INET6) != has_brackets)
		return wrong(e, s, form);
	unmap(&ap.ip);
	ap.port = (uint16_t)port;
	*out = ap;
	return 0;
}

const char *
ip_text(const struct ip *ip, char *dst)
{
	if (max_bits(ip->family) == 0 ||
	    inet_ntop(ip->family, ip->b, dst, IP_TEXT_SIZE) == NULL)
		str_copy(dst, IP_TEXT_SIZE, "-");
	return dst;
}

const char *
ip_port_text(const struct ip_port *ap, char *dst)
{
	bool is_v6 = ap->ip.family == AF_INET6;
	char text[IP_TEXT_SIZE];

	ip_text(&ap->ip, text);
	str_fmt(dst, IP_TEXT_SIZE, "%s%.46s%s:%u", is_v6 ? "[" : "", text,
		is_v6 ? "]" : "", ap->port);
	return dst;
}

const char *
ip_literal(const struct ip *ip, char *dst)
{
	char text[IP_TEXT_SIZE];

	ip_text(ip, text);
	str_fmt(dst, IP_TEXT_SIZE, "[%s%.46s]",
		ip->family == AF_INET6 ? "IPv6:" : "", text);
	return dst;
}

const char *
ip_net_text(const struct ip_net *net, char *dst)
{
	char text[IP_TEXT_SIZE];

	ip_text(&net->ip, text);
	str_fmt(dst, IP_TEXT_SIZE, "%.46s/%d", text, net->bits);
	return dst;
}

bool
ip_eq(const struct ip *a, const struct ip *b)
{
	size_t len = (size_t)max_bits(a->family) / 8;

	return a->family == b->family && memcmp(a->b, b->b, len) == 0;
}

bool
ip_in_net(const struct ip *ip, const struct ip_net *net)
{
	size_t whole = (size_t)net->bits / 8;
	int rest = net->bits % 8;

	if (ip->family != net->ip.family || max_bits(ip->family) == 0 ||
	    memcmp(ip->b, net->ip.b, whole) != 0)
		return false;
	return rest == 0 ||
	       (ip->b[whole] ^ net->ip.b[whole]) >> (8 - rest) == 0;
}

bool
ip_is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (ip->family == AF_INET)
		return ip->b[0] == 127;
	return ip->family == AF_INET6 && memcmp(ip->b, one, sizeof(one)) == 0;
}

struct ip
ip_masked(const struct ip *ip, int v4_bits, int v6_bits)
{
	struct ip key = *ip;

	mask(&key, ip->family == AF_INET ? v4_bits : v6_bits);
	return key;
}

socklen_t
ip_to_sockaddr(const struct ip_port *ap, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = (sa_family_t)ap->ip.family };

	memset(ss, 0, sizeof(*ss));
	if (ap->ip.family == AF_INET6) {
		v6.sin6_port = htons(ap->port);
		memcpy(&v6.sin6_addr, ap->ip.b, 16);
		memcpy(ss, &v6, sizeof(v6));
		return sizeof(v6);
	}
	v4.sin_port = htons(ap->port);
	memcpy(&v4.sin_addr, ap->ip.b, 4);
	memcpy(ss, &v4, sizeof(v4));
	return sizeof(v4);
}

int
ip_from_sockaddr(const struct sockaddr *sa, struct ip_port *out)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	memset(out, 0, sizeof(*out));
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		memcpy(out->ip.b, &v4.sin_addr, 4);
		out->port = ntohs(v4.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		memcpy(out->ip.b, &v6.sin6_addr, 16);
		out->port = ntohs(v6.sin6_port);
	} else {
		return -1;
	}
	out->ip.family = sa->sa_family;
	unmap(&out->ip);
	return 0;
}
