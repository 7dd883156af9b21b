/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The table of checks and its runner: what is asked, in which order, and
 * what comes of each answer and of none.  The peers are this test.
 */
#include "checks.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "check_impl.h"
#include "role.h"
#include "str.h"

#define ASKS_MAX 16

static struct {
	bool is_down; /* nobody can be asked */
	struct {
		peer_reply_fn *fn; /* NULL: answered or forgotten */
		void *arg;
		char words[300];
	} asks[ASKS_MAX];
	unsigned asked, open;
	char said[600]; /* what came of the run */
	bool was_late;
	unsigned calls;
} w;

peer_id
peer_of(enum role r)
{
	return w.is_down ? 0 : (peer_id)r;
}

uint32_t
peer_ask(peer_id p, enum frame_type type, const void *body, int fd,
	 int64_t timeout_ms, peer_reply_fn *fn, void *arg)
{
	const struct frame_dns_ask *dns = body;

	if (p == 0)
		return 0;
	if (w.asked >= ASKS_MAX || fd != -1 || timeout_ms <= 0)
		abort();
	w.asks[w.asked].fn = fn;
	w.asks[w.asked].arg = arg;
	if (type == FRAME_dns_ask)
		str_fmt(w.asks[w.asked].words, sizeof(w.asks[0].words), "%s %u",
			dns->name, dns->type);
	w.asked++;
	w.open++;
	return w.asked;
}

void
peer_forget(uint32_t token)
{
	if (token == 0 || token > w.asked || w.asks[token - 1].fn == NULL)
		abort();
	w.asks[token - 1].fn = NULL;
	w.open--;
}

struct stats *
role_stats(void)
{
	return NULL;
}

const char *
role_hostname(void)
{
	return "gw.example";
}

static void
answer(unsigned n, uint32_t rcode, struct span records)
{
	struct frame_dns_reply b = { .rcode = rcode, .records = records };
	struct frame f = { .fd = -1, .body = &b };
	peer_reply_fn *fn = w.asks[n].fn;

	if (fn == NULL)
		abort();
	w.asks[n].fn = NULL;
	w.open--;
	fn(w.asks[n].arg, rcode == 99 ? NULL : &f);
}

static void
on_done(void *arg, const struct session_reply *r, bool was_late)
{
	(void)arg;
	w.calls++;
	w.was_late = was_late;
	if (r == NULL)
		str_copy(w.said, sizeof(w.said), "passes");
	else
		str_fmt(w.said, sizeof(w.said), "%d %s %s", r->code,
			r->enhanced, r->text);
}

const struct knobs *
role_knobs(void)
{
	return NULL;
}

static void
stop_loop(void *arg)
{
	(void)arg;
	loop_stop();
}

/* What was put off to the loop happens. */
static void
turn(void)
{
	struct timer t = { 0 };

	timer_init(&t, stop_loop, NULL);
	timer_set(&t, 1);
	loop_run();
	timer_release(&t);
}

static struct knobs knobs;
static struct check_client *client;
static struct check_mail *mail;
static struct check_rcpt rcpt;
static unsigned taken;
static struct check_run run;

static void
begin(const char *sender)
{
	struct check_who who = { 0 };

	memset(&w, 0, sizeof(w));
	(void)ip_parse("192.0.2.1", &who.ip, NULL);
	client = check_client_new(&who);
	check_client_helo(client, "c.example");
	mail = check_mail_new(client, sender);
	knobs_default(&knobs);
	taken = 0;
	rcpt = (struct check_rcpt){ .given = "r@ours.example",
				    .canonical = "r@ours.example",
				    .text = "",
				    .status = RCPT_OK,
				    .taken = &taken };
	run = (struct check_run){ .client = client,
				  .mail = mail,
				  .rcpt = &rcpt,
				  .knobs = &knobs,
				  .stage = CHECK_RCPT,
				  .done = on_done };
}

