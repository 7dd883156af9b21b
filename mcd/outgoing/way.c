/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One address after the other.  A dest has hosts (itself, or its mail
 * exchangers), a host has addresses; the next ones are looked up when the
 * last of these have been given.
 */
#include "way.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "clock.h"
#include "log.h"
#include "ourselves.h"
#include "str.h"
#include "xalloc.h"

#define WARN_EVERY_MS 60000

static void advance(struct way *w);

/* A reason to come back later is worth more than one to give up. */
__attribute__((format(printf, 4, 5))) static void
leave_out(struct way *w, enum outcome why, const char *enhanced,
	  const char *fmt, ...)
{
	char text[sizeof(w->text)];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	if (w->note != NULL)
		w->note(w->arg, text);
	if (w->text[0] != '\0' && w->why == OUTCOME_DEFERRED &&
	    why != OUTCOME_DEFERRED)
		return;
	w->why = why;
	str_copy(w->enhanced, sizeof(w->enhanced), enhanced);
	str_copy(w->text, sizeof(w->text), text);
}

static void
end(struct way *w)
{
	if (w->tries == 0 && w->text[0] == '\0')
		leave_out(w, OUTCOME_DEFERRED, "4.4.4", "no destination known");
	w->is_end = true;
	w->fn(w->arg);
}

/* An administrator has named a host that is not there. */
static void
warn_wrong(const struct way *w, const char *host, const char *what)
{
	static int64_t last_ms;
	int64_t now_ms = clock_mono_ms();

	if (w->note != NULL ||
	    (last_ms != 0 && now_ms - last_ms < WARN_EVERY_MS))
		return;
	last_ms = now_ms;
	log_warn("- destination domain=%s host=%s: %s; mail waits",
		 log_text(w->domain), log_text(host), what);
}

/* Addresses. */

static bool
was_tried(const struct way *w, const struct ip_port *to)
{
	size_t i;

	for (i = 0; i < w->tried_count; i++)
		if (w->tried[i].port == to->port &&
		    ip_eq(&w->tried[i].ip, &to->ip))
			return true;
	return false;
}

/* RFC 5321 section 5.1: hosts as good as ourselves, or worse, are out. */
static void
cut_hosts(struct way *w, unsigned preference)
{
	size_t i;

	for (i = 0; i < w->mx.count; i++)
		if (w->mx.hosts[i].preference >= preference)
			break;
	w->mx.count = i;
	if (w->host_next > i)
		w->host_next = i;
}

/* The host whose addresses are being given is this gateway. */
static void
find_ourselves(struct way *w)
{
	char text[IP_TEXT_SIZE];

	leave_out(w, OUTCOME_FAILED, "5.4.6",
		  "mail for %s loops back to this host: %s is %s", w->domain,
		  w->host, ip_port_text(&w->to, text));
	w->ip_next = w->resolve.count;
	if (w->is_by_mx)
		cut_hosts(w, w->mx.hosts[w->host_next - 1].preference);
}

/* True when there is an address to try. */
static bool
take_address(struct way *w)
{
	const struct ip *ip = &w->resolve.ips[w->ip_next++];
	const struct ip *next = NULL;

	w->to.ip = *ip;
	if (was_tried(w, &w->to))
		return false;
	if (!w->is_fixed && ourselves_is_at(&w->to)) {
		find_ourselves(w);
		return false;
	}
	if (w->ip_next < w->resolve.count)
		next = &w->resolve.ips[w->ip_next];
	w->is_hurried = next != NULL && next->family != ip->family;
	w->tried[w->tried_count++] = w->to;
	w->tries++;
	return true;
}

/* Hosts. */

static void
host_not_there(struct way *w, const struct resolve *r)
{
	bool is_sure = r->status != RESOLVE_FAILED;

	if (is_sure && w->is_ours)
		warn_wrong(w, w->host, r->failure);
	if (!is_sure || w->is_ours)
		leave_out(w, OUTCOME_DEFERRED, "4.4.3", "%s: %s", r->failure,
			  w->host);
	else if (w->mx.status == MX_NONE)
		leave_out(w, OUTCOME_FAILED, "5.1.2",
			  "domain %s has neither a mail exchanger nor an "
			  "address",
			  w->domain);
	else
		leave_out(w, OUTCOME_FAILED, "5.4.4", "%s: %s", r->failure,
			  w->host);
}

