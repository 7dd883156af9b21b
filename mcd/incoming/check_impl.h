/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What the files of the checks share: facts that are asked for once and
 * waited for by many, and the functions of the rows.  For nobody else.
 */
#ifndef CHECK_IMPL_H
#define CHECK_IMPL_H

#include "checks.h"
#include "peer.h"

#define TYPE_A 1
#define TYPE_PTR 12
#define TYPE_MX 15
#define TYPE_AAAA 28

#define CHECK_DNS_MS 10000 /* for one question */

/* Who passes a check without it. */
#define EX_POSTMASTER 1
#define EX_RELAY 2
#define EX_PEER 4
#define EX_OWN 8 /* senders of a domain of ours */

void fact_init(struct fact *f);
/* Nobody waits for it any more. */
void fact_release(struct fact *f);
/* Has the run come again when it is known; returns CHECK_WAIT. */
enum check_result fact_wait(struct fact *f, struct check_run *r);
/* Those that wait go on, at the loop's next turn. */
void fact_known(struct fact *f);

/* Asks lookup under the fact's token; false when it is not there. */
bool fact_ask_dns(struct fact *f, const char *name, unsigned type,
		  int64_t wait_ms, peer_reply_fn *fn, void *arg);
/* A dns_reply: 1 it has records, 0 there are none, -1 it cannot be told. */
int dns_says(const struct frame *f, struct span *records);
/* Records of a dns_reply, one after the other; false at the end. */
bool dns_next(struct span records, size_t *at, struct span *rdata);
/* A wire name as text without its last dot; -1 when it is damaged. */
int dns_name(struct span wire, char *dst, size_t size);

/* Whether mail can go to a name: it has an MX, or an address. */
enum name_value {
	NAME_EXISTS,
	NAME_NONE, /* no such name, or no server of it */
	NAME_NULL_MX, /* RFC 7505 */
	NAME_UNSURE
};

struct name_fact {
	struct fact fact;
	enum name_value value;
	unsigned type; /* that is being asked for */
	char *name;
};

void name_fact_release(struct name_fact *n);
/* Begins to find out about a domain or host. */
void name_fact_ask(struct name_fact *n, const char *domain);

#define NAMES_MAX 4 /* of one address that are looked at */

/* What DNS says of a client's address. */
enum rdns_value {
	RDNS_CONFIRMED, /* name is one that has this address */
	RDNS_PTR, /* it has a name, which has other addresses or none */
	RDNS_NONE,
	RDNS_UNSURE
};

struct rdns_fact {
	struct fact fact;
	enum rdns_value value;
	int64_t until_ms; /* monotonic: no waiting after this */
	bool has_failed; /* of some name it could not be told */
	char names[NAMES_MAX][256];
	size_t count, next;
};

/* What DNS lists say of a client's address. */
struct dnsbl_fact {
	struct fact fact;
	bool is_listed;
	char list[32], reply[64], text[160];
	char trouble[200]; /* of lists that cannot tell */
};

/* Things that a client may do so often a minute. */
enum rate { RATE_CONNECTIONS, RATE_MESSAGES, RATE_RCPTS, RATE_COUNT };

struct check_client {
	struct ip ip;
	char ip_text[IP_TEXT_SIZE];
	char *helo;
	struct ip local;
	bool is_early;
	bool is_dry;
	struct rdns_fact rdns;
	struct dnsbl_fact dnsbl;
	struct name_fact helo_name; /* whether HELO's name is in DNS */
};

struct check_mail {
	struct check_client *client;
	char *sender;
	const char *domain; /* in sender, "" for the null sender */
	struct name_fact sender_domain;
	struct {
		struct fact fact;
		unsigned result; /* enum spf_result */
		char line[640]; /* for the commit */
		char text[200];
	} spf;
	bool is_rated; /* it counts as a message of the client */
};

/* What is found, for the log and the reply. */
__attribute__((format(printf, 2, 3))) void check_detail(struct check_run *r,
							const char *fmt, ...);

/* check_ask.c: asks for SPF, once a mail; false while it is waited for. */
bool check_spf_is_known(struct check_mail *m);

/* check_rdns.c */
void rdns_release(struct rdns_fact *f);

/*
 * check_rate.c: whether the client has had as many as max a minute of
 * something; counts one more if not, unless it is only looked at.
 */
bool rate_is_over(const struct ip *client, enum rate what, int64_t max,
		  int64_t now_ms, bool is_dry);
void rate_clear(void);

#define CHECK_ROW(name, ...) \
	enum check_result check_##name(struct check_run *r);
#include "checks.def"
#undef CHECK_ROW

#endif
