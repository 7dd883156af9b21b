/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One record that is none of the list's makes the whole answer worthless:
 * a wildcard or a new owner of the zone says more than one thing.
 */
#include "rbl_answer.h"

#include <string.h>

#include "points.h"
#include "str.h"

enum rbl_answer
rbl_answer_judge(const struct rbl *r, const struct dns_answer *a,
		 uint32_t *hits, struct err *why)
{
	struct span rest = a->records, rdata;

	*hits = 0;
	err_set(why, "%s", "");
	if (a->rcode != DNS_NOERROR && a->rcode != DNS_NXDOMAIN) {
		err_set(why, "does not answer");
		return RBL_ANSWER_SILENT;
	}
	while (dns_record_next(&rest, &rdata))
		if (!rbl_take(r, rdata, hits, why)) {
			*hits = 0;
			return rdata.len == 4 && memcmp(rdata.p, "\177\377\377",
							3) == 0
				       ? RBL_ANSWER_REFUSED
				       : RBL_ANSWER_BROKEN;
		}
	return *hits != 0 ? RBL_ANSWER_YES : RBL_ANSWER_NO;
}

void
rbl_answer_replies(struct span records, char *dst, size_t size)
{
	struct span rdata;
	char text[32];
	size_t len = 0;

	dst[0] = '\0';
	while (dns_record_next(&records, &rdata)) {
		const unsigned char *a = (const unsigned char *)rdata.p;

		(void)str_copy(text, sizeof(text), "?");
		if (rdata.len == 4)
			(void)str_fmt(text, sizeof(text), "%u.%u.%u.%u", a[0],
				      a[1], a[2], a[3]);
		if (!str_fmt(dst + len, size - len, "%s%s", len > 0 ? " " : "",
			     text))
			return;
		len += strlen(dst + len);
	}
}

bool
rbl_answer_item_read(struct span line, struct rbl_answer_item *out)
{
	memset(out, 0, sizeof(*out));
	if (line.len < 3 || line.p[1] != ' ' ||
	    line.len - 2 >= sizeof(out->text))
		return false;
	out->kind = line.p[0];
	memcpy(out->text, line.p + 2, line.len - 2);
	if (strlen(out->text) != line.len - 2)
		return false;
	if (out->kind == 'a')
		return ip_parse(out->text, &out->ip, NULL) == 0;
	return (out->kind == 'd' || out->kind == 'h') &&
	       dns_name_is_valid(out->text);
}

unsigned
rbl_answer_query(const struct rbl *r, const struct rbl_answer_item *item,
		 char dst[RBL_QUERY_SIZE])
{
	unsigned what = item->kind == 'd' ? RBL_DOMAIN : RBL_HOST;

	if (item->kind == 'a')
		what = item->ip.family == AF_INET ? RBL_IP4 : RBL_IP6;
	if ((r->lists & what) == 0)
		return 0;
	if (!(item->kind == 'a' ? rbl_query_ip(r, &item->ip, dst)
				: rbl_query_name(r, item->text, dst)))
		return 0;
	return what;
}

static void
tell_finding(const struct rbl *r, uint32_t hits, struct record *out)
{
	char name[RBL_SYMPTOM_SIZE], points[32];
	struct buf names = { .limit = 1024 };
	int64_t sum = 0;
	unsigned i;

	for (i = 0; i < r->reply_count; i++) {
		if ((hits & UINT32_C(1) << i) == 0)
			continue;
		rbl_symptom(r, i, name);
		(void)buf_printf(&names, "%s%s", names.len > 0 ? " " : "",
				 name);
		sum += rbl_points(r, i);
	}
	points_text(sum, points, sizeof(points));
	record_str(out, "finding", buf_str(&names));
	record_str(out, "points", hits != 0 ? points : "");
	buf_release(&names);
}

void
rbl_answer_tell(const struct rbl_answer_tale *t, struct record *out)
{
	static const char *const words[] = {
		[RBL_ANSWER_NO] = "not listed",
		[RBL_ANSWER_YES] = "listed",
		[RBL_ANSWER_BROKEN] = "broken reply",
		[RBL_ANSWER_REFUSED] = "refuses",
		[RBL_ANSWER_SILENT] = "no answer",
	};
	struct buf use = { .limit = 64 };
	char replies[128];
	struct err why = { "" };
	uint32_t hits;
	enum rbl_answer l = rbl_answer_judge(t->r, t->answer, &hits, &why);

	rbl_word(t->r, "use", &use);
	rbl_answer_replies(t->answer->records, replies, sizeof(replies));
	record_str(out, "list", t->r->name);
	record_str(out, "query", t->query);
	record_str(out, "result", words[l]);
	record_str(out, "reply", replies);
	tell_finding(t->r, hits, out);
	record_int(out, "time_us", t->time_us);
	record_str(out, "use", buf_str(&use));
	record_str(out, "state", t->state);
	record_str(out, "detail", why.text);
	buf_release(&use);
}
