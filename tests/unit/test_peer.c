/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Peers: questions and their answers, deaths, deadlines, and what breaks
 * the rules.  The test is control; the other ends are channels without a
 * loop, or processes that are killed.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chan.h"
#include "check.h"
#include "clock.h"
#include "file.h"
#include "log.h"
#include "loop.h"
#include "peer.h"
#include "str.h"
#include "xalloc.h"

#define DEADLINE_MS 10000
#define MANY 1000

/* What has happened so far. */
static struct {
	int ups, downs;
	peer_id up_id, down_id;
	int asked; /* questions that we got */
	int more; /* rests of them */
	uint32_t asked_token;
	peer_id asked_by;
	bool drop_asker;
	int notes[ROLE_COUNT];
	int notes_before_other; /* of outgoing when queue's first came */
} seen;

static void
on_ask(peer_id from, struct frame *f)
{
	seen.asked++;
	seen.asked_token = f->token;
	seen.asked_by = from;
	if (seen.drop_asker)
		peer_drop(from);
	else if (str_has_prefix(FRAME_BODY(f, rcpt_ask)->rcpt, "drop"))
		peer_drop(from);
}

static void
on_note(peer_id from, struct frame *f)
{
	(void)f;
	if (seen.notes[ROLE_QUEUE] == 0)
		seen.notes_before_other = seen.notes[ROLE_OUTGOING];
	seen.notes[peer_role(from)]++;
}

static void
on_up(peer_id p, enum role r)
{
	(void)r;
	seen.ups++;
	seen.up_id = p;
}

static void
on_down(peer_id p, enum role r)
{
	(void)r;
	seen.downs++;
	seen.down_id = p;
}

static const struct peer_handler handlers[] = {
	{ FRAME_rcpt_ask, on_ask },
	{ FRAME_route_ask, on_note },
	{ FRAME_policy_ask, on_note },
	{ 0, NULL },
};
static const struct peer_ops ops = { handlers, on_up, on_down };

static bool (*awaited)(void);
static struct timer look;

static void
look_again(void *arg)
{
	int64_t *end_ms = arg;

	if (awaited() || clock_mono_ms() >= *end_ms)
		loop_stop();
	else
		timer_set(&look, 1);
}

/* Turns the loop until fn is true; false at the deadline. */
static bool
await(bool (*fn)(void))
{
	int64_t end_ms = clock_mono_ms() + DEADLINE_MS;

	awaited = fn;
	timer_init(&look, look_again, &end_ms);
	timer_set(&look, 0);
	loop_run();
	timer_release(&look);
	return fn();
}

/* A few turns, in which what is on its way arrives. */
static int turns_left;

static bool
turned(void)
{
	return turns_left-- <= 0;
}

static void
turn(void)
{
	turns_left = 3;
	(void)await(turned);
}

static bool
went_down(void)
{
	return seen.downs > 0;
}

/* A peer of role r; its other end. */
static struct chan *
connect_peer(enum role r, peer_id *id)
{
	struct err e;
	int fd[2];

	if (chan_pair(fd, &e) != 0)
		fatal(71, "%s", e.text);
	memset(&seen, 0, sizeof(seen));
	*id = peer_add(r, fd[0]);
	return chan_new(fd[1], r, ROLE_CONTROL);
}

static void
drop_both(peer_id id, struct chan *c)
{
	peer_drop(id);
	chan_free(c);
	turn();
}

/* What came back to a question of ours. */
struct reply {
	int more, last, null;
	char row[64];
	uint32_t forget;
};

static void
on_reply(void *arg, struct frame *f)
{
	struct reply *r = arg;

	if (f == NULL) {
		r->null++;
		return;
	}
	if (f->info->part == FRAME_LAST) {
		r->last++;
		return;
	}
	r->more++;
	str_fmt(r->row, sizeof(r->row), "%.*s",
		(int)FRAME_BODY(f, ctl_row)->record.len,
		FRAME_BODY(f, ctl_row)->record.p);
	if (r->forget != 0)
		peer_forget(r->forget);
}