static void
end(void)
{
	check_stop(&run);
	check_mail_free(mail);
	check_client_free(client);
	CHECK_INT(w.open, 0, "no question is left open");
}

#define MX SPAN_LIT("\x0a\0\0\x0a\2mx\4host\0")
#define NULL_MX SPAN_LIT("\3\0\0\0\0")
#define TWO_MX SPAN_LIT("\3\0\0\0\0\x0a\0\0\x0a\2mx\4host\0")
#define SHORT_MX SPAN_LIT("\2\0\0\0")
#define NONE ((struct span){ "", 0 })
#define DOWN 99
#define TAIL "; postmaster@ours.example helps"

static const struct {
	const char *words;
	struct {
		uint32_t rcode;
		struct span records;
	} answers[4];
	unsigned asks;
	const char *last; /* question */
	const char *said;
} senders[] = {
	{ "an MX is enough", { { 0, MX } }, 1, "b.example 15", "passes" },
	{ "no such name: nothing more is asked",
	  { { 3, NONE } },
	  1,
	  "b.example 15",
	  "550 5.1.8 Sender's domain does not exist" TAIL },
	{ "a null MX",
	  { { 0, NULL_MX } },
	  1,
	  "b.example 15",
	  "550 5.7.27 Sender's domain takes no mail (null MX)" TAIL },
	{ "a null MX beside another is none",
	  { { 0, TWO_MX } },
	  1,
	  "b.example 15",
	  "passes" },
	{ "a record cut short is a record",
	  { { 0, SHORT_MX } },
	  1,
	  "b.example 15",
	  "passes" },
	{ "an A", { { 0, NONE }, { 0, MX } }, 2, "b.example 1", "passes" },
	{ "an AAAA",
	  { { 0, NONE }, { 0, NONE }, { 0, MX } },
	  3,
	  "b.example 28",
	  "passes" },
	{ "none of the three",
	  { { 0, NONE }, { 0, NONE }, { 0, NONE } },
	  3,
	  "b.example 28",
	  "550 5.1.8 Sender's domain does not exist" TAIL },
	{ "a failure",
	  { { 2, NONE } },
	  1,
	  "b.example 15",
	  "451 4.4.3 Sender's domain cannot be looked up now, try again "
	  "later" TAIL },
	{ "a failure after no MX",
	  { { 0, NONE }, { 2, NONE } },
	  2,
	  "b.example 1",
	  "451 4.4.3 Sender's domain cannot be looked up now, try again "
	  "later" TAIL },
	{ "lookup goes away",
	  { { 0, NONE }, { 0, NONE }, { DOWN, NONE } },
	  3,
	  "b.example 28",
	  "451 4.4.3 Sender's domain cannot be looked up now, try again "
	  "later" TAIL },
};

static void
test_sender(void)
{
	for (size_t i = 0; i < sizeof(senders) / sizeof(*senders); i++) {
		begin("a@B.example");
		check_start(&run);
		for (unsigned n = 0; n < senders[i].asks && n < w.asked; n++)
			answer(n, senders[i].answers[n].rcode,
			       senders[i].answers[n].records);
		CHECK_INT(w.calls, 0, "%s: said from the loop",
			  senders[i].words);
		turn();
		CHECK_STR(w.said, senders[i].said, "%s", senders[i].words);
		CHECK(w.was_late && w.calls == 1, "once");
		CHECK_INT(w.asked, senders[i].asks, "after so many questions");
		CHECK_STR(w.asks[w.asked - 1].words, senders[i].last,
			  "of which this is the last");
		/* Another recipient of the mail. */
		check_start(&run);
		CHECK(w.calls == 2 && !w.was_late && w.asked == senders[i].asks,
		      "the next recipient needs none");
		end();
	}
}

static void
test_nobody(void)
{
	begin("a@b.example");
	w.is_down = true;
	check_start(&run);
	CHECK_STR(w.said,
		  "451 4.4.3 Sender's domain cannot be looked up now, try "
		  "again later" TAIL,
		  "without lookup it is later");
	CHECK(!w.was_late, "at once");
	knobs.sender_domain_unsure = UNSURE_ACCEPT;
	check_start(&run);
	CHECK_STR(w.said, "passes", "or it passes, as the knob says");
	end();
}

