/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * check_host() of RFC 7208.  libspf2 alone gets almost half of the RFC's
 * cases wrong, so it is given one checked term at a time, and a nested
 * record (include, redirect) as the one word it comes to.  Its own results
 * count only as far as a term matched or could not be looked up.
 */
#include "spf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <spf2/spf.h>
#include <spf2/spf_dns.h>
#include <spf2/spf_dns_rr.h>

#include "log.h"
#include "spf_record.h"
#include "str.h"

/* Section 4.6.4. */
#define LOOKUPS_MAX 10
#define VOIDS_MAX 2
#define PTRS_MAX 10 /* others are not looked at */
#define HOSTS_MAX 10 /* with more there is no result */

/* Names that MX and PTR records gave: their addresses are not counted. */
#define KNOWN_MAX 64
struct known {
	const char *name;
	bool is_ptr;
};

struct check {
	const struct dns_asker *dns;
	const struct ip *client;
	struct arena arena;
	SPF_server_t *server;
	SPF_request_t *request;
	unsigned lookups, voids;
	struct known known[KNOWN_MAX];
	size_t known_count;
	bool is_any; /* of the term that is being matched */
	/* Set once: whatever else comes of it, this is the result. */
	bool is_over;
	enum spf_result result;
	char problem[200];
};

/* Ends the check; the first word on it counts. */
static enum spf_result
give_up(struct check *k, enum spf_result r, const char *what, const char *name)
{
	if (k->is_over)
		return k->result;
	k->is_over = true;
	k->result = r;
	(void)str_fmt(k->problem, sizeof(k->problem), "%s%s%s", what,
		      name[0] != '\0' ? ": " : "", name);
	return r;
}

static void
count_lookup(struct check *k)
{
	if (++k->lookups > LOOKUPS_MAX)
		(void)give_up(k, SPF_PERMERROR, "more than 10 lookups", "");
}

static const struct known *
find_known(const struct check *k, const char *name)
{
	size_t i;

	for (i = 0; i < k->known_count; i++)
		if (str_ieq(k->known[i].name, name))
			return &k->known[i];
	return NULL;
}

static void
add_name(struct check *k, SPF_dns_rr_t *rr, ns_type type, struct span rdata)
{
	char name[DNS_NAME_SIZE];
	int at = rr->num_rr;
	size_t size;

	if (!dns_record_name(rdata, type == ns_t_mx ? 2 : 0, name))
		return;
	size = strlen(name) + 1;
	if (SPF_dns_rr_buf_realloc(rr, at, size) != SPF_E_SUCCESS)
		return;
	memcpy(type == ns_t_mx ? rr->rr[at]->mx : rr->rr[at]->ptr, name, size);
	rr->num_rr++;
	if (k->known_count < KNOWN_MAX)
		k->known[k->known_count++] =
			(struct known){ arena_strdup(&k->arena, name),
					type == ns_t_ptr };
}

static void
add_address(struct check *k, SPF_dns_rr_t *rr, ns_type type, struct span rdata)
{
	size_t size = type == ns_t_a ? 4 : 16;
	int at = rr->num_rr;
	const void *from = rdata.p;

	if (rdata.len != size ||
	    SPF_dns_rr_buf_realloc(rr, at, sizeof(SPF_dns_rr_data_t)) !=
		    SPF_E_SUCCESS)
		return;
	/* exists: looks for an A record whatever the client's family is. */
	if (k->is_any &&
	    k->client->family == (type == ns_t_a ? AF_INET : AF_INET6))
		from = k->client->b;
	if (type == ns_t_a)
		memcpy(&rr->rr[at]->a, from, size);
	else
		memcpy(&rr->rr[at]->aaaa, from, size);
	rr->num_rr++;
}

static void
add_records(struct check *k, SPF_dns_rr_t *rr, ns_type type,
	    struct span records)
{
	struct span rdata;

