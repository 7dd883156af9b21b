/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * SPF for stage 1: the filter role as a process of its own, in its jail;
 * the test plays its parent, incoming and lookup.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chan.h"
#include "check.h"
#include "clock.h"
#include "file.h"
#include "log.h"
#include "pool.h"
#include "role.h"
#include "spf.h"
#include "str.h"
#include "worker_dns.h"

#define DEADLINE_MS 20000

static struct {
	pid_t pid;
	char dir[64];
	struct chan *parent, *incoming, *lookup;
	uint32_t token;
} pool;

static int
text_fd(const char *text)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	if (fd < 0 || file_write_all(fd, text, strlen(text)) != 0)
		fatal(71, "memfd");
	return fd;
}

static void
tell(struct chan *c, enum frame_type type, uint32_t token, const void *body,
     int fd)
{
	if (chan_send(c, type, token, body, fd) != 0)
		fatal(71, "%s", chan_error(c));
}

static struct chan *
pair(enum role r, int *other)
{
	struct err e;
	int fd[2];

	if (chan_pair(fd, &e) != 0)
		fatal(71, "%s", e.text);
	*other = fd[1];
	return chan_new(fd[0], r, ROLE_FILTER);
}

static void
tell_start(void)
{
	struct frame_conf conf = { .generation = 1 };
	struct frame_stats_map map = { .size = stats_size() };
	struct frame_peer incoming = { .role = ROLE_INCOMING };
	struct frame_peer lookup = { .role = ROLE_LOOKUP };
	struct frame_start_done done = { .generation = 1 };
	struct err e;
	char text[512];
	int fd;

	str_fmt(text, sizeof(text),
		"log = { target = \"stderr\"; level = \"error\"; };\n"
		"paths = { run = \"%s\"; };\n"
		"users = { scan = \"nobody\"; };\n"
		"clamav = { dir = \"\"; third_party = \"\"; };\n"
		"workers = 1;\nspf_workers = 1;\n"
		"listeners = ( { name = \"smtp\"; "
		"address = \"127.0.0.1:25\"; } );\n",
		pool.dir);
	tell(pool.parent, FRAME_conf, 0, &conf, text_fd(text));
	fd = text_fd("");
	if (stats_create(fd, &e) != 0)
		fatal(71, "%s", e.text);
	tell(pool.parent, FRAME_stats_map, 0, &map, fd);
	pool.incoming = pair(ROLE_INCOMING, &fd);
	tell(pool.parent, FRAME_peer, 0, &incoming, fd);
	pool.lookup = pair(ROLE_LOOKUP, &fd);
	tell(pool.parent, FRAME_peer, 0, &lookup, fd);
	tell(pool.parent, FRAME_start_done, 0, &done, -1);
}

static void
pool_start(void)
{
	char path[80];
	int fd;

	str_copy(pool.dir, sizeof(pool.dir), "/tmp/mcgate-spf.XXXXXX");
	if (mkdtemp(pool.dir) == NULL || chmod(pool.dir, 0755) != 0)
		fatal(71, "%s", pool.dir);
	str_fmt(path, sizeof(path), "%s/scan", pool.dir);
	if (mkdir(path, 0755) != 0)
		fatal(71, "%s", path);
	str_fmt(path, sizeof(path), "%s/scan/tmp", pool.dir);
	if (mkdir(path, 0700) != 0 || chmod(path, 01777) != 0)
		fatal(71, "%s", path);
	pool.parent = pair(ROLE_PARENT, &fd);
	fflush(stdout);
	pool.pid = fork();
	if (pool.pid == 0) {
		if (dup2(fd, ROLE_PARENT_FD) < 0 ||
		    close_range(ROLE_PARENT_FD + 1, ~0u, 0) != 0)
			_exit(71);
		role_run(&filter_ops);
	}
	close(fd);
	tell_start();
}