static void
on_resolved(void *arg, const struct resolve *r)
{
	struct way *w = arg;

	w->ip_next = 0;
	if (r->status != RESOLVE_OK)
		host_not_there(w, r);
	advance(w);
}

static void
begin_host(struct way *w)
{
	const struct mx_host *h = &w->mx.hosts[w->host_next++];

	str_copy(w->host, sizeof(w->host), h->name);
	w->resolve.count = 0;
	w->ip_next = 0;
	if (!w->is_fixed && !w->is_by_mx && ourselves_is_name(w->host) &&
	    ourselves_has_port(w->to.port)) {
		leave_out(w, OUTCOME_FAILED, "5.4.6",
			  "mail for %s loops back to this host: %s:%u is its "
			  "own name",
			  w->domain, w->host, (unsigned)w->to.port);
		advance(w);
		return;
	}
	resolve_start(&w->resolve, w->host, on_resolved, w);
}

/* Dests. */

/*
 * What stands in the brackets of a literal, "192.0.2.1" or "IPv6:..." (RFC
 * 5321 section 4.1.3), or an address as such: its text, or NULL.
 */
static const char *
literal_address(const char *text, struct ip *ip)
{
	static const char tag[] = "ipv6:";
	char start[sizeof(tag)];

	str_copy(start, sizeof(start), text);
	if (str_ieq(start, tag))
		text += sizeof(tag) - 1;
	return ip_parse(text, ip, NULL) == 0 ? text : NULL;
}

static void
one_host(struct way *w, const char *name, enum mx_status status)
{
	w->mx.status = status;
	w->mx.count = 1;
	w->mx.hosts[0].preference = 0;
	str_copy(w->mx.hosts[0].name, sizeof(w->mx.hosts[0].name), name);
}

static void
cut_own_name(struct way *w)
{
	size_t i;

	for (i = 0; i < w->mx.count; i++)
		if (ourselves_is_name(w->mx.hosts[i].name))
			break;
	if (i == w->mx.count)
		return;
	cut_hosts(w, w->mx.hosts[i].preference);
	if (w->mx.count == 0)
		leave_out(w, OUTCOME_FAILED, "5.4.6",
			  "mail for %s loops back to this host: it is its "
			  "best mail exchanger",
			  w->domain);
	else if (w->note != NULL)
		w->note(w->arg, "mail exchangers as good as this host, or "
				"worse, are left out");
}

/* No exchanger at all: what is said of it. */
static void
no_exchanger(struct way *w, const char *name, enum mx_status status)
{
	static const struct {
		const char *enhanced, *words;
	} says[] = {
		[MX_NULL] = { "5.1.10", "takes no mail (null MX)" },
		[MX_NO_NAME] = { "5.1.2", "is not known" },
		[MX_BAD] = { "5.4.4", "has mail exchangers that are no hosts" },
		[MX_FAILED] = { "4.4.3", "has mail exchangers that cannot be "
					 "looked up now" },
	};

	if (status == MX_FAILED || w->is_ours) {
		if (status != MX_FAILED)
			warn_wrong(w, name, says[status].words);
		leave_out(w, OUTCOME_DEFERRED, "4.4.3", "domain %s %s", name,
			  says[status].words);
		return;
	}
	leave_out(w, OUTCOME_FAILED, says[status].enhanced, "domain %s %s",
		  name, says[status].words);
}

static void
on_mx(void *arg, const struct mx *m)
{
	struct way *w = arg;
	const char *name = w->dests[w->dest_next - 1].host;

	switch (m->status) {
	case MX_OK:
		cut_own_name(w);
		break;
	case MX_NONE:
		one_host(w, name, MX_NONE);
		if (ourselves_is_name(name))
			cut_own_name(w);
		break;
	default:
		w->mx.count = 0;
		no_exchanger(w, name, m->status);
		break;
	}
	advance(w);
}

static void
begin_dest(struct way *w)
{
	const struct route_dest *d = &w->dests[w->dest_next++];
	const char *address;
	struct ip ip;

	w->to.port = d->port;
	w->host_next = 0;
	w->mx.count = 0;
	w->resolve.count = w->ip_next = 0;
	address = literal_address(d->host, &ip);
	if (!w->is_by_mx || address != NULL) {
		one_host(w, address != NULL ? address : d->host, MX_OK);
		advance(w);
		return;
	}
	mx_start(&w->mx, d->host, on_mx, w);
}

