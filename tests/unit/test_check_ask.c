/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Checks that other roles make: what each answer and none comes to.  The
 * roles are this test.
 */
#include <stdlib.h>

#include "check.h"
#include "check_impl.h"
#include "role.h"
#include "spf.h"
#include "str.h"

static struct {
	bool is_down;
	peer_reply_fn *fn;
	void *arg;
	enum frame_type type;
} asked;

peer_id
peer_of(enum role r)
{
	return asked.is_down ? 0 : (peer_id)r;
}

uint32_t
peer_ask(peer_id p, enum frame_type type, const void *body, int fd,
	 int64_t timeout_ms, peer_reply_fn *fn, void *arg)
{
	(void)body, (void)fd;
	if (p == 0)
		return 0;
	if (timeout_ms <= 0)
		abort();
	asked.fn = fn;
	asked.arg = arg;
	asked.type = type;
	return 1;
}

void
peer_forget(uint32_t token)
{
	(void)token;
	asked.fn = NULL;
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
	return NULL;
}

static const struct {
	const char *words;
	bool is_spf;
	int says; /* the result, -1 no answer, -2 nobody there */
	bool is_strict;
	enum check_result result;
} rows[] = {
	{ "SPF pass", true, SPF_PASS, false, CHECK_PASS },
	{ "SPF none", true, SPF_NONE, false, CHECK_PASS },
	{ "SPF softfail", true, SPF_SOFTFAIL, false, CHECK_PASS },
	{ "SPF of a broken record", true, SPF_PERMERROR, false, CHECK_PASS },
	{ "SPF fail", true, SPF_FAIL, false, CHECK_REFUSE },
	{ "SPF without DNS", true, SPF_TEMPERROR, false, CHECK_UNSURE },
	{ "SPF without an answer", true, -1, false, CHECK_UNSURE },
	{ "SPF without the pool", true, -2, false, CHECK_UNSURE },
	{ "callout yes", false, CALLOUT_YES, false, CHECK_PASS },
	{ "callout no", false, CALLOUT_NO, false, CHECK_REFUSE },
	{ "callout unreachable", false, CALLOUT_UNREACHABLE, false,
	  CHECK_UNSURE },
	{ "callout unreachable, where that is later", false,
	  CALLOUT_UNREACHABLE, true, CHECK_PUT_OFF },
	{ "callout of a result that is none", false, 77, false, CHECK_UNSURE },
	{ "callout without an answer", false, -1, false, CHECK_UNSURE },
	{ "callout without control", false, -2, true, CHECK_PUT_OFF },
};

static void
reply(bool is_spf, int says)
{
	struct frame_spf_reply spf = { .result = (uint32_t)says,
				       .text = "",
				       .line = "line" };
	struct frame_verify_reply verify = { .result = (uint32_t)says,
					     .text = "" };
	struct frame f = { .fd = -1, .body = &verify };

	if (is_spf)
		f.body = &spf;
	if (asked.fn == NULL)
		abort();
	asked.fn(asked.arg, says == -1 ? NULL : &f);
}

static const struct {
	const char *words;
	int spf; /* the result, -1: the knob is off */
	int says; /* -1 no answer, -2 nobody there */
	enum check_result result;
	const char *text;
} greys[] = {
	{ "a triplet not seen before", -1, GREY_NEW, CHECK_REFUSE,
	  "Greylisted, try again in 301 seconds" },
	{ "one that is too early", -1, GREY_EARLY, CHECK_REFUSE,
	  "Greylisted, try again in 301 seconds" },
	{ "one that has come again", -1, GREY_PASSED, CHECK_PASS, NULL },
	{ "one that is known", -1, GREY_KNOWN, CHECK_PASS, NULL },
	{ "a client that is known", -1, GREY_CLIENT, CHECK_PASS, NULL },
	{ "no answer puts nobody off", -1, -1, CHECK_UNSURE, NULL },
	{ "nor does nobody", -1, -2, CHECK_UNSURE, NULL },
	{ "SPF pass is enough", SPF_PASS, -3, CHECK_PASS, NULL },
	{ "SPF softfail is not", SPF_SOFTFAIL, GREY_NEW, CHECK_REFUSE,
	  "Greylisted, try again in 301 seconds" },
	{ "nor is SPF that cannot tell", SPF_TEMPERROR, GREY_NEW, CHECK_REFUSE,
	  "Greylisted, try again in 301 seconds" },
};