static void
pool_end(void)
{
	char path[80];
	int status = -1;

	chan_free(pool.parent);
	chan_free(pool.incoming);
	chan_free(pool.lookup);
	CHECK(waitpid(pool.pid, &status, 0) == pool.pid && status == 0,
	      "it ends with its parent, with 0");
	str_fmt(path, sizeof(path), "%s/scan/tmp", pool.dir);
	rmdir(path);
	str_fmt(path, sizeof(path), "%s/scan", pool.dir);
	rmdir(path);
	rmdir(pool.dir);
}

static uint32_t
ask(const char *client, const char *helo, const char *sender)
{
	struct frame_spf_ask body = { client, helo, sender };

	tell(pool.incoming, FRAME_spf_ask, ++pool.token, &body, -1);
	return pool.token;
}

struct result {
	uint32_t token;
	uint32_t result; /* 99: no answer */
	struct spf spf;
	char text[640];
};

static struct result
reply(void)
{
	struct result r = { .result = 99 };
	const struct frame_spf_reply *b;
	struct frame f;
	struct err e;

	if (chan_wait(pool.incoming, &f, DEADLINE_MS, &e) != 1 ||
	    f.type != FRAME_spf_reply)
		return r;
	b = FRAME_BODY(&f, spf_reply);
	r.token = f.token;
	r.result = b->result;
	str_copy(r.text, sizeof(r.text), b->text);
	(void)spf_read(b->line, &r.spf);
	return r;
}

/* The next question to DNS; "" when there is none in time. */
static const char *
question(uint32_t *token, uint32_t *type)
{
	static char name[300];
	struct frame f;
	struct err e;

	name[0] = '\0';
	if (chan_wait(pool.lookup, &f, DEADLINE_MS, &e) != 1 ||
	    f.type != FRAME_dns_ask)
		return name;
	*token = f.token;
	*type = FRAME_BODY(&f, dns_ask)->type;
	str_copy(name, sizeof(name), FRAME_BODY(&f, dns_ask)->name);
	return name;
}

/* With a TXT record, or with rcode alone when text is NULL. */
static void
answer(uint32_t token, uint32_t rcode, const char *text)
{
	struct frame_dns_reply b = { .rcode = rcode };
	struct buf records = { 0 };
	size_t len = text != NULL ? strlen(text) : 0;

	if (text != NULL) {
		buf_add(&records, (char[]){ (char)(len + 1), 0, (char)len }, 3);
		buf_add(&records, text, len);
	}
	b.records = buf_span(&records);
	tell(pool.lookup, FRAME_dns_reply, token, &b, -1);
	buf_release(&records);
}

static void
test_results(void)
{
	static const struct {
		const char *words, *client, *helo, *sender;
		const char *asked; /* "" nothing */
		uint32_t rcode;
		const char *record; /* NULL: none */
		enum spf_result result;
		const char *text;
	} rows[] = {
		{ "a sender that may", "192.0.2.1", "h.example",
		  "a@from.example", "from.example", 0,
		  "v=spf1 ip4:192.0.2.0/24 -all", SPF_PASS,
		  "from.example lets its mail be sent by 192.0.2.1 "
		  "(ip4:192.0.2.0/24)" },
		{ "a sender that may not", "2001:db8::1", "h.example",
		  "a@from.example", "from.example", 0,
		  "v=spf1 ip4:192.0.2.0/24 -all", SPF_FAIL,
		  "from.example does not let its mail be sent by 2001:db8::1 "
		  "(-all)" },
		{ "the null sender", "192.0.2.1", "helo.example", "",
		  "helo.example", 0, "v=spf1 ~all", SPF_SOFTFAIL,
		  "helo.example does not expect its mail from 192.0.2.1 "
		  "(~all)" },
		{ "a domain without a record", "192.0.2.1", "h.example",
		  "a@from.example", "from.example", 3, NULL, SPF_NONE,
		  "from.example: no SPF record" },
		{ "DNS that fails", "192.0.2.1", "h.example", "a@from.example",
		  "from.example", 2, NULL, SPF_TEMPERROR,
		  "from.example: DNS does not answer: from.example" },
		{ "no domain at all", "192.0.2.1", "h", "", "", 0, NULL,
		  SPF_NONE, "the sender: no domain to ask for" },
		{ "loopback, which is nobody special", "127.0.0.1", "h.example",
		  "a@from.example", "from.example", 0, "v=spf1 -all", SPF_FAIL,
		  "from.example does not let its mail be sent by 127.0.0.1 "
		  "(-all)" },
	};
	struct result r;
	uint32_t token, type = 0;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ask(rows[i].client, rows[i].helo, rows[i].sender);
		if (rows[i].asked[0] != '\0') {
			CHECK_STR(question(&token, &type), rows[i].asked,
				  "%s: its domain is asked", rows[i].words);
			CHECK_INT(type, 16, "%s: for TXT", rows[i].words);
			answer(token, rows[i].rcode, rows[i].record);
		}
		r = reply();
		CHECK_INT(r.token, pool.token, "%s: answered", rows[i].words);
		CHECK_INT(r.result, rows[i].result, "%s: result",
			  rows[i].words);
		CHECK_STR(r.text, rows[i].text, "%s: in words", rows[i].words);
		CHECK_INT(r.spf.result, rows[i].result,
			  "%s: the line says the same", rows[i].words);
	}
}

