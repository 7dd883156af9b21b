/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The filter role as a process of its own, jails and all; the test plays
 * its parent, queue and control.
 */
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "chan.h"
#include "check.h"
#include "clock.h"
#include "config.h"
#include "envelope.h"
#include "file.h"
#include "log.h"
#include "pool.h"
#include "role.h"
#include "str.h"

#define DEADLINE_MS 20000
#define WORKERS 2
#define LISTS "rule\tdomain lists.example GTUBE\t0.5\n"

static struct {
	pid_t pid;
	char dir[64];
	struct chan *parent, *queue, *control;
	uint32_t slots; /* as last told to queue */
	pid_t worker[WORKERS]; /* as last told to the parent */
	uint32_t restarts[WORKERS];
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
tell(struct chan *c, enum frame_type type, const void *body, int fd)
{
	if (chan_send(c, type, 0, body, fd) != 0)
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
	struct frame_peer queue = { .role = ROLE_QUEUE };
	struct frame_peer control = { .role = ROLE_CONTROL };
	struct frame_start_done done = { .generation = 1 };
	struct frame_lists lists = { .size = sizeof(LISTS) - 1 };
	struct err e;
	char text[512];
	int fd;

	str_fmt(text, sizeof(text),
		"log = { target = \"stderr\"; level = \"error\"; };\n"
		"paths = { run = \"%s\"; };\n"
		"clamav = { dir = \"\"; third_party = \"\"; };\n"
		"users = { scan = \"nobody\"; };\nworkers = %d;\n"
		"listeners = ( { name = \"smtp\"; "
		"address = \"127.0.0.1:25\"; } );\n",
		pool.dir, WORKERS);
	tell(pool.parent, FRAME_conf, &conf, text_fd(text));
	fd = text_fd("");
	if (stats_create(fd, &e) != 0)
		fatal(71, "%s", e.text);
	tell(pool.parent, FRAME_stats_map, &map, fd);
	pool.queue = pair(ROLE_QUEUE, &fd);
	tell(pool.parent, FRAME_peer, &queue, fd);
	pool.control = pair(ROLE_CONTROL, &fd);
	tell(pool.parent, FRAME_peer, &control, fd);
	tell(pool.parent, FRAME_start_done, &done, -1);
	tell(pool.control, FRAME_lists, &lists, text_fd(LISTS));
}

/* hook: MCGATE_TEST_WORKER, or "". */
static void
pool_start(const char *hook)
{
	char path[80];
	int fd;

	memset(&pool, 0, sizeof(pool));
	str_copy(pool.dir, sizeof(pool.dir), "/tmp/mcgate-pool.XXXXXX");
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
		setenv("MCGATE_TEST_WORKER", hook, 1);
		if (dup2(fd, ROLE_PARENT_FD) < 0 ||
		    close_range(ROLE_PARENT_FD + 1, ~0u, 0) != 0)
			_exit(71);
		role_run(&filter_ops);
	}
	close(fd);
	tell_start();
}