	if (type == ns_t_mx && dns_record_count(records) > HOSTS_MAX)
		(void)give_up(k, SPF_PERMERROR, "more than 10 MX records", "");
	while (dns_record_next(&records, &rdata)) {
		if (type == ns_t_a || type == ns_t_aaaa)
			add_address(k, rr, type, rdata);
		else if (rr->num_rr < PTRS_MAX)
			add_name(k, rr, type, rdata);
	}
}

/* Whether there was an answer at all, be it that there is none. */
static bool
ask(struct check *k, SPF_dns_rr_t *rr, const char *domain, ns_type type)
{
	struct dns_answer a;

	k->dns->ask(k->dns->arg, domain, type, &a);
	if (a.rcode != DNS_NOERROR && a.rcode != DNS_NXDOMAIN)
		return false;
	if (a.rcode == DNS_NOERROR)
		add_records(k, rr, type, a.records);
	if (rr->num_rr == 0) {
		rr->herrno = a.rcode == DNS_NXDOMAIN ? HOST_NOT_FOUND : NO_DATA;
		if (++k->voids > VOIDS_MAX)
			(void)give_up(k, SPF_PERMERROR,
				      "more than 2 lookups without an answer",
				      "");
	}
	return true;
}

/* What libspf2 wants to know while it matches a term. */
static SPF_dns_rr_t *
lookup(SPF_dns_server_t *server, const char *domain, ns_type type, int caches)
{
	struct check *k = server->hook;
	const struct known *known = find_known(k, domain);
	bool is_address = type == ns_t_a || type == ns_t_aaaa;
	bool is_of_ptr = type == ns_t_ptr ||
			 (is_address && known != NULL && known->is_ptr);
	SPF_dns_rr_t *rr =
		SPF_dns_rr_new_init(server, domain, type, 0, NETDB_SUCCESS);

	(void)caches;
	if (rr == NULL)
		return NULL;
	if ((!is_address && type != ns_t_mx && type != ns_t_ptr) ||
	    !dns_name_is_valid(domain)) {
		rr->herrno = NO_DATA;
		return rr;
	}
	if (!is_address || known == NULL)
		count_lookup(k);
	if (k->is_over)
		rr->herrno = TRY_AGAIN;
	else if (!ask(k, rr, domain, type))
		/* Section 5.5: there it is no match, and no error. */
		rr->herrno = is_of_ptr ? NO_DATA : TRY_AGAIN;
	return rr;
}

/* The one SPF record among the TXT records of a domain. */
static enum spf_result
fetch(struct check *k, const char *domain, struct span *record)
{
	struct buf text = { .limit = SPF_RECORD_MAX };
	struct dns_answer a;
	struct span rdata;
	unsigned found = 0;

	k->dns->ask(k->dns->arg, domain, ns_t_txt, &a);
	if (a.rcode != DNS_NOERROR && a.rcode != DNS_NXDOMAIN)
		return give_up(k, SPF_TEMPERROR, "DNS does not answer", domain);
	while (a.rcode == DNS_NOERROR && dns_record_next(&a.records, &rdata)) {
		buf_clear(&text);
		if (dns_record_text(rdata, &text) != 0 && text.len == 0)
			continue;
		if (!spf_record_is(buf_span(&text)) || found++ > 0)
			continue;
		if (text.overflowed)
			(void)give_up(k, SPF_PERMERROR,
				      "the SPF record is too long", domain);
		record->p = arena_strndup(&k->arena, buf_str(&text), text.len);
		record->len = text.len;
	}
	buf_release(&text);
	if (k->is_over)
		return k->result;
	if (found > 1)
		return give_up(k, SPF_PERMERROR, "more than one SPF record",
			       domain);
	return found == 1 ? SPF_NEUTRAL : SPF_NONE;
}

static enum spf_result
broken(struct check *k, SPF_response_t *rp, const struct spf_term *t)
{
	bool is_dns = SPF_response_result(rp) == SPF_RESULT_TEMPERROR;

	if (SPF_response_messages(rp) > 0)
		is_dns = SPF_error_code(SPF_response_message(rp, 0)) ==
			 SPF_E_DNS_ERROR;
	if (is_dns)
		return give_up(k, SPF_TEMPERROR, "DNS does not answer",
			       t->given);
	return give_up(k, SPF_PERMERROR, "not possible", t->given);
}

