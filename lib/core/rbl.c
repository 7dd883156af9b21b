/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Names that lists are asked for, and what their replies mean.  Reading and
 * writing of rows is in rbl_row.c.
 */
#include "rbl.h"

#include <string.h>

#include "str.h"

bool
rbl_query_name(const struct rbl *r, const char *name, char dst[RBL_QUERY_SIZE])
{
	/* RFC 1035: 253 characters of text. */
	return str_fmt(dst, RBL_QUERY_SIZE, "%s.%s", name, r->zone) &&
	       strlen(dst) <= 253;
}

bool
rbl_query_ip(const struct rbl *r, const struct ip *ip, char dst[RBL_QUERY_SIZE])
{
	char name[IP_TEXT_SIZE + 1] = "";
	size_t at = 0;
	int i;

	/* RFC 5782 section 2.1 */
	if (ip->family == AF_INET) {
		(void)str_fmt(name, sizeof(name), "%u.%u.%u.%u", ip->b[3],
			      ip->b[2], ip->b[1], ip->b[0]);
		return rbl_query_name(r, name, dst);
	}
	/* Section 2.4: each nibble, the lowest first. */
	for (i = 15; i >= 0; i--, at += 4)
		(void)str_fmt(name + at, sizeof(name) - at, "%x.%x.",
			      ip->b[i] & 15u, (unsigned)ip->b[i] >> 4);
	name[63] = '\0';
	return rbl_query_name(r, name, dst);
}

bool
rbl_query_test(const struct rbl *r, enum rbl_what what, bool is_listed,
	       char dst[RBL_QUERY_SIZE])
{
	struct ip ip = { .family = AF_INET, .b = { 127, 0, 0, 1 } };

	if (what == RBL_DOMAIN || what == RBL_HOST)
		return rbl_query_name(r, is_listed ? r->listed : r->clean, dst);
	if (what == RBL_IP6) /* section 5: ::FFFF:7F00:1 and 2 */
		ip = (struct ip){
			.family = AF_INET6,
			.b = { [10] = 255, [11] = 255, [12] = 127, [15] = 1 }
		};
	ip.b[what == RBL_IP6 ? 15 : 3] = is_listed ? 2 : 1;
	return rbl_query_ip(r, &ip, dst);
}

static bool
octet_fits(const struct rbl_octet *o, uint8_t value)
{
	return o->bits != 0 ? (value & o->bits) != 0
			    : value >= o->min && value <= o->max;
}

static bool
reply_fits(const struct rbl_reply *p, const uint8_t *addr)
{
	int i;

	for (i = 0; i < 4; i++)
		if (!octet_fits(&p->octet[i], addr[i]))
			return false;
	return true;
}

bool
rbl_take(const struct rbl *r, struct span rdata, uint32_t *hits,
	 struct err *why)
{
	const uint8_t *a = (const uint8_t *)rdata.p;
	uint32_t found = 0;
	unsigned i;

	if (rdata.len != 4) {
		err_set(why, "a reply that is no IPv4 address");
		return false;
	}
	if (a[0] == 127 && a[1] == 255 && a[2] == 255) {
		err_set(why, "says 127.255.255.%u: it does not answer us",
			a[3]);
		return false;
	}
	/* Section 2.1: nothing else is a list's. */
	for (i = 0; a[0] == 127 && i < r->reply_count; i++)
		if (reply_fits(&r->replies[i], a))
			found |= UINT32_C(1) << i;
	if (found == 0) {
		err_set(why, "says %u.%u.%u.%u, which is none of its replies",
			a[0], a[1], a[2], a[3]);
		return false;
	}
	*hits |= found;
	return true;
}

int64_t
rbl_points(const struct rbl *r, unsigned reply)
{
	return r->replies[reply].has_points ? r->replies[reply].points
					    : r->points;
}

void
rbl_symptom(const struct rbl *r, unsigned reply, char dst[RBL_SYMPTOM_SIZE])
{
	const char *label = r->replies[reply].label;
	char *p;

	(void)str_fmt(dst, RBL_SYMPTOM_SIZE, "RBL_%s%s%s", r->name,
		      label[0] != '\0' ? "_" : "", label);
	for (p = dst; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
		else if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - ('a' - 'A'));
}

bool
rbl_is_private(const struct ip *ip)
{
	/* RFC 6890; addresses for documentation are as good as others. */
	static const struct ip_net nets[] = {
		{ { AF_INET, { 0 } }, 8 },
		{ { AF_INET, { 10 } }, 8 },
		{ { AF_INET, { 100, 64 } }, 10 },
		{ { AF_INET, { 127 } }, 8 },
		{ { AF_INET, { 169, 254 } }, 16 },
		{ { AF_INET, { 172, 16 } }, 12 },
		{ { AF_INET, { 192, 168 } }, 16 },
		{ { AF_INET, { 224 } }, 3 },
		{ { AF_INET6, { 0 } }, 127 },
		{ { AF_INET6, { 0xfc } }, 7 },
		{ { AF_INET6, { 0xfe, 0x80 } }, 10 },
		{ { AF_INET6, { 0xfe, 0xc0 } }, 10 },
		{ { AF_INET6, { 0xff } }, 8 },
	};
	size_t i;

	for (i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (ip_in_net(ip, &nets[i]))
			return true;
	return ip->family != AF_INET && ip->family != AF_INET6;
}

const struct rbl_preset rbl_presets[] = {
#define RBL_PRESET(name, value, terms) { name, value, terms },
#include "rbl_preset.def"
#undef RBL_PRESET
};
const size_t rbl_preset_count = sizeof(rbl_presets) / sizeof(rbl_presets[0]);

const struct rbl_preset *
rbl_preset(const char *name)
{
	size_t i;

	for (i = 0; i < rbl_preset_count; i++)
		if (str_eq(rbl_presets[i].name, name))
			return &rbl_presets[i];
	return NULL;
}