static void
test_line(void)
{
	uint32_t first, second, token, type;
	struct result r;

	first = ask("192.0.2.1", "h.example", "a@one.example");
	second = ask("192.0.2.1", "h.example", "a@two.example");
	CHECK_STR(question(&token, &type), "one.example",
		  "the one worker takes the first");
	answer(token, 0, "v=spf1 +all");
	CHECK_INT(reply().token, first, "which is answered");
	CHECK_STR(question(&token, &type), "two.example", "then the second");
	answer(token, 0, "v=spf1 -all");
	r = reply();
	CHECK(r.token == second && r.result == SPF_FAIL, "and so is that");
}

/* A record that asks without end: it includes ever deeper. */
static void
test_limit(void)
{
	uint32_t token, type;
	struct result r;
	char record[80];
	int i;

	ask("192.0.2.1", "h.example", "a@n0.example");
	for (i = 0; i <= 10; i++) {
		if (question(&token, &type)[0] == '\0')
			break;
		str_fmt(record, sizeof(record), "v=spf1 include:n%d.example",
			i + 1);
		answer(token, 0, record);
	}
	r = reply();
	CHECK(i == 11 && r.result == SPF_PERMERROR,
	      "more than 10 lookups are a permerror: %s", r.text);
}

/* The pid of the process that checks. */
static pid_t
worker(void)
{
	char path[64], line[400];
	pid_t pid, parent;
	FILE *f;
	int i;

	str_fmt(path, sizeof(path), "/proc/%ld/task/%ld/children",
		(long)pool.pid, (long)pool.pid);
	f = fopen(path, "r");
	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	if (f != NULL)
		fclose(f);
	/* The scanner was forked first. */
	parent = (pid_t)strtol(line, NULL, 10);
	for (i = 0; line[i] != '\0' && line[i] != ' '; i++)
		;
	pid = (pid_t)strtol(line + i, NULL, 10);
	return parent > 0 ? pid : 0;
}

static void
test_death(void)
{
	uint32_t token, type;
	struct result r;
	pid_t pid = worker();

	ask("192.0.2.1", "h.example", "a@dies.example");
	CHECK(pid > 0 && question(&token, &type)[0] != '\0',
	      "a check is under way");
	if (pid > 0)
		kill(pid, SIGKILL);
	r = reply();
	CHECK_INT(r.result, SPF_TEMPERROR, "its worker dies: temperror");
	ask("192.0.2.1", "h.example", "a@lives.example");
	CHECK_STR(question(&token, &type), "lives.example",
		  "a new one takes its place");
	answer(token, 0, "v=spf1 +all");
	CHECK_INT(reply().result, SPF_PASS, "and works");
}

int
main(void)
{
	log_open("test_spf_desk", LOG_TO_STDERR, LOG_LEVEL_INFO);
	pool_start();
	test_results();
	test_line();
	test_limit();
	test_death();
	pool_end();
	return check_done();
}