static void
test_stop(void)
{
	begin("a@b.example");
	check_start(&run);
	check_stop(&run);
	check_stop(&run);
	check_mail_free(mail);
	mail = NULL;
	CHECK(w.open == 0 && w.calls == 0,
	      "a run that is stopped is not heard of, nor its question");
	end();
	begin("a@b.example");
	check_start(&run);
	answer(0, 0, MX);
	check_stop(&run);
	turn();
	CHECK_INT(w.calls, 0, "also when its answer is there already");
	end();
}

static const struct {
	const char *words, *sender, *given, *canonical;
	unsigned status, flags, taken;
	const char *said;
} rcpts[] = {
	{ "a recipient of ours", "", "r@ours.example", "r@ours.example",
	  RCPT_OK, 0, 0, "passes" },
	{ "not ours", "", "r@b.example", "", RCPT_NOT_OURS, 0, 0,
	  "550 5.7.1 Relaying denied: mail for this domain is not taken here; "
	  "postmaster@gw.example helps" },
	{ "a second one of the null sender", "", "r@ours.example",
	  "r@ours.example", RCPT_OK, 0, 1,
	  "452 4.5.3 A notification has one recipient: send to the others "
	  "separately" TAIL },
	{ "and of a relay host's", "", "r@ours.example", "r@ours.example",
	  RCPT_OK, RCPT_FROM_RELAY, 1, "passes" },
	{ "a second one of another", "a@[192.0.2.1]", "r@ours.example",
	  "r@ours.example", RCPT_OK, 0, 1, "passes" },
	{ "not in the list", "", "r@ours.example", "r@ours.example",
	  RCPT_UNKNOWN, 0, 0, "550 5.1.1 No such recipient here" TAIL },
	{ "not in the list, from a relay host", "", "r@ours.example",
	  "r@ours.example", RCPT_UNKNOWN, RCPT_FROM_RELAY, 0,
	  "550 5.1.1 No such recipient here" TAIL },
	{ "postmaster is in no list", "", "postMASTER", "postmaster@d.example",
	  RCPT_UNKNOWN, 0, 0, "passes" },
	{ "nor is abuse", "", "Abuse@d.example", "Abuse@d.example",
	  RCPT_UNKNOWN, 0, 0, "passes" },
	{ "abuser is another", "", "abuser@ours.example", "abuser@ours.example",
	  RCPT_UNKNOWN, 0, 0, "550 5.1.1 No such recipient here" TAIL },
	{ "a sender of ours is not looked up", "a@ours.example",
	  "r@ours.example", "r@ours.example", RCPT_OK, RCPT_FROM_OWN, 0,
	  "passes" },
	{ "nor that of a relay host", "a@b.example", "r@c.example", "", RCPT_OK,
	  RCPT_FROM_RELAY, 0, "passes" },
	{ "nor that of a mail to postmaster", "a@b.example",
	  "postmaster@ours.example", "postmaster@ours.example", RCPT_OK, 0, 0,
	  "passes" },
	{ "a sender whose domain is none", "a@b..example", "r@ours.example",
	  "r@ours.example", RCPT_OK, 0, 0,
	  "550 5.1.8 Sender's domain does not exist" TAIL },
};

static void
test_rcpts(void)
{
	for (size_t i = 0; i < sizeof(rcpts) / sizeof(*rcpts); i++) {
		begin(rcpts[i].sender);
		knobs.rcpt_check = RCPT_CHECK_LIST;
		rcpt.given = rcpts[i].given;
		rcpt.canonical = rcpts[i].canonical;
		rcpt.status = rcpts[i].status;
		rcpt.flags = rcpts[i].flags;
		taken = rcpts[i].taken;
		check_start(&run);
		CHECK_STR(w.said, rcpts[i].said, "%s", rcpts[i].words);
		CHECK_INT(w.asked, 0, "and DNS is not asked");
		end();
	}
}