/* Its exit status, -1 for a signal. */
static int
pool_end(void)
{
	char path[80];
	int status = -1;

	chan_free(pool.parent);
	chan_free(pool.queue);
	chan_free(pool.control);
	if (waitpid(pool.pid, &status, 0) != pool.pid)
		status = -1;
	str_fmt(path, sizeof(path), "%s/scan/tmp", pool.dir);
	rmdir(path);
	str_fmt(path, sizeof(path), "%s/scan", pool.dir);
	rmdir(path);
	rmdir(pool.dir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Takes what the pool says to its parent, without waiting. */
static void
hear_parent(void)
{
	const struct frame_worker_state *b;
	struct frame f;
	struct err e;

	while (chan_receive(pool.parent, &f, &e) == 1) {
		b = FRAME_BODY(&f, worker_state);
		if (f.type != FRAME_worker_state || b->slot >= WORKERS)
			continue;
		pool.worker[b->slot] = (pid_t)b->pid;
		pool.restarts[b->slot] = b->restarts;
	}
}

/* The next frame for queue that is not about slots; false at the end. */
static bool
hear_queue(struct frame *f, int timeout_ms)
{
	struct err e;

	while (chan_wait(pool.queue, f, timeout_ms, &e) == 1) {
		if (f->type != FRAME_filter_slots)
			return true;
		pool.slots = FRAME_BODY(f, filter_slots)->slots;
	}
	return false;
}

static bool
await_slots(uint32_t slots)
{
	int64_t end_ms = clock_mono_ms() + DEADLINE_MS;
	struct frame f;

	while (pool.slots != slots && clock_mono_ms() < end_ms)
		if (hear_queue(&f, 20))
			return false;
	return pool.slots == slots;
}

struct result {
	uint32_t token;
	enum scan_status status;
	int verdicts;
	enum action action[8];
	char reason[8][64];
	char edits[8][128]; /* "OFFSET+LENGTH:TEXT", each */
	char text[200];
};

/* A message on its way: a policy is lines of knobs, each ends with \f. */
static uint32_t
scan(const char *message, int64_t size_error, const char *policies,
     bool is_alone)
{
	struct frame_scan body = {
		.name = "ABCDEFGHIJKLMNOP",
		.size = (uint64_t)((int64_t)strlen(message) + size_error),
		.is_alone = is_alone,
	};
	struct buf b = { 0 };
	const char *end;
	uint32_t len;

	for (; (end = strchr(policies, '\f')) != NULL; policies = end + 1) {
		len = (uint32_t)(end - policies);
		buf_add(&b, (char[]){ (char)len, (char)(len >> 8), 0, 0 }, 4);
		buf_add(&b, policies, len);
		body.policy_count++;
	}
	buf_add_str(&b, policies); /* what is malformed */
	body.policies = buf_span(&b);
	if (chan_send(pool.queue, FRAME_scan, ++pool.token, &body,
		      text_fd(message)) != 0)
		fatal(71, "%s", chan_error(pool.queue));
	buf_release(&b);
	return pool.token;
}

static void
take_verdict(struct result *r, const struct frame_verdict *v)
{
	struct arena a = { 0 };
	struct edit *edits;
	struct err e;
	size_t n = 0;
	uint32_t i = v->policy;

	r->verdicts++;
	if (i >= 8)
		return;
	r->action[i] = (enum action)v->action;
	str_copy(r->reason[i], sizeof(r->reason[i]), v->reason);
	if (v->edits.len > 0 && edits_read(v->edits, &a, &edits, &n, &e) != 0)
		str_copy(r->edits[i], sizeof(r->edits[i]), e.text);
	if (n > 0)
		str_fmt(r->edits[i], sizeof(r->edits[i]), "%llu+%llu:%.*s",
			(unsigned long long)edits[0].offset,
			(unsigned long long)edits[0].length,
			(int)edits[0].text.len, edits[0].text.p);
	arena_release(&a);
}

/* What comes back next, of any scan. */
static struct result
result(void)
{
	struct result r = { .status = (enum scan_status)99 };
	struct frame f;

	while (hear_queue(&f, DEADLINE_MS)) {
		r.token = f.token;
		if (f.type == FRAME_verdict)
			take_verdict(&r, FRAME_BODY(&f, verdict));
		if (f.type != FRAME_scan_done)
			continue;
		r.status = (enum scan_status)FRAME_BODY(&f, scan_done)->status;
		str_copy(r.text, sizeof(r.text),
			 FRAME_BODY(&f, scan_done)->text);
		break;
	}
	return r;
}

/* Returns when the pool has taken it from its socket. */
static void
set_knobs(const char *lines)
{
	struct frame_knobs body = { .text = span_of(lines) };
	int64_t end_ms = clock_mono_ms() + DEADLINE_MS;
	int unread = 1;

	tell(pool.control, FRAME_knobs, &body, -1);
	while (unread > 0 && clock_mono_ms() < end_ms &&
	       ioctl(chan_fd(pool.control), SIOCOUTQ, &unread) == 0)
		(void)poll(NULL, 0, 1);
}

static void
test_verdicts(void)
{
	struct result r;

	CHECK(await_slots(WORKERS), "the pool has a slot for each worker");
	scan("Subject: x\r\n\r\nbody\r\n", 0,
	     "headers_add=no\nauth_results=no\n\f"
	     "hold_mail=on\n\f"
	     "id_header=on\nheaders_add=no\nauth_results=no\n\f"
	     "no_such_knob=1\nfilter_auth=no\nfilter_spamassassin=no\n\f",
	     false);
	r = result();
	CHECK(r.status == SCAN_DONE, "a message is scanned: %s", r.text);
	CHECK_INT(r.verdicts, 4, "each policy gets a verdict");
	CHECK(r.action[0] == ACTION_DELIVER && str_eq(r.edits[0], ""),
	      "without fields it is delivered as it is");
	CHECK(r.action[1] == ACTION_HOLD && str_eq(r.reason[1], "hold_mail"),
	      "hold_mail holds it and says so");
	CHECK_STR(r.edits[2], "0+0:X-MC-ID: ABCDEFGHIJKLMNOP\r\n",
		  "id_header adds a field at the front");
	CHECK_INT(r.action[3], ACTION_DELIVER,
		  "a knob of a newer control is skipped");
	CHECK_STR(r.edits[3],
		  "0+0:X-MC-Score: 0.0 (spam from 5.0 on)\r\n"
		  "X-MC-Status: clean\r\nX-MC-SpamCheck: not spam\r\n",
		  "fields say what was found");
}

#define GTUBE                          \
	"XJS*C4JDBQADN1.NSBN3*2IDNEN*" \
	"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

static void
test_gtube(void)
{
	struct result r;

	scan("Subject: x\r\n\r\n" GTUBE "\r\n", 0,
	     "headers_add=no\nauth_results=no\n\f"
	     "spam_action=quarantine\n\f"
	     "@domain=lists.example\nspam_action=delete\n\f"
	     "filter_gtube=no\n\f",
	     false);
	r = result();
	CHECK(r.status == SCAN_DONE && r.verdicts == 4, "spam is scanned: %s",
	      r.text);
	CHECK(r.action[0] == ACTION_DELIVER &&
		      str_eq(r.edits[0], "9+0:{Spam?} "),
	      "it is tagged: %s", r.edits[0]);
	CHECK_INT(r.action[1], ACTION_QUARANTINE, "or quarantined");
	CHECK_STR(r.reason[1], "spam 1000.0/5.0: gtube", "with the reason");
	/* Decisive is the class; its points are the domain's. */
	CHECK_STR(r.reason[2], "spam 0.5/5.0: gtube",
		  "a domain has its own points for a rule");
	CHECK_INT(r.action[2], ACTION_DISCARD, "and its own action");
	CHECK_INT(r.action[3], ACTION_DELIVER, "or no such filter");
}

static void
test_later(void)
{
	static const struct {
		const char *words;
		int64_t size_error;
		const char *policies;
	} rows[] = {
		{ "a message shorter than said", 1, "\f" },
		{ "half a policy", 0, "\fx" },
		{ "a policy that is no knobs", 0, "hold_mail=perhaps\n\f" },
	};
	struct result r;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scan("text\r\n", rows[i].size_error, rows[i].policies, false);
		r = result();
		CHECK_INT(r.status, SCAN_LATER, "%s: later", rows[i].words);
		CHECK(r.text[0] != '\0', "%s: it is said why: %s",
		      rows[i].words, r.text);
	}
	scan("text\r\n", 0, "\f", false);
	CHECK_INT(result().status, SCAN_DONE, "the worker goes on");
	scan("text\r\n", -1, "\f", false);
	CHECK_INT(result().status, SCAN_DONE,
		  "what is behind the size is not the message's");
}

static void
test_many(void)
{
	bool seen[21] = { false };
	struct result r;
	int i, done = 0, verdicts = 0;

	for (i = 0; i < 20; i++)
		scan("text\r\n", 0, "\f", i % 5 == 0);
	for (i = 0; i < 20; i++) {
		r = result();
		done += r.status == SCAN_DONE;
		verdicts += r.verdicts; /* of two workers they mix */
		seen[(r.token - 1) % 20 + 1] = true;
	}
	for (i = 1; i <= 20; i++)
		done -= !seen[i];
	CHECK_INT(done, 20, "each of many is answered once, alone or not");
	CHECK_INT(verdicts, 20, "with its verdict");
}

static void
test_recycle(void)
{
	pid_t before;
	int64_t end_ms = clock_mono_ms() + DEADLINE_MS;

	hear_parent();
	before = pool.worker[0];
	CHECK(before > 0, "the parent is told of workers");
	set_knobs("filter_worker_messages=1\n");
	while (pool.worker[0] == before && clock_mono_ms() < end_ms) {
		scan("text\r\n", 0, "\f", true);
		if (result().status != SCAN_DONE)
			break;
		CHECK(await_slots(WORKERS), "a fresh worker takes its place");
		hear_parent();
	}
	CHECK(pool.worker[0] != before && pool.restarts[0] == 0,
	      "a worker that had its messages is replaced");
	set_knobs("");
}

static void
test_strange_kill(void)
{
	int64_t end_ms = clock_mono_ms() + DEADLINE_MS;
	struct result r;

	/* 0 where one is being replaced; that would be all of us. */
	while ((pool.worker[0] <= 0 || pool.worker[1] <= 0) &&
	       clock_mono_ms() < end_ms) {
		hear_parent();
		(void)poll(NULL, 0, 1);
	}
	if (!CHECK(pool.worker[0] > 0 && pool.worker[1] > 0,
		   "both workers are there"))
		return;
	kill(pool.worker[0], SIGTERM);
	kill(pool.worker[0], SIGKILL);
	kill(pool.worker[1], SIGKILL);
	while ((pool.restarts[0] == 0 || pool.restarts[1] == 0) &&
	       clock_mono_ms() < end_ms) {
		(void)poll(NULL, 0, 1);
		hear_parent();
	}
	CHECK(await_slots(WORKERS), "idle workers that are killed come back");
	scan("text\r\n", 0, "\f", false);
	r = result();
	CHECK_INT(r.status, SCAN_DONE, "and work");
}

static void
test_stop(void)
{
	struct frame_stop stop = { .data_ms = 5000, .reply_ms = 5000 };

	tell(pool.parent, FRAME_stop, &stop, -1);
	CHECK(await_slots(0), "told to stop it takes nothing more");
	CHECK_INT(pool_end(), 0, "and exits with 0");
}

#ifdef MCGATE_DEVEL
static const struct {
	const char *hook;
	const char *knobs;
	enum scan_status status;
	const char *text; /* in the answer's */
	const char *words;
} poisons[] = {
	{ "crash-on:POISON", "", SCAN_DIED, "signal=6", "a crash" },
	{ "spin-on:POISON", "filter_time=2s\n", SCAN_DIED, "",
	  "computing for ever" },
	{ "hang-on:POISON", "filter_time=300ms\n", SCAN_LOST, "waiting",
	  "waiting for ever" },
};

static void
test_poison(size_t i)
{
	static char long_message[70000];
	struct result r, other;
	uint32_t token;

	pool_start(poisons[i].hook);
	CHECK(await_slots(WORKERS), "%s: workers start", poisons[i].words);
	set_knobs(poisons[i].knobs);
	/* The text lies across two blocks. */
	memset(long_message, 'a', sizeof(long_message) - 1);
	memcpy(long_message + 65533, "POISON", 6);
	token = scan(long_message, 0, "\f\f", false);
	scan("harmless\r\n", 0, "\f", false);
	other = result();
	r = result();
	if (other.token == token) {
		struct result swap = other;

		other = r;
		r = swap;
	}
	CHECK_INT(r.status, poisons[i].status, "%s: status", poisons[i].words);
	CHECK(strstr(r.text, poisons[i].text) != NULL, "%s: it is said: %s",
	      poisons[i].words, r.text);
	CHECK_INT(other.status, SCAN_DONE, "%s: the one beside it is scanned",
		  poisons[i].words);
	CHECK(await_slots(WORKERS), "%s: the worker is replaced",
	      poisons[i].words);
	(void)pool_end();
}

static void
test_alone(void)
{
	uint32_t first, second, third;
	struct result r;

	pool_start("hang-on:POISON");
	(void)await_slots(WORKERS);
	set_knobs("filter_time=400ms\n");
	first = scan("POISON", 0, "\f", true);
	second = scan("text", 0, "\f", false);
	third = scan("text", 0, "\f", true);
	r = result();
	CHECK(r.token == first && r.status == SCAN_LOST,
	      "nothing is scanned beside one that runs alone");
	CHECK(result().token == second && result().token == third,
	      "the others follow in their order");
	(void)pool_end();
}

static void
test_killed_at_stop(void)
{
	struct frame_stop stop = { .data_ms = 200, .reply_ms = 200 };
	struct result r;

	pool_start("hang-on:POISON");
	(void)await_slots(WORKERS);
	scan("POISON", 0, "\f", false);
	tell(pool.parent, FRAME_stop, &stop, -1);
	r = result();
	CHECK_INT(r.status, SCAN_LOST, "a stop does not wait for ever");
	CHECK_INT(pool_end(), 0, "and the pool exits with 0");
}
#endif

int
main(void)
{
	log_open("test_pool", LOG_TO_STDERR, LOG_LEVEL_ERROR);
	pool_start("");
	test_verdicts();
	test_gtube();
	test_later();
	test_many();
	test_recycle();
	test_strange_kill();
	test_stop();
#ifdef MCGATE_DEVEL
	for (size_t i = 0; i < sizeof(poisons) / sizeof(poisons[0]); i++)
		test_poison(i);
	test_alone();
	test_killed_at_stop();
#endif
	pool_start("");
	(void)await_slots(WORKERS);
	CHECK_INT(pool_end(), 0, "a pool whose parent has gone exits");
	return check_done();
}
