/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * DNS questions against a small server of the test's own, which answers by
 * the first label of the name; resolver settings; damaged packets.
 */
#include <arpa/nameser.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "dns.h"
#include "loop.h"
#include "str.h"

#define QUESTION_AT 12 /* behind the header of a packet */
#define LIMIT_MS 20000

static void
put(struct buf *b, unsigned n)
{
	buf_add_char(b, (char)(n >> 8));
	buf_add_char(b, (char)(n & 0xff));
}

/* A record of the name that was asked for. */
static void
put_rr(struct buf *b, unsigned type, unsigned ttl, const char *rdata,
       size_t len)
{
	put(b, 0xc000 | QUESTION_AT);
	put(b, type);
	put(b, ns_c_in);
	put(b, 0);
	put(b, ttl);
	put(b, (unsigned)len);
	buf_add(b, rdata, len);
}

static const struct reply {
	const char *label;
	unsigned rcode;
	unsigned type;
	const char *rdata;
	size_t len;
	unsigned count;
} replies[] = {
	{ "v4", ns_r_noerror, ns_t_a, "\300\0\2\1", 4, 1 },
	{ "v6", ns_r_noerror, ns_t_aaaa, "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1",
	  16, 1 },
	/* 10, a label, then a pointer to the name that was asked for */
	{ "mx", ns_r_noerror, ns_t_mx, "\0\12\2m1\300\14", 7, 1 },
	{ "nullmx", ns_r_noerror, ns_t_mx, "\0\0\0", 3, 1 },
	{ "txt", ns_r_noerror, ns_t_txt, "\3abc\1d", 6, 1 },
	{ "nodata", ns_r_noerror, 0, "", 0, 0 },
	{ "nx", ns_r_nxdomain, 0, "", 0, 0 },
	{ "broken", ns_r_servfail, 0, "", 0, 0 },
	{ "refused", ns_r_refused, 0, "", 0, 0 },
};

#define REPLIES (sizeof(replies) / sizeof(replies[0]))

/* An alias of v4: a CNAME record, and the address behind it. */
static void
put_alias(struct buf *b)
{
	static const char target[] = "\2v4\7example";

	put_rr(b, ns_t_cname, 60, target, sizeof(target));
	buf_add(b, target, sizeof(target));
	put(b, ns_t_a);
	put(b, ns_c_in);
	put(b, 0);
	put(b, 300);
	put(b, 4);
	buf_add(b, "\300\0\2\1", 4);
}

static void
reply_to(int fd, const unsigned char *q, size_t len,
	 const struct sockaddr_in *from)
{
	const struct reply *r = NULL;
	struct buf b = { 0 };
	char label[64];
	size_t i, end = QUESTION_AT;
	unsigned count = 0;
	bool is_alias;

	str_fmt(label, sizeof(label), "%.*s", (int)q[QUESTION_AT],
		(const char *)q + QUESTION_AT + 1);
	str_lower(label);
	for (i = 0; i < REPLIES; i++)
		if (str_eq(replies[i].label, label))
			r = &replies[i];
	is_alias = str_eq(label, "alias");
	if (r == NULL && !is_alias)
		return; /* the silent one */
	while (end < len && q[end] != 0)
		end += (size_t)q[end] + 1;
	end += 5;
	if (is_alias)
		count = 2;
	else if (r->count > 0 && q[end - 3] == r->type)
		count = r->count;
	buf_add(&b, q, 2);
	put(&b, 0x8180 | (r != NULL ? r->rcode : 0));
	put(&b, 1);
	put(&b, count);
	put(&b, 0);
	put(&b, 0);
	buf_add(&b, q + QUESTION_AT, end - QUESTION_AT);
	if (is_alias)
		put_alias(&b);
	else if (count > 0)
		put_rr(&b, r->type, 300, r->rdata, r->len);
	(void)sendto(fd, b.data, b.len, 0, (const struct sockaddr *)from,
		     sizeof(*from));
	buf_release(&b);
}

static void
serve(int fd)
{
	for (;;) {
		unsigned char q[1500];
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, q, sizeof(q), 0,
				     (struct sockaddr *)&from, &len);

		if (n > QUESTION_AT + 5)
			reply_to(fd, q, (size_t)n, &from);
	}
}

static struct got {
	int calls;
	int rcode;
	uint32_t ttl;
	struct buf records;
} got;

