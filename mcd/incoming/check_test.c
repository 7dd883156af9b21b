/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * One test: control is asked of the recipient as for any other, then the
 * runner walks the stages with a trace, each decision a row.
 */
#include "check_test.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "check_impl.h"
#include "record.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define TESTS_MAX 16
#define RCPT_WAIT_MS 10000

struct test {
	struct list node;
	peer_id from;
	uint32_t token;
	uint32_t asked; /* of control, 0: answered */
	char ip[IP_TEXT_SIZE];
	char helo[256], sender[ADDRESS_TEXT_SIZE], rcpt[ADDRESS_TEXT_SIZE];
	char canonical[ADDRESS_TEXT_SIZE];
	struct check_client *client;
	struct check_mail *mail;
	struct check_rcpt facts;
	struct knobs knobs;
	unsigned taken;
	struct check_run run;
};

static struct list tests = LIST_INIT(tests);
static size_t test_count;

static void
test_free(struct test *t)
{
	check_stop(&t->run);
	if (t->asked != 0)
		peer_forget(t->asked);
	check_mail_free(t->mail);
	check_client_free(t->client);
	list_del(&t->node);
	test_count--;
	free(t);
}

static void
say_done(peer_id from, uint32_t token, uint32_t code, const char *text)
{
	struct frame_ctl_done done = { .exit_code = code,
				       .text = text,
				       .cursor = "" };

	(void)peer_answer(from, token, FRAME_ctl_done, &done, -1);
}

static void
test_end(struct test *t, uint32_t code, const char *text)
{
	say_done(t->from, t->token, code, text);
	test_free(t);
}

/* The value of "key=" in the lines of arg; "" when it is not there. */
static bool
find_word(const char *arg, const char *key, char *dst, size_t size)
{
	size_t len = strlen(key);

	for (; *arg != '\0'; arg += strcspn(arg, "\n"), arg += *arg == '\n') {
		if (strncmp(arg, key, len) != 0 || arg[len] != '=')
			continue;
		arg += len + 1;
		return str_fmt(dst, size, "%.*s", (int)strcspn(arg, "\n"), arg);
	}
	dst[0] = '\0';
	return true;
}

static void
on_trace(void *arg, const struct check_row *row, enum check_result result,
	 const char *detail, const struct session_reply *r)
{
	static const char *const stages[] = { "connect", "rcpt", "data" };
	static const char *const results[] = { "off",	 "exempt", "pass",
					       "refuse", "later",  "unsure",
					       "waits" };
	struct test *t = arg;
	struct record rec = { 0 };
	struct frame_ctl_row frame;
	char reply[SESSION_TEXT_MAX + 32] = "";

	if (r != NULL)
		str_fmt(reply, sizeof(reply), "%d %s %s", r->code, r->enhanced,
			r->text);
	record_str(&rec, "stage", stages[row->stage]);
	record_str(&rec, "check", row->name);
	record_str(&rec, "result", results[result]);
	record_str(&rec, "detail",
		   result == CHECK_EXEMPT ? row->exempt : detail);
	record_str(&rec, "reply", reply);
	record_str(&rec, "knob", row->knob);
	record_str(&rec, "of", t->canonical);
	frame.record = buf_span(&rec.b);
	(void)peer_answer(t->from, t->token, FRAME_ctl_row, &frame, -1);
	record_release(&rec);
}

static void
on_done(void *arg, const struct session_reply *r, bool was_late)
{
	struct test *t = arg;

	(void)r, (void)was_late;
	if (t->run.stage == CHECK_RCPT) {
		test_end(t, EX_OK, "");
		return;
	}
	t->run.stage = CHECK_RCPT;
	t->run.mail = t->mail;
	t->run.rcpt = &t->facts;
	check_start(&t->run);
}

static void
on_rcpt_reply(void *arg, struct frame *f)
{
	struct test *t = arg;
	const struct frame_rcpt_reply *b =
		f != NULL ? FRAME_BODY(f, rcpt_reply) : NULL;

	t->asked = 0;
	if (b == NULL || b->status == RCPT_LATER) {
		test_end(t, EX_TEMPFAIL,
			 b != NULL ? b->text : "control does not answer");
		return;
	}
	if (b->status == RCPT_BAD) {
		test_end(t, EX_DATAERR, b->text);
		return;
	}
	str_copy(t->canonical, sizeof(t->canonical), b->canonical);
	t->facts = (struct check_rcpt){ .given = t->rcpt,
					.canonical = t->canonical,
					.status = b->status,
					.flags = b->flags,
					.taken = &t->taken };
	if (b->knobs.len > 0) {
		knobs_default(&t->knobs);
		(void)knobs_read(b->knobs, &t->knobs, NULL);
	}
	t->run = (struct check_run){ .client = t->client,
				     .knobs = &t->knobs,
				     .stage = CHECK_CONNECT,
				     .done = on_done,
				     .trace = on_trace,
				     .arg = t };
	check_start(&t->run);
}

static void
begin(struct test *t)
{
	struct check_who who = { .is_dry = true };
	struct frame_rcpt_ask ask = { .client_ip = t->ip,
				      .sender = t->sender,
				      .rcpt = t->rcpt };
	struct err e;

	if (ip_parse(t->ip, &who.ip, &e) < 0) {
		test_end(t, EX_USAGE, e.text);
		return;
	}
	t->knobs = *role_knobs();
	t->client = check_client_new(&who);
	check_client_helo(t->client, t->helo);
	t->mail = check_mail_new(t->client, t->sender);
	t->asked = peer_ask(peer_of(ROLE_CONTROL), FRAME_rcpt_ask, &ask, -1,
			    RCPT_WAIT_MS, on_rcpt_reply, t);
	if (t->asked == 0)
		test_end(t, EX_TEMPFAIL, "control is not there");
}

void
check_test_ask(peer_id from, struct frame *f)
{
	const struct frame_ctl_ask *ask = FRAME_BODY(f, ctl_ask);
	struct test *t;

	if (test_count >= TESTS_MAX) {
		say_done(from, f->token, EX_TEMPFAIL,
			 "too many tests at a time");
		return;
	}
	t = xcalloc(1, sizeof(*t));
	t->from = from;
	t->token = f->token;
	list_push(&tests, &t->node);
	test_count++;
	if (find_word(ask->arg, "ip", t->ip, sizeof(t->ip)) &&
	    find_word(ask->arg, "helo", t->helo, sizeof(t->helo)) &&
	    find_word(ask->arg, "from", t->sender, sizeof(t->sender)) &&
	    find_word(ask->arg, "to", t->rcpt, sizeof(t->rcpt)))
		begin(t);
	else
		test_end(t, EX_DATAERR, "a word is too long");
}

void
check_test_forget_all(void)
{
	struct list *n, *tmp;

	list_for_safe(n, tmp, &tests)
		test_free(list_entry(n, struct test, node));
}