#define PTR SPAN_LIT("\x0e\0\4host\7example\0")
#define TWO_PTR SPAN_LIT("\x0e\0\4host\7example\0\x0f\0\5other\7example\0")
#define BAD_PTR SPAN_LIT("\x0c\0\4h\nst\5examp\0")
#define RIGHT_A SPAN_LIT("\4\0\1\2\3\4\4\0\xc0\0\2\1")
#define WRONG_A SPAN_LIT("\4\0\1\2\3\4")
#define NO_PTR "550 5.7.25 Client's address has no name in DNS" TAIL
#define NOT_SAME \
	"550 5.7.25 Client's name in DNS does not have its address" TAIL

/* Checks whose facts are asked of DNS. */
static const struct {
	const char *words, *helo;
	enum rdns_check rdns;
	enum helo_check helo_check;
	struct {
		uint32_t rcode;
		struct span records;
	} answers[4];
	unsigned asks;
	const char *first, *said, *name;
} facts[] = {
	{ "an address with a name that has it",
	  "c",
	  RDNS_CHECK_FCRDNS,
	  HELO_CHECK_NONE,
	  { { 0, PTR }, { 0, RIGHT_A } },
	  2,
	  "1.2.0.192.in-addr.arpa 12",
	  "passes",
	  "host.example" },
	{ "the second name has it",
	  "c",
	  RDNS_CHECK_FCRDNS,
	  HELO_CHECK_NONE,
	  { { 0, TWO_PTR }, { 0, WRONG_A }, { 0, RIGHT_A } },
	  3,
	  "1.2.0.192.in-addr.arpa 12",
	  "passes",
	  "other.example" },
	{ "no name, where one is enough",
	  "c",
	  RDNS_CHECK_PTR,
	  HELO_CHECK_NONE,
	  { { 3, NONE } },
	  1,
	  "1.2.0.192.in-addr.arpa 12",
	  NO_PTR,
	  "" },
	{ "a name of bytes that no name has",
	  "c",
	  RDNS_CHECK_PTR,
	  HELO_CHECK_NONE,
	  { { 0, BAD_PTR } },
	  1,
	  "1.2.0.192.in-addr.arpa 12",
	  NO_PTR,
	  "" },
	{ "a name of another address, where it is enough",
	  "c",
	  RDNS_CHECK_PTR,
	  HELO_CHECK_NONE,
	  { { 0, PTR }, { 0, WRONG_A } },
	  2,
	  "1.2.0.192.in-addr.arpa 12",
	  "passes",
	  "" },
	{ "a name of another address, where it is not",
	  "c",
	  RDNS_CHECK_FCRDNS,
	  HELO_CHECK_NONE,
	  { { 0, PTR }, { 0, WRONG_A } },
	  2,
	  "1.2.0.192.in-addr.arpa 12",
	  NOT_SAME,
	  "" },
	{ "DNS fails for the address: nobody is refused",
	  "c",
	  RDNS_CHECK_FCRDNS,
	  HELO_CHECK_NONE,
	  { { 2, NONE } },
	  1,
	  "1.2.0.192.in-addr.arpa 12",
	  "passes",
	  "" },
	{ "nor when it fails for the name",
	  "c",
	  RDNS_CHECK_FCRDNS,
	  HELO_CHECK_NONE,
	  { { 0, PTR }, { DOWN, NONE } },
	  2,
	  "1.2.0.192.in-addr.arpa 12",
	  "passes",
	  "" },
	{ "a HELO that is in DNS",
	  "mx.C.example",
	  RDNS_CHECK_NONE,
	  HELO_CHECK_RESOLVES,
	  { { 0, NONE }, { 0, RIGHT_A } },
	  2,
	  "mx.c.example 15",
	  "passes",
	  "" },
	{ "a HELO that is not",
	  "mx.c.example",
	  RDNS_CHECK_NONE,
	  HELO_CHECK_RESOLVES,
	  { { 3, NONE } },
	  1,
	  "mx.c.example 15",
	  "550 5.7.1 HELO name is not in DNS" TAIL,
	  "" },
	{ "a HELO that DNS cannot tell of",
	  "mx.c.example",
	  RDNS_CHECK_NONE,
	  HELO_CHECK_RESOLVES,
	  { { 2, NONE } },
	  1,
	  "mx.c.example 15",
	  "passes",
	  "" },
};

