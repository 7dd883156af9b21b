/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What control says about recipients, policies and routes, from a snapshot
 * and without one.  The peers are this test.
 */
#include "answers.h"

#include <stdio.h>
#include <string.h>

#include "check.h"
#include "dbroom.h"
#include "role.h"
#include "snapshot.h"
#include "str.h"

static struct policy *policy;
static const char *hostname = "mx.ours.example";
static char said[2000];

const struct policy *
snapshot(void)
{
	return policy;
}

const char *
role_hostname(void)
{
	return hostname;
}

struct stats *
role_stats(void)
{
	return NULL;
}

int
peer_answer(peer_id p, uint32_t token, enum frame_type type, const void *body,
	    int fd)
{
	const struct frame_rcpt_reply *rcpt = body;
	const struct frame_policy_reply *knobs = body;
	const struct frame_route_reply *route = body;

	if (p != 7 || token != 9 || fd != -1)
		str_copy(said, sizeof(said), "answered to somebody else");
	else if (type == FRAME_rcpt_reply)
		str_fmt(said, sizeof(said), "%u %s %s", rcpt->code,
			rcpt->enhanced,
			rcpt->canonical != NULL ? rcpt->canonical : "");
	else if (type == FRAME_policy_reply)
		str_fmt(said, sizeof(said), "%u %.*s", knobs->status,
			(int)knobs->knobs.len,
			knobs->knobs.p != NULL ? knobs->knobs.p : "");
	else if (type == FRAME_route_reply)
		str_fmt(said, sizeof(said), "%u %.*s", route->status,
			(int)route->dests.len,
			route->dests.p != NULL ? route->dests.p : "");
	return 0;
}

static const char *
ask_rcpt(const char *rcpt)
{
	struct frame_rcpt_ask ask = { .client_ip = "192.0.2.1",
				      .sender = "a@b.example",
				      .rcpt = rcpt };
	struct frame f = {
		.type = FRAME_rcpt_ask, .token = 9, .fd = -1, .body = &ask
	};

	said[0] = '\0';
	answer_rcpt(7, &f);
	return said;
}

static const char *
ask_policy(const char *address)
{
	struct frame_policy_ask ask = { .address = address };
	struct frame f = {
		.type = FRAME_policy_ask, .token = 9, .fd = -1, .body = &ask
	};

	said[0] = '\0';
	answer_policy(7, &f);
	return said;
}

static const char *
ask_route(const char *domain)
{
	struct frame_route_ask ask = { .domain = domain };
	struct frame f = {
		.type = FRAME_route_ask, .token = 9, .fd = -1, .body = &ask
	};

	said[0] = '\0';
	answer_route(7, &f);
	return said;
}

static const char *const settings[][3] = {
	{ "domain", "ours.example", "" },
	{ "dest", "ours.example mx.ours.example:25", "20" },
	{ "dest", "ours.example [2001:db8::1]:26", "10" },
	{ "domain", "alias.example", "ours.example" },
	{ "domain", "second.example", "alias.example" },
	{ "domain", "bare.example", "" },
	{ "setting", "global id_header", "yes" },
	{ "setting", "domain ours.example hold_mail", "yes" },
	{ "setting", "user joe@ours.example hold_mail", "no" },
};

static void
load(size_t count)
{
	struct db *db = dbroom_open(dbroom_new());

	for (size_t i = 0; i < count; i++)
		dbroom_put(db, settings[i][0], settings[i][1], settings[i][2]);
	policy_free(policy);
	policy = policy_load(db, NULL, &dbroom_err);
	db_close(db);
}

#define ALL (sizeof(settings) / sizeof(*settings))
static const struct {
	const char *words, *rcpt, *want;
} rcpts[] = {
	{ "one of ours", "joe@ours.example", "250 2.1.5 joe@ours.example" },
	{ "the domain in lower case, the local part as given",
	  "Joe.X@OURS.Example", "250 2.1.5 Joe.X@ours.example" },
	{ "an alias is its target", "joe+a@alias.example",
	  "250 2.1.5 joe+a@ours.example" },
	{ "so is an alias of an alias", "joe@second.example",
	  "250 2.1.5 joe@ours.example" },
	{ "a quoted local part", "\"a b\"@ours.example",
	  "250 2.1.5 \"a b\"@ours.example" },
	{ "not ours", "joe@theirs.example", "550 5.7.1 " },
	{ "a domain below ours is another", "joe@x.ours.example",
	  "550 5.7.1 " },
	{ "an address literal is not ours", "joe@[127.0.0.1]", "550 5.7.1 " },
	{ "no domain", "joe", "501 5.1.3 " },
	{ "nothing", "", "501 5.1.3 " },
	{ "two at signs", "joe@theirs.example@ours.example", "501 5.1.3 " },
	{ "postmaster without a domain is our own name's domain", "PostMaster",
	  "250 2.1.5 postmaster@ours.example" },
};

static void
test_rcpts(void)
{
	load(ALL);
	for (size_t i = 0; i < sizeof(rcpts) / sizeof(*rcpts); i++)
		CHECK_STR(ask_rcpt(rcpts[i].rcpt), rcpts[i].want, "%s",
			  rcpts[i].words);
	hostname = "gate.elsewhere.example";
	CHECK_STR(ask_rcpt("postmaster"), "250 2.1.5 postmaster@bare.example",
		  "with a name of another domain it is the first of ours");
	hostname = "";
	CHECK_STR(ask_rcpt("postmaster"), "250 2.1.5 postmaster@bare.example",
		  "and so it is without a name");
}

static void
test_policies(void)
{
	char joe[200];

	CHECK_STR(ask_policy("sue@ours.example"),
		  "0 hold_mail=yes\nid_header=yes\n",
		  "a policy has what differs from the defaults");
	str_copy(joe, sizeof(joe), ask_policy("JOE+x@second.example"));
	CHECK_STR(joe, "0 id_header=yes\n", "a user's is behind its alias");
	CHECK_STR(ask_policy("joe@theirs.example"), joe,
		  "equal policies are equal bytes");
}

static void
test_routes(void)
{
	CHECK_STR(ask_route("ours.example"),
		  "0 10 2001:db8::1 26\n20 mx.ours.example 25\n",
		  "the best destination first");
	CHECK_STR(ask_route("alias.example"),
		  "0 10 2001:db8::1 26\n20 mx.ours.example 25\n",
		  "an alias goes where its target goes");
	CHECK_STR(ask_route("bare.example"), "0 ",
		  "a domain without a destination has none");
	CHECK_STR(ask_route("theirs.example"), "2 ", "not ours: no");
}

static void
test_later(void)
{
	load(0);
	CHECK_STR(ask_rcpt("joe@ours.example"), "451 4.3.5 ",
		  "without any domain nobody is refused");
	CHECK_STR(ask_rcpt("joe"), "501 5.1.3 ", "but for what is no address");
	policy_free(policy);
	policy = NULL;
	CHECK_STR(ask_rcpt("joe@ours.example"), "451 4.3.0 ",
		  "without settings a recipient is asked to come later");
	CHECK_STR(ask_rcpt("joe"), "451 4.3.0 ", "whoever it is");
	CHECK_STR(ask_policy("joe@ours.example"), "1 ", "so is a policy");
	CHECK_STR(ask_route("ours.example"), "1 ", "and a route");
}

int
main(void)
{
	dbroom_begin();
	test_rcpts();
	test_policies();
	test_routes();
	test_later();
	return check_done() | dbroom_end();
}
