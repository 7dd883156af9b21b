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
static const char *const statuses[] = { "ok", "later", "bad", "not ours",
					"unknown" };

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
		str_fmt(said, sizeof(said), "%s %s%s%s%s%s%.*s",
			statuses[rcpt->status], rcpt->canonical,
			rcpt->is_outbound ? "out" : "",
			rcpt->flags & RCPT_FROM_RELAY ? " relay" : "",
			rcpt->flags & RCPT_FROM_PEER ? " peer" : "",
			rcpt->flags & RCPT_FROM_OWN ? " own" : "",
			(int)rcpt->knobs.len,
			rcpt->knobs.p != NULL ? rcpt->knobs.p : "");
	else if (type == FRAME_policy_reply)
		str_fmt(said, sizeof(said), "%u %.*s", knobs->status,
			(int)knobs->knobs.len,
			knobs->knobs.p != NULL ? knobs->knobs.p : "");
	else if (type == FRAME_report_reply)
		str_copy(said, sizeof(said),
			 ((const struct frame_report_reply *)body)->to);
	else if (type == FRAME_route_reply)
		str_fmt(said, sizeof(said), "%u %.*s", route->status,
			(int)route->dests.len,
			route->dests.p != NULL ? route->dests.p : "");
	return 0;
}

static const char *
ask_from(const char *client_ip, const char *sender, const char *rcpt)
{
	struct frame_rcpt_ask ask = { .client_ip = client_ip,
				      .sender = sender,
				      .rcpt = rcpt };
	struct frame f = {
		.type = FRAME_rcpt_ask, .token = 9, .fd = -1, .body = &ask
	};

	said[0] = '\0';
	answer_rcpt(7, &f);
	return said;
}

