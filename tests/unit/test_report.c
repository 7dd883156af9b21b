/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Who is told of outbound mail that was parked, of what, when and how often.
 * Clock, control and what becomes of a report are this test.
 */
#include "report.h"

#include <string.h>

#include "bounce.h"
#include "buf.h"
#include "check.h"
#include "log.h"
#include "loop.h"
#include "peer.h"
#include "role.h"
#include "str.h"

#define TIMERS_MAX 2000
#define ASKS_MAX 2000
#define EVERY_MS 60000

static struct timer *timers[TIMERS_MAX];
static int64_t due[TIMERS_MAX];
static size_t timer_count;
static int64_t now;

static struct {
	peer_reply_fn *fn;
	void *arg;
	char sender[324];
} asks[ASKS_MAX];
static size_t ask_count;
static bool is_control_down;

static struct knobs knobs = { .out_report_every = EVERY_MS };
static struct buf report; /* the last */
static char told[324]; /* who got it */
static int reports;

/* The clock. */

int64_t
loop_now_ms(void)
{
	return now;
}

void
timer_init(struct timer *t, loop_fn *fn, void *arg)
{
	memset(t, 0, sizeof(*t));
	t->fn = fn;
	t->arg = arg;
}

void
timer_clear(struct timer *t)
{
	for (size_t i = 0; i < timer_count; i++) {
		if (timers[i] != t)
			continue;
		timers[i] = timers[--timer_count];
		due[i] = due[timer_count];
		return;
	}
}

void
timer_release(struct timer *t)
{
	timer_clear(t);
}

void
timer_set(struct timer *t, int64_t ms)
{
	timer_clear(t);
	if (timer_count == TIMERS_MAX)
		abort();
	timers[timer_count] = t;
	due[timer_count++] = now + ms;
}

/* So much time goes by. */
static void
pass(int64_t ms)
{
	int64_t end = now + ms;

	for (;;) {
		size_t first = 0;
		struct timer *t;

		for (size_t i = 1; i < timer_count; i++)
			if (due[i] < due[first])
				first = i;
		if (timer_count == 0 || due[first] > end)
			break;
		now = due[first];
		t = timers[first];
		timer_clear(t);
		t->fn(t->arg);
	}
	now = end;
}

/* The other roles. */

const struct knobs *
role_knobs(void)
{
	return &knobs;
}

const char *
role_hostname(void)
{
	return "mx.ours.example";
}

peer_id
peer_of(enum role r)
{
	return r == ROLE_CONTROL ? 7 : 0;
}

uint32_t
peer_ask(peer_id p, enum frame_type type, const void *body, int fd,
	 int64_t timeout_ms, peer_reply_fn *fn, void *arg)
{
	const struct frame_report_ask *b = body;

	(void)timeout_ms;
	if (is_control_down)
		return 0;
	if (p != 7 || type != FRAME_report_ask || fd != -1 ||
	    ask_count == ASKS_MAX)
		abort();
	asks[ask_count].fn = fn;
	asks[ask_count].arg = arg;
	str_copy(asks[ask_count].sender, sizeof(asks[0].sender), b->sender);
	return (uint32_t)++ask_count;
}

void
bounce_own(const char *to, bounce_text_fn *write, void *arg)
{
	reports++;
	str_copy(told, sizeof(told), to);
	buf_clear(&report);
	if (write(arg, "01jq8z5m3k7n2p4r", &report) != 0)
		abort();
}

/* Control's answer to all that was asked: to, or NULL when it has died. */
static void
answer(const char *to)
{
	struct frame_report_reply b = { .to = to };
	struct frame f = { .type = FRAME_report_reply, .fd = -1, .body = &b };

	for (size_t i = 0; i < ask_count; i++)
		asks[i].fn(asks[i].arg, to != NULL ? &f : NULL);
	ask_count = 0;
}

