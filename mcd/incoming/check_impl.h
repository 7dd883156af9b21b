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

#define CHECK_DNS_MS 10000 /* for one question */

/* Who passes a check without it. */
#define EX_POSTMASTER 1
#define EX_RELAY 2
#define EX_PEER 4
#define EX_OWN 8 /* senders of a domain of ours */

/* Something that a client or a mail is found to be. */
struct fact {
	enum { FACT_NEW, FACT_ASKED, FACT_KNOWN } state;
	struct list runs; /* that wait for it */
	uint32_t token; /* of the question that is out, 0: none */
};

void fact_init(struct fact *f);
/* Nobody waits for it any more. */
void fact_release(struct fact *f);
/* Has the run come again when it is known; returns CHECK_WAIT. */
enum check_result fact_wait(struct fact *f, struct check_run *r);
/* Those that wait go on, at the loop's next turn. */
void fact_known(struct fact *f);

/* Asks lookup under the fact's token; false when it is not there. */
bool fact_ask_dns(struct fact *f, const char *name, unsigned type,
		  peer_reply_fn *fn, void *arg);
/* Records of a dns_reply, one after the other; false at the end. */
bool dns_next(struct span records, size_t *at, struct span *rdata);
/* A wire name as text without its last dot; -1 when it is damaged. */
int dns_name(struct span wire, char *dst, size_t size);

enum sender_domain {
	SENDER_EXISTS,
	SENDER_NONE, /* no such domain, or no server of it */
	SENDER_NULL_MX, /* RFC 7505 */
	SENDER_UNSURE
};

struct check_client {
	struct ip ip;
	char ip_text[IP_TEXT_SIZE];
	char *helo;
	bool is_dry;
};

struct check_mail {
	struct check_client *client;
	char *sender;
	const char *domain; /* in sender, "" for the null sender */
	struct {
		struct fact fact;
		enum sender_domain value;
		unsigned type; /* that is being asked for */
	} sender_domain;
};

/* What is found, for the log and the reply. */
__attribute__((format(printf, 2, 3))) void check_detail(struct check_run *r,
							const char *fmt, ...);

/* check_sender.c */
void check_sender_init(struct check_mail *m);
void check_sender_release(struct check_mail *m);

#define CHECK_ROW(name, ...) \
	enum check_result check_##name(struct check_run *r);
#include "checks.def"
#undef CHECK_ROW

#endif