static const char *
ask_rcpt(const char *rcpt)
{
	return ask_from("192.0.2.1", "a@b.example", rcpt);
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
ask_report(const char *sender)
{
	struct frame_report_ask ask = { .sender = sender };
	struct frame f = {
		.type = FRAME_report_ask, .token = 9, .fd = -1, .body = &ask
	};

	said[0] = '\0';
	answer_report(7, &f);
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
	{ "setting", "domain listed.example rcpt_check", "list" },
	{ "domain", "listed.example", "" },
	{ "rcpt", "sue@listed.example", "" },
	{ "rcpt", "tom+x@listed.example", "" },
	{ "rcpt", "x@theirs.example", "" },
	{ "domain", "told.example", "" },
	{ "setting", "domain told.example out_report_to", "boss@b.example" },
	{ "domain", "untold.example", "" },
	{ "setting", "domain untold.example out_report_to", "" },
	{ "relay", "198.51.100.0/24", "" },
	{ "relay", "2001:db8:1::/48", "" },
	{ "peer", "198.51.100.7/32", "" },
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

/* What differs for the domain and not globally. */
#define OURS "hold_mail=yes\nid_header=yes\n"

#define ALL (sizeof(settings) / sizeof(*settings))
static const struct {
	const char *words, *rcpt, *want;
} rcpts[] = {
	{ "one of ours", "joe@ours.example", "ok joe@ours.example" },
	{ "the domain in lower case, the local part as given",
	  "Joe.X@OURS.Example", "ok Joe.X@ours.example" OURS },
	{ "an alias is its target", "joe+a@alias.example",
	  "ok joe+a@ours.example" },
	{ "so is an alias of an alias", "joe@second.example",
	  "ok joe@ours.example" },
	{ "a quoted local part", "\"a b\"@ours.example",
	  "ok \"a b\"@ours.example" OURS },
	{ "not ours", "joe@theirs.example", "not ours " },
	{ "a domain below ours is another", "joe@x.ours.example", "not ours " },
	{ "an address literal is not ours", "joe@[127.0.0.1]", "not ours " },
	{ "no domain", "joe", "bad " },
	{ "nothing", "", "bad " },
	{ "two at signs", "joe@theirs.example@ours.example", "bad " },
	{ "postmaster without a domain is our own name's domain", "PostMaster",
	  "ok postmaster@ours.example" OURS },
};

static void
test_rcpts(void)
{
	load(ALL);
	for (size_t i = 0; i < sizeof(rcpts) / sizeof(*rcpts); i++)
		CHECK_STR(ask_rcpt(rcpts[i].rcpt), rcpts[i].want, "%s",
			  rcpts[i].words);
	hostname = "gate.elsewhere.example";
	CHECK_STR(ask_rcpt("postmaster"), "ok postmaster@bare.example",
		  "with a name of another domain it is the first of ours");
	hostname = "";
	CHECK_STR(ask_rcpt("postmaster"), "ok postmaster@bare.example",
		  "and so it is without a name");
}

static const struct {
	const char *words, *sender, *want;
} reports[] = {
	{ "the postmaster of the sender's domain", "joe@ours.example",
	  "postmaster@ours.example" },
	{ "an alias is its target", "joe@alias.example",
	  "postmaster@ours.example" },
	{ "of somebody else our own", "joe@theirs.example",
	  "postmaster@ours.example" },
	{ "of nobody as well", "", "postmaster@ours.example" },
	{ "of what is no address too", "joe", "postmaster@ours.example" },
	{ "who is set for the domain", "joe@told.example", "boss@b.example" },
	{ "nobody, where that is set", "joe@untold.example", "" },
};

static void
test_reports(void)
{
	load(0);
	CHECK_STR(ask_report("joe@ours.example"), "", "without domains nobody");
	load(ALL);
	hostname = "mx.ours.example";
	for (size_t i = 0; i < sizeof(reports) / sizeof(*reports); i++)
		CHECK_STR(ask_report(reports[i].sender), reports[i].want,
			  "a report goes to: %s", reports[i].words);
}

#define LISTED "rcpt_check=list\nid_header=yes\n"

static const struct {
	const char *words, *client, *sender, *rcpt, *want;
} hosts[] = {
	{ "a relay host may send outwards", "198.51.100.1", "a@b.example",
	  "joe@theirs.example", "ok out relay" },
	{ "with IPv6 too", "2001:db8:1::5", "a@b.example", "joe@theirs.example",
	  "ok out relay" },
	{ "its neighbour may not", "2001:db8:2::5", "a@b.example",
	  "joe@theirs.example", "not ours " },
	{ "a peer that is a relay host is both", "198.51.100.7", "",
	  "joe@theirs.example", "ok out relay peer" },
	{ "the knobs of what goes out are the sender's", "198.51.100.1",
	  "joe@listed.example", "joe@theirs.example",
	  "ok out relay own" LISTED },
	{ "mail of a relay host to a domain of ours comes in, by the "
	  "recipient's knobs",
	  "198.51.100.1", "joe@listed.example", "sue@ours.example",
	  "ok sue@ours.example relay own" OURS },
	{ "so does mail of a peer from a sender of ours", "198.51.100.7",
	  "sue@ours.example", "Sue@listed.example",
	  "ok Sue@listed.example relay peer own" LISTED },
	{ "a relay host's mail to postmaster alone comes in", "198.51.100.1",
	  "joe@listed.example", "postmaster",
	  "ok postmaster@ours.example relay own" OURS },
	{ "a sender of ours is no reason to relay", "192.0.2.1",
	  "joe@ours.example", "joe@theirs.example", "not ours  own" },
	{ "a sender of ours is known, by an alias too", "192.0.2.1",
	  "joe@ALIAS.example", "postmaster@bare.example",
	  "ok postmaster@bare.example own" },
	{ "one in the list", "192.0.2.1", "", "Sue@listed.example",
	  "ok Sue@listed.example" LISTED },
	{ "one in the list, with a detail", "192.0.2.1", "",
	  "sue+a@listed.example", "ok sue+a@listed.example" LISTED },
	{ "a detail that is in the list", "192.0.2.1", "",
	  "tom+x@listed.example", "ok tom+x@listed.example" LISTED },
	{ "another detail of it", "192.0.2.1", "", "tom@listed.example",
	  "unknown tom@listed.example" LISTED },
	{ "one that is not in the list", "192.0.2.1", "", "joe@listed.example",
	  "unknown joe@listed.example" LISTED },
	{ "a relay host's recipients are known or not as well", "198.51.100.1",
	  "", "joe@listed.example", "unknown joe@listed.example relay" LISTED },
};

static void
test_hosts(void)
{
	load(ALL);
	hostname = "mx.ours.example";
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		CHECK_STR(ask_from(hosts[i].client, hosts[i].sender,
				   hosts[i].rcpt),
			  hosts[i].want, "%s", hosts[i].words);
}

static void
test_policies(void)
{
	char joe[200];

	CHECK_STR(ask_policy("sue@ours.example"),
		  "0 @level=hold_mail domain\nhold_mail=yes\nid_header=yes\n",
		  "a policy has what differs from the defaults");
	CHECK_STR(ask_policy("JOE+x@second.example"),
		  "0 @level=hold_mail user\nid_header=yes\n",
		  "a user's is behind its alias");
	str_copy(joe, sizeof(joe), ask_policy("joe@theirs.example"));
	CHECK_STR(joe, "0 id_header=yes\n", "no level where nothing is set");
	CHECK_STR(ask_policy("sue@bare.example"), joe,
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
	CHECK_STR(ask_rcpt("joe@ours.example"), "later ",
		  "without any domain nobody is refused");
	CHECK_STR(ask_rcpt("joe"), "bad ", "but for what is no address");
	policy_free(policy);
	policy = NULL;
	CHECK_STR(ask_rcpt("joe@ours.example"), "later ",
		  "without settings a recipient is asked to come later");
	CHECK_STR(ask_rcpt("joe"), "later ", "whoever it is");
	CHECK_STR(ask_policy("joe@ours.example"), "1 ", "so is a policy");
	CHECK_STR(ask_route("ours.example"), "1 ", "and a route");
}

int
main(void)
{
	dbroom_begin();
	test_rcpts();
	test_reports();
	test_hosts();
	test_policies();
	test_routes();
	test_later();
	return check_done() | dbroom_end();
}