/* libspf2's word on one term: true when it matched. */
static bool
has_matched(struct check *k, SPF_response_t *rp, const struct spf_term *t,
	    enum spf_result *out)
{
	switch (SPF_response_result(rp)) {
	case SPF_RESULT_NEUTRAL:
		*out = SPF_NEUTRAL;
		break;
	case SPF_RESULT_PASS:
		*out = SPF_PASS;
		break;
	case SPF_RESULT_FAIL:
		*out = SPF_FAIL;
		break;
	case SPF_RESULT_SOFTFAIL:
		*out = SPF_SOFTFAIL;
		break;
	default:
		*out = broken(k, rp, t);
		return true;
	}
	return SPF_response_reason(rp) == SPF_REASON_MECH;
}

static bool
match(struct check *k, const struct spf_term *t, enum spf_result *out)
{
	SPF_response_t *rp = SPF_response_new(k->request);
	SPF_record_t *record = NULL;
	char text[SPF_TERM_MAX + 16];
	bool was_any = k->is_any, matched = true;

	if (rp == NULL) {
		*out = give_up(k, SPF_TEMPERROR, "out of memory", "");
		return true;
	}
	k->is_any = t->is_any;
	(void)str_fmt(text, sizeof(text), "v=spf1 %s", t->text);
	if (SPF_record_compile(k->server, rp, &record, text) != SPF_E_SUCCESS) {
		*out = broken(k, rp, t);
	} else {
		rp->spf_record_exp = record;
		(void)SPF_record_interpret(record, k->request, rp, 0);
		matched = has_matched(k, rp, t, out);
	}
	if (record != NULL)
		SPF_record_free(record);
	SPF_response_free(rp);
	k->is_any = was_any;
	/* A limit may have been passed while nothing failed. */
	if (k->is_over)
		*out = k->result;
	return matched || k->is_over;
}

/* A domain's record as a whole; mechanism, where wanted, has 256 bytes. */
static enum spf_result
evaluate(struct check *k, const char *domain, char *mechanism)
{
	struct spf_term *terms;
	struct span record = { "", 0 };
	enum spf_result r = SPF_NEUTRAL;
	struct err e = { "" };
	size_t count, i;

	if (k->is_over)
		return k->result;
	if (!dns_name_is_valid(domain))
		return SPF_NONE;
	r = fetch(k, domain, &record);
	if (r != SPF_NEUTRAL)
		return r;
	if (spf_record_read(record, k->client->family == AF_INET, &k->arena,
			    &terms, &count, &e) != 0)
		return give_up(k, SPF_PERMERROR, domain, e.text);
	for (i = 0; i < count; i++) {
		if (!match(k, &terms[i], &r))
			continue;
		if (mechanism != NULL && !k->is_over)
			(void)str_copy(mechanism, SPF_TERM_MAX + 1,
				       terms[i].given);
		return r;
	}
	if (mechanism != NULL)
		(void)str_copy(mechanism, SPF_TERM_MAX + 1, "default");
	return SPF_NEUTRAL;
}

/* A record that another refers to: what it comes to, as a record. */
static SPF_errcode_t
get_spf(SPF_server_t *server, SPF_request_t *request, SPF_response_t *rp,
	SPF_record_t **record)
{
	struct check *k = server->resolver->hook;
	const char *text = NULL;

	*record = NULL;
	count_lookup(k);
	switch (evaluate(k, request->cur_dom, NULL)) {
	case SPF_PASS:
		text = "v=spf1 +all";
		break;
	case SPF_FAIL:
		text = "v=spf1 -all";
		break;
	case SPF_SOFTFAIL:
		text = "v=spf1 ~all";
		break;
	case SPF_NEUTRAL:
		text = "v=spf1 ?all";
		break;
	default: /* sections 5.2 and 6.1 */
		(void)give_up(k, SPF_PERMERROR, "no SPF record",
			      request->cur_dom);
	}
	if (k->is_over || text == NULL)
		return SPF_response_add_error(rp, SPF_E_NOT_SPF, "over");
	return SPF_record_compile(server, rp, record, text);
}