static void
test_facts(void)
{
	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		begin("");
		check_client_helo(client, facts[i].helo);
		knobs.rdns_check = facts[i].rdns;
		knobs.helo_check = facts[i].helo_check;
		check_start(&run);
		for (unsigned n = 0; n < facts[i].asks && n < w.asked; n++)
			answer(n, facts[i].answers[n].rcode,
			       facts[i].answers[n].records);
		turn();
		CHECK_STR(w.said, facts[i].said, "%s", facts[i].words);
		CHECK_INT(w.asked, facts[i].asks, "after so many questions");
		CHECK_STR(w.asks[0].words, facts[i].first, "the first of them");
		CHECK_STR(check_client_name(client), facts[i].name,
			  "and the name for Received");
		end();
	}
}

#define NOT_NAME "550 5.7.1 HELO name is not a host's name" TAIL
#define NOT_FULL "550 5.7.1 HELO name is not a full name (with its domain)" TAIL
#define OWN "550 5.7.1 HELO has our own name or address" TAIL

static const struct {
	const char *words, *helo;
	enum helo_check check;
	const char *said;
} helos[] = {
	{ "a name", "c.example", HELO_CHECK_FQDN, "passes" },
	{ "a name without a domain", "localhost", HELO_CHECK_FQDN, NOT_FULL },
	{ "a name without a domain, where that will do", "localhost",
	  HELO_CHECK_SYNTAX, "passes" },
	{ "an address literal", "[192.0.2.7]", HELO_CHECK_RESOLVES, "passes" },
	{ "one with IPv6", "[IPv6:2001:db8::7]", HELO_CHECK_RESOLVES,
	  "passes" },
	{ "brackets around something else", "[c.example]", HELO_CHECK_SYNTAX,
	  NOT_NAME },
	{ "an address without brackets", "192.0.2.7", HELO_CHECK_FQDN,
	  NOT_FULL },
	{ "words", "not a name", HELO_CHECK_SYNTAX, NOT_NAME },
	{ "nothing", "", HELO_CHECK_SYNTAX, NOT_NAME },
	{ "nothing, where nothing is checked", "", HELO_CHECK_NONE, "passes" },
	{ "our own name", "GW.example", HELO_CHECK_NONE, OWN },
	{ "our own address", "[192.0.2.9]", HELO_CHECK_NONE, OWN },
	{ "our own address, bare", "192.0.2.9", HELO_CHECK_NONE, OWN },
};

static void
test_helo(void)
{
	for (size_t i = 0; i < sizeof(helos) / sizeof(*helos); i++) {
		begin("");
		(void)ip_parse("192.0.2.9", &client->local, NULL);
		knobs.helo_own_refuse = 1;
		knobs.helo_check = helos[i].check;
		check_client_helo(client, helos[i].helo);
		check_start(&run);
		CHECK_STR(w.said, helos[i].said, "HELO with %s",
			  helos[i].words);
		end();
	}
	begin("");
	(void)ip_parse("127.0.0.1", &client->ip, NULL);
	knobs.helo_own_refuse = 1;
	check_client_helo(client, "gw.example");
	check_start(&run);
	CHECK_STR(w.said, "passes", "this host may say its own name");
	end();
	begin("");
	client->is_early = true;
	check_start(&run);
	CHECK_STR(w.said, "passes", "one that spoke first may");
	knobs.early_talker_refuse = 1;
	check_start(&run);
	CHECK_STR(w.said,
		  "554 5.7.1 You spoke before our greeting (RFC 5321 section "
		  "4.3.1)" TAIL,
		  "unless the knob says no");
	rcpt.flags = RCPT_FROM_RELAY;
	check_start(&run);
	CHECK_STR(w.said, "passes", "or it is a relay host");
	end();
	begin("a@ours.example");
	knobs.own_sender_refuse = 1;
	rcpt.flags = RCPT_FROM_OWN;
	check_start(&run);
	CHECK_STR(w.said,
		  "550 5.7.1 Sender is of this organisation, but the client is "
		  "not" TAIL,
		  "a sender of ours from outside");
	rcpt.flags = RCPT_FROM_OWN | RCPT_FROM_RELAY;
	check_start(&run);
	CHECK_STR(w.said, "passes", "but from a relay host");
	end();
}

