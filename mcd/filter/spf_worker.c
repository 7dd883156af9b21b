/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One check at a time, in the jail of all workers: records come from
 * whoever sends mail, and libspf2 is old.
 */
#include "spf_worker.h"

#include <unistd.h>

#include "chan.h"
#include "file.h"
#include "jail.h"
#include "log.h"
#include "spf.h"
#include "str.h"
#include "worker_dns.h"

static struct worker_dns dns;

static int
check(struct chan *c, const struct frame *f)
{
	const struct frame_spf_ask *b = FRAME_BODY(f, spf_ask);
	struct dns_asker asker = worker_dns_asker(&dns);
	uint32_t token = f->token;
	/* The frame is gone with the first question. */
	char client[64], helo[257], sender[325];
	char text[SPF_TEXT_SIZE], line[SPF_TEXT_SIZE];
	struct frame_spf_reply reply = { .text = text, .line = line };
	struct spf s;
	struct ip ip;

	(void)str_copy(client, sizeof(client), b->client_ip);
	(void)str_copy(helo, sizeof(helo), b->helo);
	(void)str_copy(sender, sizeof(sender), b->sender);
	worker_dns_start(&dns, c, SPF_TIME_MS);
	if (ip_parse(client, &ip, NULL) < 0)
		ip = (struct ip){ .family = AF_INET };
	spf_check(&ip, helo, sender, &asker, &s);
	spf_explain(&s, client, text, sizeof(text));
	spf_write(&s, line, sizeof(line));
	reply.result = s.result;
	return dns.is_lost ? -1
			   : chan_send(c, FRAME_spf_reply, token, &reply, -1);
}

static int
serve(struct chan *c)
{
	struct frame f;
	struct err e;
	int rc = 0;

	while (rc == 0) {
		if (chan_wait(c, &f, -1, &e) < 0) {
			if (e.text[0] == '\0')
				return 0;
			log_error("pool: %s", e.text);
			return 76;
		}
		/* A late answer of DNS is nobody's. */
		if (f.type == FRAME_spf_ask)
			rc = check(c, &f);
		file_shut(&f.fd);
	}
	return 0;
}

void
spf_worker_run(int channel, bool has_jail, int64_t memory_max)
{
	static const struct frame_ready ready;
	struct chan *c = chan_new(channel, ROLE_WORKER, ROLE_FILTER);
	struct err e;

	log_open("mcd/spf", LOG_TO_STDERR, LOG_LEVEL_INFO);
	if (has_jail && jail_worker(NULL, memory_max, &e) != 0)
		fatal(77, "jail: %s", e.text);
	if (chan_send(c, FRAME_ready, 0, &ready, -1) != 0)
		_exit(76);
	_exit(serve(c));
}