/* It was called wrongly. */
static void __attribute__((noreturn))
on_error(const char *file, int line, const char *text)
{
	bug("libspf2: %s:%d: %s", file, line, text);
}

static void
on_noise(const char *file, int line, const char *text)
{
	(void)file;
	(void)line;
	(void)text;
}

static int
set_up(struct check *k, SPF_dns_server_t *resolver)
{
	SPF_response_t *rp = NULL;

	/* Its own handler of errors ends the process. */
	SPF_error_handler = on_error;
	SPF_warning_handler = SPF_info_handler = SPF_debug_handler = on_noise;
	k->server = SPF_server_new_dns(resolver, 0);
	if (k->server == NULL)
		return -1;
	/* It makes texts of them that nobody reads. */
	(void)SPF_server_set_rec_dom(k->server, "unknown");
	(void)SPF_server_set_explanation(k->server, "no", &rp);
	if (rp != NULL)
		SPF_response_free(rp);
	k->request = SPF_request_new(k->server);
	return k->request != NULL ? 0 : -1;
}

static int
set_client(struct check *k, const char *helo, const char *sender)
{
	struct in6_addr v6;
	struct in_addr v4;
	SPF_errcode_t code;

	if (k->client->family == AF_INET) {
		memcpy(&v4, k->client->b, sizeof(v4));
		code = SPF_request_set_ipv4(k->request, v4);
	} else {
		memcpy(&v6, k->client->b, sizeof(v6));
		code = SPF_request_set_ipv6(k->request, v6);
	}
	if (code != SPF_E_SUCCESS ||
	    SPF_request_set_helo_dom(k->request, helo) != SPF_E_SUCCESS ||
	    SPF_request_set_env_from(k->request, sender) != 0)
		return -1;
	/* Not SPF_request_query_mailfrom(): to that, loopback passes. */
	k->request->cur_dom = k->request->env_from_dp;
	return k->request->cur_dom != NULL ? 0 : -1;
}

static void
run(struct check *k, const char *helo, const char *sender, struct spf *out)
{
	SPF_dns_server_t resolver = {
		.lookup = lookup,
		.get_spf = get_spf,
		.name = "mcgate",
		.hook = k,
	};

	if (set_up(k, &resolver) != 0 || set_client(k, helo, sender) != 0)
		out->result = give_up(k, SPF_TEMPERROR, "out of memory", "");
	else
		out->result = evaluate(k, out->domain, out->mechanism);
	if (k->is_over)
		out->result = k->result;
	if (k->request != NULL)
		SPF_request_free(k->request);
	if (k->server != NULL)
		SPF_server_free(k->server);
}

/* Section 4.3: what no record can be looked up for. */
static bool
is_domain(const char *name)
{
	return strchr(name, '.') != NULL && name[0] != '[' &&
	       dns_name_is_valid(name);
}

void
spf_check(const struct ip *client, const char *helo, const char *sender,
	  const struct dns_asker *dns, struct spf *out)
{
	struct check k = { .dns = dns, .client = client };
	char postmaster[DNS_NAME_SIZE + 16];
	const char *at = strrchr(sender, '@');
	const char *domain = at != NULL ? at + 1 : sender;

	memset(out, 0, sizeof(*out));
	out->is_helo = sender[0] == '\0';
	if (out->is_helo) {
		domain = helo;
		/* Section 2.4 */
		(void)str_fmt(postmaster, sizeof(postmaster), "postmaster@%s",
			      helo);
		sender = postmaster;
	}
	if (!is_domain(domain) ||
	    !str_copy(out->domain, sizeof(out->domain), domain)) {
		(void)str_copy(out->problem, sizeof(out->problem),
			       "no domain to ask for");
		return;
	}
	run(&k, helo, sender, out);
	if (k.is_over)
		(void)str_copy(out->problem, sizeof(out->problem), k.problem);
	else if (out->result == SPF_NONE)
		(void)str_copy(out->problem, sizeof(out->problem),
			       "no SPF record");
	arena_release(&k.arena);
}