static uint32_t
ask(peer_id p, int64_t timeout_ms, struct reply *r)
{
	static const struct frame_ctl_ask body = { .command = "count" };

	memset(r, 0, sizeof(*r));
	return peer_ask(p, FRAME_ctl_ask, &body, -1, timeout_ms, on_reply, r);
}

static void
send_row(struct chan *c, uint32_t token, const char *text)
{
	struct frame_ctl_row body = { .record = span_of(text) };

	if (chan_send(c, FRAME_ctl_row, token, &body, -1) != 0)
		fatal(71, "%s", chan_error(c));
}

static void
send_done(struct chan *c, uint32_t token)
{
	static const struct frame_ctl_done body;

	if (chan_send(c, FRAME_ctl_done, token, &body, -1) != 0)
		fatal(71, "%s", chan_error(c));
}

static void
test_answers(void)
{
	struct reply a, b;
	uint32_t ta, tb;
	struct frame f;
	struct err e;
	peer_id id;
	struct chan *c = connect_peer(ROLE_QUEUE, &id);

	CHECK(seen.ups == 1 && seen.up_id == id, "up is told of a new peer");
	CHECK(peer_of(ROLE_QUEUE) == id && peer_role(id) == ROLE_QUEUE,
	      "it is found by its role, and its role by it");
	ta = ask(id, 0, &a);
	tb = ask(id, 0, &b);
	CHECK(ta != 0 && tb != 0 && ta != tb, "each question has a token");
	CHECK(chan_wait(c, &f, DEADLINE_MS, &e) == 1 &&
		      f.type == FRAME_ctl_ask && f.token == ta &&
		      str_eq(FRAME_BODY(&f, ctl_ask)->command, "count"),
	      "the question arrives as it was put");
	send_row(c, tb, "row of b");
	send_done(c, tb);
	send_row(c, ta, "first of a");
	send_row(c, ta, "second of a");
	send_done(c, ta);
	turn();
	CHECK(b.more == 1 && b.last == 1 && b.null == 0,
	      "an answer out of turn reaches its question");
	CHECK(a.more == 2 && a.last == 1 && a.null == 0,
	      "an answer may have parts");
	CHECK_STR(a.row, "second of a", "parts arrive in order");
	send_done(c, ta);
	send_row(c, 12345, "nobody asked");
	turn();
	CHECK(a.last == 1 && seen.downs == 0,
	      "an answer that nobody waits for is dropped, the peer stays");
	drop_both(id, c);
}

static void
test_forget(void)
{
	struct reply a;
	uint32_t token;
	peer_id id;
	struct chan *c = connect_peer(ROLE_QUEUE, &id);

	token = ask(id, 0, &a);
	peer_forget(token);
	peer_forget(token);
	send_done(c, token);
	turn();
	CHECK(a.more + a.last + a.null == 0, "a forgotten answer is not given");
	token = ask(id, 0, &a);
	a.forget = token;
	send_row(c, token, "first");
	send_row(c, token, "second");
	turn();
	CHECK(a.more == 1 && a.null == 0,
	      "an answer may be forgotten while it comes");
	drop_both(id, c);
	CHECK(a.null == 0, "and is not given at the peer's end");
}

static struct reply late;

static bool
is_late(void)
{
	return late.null > 0;
}

static void
test_deadline(void)
{
	struct reply in_time;
	uint32_t token;
	peer_id id;
	struct chan *c = connect_peer(ROLE_QUEUE, &id);
	int64_t start = clock_mono_ms();

	token = ask(id, 30, &late);
	send_done(c, ask(id, 5000, &in_time));
	CHECK(await(is_late), "a question without an answer ends");
	CHECK(clock_mono_ms() - start >= 25, "not before its deadline");
	CHECK(in_time.last == 1 && in_time.null == 0,
	      "one that is answered in time does not");
	send_done(c, token);
	turn();
	CHECK(late.null == 1 && late.last == 0 && seen.downs == 0,
	      "an answer that comes too late goes nowhere");
	drop_both(id, c);
	CHECK(in_time.null == 0, "an answered question has no second end");
}

