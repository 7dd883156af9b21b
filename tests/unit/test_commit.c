/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 * A mail between a session and its peers: control and queue are played by
 * the test, which answers, is silent, is down or says no at each place.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "commit.h"
#include "role.h"
#include "str.h"

#define TO_MAIL "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\n"
#define RCPT "RCPT TO:<r@d.example>\r\n"
#define WHOLE \
	TO_MAIL RCPT "DATA\r\nMessage-ID: <m@c>\r\n\r\nhi\r\n.\r\nNOOP\r\n"
#define EHLO_OK "250 SMTPUTF8\r\n"

/* What a peer does with a question. */
enum does {
	DOES_YES,
	DOES_LATER,
	DOES_NO,
	DOES_TIME_OUT, /* is silent: NULL */
	DOES_NOTHING, /* is there, and the question stays open */
	DOES_MIX, /* control: the second recipient goes outwards */
};

static struct world {
	struct connection c;
	bool has_queue, has_control;
	enum does control, body, commit;
	bool is_disk_full;
	const char *canonical;
	unsigned asked, open; /* questions, and those without an answer */
	unsigned drops, forgets, wakes;
	struct {
		uint32_t token;
		peer_reply_fn *fn;
		void *arg;
		enum frame_type type;
	} asks[64];
	struct buf seen; /* what queue was told */
	int body_fd;
	uint32_t rcpts;
} w;

/* The peers. */

peer_id
peer_of(enum role r)
{
	if (r == ROLE_QUEUE)
		return w.has_queue ? 1 : 0;
	return w.has_control ? 2 : 0;
}

static void
see_commit(const struct frame_commit *b)
{
	buf_printf(&w.seen,
		   "commit id=%s size=%llu from=%s helo=%s msgid=%s 8bit=%u "
		   "utf8=%u out=%u envid=%s ret=%s rcpts=%u ",
		   b->id, (unsigned long long)b->size, b->sender, b->helo,
		   b->message_id, b->is_8bit, b->is_utf8, b->is_outbound,
		   b->envid, b->ret, b->rcpt_count);
}

uint32_t
peer_ask(peer_id p, enum frame_type type, const void *body, int fd,
	 int64_t timeout_ms, peer_reply_fn *fn, void *arg)
{
	unsigned n = w.asked;

	(void)fd;
	if (p == 0)
		return 0;
	CHECK(timeout_ms > 0, "a question has a deadline");
	if (type == FRAME_commit)
		see_commit(body);
	w.asks[n].token = n + 1;
	w.asks[n].fn = fn;
	w.asks[n].arg = arg;
	w.asks[n].type = type;
	w.asked++;
	w.open++;
	return n + 1;
}

int
peer_ask_more(uint32_t token, enum frame_type type, const void *body)
{
	const struct frame_commit_rcpt *r = body;

	if (token == 0 || token > w.asked)
		return -1;
	if (type == FRAME_commit_rcpt)
		buf_printf(&w.seen, "rcpt %s %s %s ", r->address, r->orcpt,
			   r->notify);
	else
		buf_add_str(&w.seen, "end ");
	return 0;
}

void
peer_forget(uint32_t token)
{
	if (token == 0 || token > w.asked || w.asks[token - 1].token == 0)
		abort();
	w.asks[token - 1].token = 0;
	w.open--;
}

