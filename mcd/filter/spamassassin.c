/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Rules of SpamAssassin: spamd is asked for its report, and each rule
 * becomes a finding with its points, so that one can be changed here, for
 * a domain, at once.  spamd's own verdict decides nothing.
 */
#include <string.h>

#include "clock.h"
#include "filter.h"
#include "points.h"
#include "role.h"
#include "spamd.h"
#include "spamd_report.h"
#include "str.h"
#include "worker_spamd.h"

#define TRIES 2 /* a connection that breaks may be spamd's restart */

/* A word of a client or an address in a field of ours. */
static const char *
field_word(const struct filter_mail *m, const char *text)
{
	char *word = arena_strdup(m->arena, text), *p;

	for (p = word; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f ||
		    strchr("()<>[];", *p) != NULL)
			*p = '_';
	return word;
}

/*
 * What a server puts before a message that it delivers, and the body in the
 * spool has not yet: many rules go by it.
 */
static struct span
with_trace(const struct filter_mail *m, struct span part, struct buf *out)
{
	char date[64];

	if (m->client_ip[0] == '\0')
		return part;
	clock_rfc5322(date, sizeof(date), clock_wall_us());
	(void)buf_printf(
		out,
		"Return-Path: <%s>\r\nReceived: from %s (%s [%s])\r\n"
		"\tby %s with ESMTP id %s;\r\n\t%s\r\n",
		field_word(m, m->sender), field_word(m, m->helo),
		m->client_name[0] != '\0' ? field_word(m, m->client_name)
					  : "unknown",
		field_word(m, m->client_ip), role_hostname(), m->name, date);
	(void)buf_add_span(out, part);
	return buf_span(out);
}

/* 0, or -1 with out saying that it could not be told; 1: try again. */
static int
ask_once(const struct filter_mail *m, struct span part,
	 struct filter_result *out, struct buf *reply)
{
	const struct spamd_asker *a = &m->spamd;
	struct err e = { "" };
	enum spamd_end end;
	char why[160];
	int fd;

	switch (a->open(a->arg, m->deadline_ms, &fd, why, sizeof(why))) {
	case SPAMD_READY:
		break;
	case SPAMD_UNSET:
		out->is_known = true;
		(void)str_copy(out->detail, sizeof(out->detail),
			       "no spamd is set up");
		return -1;
	case SPAMD_BUSY:
		filter_unknown(out, "%s", why);
		return -1;
	default:
		filter_fault(out, "%s", why);
		return -1;
	}
	end = spamd_talk(fd, "REPORT", part, m->deadline_ms, reply, &e);
	a->done(a->arg, &fd);
	if (end == SPAMD_ANSWERED)
		return 0;
	/* The length of an answer is the message's doing. */
	if (end == SPAMD_TOO_LONG)
		filter_unknown(out, "%s", e.text);
	else
		filter_fault(out, "%s", e.text);
	return end == SPAMD_BROKEN ? 1 : -1;
}

/* Rules beyond what a result can hold count in one sum. */
static void
take_rules(const struct filter_mail *m, const struct spamd_report *r,
	   struct filter_result *out)
{
	size_t i;

	for (i = 0; i < r->count; i++) {
		if (i < FILTER_SYMPTOMS_MAX)
			filter_symptom(m, out, r->rules[i].name,
				       r->rules[i].points, r->rules[i].note);
		else
			out->points += r->rules[i].points;
	}
}

/* The score that spamd gave, which those of a policy may differ from. */
static void
take_report(const struct filter_mail *m, const struct spamd_report *r,
	    struct filter_result *out)
{
	char score[32], required[32];

	points_text(r->score, score, sizeof(score));
	points_text(r->required, required, sizeof(required));
	(void)str_fmt(out->detail, sizeof(out->detail),
		      "%llu rules, spamd says %s/%s",
		      (unsigned long long)r->count, score, required);
	out->is_known = true;
	out->is_fault = false;
	out->why[0] = '\0';
	take_rules(m, r, out);
	/* It stays spam as long as the rules still come to so much. */
	out->spam_from = r->required > 0 ? r->required : 1;
	if (r->score >= r->required)
		out->class = FILTER_SPAM;
}

static void
check(const struct filter_mail *m, struct span part, struct filter_result *out)
{
	struct spamd_report r;
	struct buf reply = { 0 }, text = { 0 };
	struct err e;
	int i, rc = 1;

	if (m->spamd.open == NULL) {
		filter_unknown(out, "spamd cannot be reached from here");
		return;
	}
	part = with_trace(m, part, &text);
	for (i = 0; i < TRIES && rc > 0; i++) {
		rc = ask_once(m, part, out, &reply);
		/* One that closes in the middle closes in order. */
		if (rc == 0 && spamd_report_read(buf_span(&reply), m->arena, &r,
						 &e) != 0) {
			filter_fault(out, "%s", e.text);
			rc = 1;
		}
	}
	if (rc == 0)
		take_report(m, &r, out);
	buf_release(&text);
	buf_release(&reply);
}

const struct filter filter_spamassassin = {
	.name = "spamassassin",
	.check = check,
};
