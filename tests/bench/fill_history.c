/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Makes a history.db of many messages, as months of mail leave it:
 * fill_history DIR COUNT.  Each has its events (accepted, judged, and what
 * became of it), senders and recipients of a few thousand domains, a client,
 * a Message-ID, and a subject of words of which some are in every tenth:
 * message N is to userN@rM.example (M: N modulo 3000), news@c0.example sends
 * a hundredth of all, and "zebraN" stands in the subject of N alone.
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "history.h"
#include "history_sql.h"
#include "spool.h"
#include "str.h"

#define BATCH 5000
#define WORDS 20000 /* different ones */
#define DOMAINS 3000
#define DAYS 60
#define DAY_US INT64_C(86400000000)

static uint64_t seed = 88172645463325252U;

static uint64_t
draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Some words are in every tenth subject, most in few. */
static void
subject_of(uint64_t n, char *dst, size_t size)
{
	size_t used = 0;

	for (int i = 0; i < 5; i++) {
		uint64_t word = draw(1 + draw(WORDS));

		str_fmt(dst + used, size - used, "word%llu ",
			(unsigned long long)word);
		used = strlen(dst);
	}
	str_fmt(dst + used, size - used, "zebra%llu", (unsigned long long)n);
}

/* What became of one that was accepted. */
static int
add_results(struct history *h, uint64_t n, const struct ledger_event *of,
	    struct err *e)
{
	static const char *const verdicts[] = { "ham", "ham", "spam" };
	struct ledger_event judged = { .at_us = of->at_us + 20000,
				       .verb = LEDGER_JUDGED,
				       .name = of->name,
				       .rcpt = of->rcpt,
				       .verdict = verdicts[n % 3],
				       .action = "deliver",
				       .score = (int64_t)draw(9000),
				       .threshold = 5000,
				       .fate = 1,
				       .explanation = "sum 1 5 ham deliver\n" };
	struct ledger_event done = { .at_us = of->at_us + 50000,
				     .verb = n % 3 == 2 ? LEDGER_QUARANTINED
							: LEDGER_DELIVERED,
				     .name = of->name,
				     .rcpt = of->rcpt,
				     .relay = "mx.example[192.0.2.9]:25",
				     .status = "250 2.0.0 ok",
				     .delay_ms = 50 };

	if (history_add(h, &judged, e) < 0)
		return -1;
	return history_add(h, &done, e);
}

static int
one_message(struct history *h, uint64_t n, int64_t at_us, struct err *e)
{
	struct id_parts id = { .wall_us = at_us,
			       .sequence = (unsigned)(n & 0xffff) };
	char name[ENVELOPE_NAME_SIZE];
	char rcpt[100], sender[100], client[40], message_id[100], subject[200];
	struct ledger_event ev = { .at_us = at_us,
				   .verb = LEDGER_ACCEPTED,
				   .name = name,
				   .rcpt = rcpt,
				   .sender = sender,
				   .source = "smtp",
				   .client = client,
				   .message_id = message_id,
				   .subject = subject,
				   .size = 2000 + draw(60000) };

	id_make(&id, name);
	str_fmt(rcpt, sizeof(rcpt), "user%llu@r%llu.example",
		(unsigned long long)n, (unsigned long long)(n % DOMAINS));
	str_fmt(sender, sizeof(sender), "news@c%llu.example",
		(unsigned long long)(n % 100 == 0 ? 0 : draw(DOMAINS)));
	str_fmt(client, sizeof(client), "192.0.%llu.%llu",
		(unsigned long long)draw(256), (unsigned long long)draw(256));
	str_fmt(message_id, sizeof(message_id), "<%llu@c.example>",
		(unsigned long long)n);
	subject_of(n, subject, sizeof(subject));
	if (history_add(h, &ev, e) < 0)
		return -1;
	return add_results(h, n, &ev, e);
}

static int
fill(struct history *h, uint64_t count, struct err *e)
{
	int64_t now_us = clock_wall_us();

	/* As a store that has months for it would not need to. */
	if (sqlite3_exec(h->db,
			 "PRAGMA synchronous = OFF; PRAGMA cache_size = "
			 "-300000; PRAGMA wal_autocheckpoint = 50000",
			 NULL, NULL, NULL) != SQLITE_OK)
		return history_error(h, e, "making it quick");
	for (uint64_t n = 0; n < count; n++) {
		int64_t ago_us = (int64_t)(DAYS * DAY_US * (double)(count - n) /
					   (double)count);

		if (n % BATCH == 0 && history_begin(h, e) < 0)
			return -1;
		if (one_message(h, n, now_us - ago_us, e) < 0)
			return -1;
		if ((n + 1 == count || n % BATCH == BATCH - 1) &&
		    history_commit(h, "", 0, e) < 0)
			return -1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct history *h = NULL;
	struct err e = { "" };
	uint64_t count;
	int result;

	if (argc != 3 || str_to_u64(argv[2], &count, &e) < 0) {
		fprintf(stderr, "usage: fill_history DIR COUNT\n");
		return 64;
	}
	result = history_open(argv[1], &h, &e);
	if (result == 0)
		result = fill(h, count, &e);
	history_close(h);
	if (result < 0)
		fprintf(stderr, "fill_history: %s\n", e.text);
	return result < 0;
}
