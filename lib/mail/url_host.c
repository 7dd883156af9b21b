/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The host of an address as browsers read it (WHATWG URL, sections 3.3 and
 * 3.5): percent signs, wide letters, numbers that are IPv4 addresses.
 */
#include <arpa/inet.h>
#include <string.h>

#include "charset.h"
#include "str.h"
#include "url_impl.h"

static int
hex_value(int c)
{
	c = ascii_lower(c);
	if (ascii_isdigit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
url_percent(struct span in, struct buf *out)
{
	size_t i;

	for (i = 0; i < in.len; i++) {
		int hi = -1, lo = -1;

		if (in.p[i] == '%' && i + 2 < in.len) {
			hi = hex_value((unsigned char)in.p[i + 1]);
			lo = hex_value((unsigned char)in.p[i + 2]);
		}
		if (hi >= 0 && lo >= 0) {
			buf_add_char(out, (char)(hi << 4 | lo));
			i += 2;
		} else {
			buf_add_char(out, in.p[i]);
		}
	}
}

/* What the eye does not see. */
static bool
is_invisible(uint32_t c)
{
	return c == 0xad || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2060 && c <= 0x2064) || c == 0xfeff ||
	       (c >= 0xfe00 && c <= 0xfe0f);
}

/* One character of a host in the form that counts; 0: left out. */
static uint32_t
fold(uint32_t c)
{
	if (c == 0x3002 || c == 0xff0e || c == 0xff61)
		return '.';
	if (c >= 0xff01 && c <= 0xff5e)
		c = c - 0xff01 + '!';
	if (is_invisible(c))
		return 0;
	if (c < 0x80)
		return (uint32_t)ascii_lower((int)c);
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) ||
	    (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	return c;
}

/* The host with all that undone, in UTF-8. */
static void
fold_host(struct span in, struct buf *out, uint32_t *flags)
{
	struct buf plain = { .limit = URL_TEXT_MAX };
	const char *p, *end;
	uint32_t c, low;
	size_t n;

	url_percent(in, &plain);
	if (plain.len != in.len)
		*flags |= URL_ODD_HOST;
	p = buf_str(&plain);
	for (end = p + plain.len; p < end; p += n) {
		n = str_utf8_next(p, (size_t)(end - p), &c);
		if (n == 0) {
			c = 0xfffd;
			n = 1;
		}
		low = fold(c);
		if (c >= 0x80 && low < 0x80)
			*flags |= URL_ODD_HOST;
		if (low >= 0x80)
			*flags |= URL_IDN;
		if (low != 0)
			utf8_put(out, low);
	}
	while (out->len > 0 && out->data[out->len - 1] == '.')
		out->data[--out->len] = '\0';
	buf_release(&plain);
}

/* One number of an IPv4 address in C's notations; false: it is none. */
static bool
read_number(struct span s, uint64_t *out, bool *is_odd)
{
	unsigned base = 10;
	size_t i = 0;

	*out = 0;
	if (s.len == 0)
		return false;
	if (s.len >= 2 && s.p[0] == '0' && ascii_lower(s.p[1]) == 'x') {
		base = 16;
		i = 2;
	} else if (s.len >= 2 && s.p[0] == '0') {
		base = 8;
		i = 1;
	}
	*is_odd |= base != 10;
	for (; i < s.len; i++) {
		int d = hex_value((unsigned char)s.p[i]);

		if (d < 0 || d >= (int)base || *out > UINT32_MAX)
			return false;
		*out = *out * base + (unsigned)d;
	}
	return true;
}

/* "1.2.3.4", "0x7f.1", "2130706433": its canonical form in dst. */
static bool
read_ipv4(const char *host, char *dst, uint32_t *flags)
{
	uint64_t part, ip = 0;
	const char *p = host, *dot;
	bool is_odd = false;
	int count = 0;

	for (;; p = dot + 1) {
		struct span s;

		dot = strchr(p, '.');
		s = (struct span){ p, dot != NULL ? (size_t)(dot - p)
						  : strlen(p) };
		if (++count > 4 || !read_number(s, &part, &is_odd))
			return false;
		if (dot == NULL)
			break;
		if (part > 255)
			return false;
		ip = ip << 8 | part;
	}
	/* The last one fills what is left. */
	if (part >> (8 * (5 - count)) != 0)
		return false;
	ip = ip << (8 * (5 - count)) | part;
	if (is_odd || count != 4)
		*flags |= URL_ODD_IP;
	*flags |= URL_IP;
	return str_fmt(dst, URL_HOST_MAX, "%u.%u.%u.%u",
		       (unsigned)(ip >> 24 & 255), (unsigned)(ip >> 16 & 255),
		       (unsigned)(ip >> 8 & 255), (unsigned)(ip & 255));
}

static bool
read_ipv6(struct span s, char *dst, uint32_t *flags)
{
	struct in6_addr a;
	char text[64];

	if (s.len < 4 || s.len >= sizeof(text) || s.p[s.len - 1] != ']')
		return false;
	memcpy(text, s.p + 1, s.len - 2);
	text[s.len - 2] = '\0';
	if (inet_pton(AF_INET6, text, &a) != 1)
		return false;
	*flags |= URL_IP;
	return inet_ntop(AF_INET6, &a, dst, URL_HOST_MAX) != NULL;
}

/* Letters, digits, "-" and "_" in labels of 1 to 63 bytes. */
static bool
is_host(const char *s)
{
	size_t label = 0;

	for (; *s != '\0'; s++) {
		if (*s == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (ascii_isalnum((unsigned char)*s) || *s == '-' ||
			   *s == '_') {
			if (++label > 63)
				return false;
		} else {
			return false;
		}
	}
	return label > 0;
}

bool
url_read_host(const struct url_hooks *hooks, struct span in,
	      char dst[URL_HOST_MAX], uint32_t *flags)
{
	struct buf host = { .limit = URL_TEXT_MAX };
	bool is_good;

	dst[0] = '\0';
	if (in.len == 0)
		return false;
	if (in.p[0] == '[')
		return read_ipv6(in, dst, flags);
	fold_host(in, &host, flags);
	if (host.len == 0) {
		buf_release(&host);
		return false;
	}
	if (str_is_utf8(host.data, host.len) && (*flags & URL_IDN))
		is_good =
			hooks != NULL && hooks->to_ascii != NULL
				? hooks->to_ascii(host.data, dst, URL_HOST_MAX)
				: url_punycode(host.data, dst, URL_HOST_MAX);
	else
		is_good = str_copy(dst, URL_HOST_MAX, host.data);
	buf_release(&host);
	if (!is_good || !is_host(dst)) {
		dst[0] = '\0';
		return false;
	}
	if (strncmp(dst, "xn--", 4) == 0 || strstr(dst, ".xn--") != NULL)
		*flags |= URL_IDN;
	if (ascii_isdigit((unsigned char)dst[0])) {
		char ip[URL_HOST_MAX];

		if (read_ipv4(dst, ip, flags))
			str_copy(dst, URL_HOST_MAX, ip);
	}
	return true;
}
