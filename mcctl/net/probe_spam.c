/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Probes of what the filter spamassassin stands on.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "doctor.h"
#include "file.h"
#include "spamd.h"
#include "spamd_report.h"
#include "str.h"

#define CONNECT_MS 5000
#define ANSWER_MS 20000

static const char mail[] = "From: <doctor@mcgate.example>\r\n"
			   "To: <doctor@mcgate.example>\r\n"
			   "Subject: mcctl doctor\r\n\r\nA message of mcctl "
			   "doctor.\r\n";

/* Asks once; 0 with what it said in reply. */
static int
ask(const struct spamd_place *at, const char *verb, const char *text,
    struct buf *reply, struct err *e)
{
	struct pollfd p = { .events = POLLOUT };
	enum spamd_end end;

	p.fd = spamd_connect(at, e);
	if (p.fd < 0)
		return -1;
	if (poll(&p, 1, CONNECT_MS) <= 0) {
		(void)close(p.fd);
		return err_set(e, "no connection within %d s",
			       CONNECT_MS / 1000);
	}
	if (spamd_connected(p.fd, e) != 0) {
		(void)close(p.fd);
		return -1;
	}
	end = spamd_talk(p.fd, verb, span_of(text), clock_mono_ms() + ANSWER_MS,
			 reply, e);
	(void)close(p.fd);
	return end == SPAMD_ANSWERED ? 0 : -1;
}

static void
try_report(struct doctor *d, const struct spamd_place *at, struct buf *reply)
{
	struct spamd_report r;
	struct arena a = { 0 };
	struct err e;

	if (ask(at, "REPORT", mail, reply, &e) != 0)
		doctor_say(d, DOCTOR_FAULT, "look into spamd's log",
			   "answers a PING, but not a REPORT: %s", e.text);
	else if (spamd_report_read(buf_span(reply), &a, &r, &e) != 0)
		doctor_say(d, DOCTOR_FAULT,
			   "link share/spamassassin/mcgate.cf into spamd's "
			   "site folder and restart it",
			   "answers, but: %s", e.text);
	else
		doctor_say(d, DOCTOR_OK, "",
			   "answers at %s; %llu rules hit a small message",
			   d->c->conf.spamd_socket,
			   (unsigned long long)r.count);
	arena_release(&a);
}

void
probe_spamd(struct doctor *d)
{
	struct buf reply = { 0 };
	struct spamd_place at;
	struct err e = { "" };

	if (spamd_place_parse(d->c->conf.spamd_socket, &at, &e) != 0 ||
	    !at.is_set) {
		doctor_say(d, DOCTOR_NOTE,
			   "for it: install spamd, and set spamd.socket in "
			   "mcd.conf",
			   "none is set up: the filter spamassassin has no "
			   "opinion");
		return;
	}
	if (ask(&at, "PING", "", &reply, &e) != 0)
		doctor_say(d, DOCTOR_FAULT,
			   "start spamd, or mend spamd.socket in mcd.conf",
			   "does not answer: %s", e.text);
	else if (!spamd_is_pong(buf_span(&reply)))
		doctor_say(d, DOCTOR_FAULT, "mend spamd.socket in mcd.conf",
			   "what answers at %s is not spamd",
			   d->c->conf.spamd_socket);
	else
		try_report(d, &at, &reply);
	buf_release(&reply);
}

/* Where a program that fails says why, in front of which are its traces. */
static const char *
last_line(struct buf *said)
{
	char *line;

	while (said->len > 0 &&
	       ascii_isspace((unsigned char)said->data[said->len - 1]))
		said->data[--said->len] = '\0';
	line = strrchr(buf_str(said), '\n');
	return line != NULL ? line + 1 : buf_str(said);
}

/* A tool that spamd calls: what it is to say when it works, as its exit
 * status below and a word in its output. */
static void
probe_tool(struct doctor *d, const char *const *argv, int below,
	   const char *word, const char *install, const char *mend)
{
	struct buf said = { 0 };
	struct err e = { "" };
	int rc = doctor_run(argv, mail, d->c->conf.spamd_home, &said, &e);

	if (rc == -1)
		doctor_say(d, DOCTOR_NOTE, install, "%s", e.text);
	else if (rc == -2)
		doctor_say(d, DOCTOR_FAULT, mend, "%s", e.text);
	else if (rc >= below || strstr(buf_str(&said), word) == NULL)
		doctor_say(d, DOCTOR_FAULT, mend,
			   "%s: does not answer: status %d: %.120s", argv[0],
			   rc, last_line(&said));
	else
		doctor_say(d, DOCTOR_OK, "", "%s answers", argv[0]);
	buf_release(&said);
}

/* 0 and 1 are its verdicts; it has no other question. */
void
probe_razor(struct doctor *d)
{
	static const char *const argv[] = { "razor-check", NULL };

	probe_tool(d, argv, 2, "",
		   "if spamd is to use it: apt-get install razor, and "
		   "share/spamassassin/razor.cf",
		   "razor-admin -create, as the user of spamd; it needs TCP "
		   "port 2703 to the outside");
}

void
probe_pyzor(struct doctor *d)
{
	static const char *const argv[] = { "pyzor", "ping", NULL };

	probe_tool(d, argv, 1, "200",
		   "if spamd is to use it: apt-get install pyzor, and "
		   "share/spamassassin/pyzor.cf",
		   "look at .pyzor/servers in the home of spamd's user; it "
		   "needs UDP port 24441 to the outside");
}

void
probe_dcc(struct doctor *d)
{
	static const char *const argv[] = { "cdcc", "rtt", NULL };

	probe_tool(d, argv, 1, " ms",
		   "if spamd is to use it: it is not in Debian; its source is "
		   "at www.dcc-servers.net, its settings in "
		   "share/spamassassin/dcc.cf",
		   "cdcc info says which servers it knows; it needs UDP port "
		   "6277 to the outside");
}
