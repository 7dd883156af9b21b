/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Both versions, section 2 of proxy-protocol.txt.  A sender is one that an
 * administrator has named, so what is not by the book is refused.
 */
#include "proxy.h"

#include <string.h>
#include <sys/socket.h>

#include "str.h"

#define V1_START "PROXY "
#define V2_START "\r\n\r\n\0\r\nQUIT\n"
#define V2_START_LEN 12
#define V2_FIXED 16 /* bytes before the addresses */

/* The word up to a space or the end; false when it is empty or too long. */
static bool
take_word(struct span *line, char *dst, size_t size)
{
	const char *space =
		line->len > 0 ? memchr(line->p, ' ', line->len) : NULL;
	size_t len = space == NULL ? line->len : (size_t)(space - line->p);

	if (len == 0 || len >= size)
		return false;
	memcpy(dst, line->p, len);
	dst[len] = '\0';
	if (space != NULL)
		len++;
	line->p += len;
	line->len -= len;
	return true;
}

static bool
take_address(struct span *line, int family, struct ip *out)
{
	char text[IP_TEXT_SIZE];

	return take_word(line, text, sizeof(text)) &&
	       ip_parse(text, out, NULL) == 0 &&
	       (out->family == family ||
		(family == AF_INET6 && out->family == AF_INET));
}

static bool
take_port(struct span *line, uint16_t *out)
{
	char text[8];
	uint64_t n;

	if (!take_word(line, text, sizeof(text)) || !ascii_isdigit(text[0]) ||
	    str_to_u64(text, &n, NULL) != 0 || n > UINT16_MAX)
		return false;
	*out = (uint16_t)n;
	return true;
}

/* Section 2.1; line has neither "PROXY " nor CRLF. */
static int
parse_v1(struct span line, struct proxy *out, struct err *e)
{
	char word[16];
	int family;

	/* What is behind UNKNOWN says nothing. */
	if (line.len >= 7 && memcmp(line.p, "UNKNOWN", 7) == 0 &&
	    (line.len == 7 || line.p[7] == ' ')) {
		out->is_local = true;
		return 0;
	}
	if (!take_word(&line, word, sizeof(word)) ||
	    (!str_eq(word, "TCP4") && !str_eq(word, "TCP6")))
		return err_set(e, "PROXY: neither TCP4, TCP6 nor UNKNOWN");
	family = str_eq(word, "TCP4") ? AF_INET : AF_INET6;
	if (!take_address(&line, family, &out->client.ip) ||
	    !take_address(&line, family, &out->server.ip))
		return err_set(e, "PROXY: not two addresses of %s", word);
	if (!take_port(&line, &out->client.port) ||
	    !take_port(&line, &out->server.port) || line.len > 0)
		return err_set(e, "PROXY: not two ports at the end");
	return 0;
}

static int
start_v1(struct span in, struct proxy *out, struct err *e)
{
	size_t start = strlen(V1_START);
	size_t look = in.len < PROXY_V1_MAX ? in.len : PROXY_V1_MAX;
	const char *lf = memchr(in.p, '\n', look);
	size_t len;

	if (lf == NULL)
		return look < PROXY_V1_MAX
			       ? 0
			       : err_set(e, "PROXY: line longer than %d bytes",
					 PROXY_V1_MAX);
	len = (size_t)(lf - in.p) + 1;
	if (len < start + 2 || lf[-1] != '\r')
		return err_set(e, "PROXY: line without CRLF");
	if (parse_v1((struct span){ in.p + start, len - start - 2 }, out, e) <
	    0)
		return -1;
	return (int)len;
}

static void
put_address(const char *p, int family, struct ip *out)
{
	struct ip_port mapped = { .ip.family = family };
	struct sockaddr_storage ss;

	memcpy(mapped.ip.b, p, family == AF_INET ? 4 : 16);
	/* An IPv4 address in IPv6 clothes is the IPv4 address. */
	(void)ip_to_sockaddr(&mapped, &ss);
	if (ip_from_sockaddr((struct sockaddr *)&ss, &mapped) == 0)
		*out = mapped.ip;
}

static uint16_t
number_of(const char *p)
{
	return (uint16_t)((unsigned char)p[0] << 8 | (unsigned char)p[1]);
}

/* Type, length and value, one after the other; what they say is not used. */
static bool
are_extras(struct span rest)
{
	size_t len;

	while (rest.len >= 3) {
		len = 3 + (size_t)number_of(rest.p + 1);
		if (len > rest.len)
			return false;
		rest.p += len;
		rest.len -= len;
	}
	return rest.len == 0;
}

/* Section 2.2; all of the header is there. */
static int
parse_v2(struct span in, struct proxy *out, struct err *e)
{
	unsigned char command = (unsigned char)in.p[12];
	unsigned char family = (unsigned char)in.p[13];
	size_t size = family == 0x11 ? 4 : 16;
	struct span rest = { in.p + V2_FIXED, in.len - V2_FIXED };
	int af = family == 0x11 ? AF_INET : AF_INET6;

	if (command == 0x20 || family == 0x00) {
		out->is_local = true;
		return 0;
	}
	if (family != 0x11 && family != 0x21)
		return err_set(e, "PROXY: family and protocol 0x%02x: not TCP",
			       family);
	if (rest.len < 2 * size + 4)
		return err_set(e, "PROXY: %zu bytes of addresses", rest.len);
	put_address(rest.p, af, &out->client.ip);
	put_address(rest.p + size, af, &out->server.ip);
	out->client.port = number_of(rest.p + 2 * size);
	out->server.port = number_of(rest.p + 2 * size + 2);
	rest.p += 2 * size + 4;
	rest.len -= 2 * size + 4;
	if (!are_extras(rest))
		return err_set(e, "PROXY: extras that do not fit");
	return 0;
}

static int
start_v2(struct span in, struct proxy *out, struct err *e)
{
	unsigned char command;
	size_t len;

	if (in.len > 12) {
		command = (unsigned char)in.p[12];
		if (command != 0x20 && command != 0x21)
			return err_set(e, "PROXY: version and command 0x%02x",
				       command);
	}
	if (in.len < V2_FIXED)
		return 0;
	len = V2_FIXED + (size_t)number_of(in.p + 14);
	if (len > PROXY_HEADER_MAX)
		return err_set(e, "PROXY: header of %zu bytes", len);
	if (in.len < len)
		return 0;
	in.len = len;
	return parse_v2(in, out, e) < 0 ? -1 : (int)len;
}

/* As far as in goes it is start. */
static bool
begins(struct span in, const char *start, size_t len)
{
	return memcmp(in.p, start, in.len < len ? in.len : len) == 0;
}

int
proxy_parse(struct span in, struct proxy *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	if (in.len == 0)
		return 0;
	if (begins(in, V2_START, V2_START_LEN))
		return start_v2(in, out, e);
	if (begins(in, V1_START, strlen(V1_START)))
		return start_v1(in, out, e);
	return err_set(e, "PROXY: no header");
}
