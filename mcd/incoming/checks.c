/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of checks and the runner.
 */
#include "checks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_impl.h"
#include "log.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define EXEMPT_TEXT(set)                                                    \
	((set) == (EX_POSTMASTER | EX_RELAY) ? "postmaster and relay hosts" \
	 : (set) == EX_RELAY		     ? "relay hosts"                \
	 : (set) == EX_POSTMASTER	     ? "postmaster"                 \
					     : "")

const struct check_row check_rows[] = {
#define CHECK_ROW(name, at, knob, exempt, counter, code, enhanced, later, \
		  text)                                                   \
	{ #name, CHECK_##at, knob,  EXEMPT_TEXT(exempt),                  \
	  code,	 enhanced,   later, text },
#include "checks.def"
#undef CHECK_ROW
};
const size_t check_row_count = sizeof(check_rows) / sizeof(*check_rows);

/* What only the runner needs of each row. */
static const struct {
	enum check_result (*fn)(struct check_run *r);
	unsigned exempt;
	enum stat_id counter;
} inner[] = {
#define CHECK_ROW(name, at, knob, exempt, counter, code, enhanced, later, \
		  text)                                                   \
	{ check_##name, exempt, STAT_##counter },
#include "checks.def"
#undef CHECK_ROW
};

struct check_client *
check_client_new(const struct check_who *who)
{
	struct check_client *c = xcalloc(1, sizeof(*c));

	c->ip = who->ip;
	c->local = who->local;
	c->is_early = who->is_early;
	fact_init(&c->rdns.fact);
	fact_init(&c->dnsbl.fact);
	fact_init(&c->helo_name.fact);
	c->is_dry = who->is_dry;
	c->helo = xstrdup("");
	ip_text(&c->ip, c->ip_text);
	return c;
}

void
check_client_free(struct check_client *c)
{
	if (c == NULL)
		return;
	rdns_release(&c->rdns);
	fact_release(&c->dnsbl.fact);
	name_fact_release(&c->helo_name);
	free(c->helo);
	free(c);
}

void
check_client_helo(struct check_client *c, const char *helo)
{
	if (str_eq(c->helo, helo))
		return;
	name_fact_release(&c->helo_name);
	fact_init(&c->helo_name.fact);
	free(c->helo);
	c->helo = xstrdup(helo);
}

struct check_mail *
check_mail_new(struct check_client *c, const char *sender)
{
	struct check_mail *m = xcalloc(1, sizeof(*m));
	const char *at;

	m->client = c;
	m->sender = xstrdup(sender);
	at = strrchr(m->sender, '@');
	m->domain = at != NULL ? at + 1 : "";
	fact_init(&m->sender_domain.fact);
	fact_init(&m->spf.fact);
	return m;
}

void
check_mail_free(struct check_mail *m)
{
	if (m == NULL)
		return;
	name_fact_release(&m->sender_domain);
	fact_release(&m->spf.fact);
	free(m->sender);
	free(m);
}

bool
check_is_postmaster(const struct check_rcpt *rcpt)
{
	static const char *const names[] = { "postmaster", "abuse" };
	const char *at;

	if (str_ieq(rcpt->given, "postmaster"))
		return true;
	at = strrchr(rcpt->canonical, '@');
	for (size_t i = 0; at != NULL && i < 2; i++)
		if (span_ieq((struct span){ rcpt->canonical,
					    (size_t)(at - rcpt->canonical) },
			     span_of(names[i])))
			return true;
	return false;
}

void
check_detail(struct check_run *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(r->detail, sizeof(r->detail), fmt, ap) < 0)
		r->detail[0] = '\0';
	va_end(ap);
}

static bool
is_exempt(const struct check_run *r, unsigned exempt)
{
	unsigned flags = r->rcpt != NULL ? r->rcpt->flags : 0;

	if (r->rcpt == NULL)
		return false;
	return ((exempt & EX_POSTMASTER) != 0 &&
		check_is_postmaster(r->rcpt)) ||
	       ((exempt & EX_RELAY) != 0 && (flags & RCPT_FROM_RELAY) != 0);
}