static void
test_rates(void)
{
	rate_clear();
	begin("");
	knobs.client_message_rate = 1;
	check_start(&run);
	check_start(&run);
	CHECK_STR(w.said, "passes", "a mail counts once");
	check_mail_free(mail);
	mail = run.mail = check_mail_new(client, "");
	check_start(&run);
	CHECK_STR(w.said,
		  "450 4.7.1 Too many messages a minute, try again later" TAIL,
		  "the next one is too many");
	knobs.client_message_rate = 0;
	knobs.client_rcpt_rate = 1;
	check_start(&run);
	check_start(&run);
	CHECK_STR(w.said,
		  "450 4.7.1 Too many recipients a minute, try again "
		  "later" TAIL,
		  "so is a second recipient");
	run.rcpt = NULL;
	run.mail = NULL;
	run.stage = CHECK_CONNECT;
	knobs.client_connection_rate = 1;
	check_start(&run);
	CHECK_STR(w.said, "passes", "a connection");
	check_start(&run);
	CHECK_STR(w.said,
		  "421 4.7.0 Too many connections a minute, try again later; "
		  "postmaster@gw.example helps",
		  "and one too many");
	rate_clear();
	end();
}

static char traced[2000];

static void
on_trace(void *arg, const struct check_row *row, enum check_result result,
	 const char *detail, const struct session_reply *r)
{
	static const char *const names[] = { "off",    "exempt",  "pass",
					     "refuse", "put off", "unsure",
					     "wait" };
	size_t len = strlen(traced);

	(void)arg, (void)detail;
	CHECK((r != NULL) == (result == CHECK_REFUSE),
	      "%s has a reply when it refuses", row->name);
	str_fmt(traced + len, sizeof(traced) - len, "%s %s; ", row->name,
		names[result]);
}

static void
test_trace(void)
{
	begin("");
	traced[0] = '\0';
	rcpt.status = RCPT_NOT_OURS;
	run.trace = on_trace;
	check_start(&run);
	CHECK(str_has_prefix(traced, "relaying refuse; "),
	      "a walk that is traced tells of each decision");
	CHECK(strstr(traced, "sender_domain pass; ") != NULL,
	      "and goes on to its end");
	CHECK_INT(w.calls, 1, "which is told once");
	end();
}

static void
test_table(void)
{
	for (size_t i = 0; i < check_row_count; i++) {
		const struct check_row *row = &check_rows[i];

		CHECK(row->knob[0] == '\0' ||
			      knob_find(row->knob, NULL) != NULL,
		      "%s: its knob is one", row->name);
		CHECK(row->code / 100 == row->enhanced[0] - '0' &&
			      row->later[0] == '4',
		      "%s: its codes fit together", row->name);
		CHECK(strlen(row->text) < 150, "%s: short enough", row->name);
	}
}

int
main(void)
{
	loop_init();
	test_table();
	test_sender();
	test_nobody();
	test_stop();
	test_rcpts();
	test_facts();
	test_helo();
	test_rates();
	test_trace();
	return check_done();
}