static struct envelope
mail(const char *name, const char *subject)
{
	static struct rcpt rcpts[] = { { .address = "x@far.example" },
				       { .address = "y@far.example" } };
	struct envelope env;

	envelope_init(&env);
	str_copy(env.name, sizeof(env.name), name);
	env.is_outbound = true;
	env.is_virus = true;
	env.source = SOURCE_SMTP;
	env.sender = "joe@ours.example";
	env.client_ip = "192.0.2.1";
	env.client_name = "pc.ours.example";
	env.subject = subject;
	env.reason = "virus Eicar";
	env.rcpts = rcpts;
	env.rcpt_count = 2;
	return env;
}

static void
park(const char *subject)
{
	struct envelope env = mail("01jq8z5m3k7n2p40", subject);

	report_parked(&env, STATE_HOLD);
}

static void
begin(void)
{
	report_init();
	ask_count = 0;
	reports = 0;
	told[0] = '\0';
	is_control_down = false;
}

static void
end(const char *words)
{
	report_release();
	CHECK_INT(timer_count, 0, "nothing is left to wait for: %s", words);
}

static bool
says(const char *text)
{
	return strstr(buf_str(&report), text) != NULL;
}

static bool
is_plain(void)
{
	for (size_t i = 0; i < report.len; i++) {
		unsigned char c = (unsigned char)report.data[i];

		if (c > 126 || (c < ' ' && c != '\r' && c != '\n'))
			return false;
	}
	return report.len > 0;
}

static const struct {
	const char *words;
	bool is_outbound, is_own, is_spam, is_virus, is_dangerous;
	enum state state;
	size_t asked;
} kinds[] = {
	{ "a virus in hold", true, false, false, true, false, STATE_HOLD, 1 },
	{ "a virus in quarantine", true, false, false, true, false,
	  STATE_QUARANTINE, 1 },
	{ "spam", true, false, true, false, false, STATE_HOLD, 1 },
	{ "what nobody could look into", true, false, false, false, true,
	  STATE_HOLD, 1 },
	{ "mail held for another reason", true, false, false, false, false,
	  STATE_HOLD, 0 },
	{ "a virus that comes in", false, false, false, true, false,
	  STATE_QUARANTINE, 0 },
	{ "spam that is delivered", true, false, true, false, false,
	  STATE_OUTGOING, 0 },
	{ "a message of our own", true, true, true, false, false, STATE_HOLD,
	  0 },
};

static void
test_kinds(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct envelope env = mail("01jq8z5m3k7n2p40", "s");

		begin();
		env.is_outbound = kinds[i].is_outbound;
		env.source = kinds[i].is_own ? SOURCE_OWN : SOURCE_SMTP;
		env.is_spam = kinds[i].is_spam;
		env.is_virus = kinds[i].is_virus;
		env.is_dangerous = kinds[i].is_dangerous;
		report_parked(&env, kinds[i].state);
		CHECK_INT(ask_count, kinds[i].asked, "%s is %stold of",
			  kinds[i].words, kinds[i].asked ? "" : "not ");
		answer("");
		end(kinds[i].words);
	}
}

static void
test_text(void)
{
	begin();
	park("cheap\r\nBcc: all@far.example \x1b[2J \xe2\x82\xac");
	CHECK_STR(asks[0].sender, "joe@ours.example",
		  "control is asked who is told for the sender");
	answer("postmaster@ours.example");
	CHECK_INT(reports, 0, "nobody is told within the answer");
	pass(0);
	CHECK_INT(reports, 1, "the first mail is told of at once");
	CHECK_STR(told, "postmaster@ours.example", "to who control said");
	CHECK(says("To: <postmaster@ours.example>\r\n") &&
		      says("Subject: 1 outbound mail was parked\r\n") &&
		      says("Auto-Submitted: auto-generated\r\n") &&
		      says("From: Mail Delivery System "
			   "<MAILER-DAEMON@mx.ours.example>\r\n"),
	      "it is a mail for people");
	CHECK(says("01jq8z5m3k7n2p40, now in hold\r\n") &&
		      says("pc.ours.example[192.0.2.1]\r\n") &&
		      says("<joe@ours.example>\r\n") &&
		      says("2, the first <x@far.example>\r\n") &&
		      says("virus Eicar\r\n"),
	      "with all that is to be known");
	CHECK(says("cheap") && !says("\nBcc:"),
	      "a subject makes no field or line of its own");
	CHECK(is_plain(), "it is printable ASCII");
	end("a report");
}