static void
test_close(void)
{
	struct reply a, b;
	peer_id id;
	struct chan *c = connect_peer(ROLE_QUEUE, &id);

	(void)ask(id, 0, &a);
	(void)ask(id, 5000, &b);
	send_done(c, ask(id, 0, &late));
	chan_free(c);
	CHECK(await(went_down), "a peer that closes goes down");
	CHECK(seen.down_id == id && peer_of(ROLE_QUEUE) == 0 &&
		      peer_role(id) == ROLE_COUNT,
	      "it is not found any more");
	CHECK(a.null == 1 && b.null == 1, "what it was asked is answered NULL");
	CHECK(late.last == 1 && late.null == 0,
	      "what it answered before is heard");
	CHECK(ask(id, 0, &a) == 0 && a.null == 0, "nothing can be asked of it");
	CHECK(peer_note(id, FRAME_knobs, &(struct frame_knobs){ { NULL, 0 } },
			-1) != 0,
	      "nor said to it");
	peer_drop(id);
	CHECK_INT(seen.downs, 1, "it goes down once");
}

static void
test_ask_of_dead(void)
{
	struct reply a;
	peer_id id;
	struct chan *c = connect_peer(ROLE_QUEUE, &id);
	uint32_t token;

	chan_free(c);
	token = ask(id, 0, &a);
	CHECK(a.null == 0, "no answer comes before the question is put");
	CHECK(await(went_down), "a peer found dead goes down");
	CHECK_INT(a.null, token != 0, "the question ends once, if it was put");
}

static bool
got_null(void)
{
	return late.null > 0;
}

static void
test_kill(void)
{
	struct err e;
	int fd[2], status;
	peer_id id;
	pid_t pid;

	if (chan_pair(fd, &e) != 0)
		fatal(71, "%s", e.text);
	memset(&seen, 0, sizeof(seen));
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		for (;;)
			pause();
	}
	close(fd[1]);
	id = peer_add(ROLE_QUEUE, fd[0]);
	CHECK(ask(id, 0, &late) != 0, "a process is asked");
	kill(pid, SIGKILL);
	CHECK(await(got_null), "killed, it has answered NULL");
	CHECK(seen.downs == 1 && seen.down_id == id, "and is down");
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status),
	      "the process was killed");
}

static void
test_handlers(void)
{
	static const struct frame_rcpt_ask question = { .rcpt = "a@b.example" };
	static const struct frame_rcpt_reply answer = { .flags = 250 };
	struct frame f;
	struct err e;
	peer_id id;
	struct chan *c = connect_peer(ROLE_INCOMING, &id);

	chan_send(c, FRAME_rcpt_ask, 77, &question, -1);
	turn();
	CHECK(seen.asked == 1 && seen.asked_by == id && seen.asked_token == 77,
	      "a question of a peer reaches its handler");
	CHECK(peer_answer(id, 77, FRAME_rcpt_reply, &answer, -1) == 0,
	      "and is answered");
	CHECK(chan_wait(c, &f, DEADLINE_MS, &e) == 1 && f.token == 77 &&
		      FRAME_BODY(&f, rcpt_reply)->flags == 250,
	      "under its token");
	CHECK(peer_answer(id, 77, FRAME_ctl_row, &answer, -1) != 0 &&
		      seen.downs == 0,
	      "a frame that may not go there is refused");
	seen.drop_asker = true;
	chan_send(c, FRAME_rcpt_ask, 78, &question, -1);
	chan_send(c, FRAME_rcpt_ask, 79, &question, -1);
	turn();
	CHECK(seen.downs == 1 && seen.asked == 2,
	      "a handler may drop its peer; nothing of it is heard then");
	chan_free(c);
}