static void
advance(struct way *w)
{
	while (w->tries < WAY_TRIES_MAX) {
		if (w->ip_next < w->resolve.count) {
			if (!take_address(w))
				continue;
			w->fn(w->arg);
			return;
		}
		if (w->host_next < w->mx.count) {
			begin_host(w);
			return;
		}
		if (w->dest_next < w->dest_count) {
			begin_dest(w);
			return;
		}
		break;
	}
	end(w);
}

/* The route. */

static int
compare_dests(const void *a, const void *b)
{
	const struct route_dest *x = a;
	const struct route_dest *y = b;

	return (x->priority > y->priority) - (x->priority < y->priority);
}

/* Equal ones in any order; all are equal where the load is balanced. */
static void
order_dests(struct way *w, enum route_mode mode)
{
	size_t from = 0, to;

	if (mode == ROUTE_BALANCE) {
		chance_shuffle(w->dests, w->dest_count, sizeof(*w->dests));
		return;
	}
	qsort(w->dests, w->dest_count, sizeof(*w->dests), compare_dests);
	for (; from < w->dest_count; from = to) {
		for (to = from + 1; to < w->dest_count; to++)
			if (w->dests[to].priority != w->dests[from].priority)
				break;
		chance_shuffle(&w->dests[from], to - from, sizeof(*w->dests));
	}
}

static void
on_route(void *arg, const struct route *r)
{
	struct way *w = arg;

	if (r->status != ANSWER_OK) {
		leave_out(w, OUTCOME_DEFERRED,
			  r->status == ANSWER_NO ? "4.4.4" : "4.3.0", "%s",
			  r->text[0] != '\0' ? r->text
					     : "no destination known");
		end(w);
		return;
	}
	w->is_ours = r->is_ours;
	w->is_by_mx = r->mode == ROUTE_MX;
	w->tls = r->tls;
	w->eightbit = r->eightbit;
	w->dest_count = r->dest_count;
	w->dests = xcalloc(r->dest_count + 1, sizeof(*w->dests));
	if (r->dest_count > 0)
		memcpy(w->dests, r->dests, r->dest_count * sizeof(*w->dests));
	order_dests(w, r->mode);
	advance(w);
}

static void
init(struct way *w, const char *domain, way_fn *fn, void *arg)
{
	way_note_fn *note = w->note;

	memset(w, 0, sizeof(*w));
	w->fn = fn;
	w->note = note;
	w->arg = arg;
	str_copy(w->domain, sizeof(w->domain), domain);
	route_want_init(&w->want, on_route, w);
}

/* Starts with '[' and is not what may stand there. */
static bool
is_bad_literal(const char *domain)
{
	size_t len = strlen(domain);
	char text[IP_TEXT_SIZE];
	struct ip ip;

	if (domain[0] != '[')
		return false;
	if (len < 3 || len - 2 >= sizeof(text) || domain[len - 1] != ']')
		return true;
	str_fmt(text, sizeof(text), "%.*s", (int)(len - 2), domain + 1);
	return literal_address(text, &ip) == NULL;
}

void
way_start(struct way *w, const char *domain, bool is_outbound, way_fn *fn,
	  void *arg)
{
	init(w, domain, fn, arg);
	w->is_outbound = is_outbound;
	if (is_bad_literal(domain)) {
		leave_out(w, OUTCOME_FAILED, "5.1.3",
			  "%s is not an address that mail can go to", domain);
		end(w);
		return;
	}
	route_get(&w->want, domain, is_outbound);
}

void
way_start_at(struct way *w, const char *host, uint16_t port, way_fn *fn,
	     void *arg)
{
	init(w, host, fn, arg);
	w->is_ours = true;
	w->is_fixed = true;
	w->tls = DEST_TLS_MAY;
	w->dest_count = 1;
	w->dests = xcalloc(1, sizeof(*w->dests));
	str_copy(w->dests[0].host, sizeof(w->dests[0].host), host);
	w->dests[0].port = port;
	advance(w);
}

void
way_next(struct way *w)
{
	advance(w);
}

void
way_again(struct way *w)
{
	if (w->tries >= WAY_TRIES_MAX) {
		end(w);
		return;
	}
	w->tries++;
	w->fn(w->arg);
}

void
way_cancel(struct way *w)
{
	if (w->fn == NULL)
		return;
	route_cancel(&w->want);
	mx_cancel(&w->mx);
	resolve_cancel(&w->resolve);
	free(w->dests);
	w->dests = NULL;
	w->dest_count = w->dest_next = 0;
	w->mx.count = w->resolve.count = 0;
	w->fn = NULL;
}