static void
test_together(void)
{
	begin();
	park("first");
	answer("a@ours.example");
	pass(0);
	park("second");
	park("third");
	answer("a@ours.example");
	park("elsewhere");
	answer("b@ours.example");
	pass(EVERY_MS - 1);
	CHECK_INT(reports, 2, "those that follow wait, others have their own");
	CHECK_STR(told, "b@ours.example", "who is told of his first at once");
	pass(1);
	CHECK_INT(reports, 3, "and are told of together");
	CHECK(says("Subject: 2 outbound mails were parked\r\n") &&
		      says("second") && says("third") && !says("first\r\n"),
	      "each once");
	pass(10 * EVERY_MS);
	CHECK_INT(reports, 3, "nobody is told of nothing");
	CHECK_INT(timer_count, 0, "who has nothing to be told is forgotten");
	park("late");
	answer("a@ours.example");
	pass(0);
	CHECK_INT(reports, 4, "and then told of the next at once");
	end("many");
}

static void
test_much(void)
{
	char want[100];

	begin();
	park("first");
	answer("a@ours.example");
	pass(0);
	for (int i = 0; i < 1000; i++) {
		park("one of very many");
		answer("a@ours.example");
	}
	pass(EVERY_MS);
	CHECK_INT(reports, 2, "a thousand mails are one report");
	str_fmt(want, sizeof(want), "Subject: 1000 outbound mails were");
	CHECK(says(want), "which counts them all");
	CHECK(report.len < 40000 && says("More than these"),
	      "and lists some: %zu bytes", report.len);
	for (int i = 0; i < 500; i++)
		park("at a time");
	CHECK_INT(ask_count, 200, "control is asked of so many at a time");
	answer("a@ours.example");
	park("after them");
	CHECK_INT(ask_count, 1, "and of more when it has answered");
	answer("a@ours.example");
	for (int i = 0; i < 1100; i++) {
		char to[64];

		str_fmt(to, sizeof(to), "u%d@ours.example", i);
		park("to many");
		answer(to);
	}
	CHECK_INT(timer_count, 1000, "so many are told at most");
	end("many readers");
}

static void
test_trouble(void)
{
	begin();
	is_control_down = true;
	park("control is down");
	pass(0);
	is_control_down = false;
	park("control dies");
	answer(NULL);
	park("nobody is to be told");
	answer("");
	pass(EVERY_MS);
	CHECK_INT(reports, 0, "without a reader nobody is told");
	for (int i = 0; i < 200; i++)
		park("again");
	CHECK_INT(ask_count, 200, "and what could not be asked is forgotten");
	answer("");
	end("trouble");
}

static void
test_stop(void)
{
	begin();
	park("first");
	answer("a@ours.example");
	pass(0);
	park("second");
	answer("a@ours.example");
	park("asked");
	report_stop();
	CHECK_INT(reports, 2, "a stop tells of what has waited");
	CHECK(says("second"), "of all of it");
	answer("a@ours.example");
	CHECK_INT(reports, 3, "what control answers after it is told at once");
	CHECK(says("asked") && !says("second"), "alone");
	end("a stop");
}

int
main(void)
{
	log_open("test_report", LOG_TO_STDERR, LOG_LEVEL_ERROR);
	test_kinds();
	test_text();
	test_together();
	test_much();
	test_trouble();
	test_stop();
	buf_release(&report);
	return check_done();
}