/* Where a person is reached who can help. */
static const char *
postmaster_domain(const struct check_run *r)
{
	const char *at = NULL;

	if (r->rcpt != NULL)
		at = strrchr(r->rcpt->canonical, '@');
	return at != NULL ? at + 1 : role_hostname();
}

static void
log_refusal(const struct check_run *r, const struct check_row *row, int code)
{
	log_info("- refuse check=%s client=%s helo=%s from=<%s> to=<%s> "
		 "code=%d why=%s",
		 row->name, r->client->ip_text, log_text(r->client->helo),
		 r->mail != NULL && r->mail->sender[0] != '\0'
			 ? log_text(r->mail->sender)
			 : "",
		 r->rcpt != NULL ? log_text(r->rcpt->given) : "", code,
		 log_text(r->detail[0] != '\0' ? r->detail : row->text));
}

static void
finish(struct check_run *r, const struct session_reply *reply)
{
	r->is_running = false;
	r->done(r->arg, reply, r->was_late);
}

/* What the client is told; text holds SESSION_TEXT_MAX. */
static struct session_reply
reply_of(const struct check_run *r, enum check_result result, char *text)
{
	const struct check_row *row = &check_rows[r->at];
	struct session_reply reply = { row->code, row->enhanced, text };

	if (r->enhanced != NULL)
		reply.enhanced = r->enhanced;
	if (result == CHECK_PUT_OFF) {
		reply.code = 451;
		reply.enhanced = row->later;
	}
	str_fmt(text, SESSION_TEXT_MAX, "%.200s; postmaster@%.150s helps",
		r->text != NULL ? r->text : row->text, postmaster_domain(r));
	return reply;
}

/* Counts and tells of what was decided; false when the walk is over. */
static bool
decide(struct check_run *r, enum check_result result)
{
	const struct check_row *row = &check_rows[r->at];
	bool is_no = result == CHECK_REFUSE || result == CHECK_PUT_OFF;
	char text[SESSION_TEXT_MAX] = "";
	struct session_reply reply = { 0 };

	if (is_no)
		reply = reply_of(r, result, text);
	if (r->trace != NULL) {
		r->trace(r->arg, row, result, r->detail, is_no ? &reply : NULL);
		return true;
	}
	if (result == CHECK_UNSURE) {
		stats_add(role_stats(), STAT_in_unsure, 1);
		log_info("- unsure check=%s client=%s why=%s", row->name,
			 r->client->ip_text, log_text(r->detail));
	}
	if (!is_no)
		return true;
	stats_add(role_stats(), inner[r->at].counter, 1);
	log_refusal(r, row, reply.code);
	finish(r, &reply);
	return false;
}

/* One row; false when the walk stops or waits. */
static bool
step(struct check_run *r)
{
	enum check_result result = CHECK_EXEMPT;

	r->enhanced = r->text = NULL;
	r->detail[0] = '\0';
	if (!is_exempt(r, inner[r->at].exempt))
		result = inner[r->at].fn(r);
	return result != CHECK_WAIT && decide(r, result);
}

static void
walk(struct check_run *r)
{
	for (; r->at < check_row_count; r->at++)
		if (check_rows[r->at].stage == r->stage && !step(r))
			return;
	finish(r, NULL);
}

static void
on_again(void *arg)
{
	struct check_run *r = arg;

	r->was_late = true;
	if (r->is_running)
		walk(r);
}

void
check_start(struct check_run *r)
{
	list_init(&r->wait);
	fact_init(&r->grey);
	fact_init(&r->callout);
	defer_init(&r->again, on_again, r);
	r->at = 0;
	r->was_late = false;
	r->is_running = true;
	walk(r);
}

void
check_stop(struct check_run *r)
{
	if (!r->is_running)
		return;
	r->is_running = false;
	list_del(&r->wait);
	fact_release(&r->grey);
	fact_release(&r->callout);
	defer_release(&r->again);
}