int
peer_note(peer_id p, enum frame_type type, const void *body, int fd)
{
	(void)fd;
	if (p != 0 && type == FRAME_body_drop &&
	    str_eq(((const struct frame_body_drop *)body)->id, "ID"))
		w.drops++;
	if (p != 0 && type == FRAME_body_forget) {
		uint32_t token =
			((const struct frame_body_forget *)body)->token;

		CHECK(token > 0 && token <= w.asked &&
			      w.asks[token - 1].type == FRAME_body_ask,
		      "what is forgotten was asked for");
		w.forgets++;
	}
	return p != 0 ? 0 : -1;
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

const struct knobs *
role_knobs(void)
{
	static struct knobs knobs;

	knobs_default(&knobs);
	knobs.sender_domain_check = knobs.client_names = 0;
	return &knobs;
}

void
connection_wake(struct connection *c)
{
	(void)c;
	w.wakes++;
}

/* Their answers. */

static enum does
does(enum frame_type type)
{
	if (type == FRAME_rcpt_ask)
		return w.control;
	return type == FRAME_body_ask ? w.body : w.commit;
}

static uint32_t
status(enum does d)
{
	if (d == DOES_LATER)
		return ANSWER_LATER;
	return d == DOES_NO ? ANSWER_NO : ANSWER_OK;
}

static void
answer_rcpt(unsigned n, enum does d)
{
	struct frame_rcpt_reply b = { .status = RCPT_OK,
				      .text = "",
				      .canonical = w.canonical };
	struct frame f = { .fd = -1, .body = &b };

	if (d == DOES_LATER)
		b = (struct frame_rcpt_reply){ RCPT_LATER, "busy", "",
					       0,	   0,	   { "", 0 } };
	if (d == DOES_NO)
		b.status = RCPT_NOT_OURS;
	if (d == DOES_MIX)
		b.is_outbound = w.rcpts++;
	w.asks[n].fn(w.asks[n].arg, &f);
}

static void
answer_body(unsigned n, enum does d)
{
	struct frame_body_reply b = { status(d), "ID",
				      d == DOES_LATER ? "disk full" : "" };
	struct frame f = { .fd = -1, .body = &b };

	if (d == DOES_YES)
		f.fd = w.is_disk_full ? open("/dev/full", O_WRONLY)
				      : dup(w.body_fd);
	w.asks[n].fn(w.asks[n].arg, &f);
	if (f.fd >= 0)
		abort();
}

static void
answer_commit(unsigned n, enum does d)
{
	struct frame_commit_reply b = { status(d),
					d == DOES_LATER ? "sync failed" : "" };
	struct frame f = { .fd = -1, .body = &b };

	w.asks[n].fn(w.asks[n].arg, &f);
}

/* Answers what is open and has an answer; false: nothing. */
static bool
answer_open(void)
{
	bool any = false;
	unsigned n;

	for (n = 0; n < w.asked; n++) {
		enum does d = does(w.asks[n].type);

		if (w.asks[n].token == 0 || d == DOES_NOTHING)
			continue;
		any = true;
		w.asks[n].token = 0;
		w.open--;
		if (d == DOES_TIME_OUT)
			w.asks[n].fn(w.asks[n].arg, NULL);
		else if (w.asks[n].type == FRAME_rcpt_ask)
			answer_rcpt(n, d);
		else if (w.asks[n].type == FRAME_body_ask)
			answer_body(n, d);
		else
			answer_commit(n, d);
	}
	return any;
}

static void
open_world(void)
{
	static const struct session_conf conf = {
		.hostname = "gw.example",
		.size_max = 1000000,
		.rcpt_max = 100,
		.messages_max = 100,
		.errors_max = 100,
	};

	memset(&w, 0, sizeof(w));
	w.has_queue = w.has_control = true;
	w.canonical = "";
	w.body_fd = memfd_create("body", MFD_CLOEXEC);
	w.c.client.ip = (struct ip){ AF_INET, { 192, 0, 2, 1 } };
	str_copy(w.c.client_text, sizeof(w.c.client_text), "192.0.2.1");
	session_init(&w.c.session, &commit_session_ops, &w.c, &conf,
		     &w.c.io.out);
}

/* Plays in to its end; what is said behind EHLO's reply. */
static const char *
play(const char *in)
{
	size_t len = strlen(in), at = 0, n;
	const char *out;

	do {
		n = session_input(&w.c.session,
				  (struct span){ in + at, len - at });
		at += n;
	} while ((n > 0 && at < len) || answer_open());
	out = strstr(buf_str(&w.c.io.out), EHLO_OK);
	return out != NULL ? out + strlen(EHLO_OK) : buf_str(&w.c.io.out);
}

static void
close_world(const char *words)
{
	session_release(&w.c.session);
	commit_release(&w.c);
	CHECK(w.c.mail == NULL, "%s: no mail is left", words);
	CHECK_INT(w.open, 0, "%s: no question is left open", words);
	buf_release(&w.c.io.out);
	buf_release(&w.seen);
	close(w.body_fd);
}

/* clang-format off */
static const struct row {
	const char *name;
	bool no_queue, no_control, is_disk_full;
	enum does control, body, commit;
	const char *out;
	unsigned drops;
} rows[] = {
	{ .name = "all is well", .out =
	  "250 2.1.0 Ok\r\n250 2.1.5 recipient ok\r\n"
	  "354 End data with <CR><LF>.<CR><LF>\r\n"
	  "250 2.0.0 ID queued\r\n250 2.0.0 Ok\r\n" },
	{ .name = "queue is down", .no_queue = true, .out =
	  "451 4.3.0 Message cannot be taken now, try again later\r\n"
	  "503 5.5.1 Need MAIL first\r\n503 5.5.1 Need MAIL first\r\n" },
	{ .name = "control is down", .no_control = true, .out =
	  "250 2.1.0 Ok\r\n"
	  "451 4.3.0 Recipient cannot be checked now, try again later\r\n"
	  "451 4.5.1 No recipient was taken, try again later\r\n" },
	{ .name = "control is silent", .control = DOES_TIME_OUT, .out =
	  "250 2.1.0 Ok\r\n"
	  "451 4.3.0 Recipient cannot be checked now, try again later\r\n"
	  "451 4.5.1 No recipient was taken, try again later\r\n" },
	{ .name = "control says later", .control = DOES_LATER, .out =
	  "250 2.1.0 Ok\r\n451 4.3.0 busy\r\n"
	  "451 4.5.1 No recipient was taken, try again later\r\n" },
	{ .name = "control says no", .control = DOES_NO, .out =
	  "250 2.1.0 Ok\r\n550 5.7.1 Relaying denied: mail for this domain "
	  "is not taken here; postmaster@gw.example helps\r\n"
	  "554 5.5.1 No valid recipients\r\n" },
	{ .name = "queue has no room", .body = DOES_LATER, .out =
	  "250 2.1.0 Ok\r\n250 2.1.5 recipient ok\r\n"
	  "452 4.3.1 disk full\r\n" },
	{ .name = "queue gives no descriptor", .body = DOES_NO, .out =
	  "250 2.1.0 Ok\r\n250 2.1.5 recipient ok\r\n"
	  "451 4.3.0 Message cannot be taken now, try again later\r\n" },
	{ .name = "queue is silent about a descriptor", .body = DOES_TIME_OUT,
	  .out = "250 2.1.0 Ok\r\n250 2.1.5 recipient ok\r\n"
	  "451 4.3.0 Message cannot be taken now, try again later\r\n" },
	{ .name = "the disk is full", .is_disk_full = true, .drops = 1, .out =
	  "250 2.1.0 Ok\r\n250 2.1.5 recipient ok\r\n"
	  "354 End data with <CR><LF>.<CR><LF>\r\n"
	  "452 4.3.1 Message cannot be stored now, try again later\r\n"
	  "250 2.0.0 Ok\r\n" },
	{ .name = "the commit fails", .commit = DOES_LATER, .out =
	  "250 2.1.0 Ok\r\n250 2.1.5 recipient ok\r\n"
	  "354 End data with <CR><LF>.<CR><LF>\r\n"
	  "451 4.3.0 sync failed\r\n250 2.0.0 Ok\r\n" },
	{ .name = "the commit is refused", .commit = DOES_NO, .out =
	  "250 2.1.0 Ok\r\n250 2.1.5 recipient ok\r\n"
	  "354 End data with <CR><LF>.<CR><LF>\r\n"
	  "550 5.7.1 Message is refused\r\n250 2.0.0 Ok\r\n" },
	{ .name = "queue is silent about the commit",
	  .commit = DOES_TIME_OUT, .out =
	  "250 2.1.0 Ok\r\n250 2.1.5 recipient ok\r\n"
	  "354 End data with <CR><LF>.<CR><LF>\r\n"
	  "451 4.3.0 Message cannot be taken now, try again later\r\n"
	  "250 2.0.0 Ok\r\n" },
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void
test_rows(void)
{
	size_t i;

	for (i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		const char *out;

		open_world();
		w.has_queue = !r->no_queue;
		w.has_control = !r->no_control;
		w.is_disk_full = r->is_disk_full;
		w.control = r->control;
		w.body = r->body;
		w.commit = r->commit;
		out = play(WHOLE);
		/* Where DATA was refused the message is read as commands. */
		CHECK(str_has_prefix(out, r->out), "%s: %s", r->name, out);
		CHECK_INT(w.drops, r->drops, "%s: drops of the body", r->name);
		CHECK_INT(w.forgets, r->body == DOES_TIME_OUT,
			  "%s: descriptors nobody waits for", r->name);
		close_world(r->name);
	}
}

static void
test_commit_frame(void)
{
	char body[100] = "";

	open_world();
	w.canonical = "box@d.example";
	play("EHLO c.example\r\nMAIL FROM:<a@b.example> SMTPUTF8 RET=FULL "
	     "ENVID=q BODY=8BITMIME\r\nRCPT TO:<r@d.example> NOTIFY=NEVER "
	     "ORCPT=rfc822;x@y\r\nRCPT TO:<r@d.example>\r\nDATA\r\n"
	     "Message-ID: <m@c>\r\n\r\n..hi\r\n.\r\n");
	CHECK_STR(buf_str(&w.seen),
		  "commit id=ID size=26 from=a@b.example helo=c.example "
		  "msgid=<m@c> 8bit=1 utf8=1 out=0 envid=q ret=FULL rcpts=1 "
		  "rcpt box@d.example rfc822;x@y NEVER end ",
		  "queue gets all that is known, each recipient once");
	CHECK_INT(pread(w.body_fd, body, sizeof(body), 0), 26,
		  "the body is written");
	CHECK_STR(body, "Message-ID: <m@c>\r\n\r\n.hi\r\n", "as it is");
	close_world("a commit");
}

static void
test_directions(void)
{
	open_world();
	w.control = DOES_MIX;
	CHECK_STR(play(TO_MAIL RCPT "RCPT TO:<s@e.example>\r\n"),
		  "250 2.1.0 Ok\r\n250 2.1.5 recipient ok\r\n"
		  "452 4.5.3 Recipients of another direction need a message "
		  "of their own\r\n",
		  "a message goes in one direction");
	close_world("directions");
}

static void
test_intake(void)
{
	struct frame_intake closed = { 0, "spool is full" };
	struct frame f = { .fd = -1, .body = &closed };

	open_world();
	commit_intake(1, &f);
	CHECK_STR(play(TO_MAIL), "452 4.3.1 spool is full\r\n",
		  "closed intake is told at MAIL");
	commit_peer_up(ROLE_CONTROL);
	CHECK(str_has_prefix(play("MAIL FROM:<>\r\n"), "452 4.3.1"),
	      "and stays so");
	commit_peer_up(ROLE_QUEUE);
	CHECK(strstr(play("MAIL FROM:<>\r\n"), "250 2.1.0 Ok") != NULL,
	      "until another queue is there");
	close_world("intake");
}

/* A session that ends anywhere leaves nothing behind. */
static void
test_ends(void)
{
	static const char *const ins[] = {
		TO_MAIL,
		TO_MAIL RCPT,
		TO_MAIL RCPT RCPT "DATA\r\n",
		TO_MAIL RCPT "DATA\r\nhalf",
		TO_MAIL RCPT "DATA\r\nx\r\n.\r\n",
	};
	enum does quiet;
	size_t i;
	int place;

	for (place = 0; place < 4; place++) {
		for (i = 0; i < sizeof(ins) / sizeof(ins[0]); i++) {
			quiet = DOES_NOTHING;
			open_world();
			if (place == 1)
				w.control = quiet;
			if (place == 2)
				w.body = quiet;
			if (place == 3)
				w.commit = quiet;
			play(ins[i]);
			CHECK_INT(commit_is_due(&w.c), place == 3 && i == 4,
				  "an answer of queue's is due or not");
			close_world("an end");
			/* Or else queue would keep a body for each of them. */
			CHECK_INT(w.forgets, place == 2 && i > 0,
				  "a descriptor that is due is forgotten");
		}
	}
}

/* Where the peer only goes down between two questions. */
static void
test_goes_down(void)
{
	open_world();
	play(TO_MAIL RCPT "DATA\r\n");
	w.has_queue = false;
	CHECK(strstr(play("x\r\n.\r\n"), "451 4.3.0 Message cannot be taken") !=
		      NULL,
	      "queue goes down before the commit");
	close_world("queue goes down");
	open_world();
	play(TO_MAIL);
	w.has_queue = false;
	CHECK(strstr(play(RCPT "DATA\r\n"), "451 4.3.0 Message cannot be") !=
		      NULL,
	      "queue goes down before the descriptor");
	close_world("queue goes down");
}

int
main(void)
{
	test_rows();
	test_commit_frame();
	test_directions();
	test_intake();
	test_ends();
	test_goes_down();
	return check_done();
}
