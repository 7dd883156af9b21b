/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The checks of stage 1: one table (checks.def), one runner that walks it
 * at each stage of a session.  A check that has to ask another role waits
 * for the answer; every question has a deadline, and what comes of no
 * answer is the check's own: pass and counted, or later.
 *
 * A client's facts (its name, what DNS lists say) live as long as its
 * session, those of a mail (the sender's domain) as long as the mail; each
 * is asked for once, by the first check that wants it.
 */
#ifndef CHECKS_H
#define CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "ip.h"
#include "list.h"
#include "loop.h"
#include "session.h"
#include "setting.h"

enum check_stage { CHECK_CONNECT, CHECK_RCPT, CHECK_DATA };

enum check_result {
	CHECK_OFF, /* the knobs do not want it */
	CHECK_EXEMPT, /* this one passes without it */
	CHECK_PASS,
	CHECK_REFUSE,
	CHECK_PUT_OFF, /* 451: it cannot tell now, and that has to be known */
	CHECK_UNSURE, /* it cannot tell: passes, counted */
	CHECK_WAIT /* the runner comes again when the answer is there */
};

struct check_row {
	const char *name;
	enum check_stage stage;
	const char *knob;
	const char *exempt; /* for people: "postmaster relay" */
	int code;
	const char *enhanced, *later, *text;
};
extern const struct check_row check_rows[];
extern const size_t check_row_count;

/* Something that a client or a mail is found to be. */
struct fact {
	enum { FACT_NEW, FACT_ASKED, FACT_KNOWN } state;
	struct list runs; /* that wait for it */
	uint32_t token; /* of the question that is out, 0: none */
};

struct check_client;
struct check_mail;

/* What a session knows of its client; all is borrowed for the call. */
struct check_who {
	struct ip ip;
	struct ip local; /* that it has connected to, family 0: not known */
	bool is_early; /* it spoke before the greeting */
	bool is_dry; /* nothing is counted, logged or kept */
};

struct check_client *check_client_new(const struct check_who *who);
/* Its mails are gone, no run is under way. */
void check_client_free(struct check_client *c);
void check_client_helo(struct check_client *c, const char *helo);

/* Begins to look its name up, if k wants that. */
void check_client_look(struct check_client *c, const struct knobs *k);
/* The name that DNS confirms for its address; "" when there is none, or it
 * is not known yet. */
const char *check_client_name(const struct check_client *c);

struct check_mail *check_mail_new(struct check_client *c, const char *sender);
/* NULL is fine; no run of it is under way. */
void check_mail_free(struct check_mail *m);

/* What SPF said, as a commit has it; "" when it was not asked. */
const char *check_mail_spf(const struct check_mail *m);

/* What control said of a recipient (rcpt_reply). */
struct check_rcpt {
	const char *given; /* as the client wrote it */
	const char *canonical; /* "" when it is not ours */
	const char *text; /* control's own words, or "" */
	unsigned status; /* enum rcpt_status */
	unsigned flags; /* set of enum rcpt_flag */
	const unsigned *taken; /* recipients that are accepted by now */
};

struct check_run;
/*
 * r is NULL when all passes, and valid for the call.  was_late: not from
 * within check_start().  The run may be stopped or freed in it.
 */
typedef void check_done_fn(void *arg, const struct session_reply *r,
			   bool was_late);
/* Each decision, for mcctl test smtp; r is what a client would be told, NULL
 * when nothing is refused. */
typedef void check_trace_fn(void *arg, const struct check_row *row,
			    enum check_result result, const char *detail,
			    const struct session_reply *r);

/* One walk through the checks of a stage.  Embedded in its owner; what the
 * owner sets before check_start() is above the line. */
struct check_run {
	struct check_client *client;
	struct check_mail *mail; /* NULL at CHECK_CONNECT */
	const struct check_rcpt *rcpt; /* NULL but at CHECK_RCPT */
	const struct knobs *knobs; /* the recipient's, else the global ones */
	enum check_stage stage;
	check_done_fn *done;
	check_trace_fn *trace; /* with it the walk goes to its end */
	void *arg;
	/* private */
	struct fact grey; /* of this recipient */
	bool grey_is_told; /* control has answered */
	unsigned grey_says; /* enum grey */
	int64_t grey_wait_ms;
	struct fact callout; /* of this recipient */
	unsigned callout_says; /* enum callout */
	char words[200]; /* the server's */
	struct list wait; /* for a fact */
	struct defer again;
	size_t at; /* in check_rows */
	bool is_running;
	bool was_late;
	const char *enhanced, *text; /* instead of the row's */
	char detail[256]; /* what was found */
};

/* done is called once, perhaps before this returns. */
void check_start(struct check_run *r);
/* done will not be called any more; fine when it is not running. */
void check_stop(struct check_run *r);
/* postmaster and abuse take all mail (RFC 2142, RFC 5321 section 4.5.1). */
bool check_is_postmaster(const struct check_rcpt *rcpt);

#endif