static void
test_replace(void)
{
	peer_id first, second, ctl1, ctl2;
	struct chan *a = connect_peer(ROLE_QUEUE, &first);
	struct chan *b = connect_peer(ROLE_QUEUE, &second);
	struct chan *c, *d;

	CHECK(peer_role(first) == ROLE_COUNT && peer_of(ROLE_QUEUE) == second &&
		      first != second,
	      "a second peer of a role replaces the first");
	CHECK(seen.downs == 1 && seen.down_id == first, "which goes down");
	c = connect_peer(ROLE_CTL, &ctl1);
	d = connect_peer(ROLE_CTL, &ctl2);
	CHECK(peer_role(ctl1) == ROLE_CTL && peer_role(ctl2) == ROLE_CTL,
	      "of mcctl there may be many");
	drop_both(second, a);
	drop_both(ctl1, b);
	drop_both(ctl2, c);
	chan_free(d);
}

static void
send_garbage(int fd)
{
	(void)!send(fd, "garbage", 7, MSG_NOSIGNAL);
}

static void
send_frame(int fd, enum frame_type type, uint32_t token, const void *body,
	   size_t cut)
{
	struct buf b = { 0 };
	struct err e;

	if (frame_encode(type, token, body, &b, &e) != 0)
		fatal(71, "%s", e.text);
	(void)!send(fd, b.data, b.len - cut, MSG_NOSIGNAL);
	buf_release(&b);
}

static void
send_cut(int fd)
{
	static const struct frame_policy_ask body = { .address = "a@b" };

	send_frame(fd, FRAME_policy_ask, 1, &body, 1);
}

static void
send_not_its_own(int fd)
{
	static const struct frame_rcpt_ask body = { .rcpt = "a@b" };

	send_frame(fd, FRAME_rcpt_ask, 1, &body, 0);
}

static void
send_not_for_us(int fd)
{
	static const struct frame_intake body = { .reason = "full" };

	send_frame(fd, FRAME_intake, 0, &body, 0);
}

static void
send_without_fd(int fd)
{
	static const struct frame_scan body = { .name = "x" };

	send_frame(fd, FRAME_scan, 1, &body, 0);
}

static void
send_empty(int fd)
{
	(void)!send(fd, "", 0, MSG_NOSIGNAL);
}

static uint32_t others_token;

static void
send_for_other(int fd)
{
	static const struct frame_ctl_done body;

	send_frame(fd, FRAME_ctl_done, others_token, &body, 0);
}

static const struct {
	const char *words;
	void (*fn)(int fd);
} breaches[] = {
	{ "bytes that are no frame", send_garbage },
	{ "a frame cut short", send_cut },
	{ "a frame of another role", send_not_its_own },
	{ "a frame for another role", send_not_for_us },
	{ "a frame whose descriptor is missing", send_without_fd },
	{ "an empty datagram", send_empty },
	{ "an answer to what another was asked", send_for_other },
};

static void
test_breaches(void)
{
	struct reply own, other;
	peer_id id, store;
	struct chan *s = connect_peer(ROLE_STORE, &store), *c;
	size_t i;

	for (i = 0; i < sizeof(breaches) / sizeof(breaches[0]); i++) {
		others_token = ask(store, 0, &other);
		c = connect_peer(ROLE_QUEUE, &id);
		(void)ask(id, 0, &own);
		breaches[i].fn(chan_fd(c));
		CHECK(await(went_down) && seen.down_id == id && own.null == 1,
		      "%s: the peer goes down", breaches[i].words);
		CHECK(peer_role(store) == ROLE_STORE && other.last == 0,
		      "%s: others stay", breaches[i].words);
		chan_free(c);
		peer_forget(others_token);
	}
	drop_both(store, s);
}

/* An open descriptor less or more would be one that leaked. */
static int
lowest_free_fd(void)
{
	int fd = dup(STDOUT_FILENO);

	close(fd);
	return fd;
}

static void
test_descriptors(void)
{
	static const struct frame_knobs knobs = { { NULL, 0 } };
	struct reply r;
	peer_id id;
	struct chan *c = connect_peer(ROLE_QUEUE, &id);
	int before = lowest_free_fd();

	CHECK(peer_note(id, FRAME_knobs, &knobs, dup(STDOUT_FILENO)) != 0 &&
		      lowest_free_fd() == before,
	      "a descriptor that may not go is closed");
	CHECK(peer_role(id) == ROLE_QUEUE, "the peer stays");
	CHECK(peer_note(id + 1000, FRAME_knobs, &knobs, dup(STDOUT_FILENO)) !=
			      0 &&
		      lowest_free_fd() == before,
	      "so is one for nobody");
	CHECK(ask(id + 1000, 0, &r) == 0, "nobody cannot be asked");
	drop_both(id, c);
}

