/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Addresses, networks and endpoints, read, written and compared.
 */
#include "ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "check.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static uint64_t seed = 0xda3e39cb94b95bdb;

static unsigned
random_below(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)((seed * 0x2545f4914f6cdd1d >> 33) % n);
}

static void
test_parse(void)
{
	static const struct {
		const char *s, *text, *literal; /* NULL: refused */
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", "[192.0.2.1]" },
		{ "0.0.0.0", "0.0.0.0", "[0.0.0.0]" },
		{ "255.255.255.255", "255.255.255.255", "[255.255.255.255]" },
		{ "2001:db8::1", "2001:db8::1", "[IPv6:2001:db8::1]" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1", "[IPv6:2001:db8::1]" },
		{ "::", "::", "[IPv6:::]" },
		{ "::1", "::1", "[IPv6:::1]" },
		{ "::ffff:192.0.2.1", "192.0.2.1", "[192.0.2.1]" },
		{ "::ffff:c000:201", "192.0.2.1", "[192.0.2.1]" },
		{ "0:0:0:0:0:FFFF:127.0.0.1", "127.0.0.1", "[127.0.0.1]" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "[IPv6:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]" },
		{ "", NULL, NULL },
		{ "192.0.2", NULL, NULL },
		{ "192.0.2.1.1", NULL, NULL },
		{ "192.0.2.256", NULL, NULL },
		{ "192.0.2.01", NULL, NULL },
		{ "0xc0.0.2.1", NULL, NULL },
		{ "3221225985", NULL, NULL },
		{ " 192.0.2.1", NULL, NULL },
		{ "192.0.2.1 ", NULL, NULL },
		{ "192.0.2.1\n", NULL, NULL },
		{ "fe80::1%eth0", NULL, NULL },
		{ "fe80::1%1", NULL, NULL },
		{ "2001:db8::1::2", NULL, NULL },
		{ "2001:db8:::1", NULL, NULL },
		{ "1:2:3:4:5:6:7", NULL, NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL, NULL },
		{ "12345::", NULL, NULL },
		{ "[2001:db8::1]", NULL, NULL },
		{ ":", NULL, NULL },
		{ "localhost", NULL, NULL },
		{ "192.0.2.1/24", NULL, NULL },
	};
	char text[IP_TEXT_SIZE];
	struct ip ip;
	struct err e;
	size_t i;
	int rc;

	for (i = 0; i < COUNT(rows); i++) {
		rc = ip_parse(rows[i].s, &ip, &e);
		CHECK_STR(rc == 0 ? ip_text(&ip, text) : NULL, rows[i].text,
			  "the address \"%s\"", rows[i].s);
		if (rc == 0)
			CHECK_STR(ip_literal(&ip, text), rows[i].literal,
				  "its literal");
	}
	ip_parse("mail\033.example", &ip, &e);
	CHECK_STR(e.text, "\"mail?.example\" is not an IPv4 or IPv6 address",
		  "an error shows it made printable");
	memset(&ip, 0, sizeof(ip));
	CHECK_STR(ip_text(&ip, text), "-", "no address has a text");
}

static void
test_nets(void)
{
	static const struct {
		const char *s, *text; /* NULL: refused */
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.0/24" },
		{ "192.0.2.77/24", "192.0.2.0/24" },
		{ "192.0.2.77", "192.0.2.77/32" },
		{ "192.0.2.77/32", "192.0.2.77/32" },
		{ "192.0.2.77/31", "192.0.2.76/31" },
		{ "192.0.2.77/1", "128.0.0.0/1" },
		{ "192.0.2.77/0", "0.0.0.0/0" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "2001:db8:ffff::1/33", "2001:db8:8000::/33" },
		{ "2001:db8::1", "2001:db8::1/128" },
		{ "2001:db8::1/0", "::/0" },
		{ "::ffff:192.0.2.77/120", "192.0.2.0/24" },
		{ "::ffff:192.0.2.77", "192.0.2.77/32" },
		{ "::ffff:0:0/96", "0.0.0.0/0" },
		{ "::ffff:0:0/95", "::fffe:0:0/95" },
		{ "192.0.2.0/33", NULL },
		{ "192.0.2.0/-1", NULL },
		{ "192.0.2.0/", NULL },
		{ "192.0.2.0/024", NULL },
		{ "192.0.2.0/00", NULL },
		{ "192.0.2.0/2 4", NULL },
		{ "192.0.2.0/24/24", NULL },
		{ "192.0.2.0/255.255.255.0", NULL },
		{ "192.0.2/24", NULL },
		{ "2001:db8::/129", NULL },
		{ "2001:db8::/4294967328", NULL },
		{ "fe80::%eth0/64", NULL },
		{ "/24", NULL },
		{ "", NULL },
		{ "1111111111111111111111111111111111111111111111111111111111"
		  "1111111111111111111111/8",
		  NULL },
	};
	char text[IP_TEXT_SIZE];
	struct ip_net net;
	size_t i;
	int rc;

	for (i = 0; i < COUNT(rows); i++) {
		rc = ip_net_parse(rows[i].s, &net, NULL);
		CHECK_STR(rc == 0 ? ip_net_text(&net, text) : NULL,
			  rows[i].text, "the network \"%s\"", rows[i].s);
	}
}

/* Text of every length around the buffers inside. */
static void
test_lengths(void)
{
	struct ip_port ap;
	struct ip_net net;
	char text[200];
	int taken = 0;
	size_t i;

	for (i = 1; i < 190; i++) {
		memset(text, '1', i);
		memcpy(text + i, "/8", 3);
		taken += ip_net_parse(text, &net, NULL) == 0;
		memcpy(text + i, ":25", 4);
		taken += ip_port_parse(text, &ap, NULL) == 0;
	}
	CHECK_INT(taken, 0, "digits of any number are no address");
}

static void
test_in_net(void)
{
	static const struct {
		const char *ip, *net;
		int want;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.0/24", 1 },
		{ "192.0.3.1", "192.0.2.0/24", 0 },
		{ "192.0.3.1", "192.0.2.0/23", 1 },
		{ "192.0.2.1", "192.0.2.1", 1 },
		{ "192.0.2.0", "192.0.2.1", 0 },
		{ "255.0.0.1", "0.0.0.0/0", 1 },
		{ "128.0.0.0", "128.0.0.0/1", 1 },
		{ "127.255.255.255", "128.0.0.0/1", 0 },
		{ "2001:db8::1", "2001:db8::/32", 1 },
		{ "2001:db9::1", "2001:db8::/32", 0 },
		{ "2001:db9::1", "2001:db8::/31", 1 },
		{ "2001:db8::1", "2001:db8::1", 1 },
		{ "2001:db8::2", "2001:db8::1", 0 },
		{ "2001:db8::2", "::/0", 1 },
		{ "192.0.2.1", "::/0", 0 },
		{ "2001:db8::2", "0.0.0.0/0", 0 },
		{ "::ffff:192.0.2.1", "192.0.2.0/24", 1 },
		{ "192.0.2.1", "::ffff:192.0.2.0/120", 1 },
		{ "2002::", "192.0.2.0/0", 0 },
	};
	struct ip_net net = { .bits = 0 };
	struct ip ip = { 0 };
	size_t i;

	CHECK(!ip_in_net(&ip, &net), "no address is in no network");
	for (i = 0; i < COUNT(rows); i++) {
		ip_parse(rows[i].ip, &ip, NULL);
		ip_net_parse(rows[i].net, &net, NULL);
		CHECK_INT(ip_in_net(&ip, &net), rows[i].want, "%s in %s",
			  rows[i].ip, rows[i].net);
	}
}

static void
test_ports(void)
{
	static const struct {
		const char *s, *text; /* NULL: refused */
	} rows[] = {
		{ "192.0.2.1:25", "192.0.2.1:25" },
		{ "192.0.2.1:0", "192.0.2.1:0" },
		{ "192.0.2.1:65535", "192.0.2.1:65535" },
		{ "[2001:db8::1]:25", "[2001:db8::1]:25" },
		{ "[::]:2525", "[::]:2525" },
		{ "[::ffff:192.0.2.1]:25", "192.0.2.1:25" },
		{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
		  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
		{ "192.0.2.1:65536", NULL },
		{ "192.0.2.1:", NULL },
		{ "192.0.2.1", NULL },
		{ "192.0.2.1:-1", NULL },
		{ "192.0.2.1:+25", NULL },
		{ "192.0.2.1: 25", NULL },
		{ "192.0.2.1:smtp", NULL },
		{ "192.0.2.1:000000025", NULL },
		{ "[192.0.2.1]:25", NULL },
		{ "2001:db8::1:25", NULL },
		{ "[2001:db8::1]", NULL },
		{ "[2001:db8::1]25", NULL },
		{ "[2001:db8::1:25", NULL },
		{ "2001:db8::1]:25", NULL },
		{ "[fe80::1%eth0]:25", NULL },
		{ "[]:25", NULL },
		{ "[:25", NULL },
		{ "]:25", NULL },
		{ ":25", NULL },
		{ ":", NULL },
		{ "", NULL },
		{ "localhost:25", NULL },
	};
	char text[IP_TEXT_SIZE];
	struct ip_port ap;
	size_t i;
	int rc;

	for (i = 0; i < COUNT(rows); i++) {
		rc = ip_port_parse(rows[i].s, &ap, NULL);
		CHECK_STR(rc == 0 ? ip_port_text(&ap, text) : NULL,
			  rows[i].text, "the endpoint \"%s\"", rows[i].s);
	}
}

/* A bit at a time, unlike the code. */
static int
slow_in_net(const struct ip *ip, const struct ip_net *net)
{
	int i;

	if (ip->family != net->ip.family)
		return 0;
	for (i = 0; i < net->bits; i++)
		if (((ip->b[i / 8] ^ net->ip.b[i / 8]) >> (7 - i % 8)) & 1)
			return 0;
	return 1;
}

static void
random_ip(struct ip *ip)
{
	unsigned i, len;

	memset(ip, 0, sizeof(*ip));
	ip->family = random_below(2) ? AF_INET : AF_INET6;
	len = ip->family == AF_INET ? 4 : 16;
	for (i = 0; i < len; i++)
		if (random_below(3) > 0)
			ip->b[i] = (uint8_t)random_below(256);
	/* Never a mapped one: it would be read as IPv4. */
	if (ip->family == AF_INET6)
		ip->b[0] |= 0x20;
}

static void
test_round_trips(void)
{
	int bad_text = 0, bad_port = 0, bad_sa = 0, bad_net = 0, bad_in = 0;
	char text[IP_TEXT_SIZE];
	struct sockaddr_storage ss;
	struct ip_port ap, back;
	struct ip_net net, net_back;
	struct ip ip, other;
	unsigned bits, i;

	for (i = 0; i < 50000; i++) {
		random_ip(&ip);
		ap.ip = ip;
		ap.port = (uint16_t)random_below(65536);
		bad_text += ip_parse(ip_text(&ip, text), &other, NULL) == -1 ||
			    !ip_eq(&ip, &other);
		bad_port += ip_port_parse(ip_port_text(&ap, text), &back,
					  NULL) == -1 ||
			    !ip_eq(&ip, &back.ip) || ap.port != back.port;
		ip_to_sockaddr(&ap, &ss);
		bad_sa +=
			ip_from_sockaddr((struct sockaddr *)&ss, &back) == -1 ||
			!ip_eq(&ip, &back.ip) || ap.port != back.port;
		bits = random_below(ip.family == AF_INET ? 33 : 129);
		net.ip = ip_masked(&ip, (int)bits, (int)bits);
		net.bits = (int)bits;
		bad_net += ip_net_parse(ip_net_text(&net, text), &net_back,
					NULL) == -1 ||
			   net.bits != net_back.bits ||
			   !ip_eq(&net.ip, &net_back.ip);
		bad_in += !ip_in_net(&ip, &net);
		/* One bit off, wherever that is. */
		other = ip;
		bits = random_below(ip.family == AF_INET ? 32 : 128);
		other.b[bits / 8] ^= (uint8_t)(1 << bits % 8);
		bad_in += ip_in_net(&other, &net) != slow_in_net(&other, &net);
	}
	CHECK_INT(bad_text, 0, "50,000 addresses are read back");
	CHECK_INT(bad_port, 0, "as are endpoints");
	CHECK_INT(bad_sa, 0, "as are sockaddrs");
	CHECK_INT(bad_net, 0, "as are networks");
	CHECK_INT(bad_in, 0, "an address is in its network, bit for bit");
}

static void
test_sockaddrs(void)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr sa = { .sa_family = AF_UNIX };
	struct sockaddr_storage ss;
	char text[IP_TEXT_SIZE];
	struct ip_port ap;

	inet_pton(AF_INET6, "::ffff:192.0.2.1", &v6.sin6_addr);
	v6.sin6_port = htons(25);
	CHECK_INT(ip_from_sockaddr((struct sockaddr *)&v6, &ap), 0,
		  "a mapped sockaddr is taken");
	CHECK_STR(ip_port_text(&ap, text), "192.0.2.1:25", "as IPv4");
	CHECK_INT(ip_to_sockaddr(&ap, &ss), sizeof(struct sockaddr_in),
		  "an IPv4 sockaddr has its length");
	ip_port_parse("[2001:db8::1]:25", &ap, NULL);
	CHECK_INT(ip_to_sockaddr(&ap, &ss), sizeof(struct sockaddr_in6),
		  "an IPv6 one its own");
	CHECK_INT(ip_from_sockaddr(&sa, &ap), -1, "a local one is refused");
	CHECK_INT(ap.ip.family, 0, "and is no address");
}

static void
test_kinds(void)
{
	static const struct {
		const char *s;
		int is_loopback;
		const char *masked; /* by 24 and 64 */
	} rows[] = {
		{ "127.0.0.1", 1, "127.0.0.0" },
		{ "127.255.255.255", 1, "127.255.255.0" },
		{ "128.0.0.1", 0, "128.0.0.0" },
		{ "::ffff:127.0.0.1", 1, "127.0.0.0" },
		{ "::1", 1, "::" },
		{ "::2", 0, "::" },
		{ "7f00::1", 0, "7f00::" },
		{ "2001:db8:1:2:3:4:5:6", 0, "2001:db8:1:2::" },
	};
	char text[IP_TEXT_SIZE];
	struct ip a, b = { 0 };
	size_t i;

	CHECK(!ip_is_loopback(&b), "no address is not loopback");
	b = ip_masked(&b, 24, 64);
	CHECK_INT(b.family, 0, "and stays none when masked");
	for (i = 0; i < COUNT(rows); i++) {
		ip_parse(rows[i].s, &a, NULL);
		CHECK_INT(ip_is_loopback(&a), rows[i].is_loopback,
			  "%s is loopback", rows[i].s);
		b = ip_masked(&a, 24, 64);
		CHECK_STR(ip_text(&b, text), rows[i].masked, "%s masked",
			  rows[i].s);
	}
	ip_parse("192.0.2.1", &a, NULL);
	b = ip_masked(&a, 0, 0);
	CHECK_STR(ip_text(&b, text), "0.0.0.0", "masked to 0 bits");
	b = ip_masked(&a, 32, 128);
	CHECK(ip_eq(&a, &b), "masked to all bits");
	b = ip_masked(&a, 99, 999);
	CHECK(ip_eq(&a, &b), "masked to more than all");
	b = ip_masked(&a, -5, -5);
	CHECK_STR(ip_text(&b, text), "0.0.0.0", "masked to less than none");
	ip_parse("c000:201::", &b, NULL);
	CHECK(!ip_eq(&a, &b), "families differ, so do addresses");
	memset(&b, 0xff, sizeof(b));
	b.family = AF_INET;
	memcpy(b.b, a.b, 4);
	CHECK(ip_eq(&a, &b), "only four bytes of IPv4 count");
}

int
main(void)
{
	test_parse();
	test_nets();
	test_lengths();
	test_in_net();
	test_ports();
	test_round_trips();
	test_sockaddrs();
	test_kinds();
	return check_done();
}