static void
on_limit(void *arg)
{
	(void)arg;
	loop_stop();
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	(void)arg;
	got.calls++;
	got.rcode = a->rcode;
	got.ttl = a->ttl;
	buf_clear(&got.records);
	buf_add_span(&got.records, a->records);
	loop_stop();
}

/* Asks and waits; returns whether it was answered at once. */
static bool
ask(const char *name, unsigned type, int64_t timeout_ms)
{
	struct timer limit;
	bool at_once;

	got.calls = 0;
	dns_ask(name, type, timeout_ms, on_answer, NULL);
	at_once = got.calls > 0;
	timer_init(&limit, on_limit, NULL);
	timer_set(&limit, LIMIT_MS);
	if (!at_once)
		loop_run();
	timer_release(&limit);
	return at_once;
}

/* clang-format off */
static const struct row {
	const char *name;
	unsigned type;
	int rcode;
	const char *records;
	size_t len;
} rows[] = {
	{ "v4.example", ns_t_a, DNS_NOERROR, "\4\0\300\0\2\1", 6 },
	{ "v6.example", ns_t_aaaa, DNS_NOERROR,
	  "\20\0\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1", 18 },
	{ "v4.example", ns_t_aaaa, DNS_NOERROR, "", 0 },
	{ "mx.example", ns_t_mx, DNS_NOERROR,
	  "\21\0\0\12\2m1\2mx\7example\0", 19 },
	{ "nullmx.example", ns_t_mx, DNS_NOERROR, "\3\0\0\0\0", 5 },
	{ "txt.example", ns_t_txt, DNS_NOERROR, "\6\0\3abc\1d", 8 },
	{ "alias.example", ns_t_a, DNS_NOERROR, "\4\0\300\0\2\1", 6 },
	{ "nodata.example", ns_t_a, DNS_NOERROR, "", 0 },
	{ "nx.example", ns_t_a, DNS_NXDOMAIN, "", 0 },
	{ "broken.example", ns_t_a, DNS_SERVFAIL, "", 0 },
	{ "refused.example", ns_t_a, DNS_SERVFAIL, "", 0 },
	{ "not a name..example", ns_t_a, DNS_SERVFAIL, "", 0 },
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_rows(void)
{
	size_t i;
	int turn;

	for (turn = 0; turn < 2; turn++) {
		for (i = 0; i < ROWS; i++) {
			const struct row *r = &rows[i];
			const char *when = turn ? "again" : "first";

			ask(r->name, r->type, LIMIT_MS);
			CHECK_INT(got.calls, 1, "%s %u, %s: one answer",
				  r->name, r->type, when);
			CHECK_INT(got.rcode, r->rcode, "%s %u, %s: its code",
				  r->name, r->type, when);
			CHECK_INT(got.records.len, r->len,
				  "%s %u, %s: the length of its records",
				  r->name, r->type, when);
			if (got.records.len == r->len && r->len > 0)
				CHECK_MEM(got.records.data, r->records, r->len,
					  "%s %u, %s: its records", r->name,
					  r->type, when);
		}
	}
	CHECK(ask("v4.example", ns_t_a, LIMIT_MS),
	      "what is in the cache is answered at once");
	CHECK(got.ttl > 0 && got.ttl <= 300, "with what is left of its time");
	ask("alias.example", ns_t_a, LIMIT_MS);
	CHECK(got.ttl <= 60, "an answer lives as long as its shortest link");
	CHECK_INT(dns_pending(), 0, "nothing is pending");
}

static void
test_silence(void)
{
	int64_t start = clock_mono_ms();

	ask("silent.example", ns_t_a, 300);
	CHECK_INT(got.calls, 1, "a silent server: one answer");
	CHECK_INT(got.rcode, DNS_SERVFAIL, "that is a failure");
	CHECK(clock_mono_ms() - start < LIMIT_MS / 2, "within the deadline");
	CHECK_INT(dns_pending(), 0, "nothing is pending");
}

/* Another configuration while a question is open. */
static void
test_again(const struct dns_conf *c)
{
	struct dns_conf bad = { .forwarders = { "nonsense" },
				.forwarder_count = 1 };
	struct err e;

	got.calls = 0;
	dns_ask("silent.example", ns_t_a, LIMIT_MS, on_answer, NULL);
	CHECK(dns_init(&bad, &e) < 0 && got.calls == 0,
	      "a wrong configuration changes nothing");
	CHECK_INT(dns_init(c, &e), 0, "a right one is taken");
	CHECK(got.calls == 1 && got.rcode == DNS_SERVFAIL,
	      "what was under way fails");
	CHECK_INT(dns_pending(), 0, "nothing is pending");
	CHECK(!ask("v4.example", ns_t_a, LIMIT_MS), "the cache is empty");
	CHECK_INT(got.rcode, DNS_NOERROR, "and is filled again");
}

static void
test_conf(void)
{
	struct dns_conf c = { 0 };
	struct err e;

	CHECK_INT(dns_conf_setting(&c, "192.0.2.1@5353", &e), 0, "ADDR@PORT");
	CHECK_STR(c.forwarders[0], "192.0.2.1@5353", "is kept");
	CHECK_INT(dns_conf_setting(&c, "2001:db8::1", &e), 0, "ADDR alone");
	CHECK_STR(c.forwarders[1], "2001:db8::1@53", "gets port 53");
	CHECK_INT(dns_conf_setting(&c, "ns.example", &e), -1,
		  "a name is no address");
	CHECK_STR(e.text, "\"ns.example\": an address was expected",
		  "and that is said");
	CHECK_INT(dns_conf_setting(&c, "192.0.2.1@0", &e), -1, "a bad port");
	CHECK_INT(dns_conf_setting(&c, "", &e), -1, "nothing");
	CHECK_INT(c.forwarder_count, 2, "errors add nothing");

	memset(&c, 0, sizeof(c));
	dns_conf_resolv(&c, span_of("# a\nsearch x\nnameserver 192.0.2.1\n"
				    "nameserver\t2001:db8::1 \n"
				    "nameserver\nnameserver bad\n"
				    "nameserver 192.0.2.9"));
	CHECK_INT(c.forwarder_count, 3, "servers of a resolv.conf");
	CHECK_STR(c.forwarders[0], "192.0.2.1@53", "the first");
	CHECK_STR(c.forwarders[1], "2001:db8::1@53", "the second");
	CHECK_STR(c.forwarders[2], "192.0.2.9@53",
		  "the last, without a line end");
}

/* Every cut of a good packet, and every byte changed. */
static void
test_damage(void)
{
	static const char packet[] =
		"\0\1\201\200\0\1\0\1\0\0\0\0\2mx\7example\0\0\17\0\1"
		"\300\14\0\17\0\1\0\0\1\54\0\7\0\12\2m1\300\14";
	char bytes[sizeof(packet) - 1];
	struct buf records = { 0 };
	uint32_t ttl;
	size_t i;
	int rcode, v, bad = 0;

	CHECK_INT(dns_read_packet((struct span){ packet, sizeof(bytes) },
				  ns_t_mx, &records, &ttl, &rcode),
		  0, "a whole packet is read");
	CHECK_INT(ttl, 300, "with its time");
	for (i = 0; i < sizeof(bytes); i++) {
		buf_clear(&records);
		bad += dns_read_packet((struct span){ packet, i }, ns_t_mx,
				       &records, &ttl, &rcode) < 0;
	}
	CHECK_INT(bad, sizeof(bytes), "a cut one never is");
	for (i = 0; i < sizeof(bytes); i++) {
		for (v = 0; v < 256; v++) {
			memcpy(bytes, packet, sizeof(bytes));
			bytes[i] = (char)v;
			buf_clear(&records);
			(void)dns_read_packet(
				(struct span){ bytes, sizeof(bytes) }, ns_t_mx,
				&records, &ttl, &rcode);
			bad += records.len > 1000;
		}
	}
	CHECK_INT(bad, sizeof(bytes), "a changed one does no harm");
	buf_release(&records);
}

int
main(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct dns_conf c = { 0 };
	struct err e = { "" };
	pid_t pid;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) < 0)
		abort();
	pid = fork();
	if (pid == 0)
		serve(fd);
	close(fd);
	test_conf();
	test_damage();
	loop_init();
	str_fmt(c.forwarders[0], sizeof(c.forwarders[0]), "127.0.0.1@%u",
		(unsigned)ntohs(sin.sin_port));
	c.forwarder_count = 1;
	CHECK_INT(dns_init(&c, &e), 0, "a resolver is made %s", e.text);
	test_rows();
	test_silence();
	test_again(&c);
	buf_release(&got.records);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return check_done();
}