static void
reply_grey(int says)
{
	struct frame_grey_reply b = { .result = (uint32_t)says,
				      .wait_ms = 300000 };
	struct frame f = { .fd = -1, .body = &b };

	asked.fn(asked.arg, says == -1 ? NULL : &f);
}

static void
test_grey(size_t i)
{
	struct check_who who = { 0 };
	struct check_rcpt rcpt = { .canonical = "r@ours.example" };
	struct check_run run = { .rcpt = &rcpt };
	struct knobs knobs;

	(void)ip_parse("192.0.2.1", &who.ip, NULL);
	run.client = check_client_new(&who);
	run.mail = check_mail_new(run.client, "a@b.example");
	run.knobs = &knobs;
	knobs_default(&knobs);
	fact_init(&run.grey);
	list_init(&run.wait);
	asked.is_down = greys[i].says == -2;
	CHECK_INT(check_greylist(&run), CHECK_OFF, "%s: as shipped it is off",
		  greys[i].words);
	knobs.greylist = 1;
	knobs.greylist_spf = greys[i].spf >= 0;
	if (greys[i].spf >= 0) {
		CHECK_INT(check_greylist(&run), CHECK_WAIT,
			  "SPF is waited for");
		list_del(&run.wait);
		reply(true, greys[i].spf);
	}
	if (greys[i].says >= -1) {
		CHECK_INT(check_greylist(&run), CHECK_WAIT, "it is waited for");
		CHECK_INT(asked.type, FRAME_grey_ask, "as control is asked");
		list_del(&run.wait);
		reply_grey(greys[i].says);
	}
	CHECK_INT(check_greylist(&run), greys[i].result, "%s", greys[i].words);
	CHECK_STR(run.text, greys[i].text, "and so it is told");
	check_mail_free(run.mail);
	check_client_free(run.client);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(greys) / sizeof(*greys); i++)
		test_grey(i);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct check_who who = { 0 };
		struct check_client *c;
		struct check_rcpt rcpt = { .canonical = "r@ours.example" };
		struct check_run run = { .rcpt = &rcpt };
		struct knobs knobs;
		enum check_result (*fn)(struct check_run *) =
			rows[i].is_spf ? check_spf : check_callout;

		(void)ip_parse("192.0.2.1", &who.ip, NULL);
		c = check_client_new(&who);
		run.client = c;
		run.mail = check_mail_new(c, "a@b.example");
		run.knobs = &knobs;
		knobs_default(&knobs);
		fact_init(&run.callout);
		list_init(&run.wait);
		asked.is_down = rows[i].says == -2;
		CHECK_INT(fn(&run), CHECK_OFF, "%s: as shipped it is off",
			  rows[i].words);
		knobs.spf_refuse = 1;
		knobs.rcpt_check = RCPT_CHECK_CALLOUT;
		knobs.rcpt_unreachable = rows[i].is_strict;
		if (!asked.is_down) {
			CHECK_INT(fn(&run), CHECK_WAIT, "it is waited for");
			list_del(&run.wait);
			reply(rows[i].is_spf, rows[i].says);
		}
		CHECK_INT(fn(&run), rows[i].result, "%s", rows[i].words);
		CHECK_STR(check_mail_spf(run.mail),
			  rows[i].is_spf && rows[i].says >= 0 ? "line" : "",
			  "and what the commit says of SPF");
		check_mail_free(run.mail);
		check_client_free(c);
	}
	return check_done();
}