static bool
all_notes(void)
{
	return seen.notes[ROLE_OUTGOING] == MANY && seen.notes[ROLE_QUEUE] == 1;
}

static void
test_fairness(void)
{
	static const struct frame_route_ask many = { .domain = "d.example" };
	static const struct frame_policy_ask one = { .address = "a@b" };
	peer_id p, q;
	struct chan *c = connect_peer(ROLE_OUTGOING, &p);
	struct chan *d = connect_peer(ROLE_QUEUE, &q);
	int i;

	/* What the socket does not take waits, and is sent below. */
	for (i = 0; i < MANY; i++)
		chan_send(c, FRAME_route_ask, 1, &many, -1);
	chan_send(d, FRAME_policy_ask, 1, &one, -1);
	while (!all_notes() && i-- > 0) {
		(void)chan_flush(c);
		turn();
	}
	CHECK(all_notes(), "all of many frames arrive");
	CHECK(seen.notes_before_other < MANY,
	      "one peer's many do not keep another's waiting");
	drop_both(p, c);
	drop_both(q, d);
}

static struct chan *slow;
static peer_id slow_id;
static int slow_got;
static bool slow_in_order;

static bool
slow_is_done(void)
{
	struct frame f;
	struct err e;

	while (chan_receive(slow, &f, &e) == 1) {
		if (FRAME_BODY(&f, ctl_ask)->limit != (uint32_t)slow_got)
			slow_in_order = false;
		slow_got++;
	}
	return slow_got == MANY;
}

static void
test_backlog(void)
{
	struct frame_ctl_ask body = { .command = "x" };
	char arg[1001];
	struct reply r = { .more = 0 };
	int i;

	memset(arg, 'a', sizeof(arg) - 1);
	arg[sizeof(arg) - 1] = '\0';
	body.arg = arg;
	slow = connect_peer(ROLE_QUEUE, &slow_id);
	slow_in_order = true;
	for (i = 0; i < MANY; i++) {
		body.limit = (uint32_t)i;
		if (peer_ask(slow_id, FRAME_ctl_ask, &body, -1, 0, on_reply,
			     &r) == 0)
			break;
	}
	CHECK_INT(i, MANY, "a peer that does not read can be asked on");
	CHECK(peer_backlog(slow_id) > 0, "what waits is counted");
	peer_flush_all(10);
	CHECK(peer_backlog(slow_id) > 0, "and kept while it does not read");
	CHECK(await(slow_is_done) && slow_in_order,
	      "all of it arrives, in order");
	CHECK_INT(peer_backlog(slow_id), 0, "then nothing waits");
	drop_both(slow_id, slow);
	CHECK_INT(r.null, MANY, "each question ends once");
}

static void
test_too_large(void)
{
	struct frame_ctl_ask body = { .command = "x" };
	char *arg = xmalloc(5001);
	struct reply r = { .more = 0 };
	peer_id id;
	struct chan *c = connect_peer(ROLE_QUEUE, &id);

	memset(arg, 'a', 5000);
	arg[5000] = '\0';
	body.arg = arg;
	CHECK(peer_ask(id, FRAME_ctl_ask, &body, -1, 0, on_reply, &r) == 0,
	      "a question over its limit is not put");
	free(arg);
	turn();
	CHECK(seen.downs == 0 && r.null == 0, "the peer stays");
	drop_both(id, c);
}

int
main(void)
{
	log_open("test_peer", LOG_TO_STDERR, LOG_LEVEL_ERROR);
	loop_init();
	peer_init(ROLE_CONTROL, &ops);
	test_answers();
	test_forget();
	test_deadline();
	test_close();
	test_ask_of_dead();
	test_kill();
	test_handlers();
	test_replace();
	test_breaches();
	test_descriptors();
	test_fairness();
	test_backlog();
	test_too_large();
	return check_done();
}
