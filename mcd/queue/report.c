/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Lines gather by the address that is told, which control says.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "bounce.h"
#include "clock.h"
#include "dict.h"
#include "log.h"
#include "loop.h"
#include "peer.h"
#include "role.h"
#include "str.h"
#include "xalloc.h"

#define ASK_MS 10000
#define ASKED_MAX 200 /* questions at a time */
#define READERS_MAX 1000
#define LIST_MAX 32768 /* bytes that one report lists */
#define TEXT_MAX 200

/* Whoever is told. */
struct reader {
	char to[324];
	struct buf list; /* what was not told yet */
	uint64_t count; /* of mails in it, and beyond its size */
	int64_t told_ms; /* the last report */
	struct timer timer;
};

/* A mail, until it is known who is told of it. */
struct parked {
	struct timer down; /* control is: nobody can be told */
	struct buf text;
	char name[ENVELOPE_NAME_SIZE];
};

static struct {
	struct dict readers;
	size_t asked;
	bool is_stopping;
} self;

void
report_init(void)
{
	memset(&self, 0, sizeof(self));
}

static void
reader_free(void *arg)
{
	struct reader *r = arg;

	timer_release(&r->timer);
	buf_release(&r->list);
	free(r);
}

/* The text of a report. */

/* Of a stranger: printable ASCII, cut. */
static void
line(struct buf *out, const char *word, const char *text)
{
	char clean[TEXT_MAX];
	char *c;

	str_printable(clean, sizeof(clean), text, strlen(text));
	for (c = clean; *c != '\0'; c++)
		if ((unsigned char)*c > 126)
			*c = '?';
	(void)buf_printf(out, "  %-11s%s\r\n", word, clean);
}

static void
write_one(struct buf *out, const struct envelope *env, enum state state)
{
	char text[TEXT_MAX];

	(void)buf_printf(out, "%s, now in %s\r\n", env->name,
			 state_name(state));
	clock_rfc5322(text, sizeof(text), env->received_us);
	line(out, "received", text);
	str_fmt(text, sizeof(text), "%.120s[%s]", env->client_name,
		env->client_ip);
	line(out, "from host", text);
	str_fmt(text, sizeof(text), "<%.180s>", env->sender);
	line(out, "sender", text);
	str_fmt(text, sizeof(text), "%zu, the first <%.150s>", env->rcpt_count,
		env->rcpt_count > 0 ? env->rcpts[0].address : "");
	line(out, "recipients", text);
	line(out, "subject", env->subject);
	line(out, "reason", env->reason);
	(void)buf_add_str(out, "\r\n");
}

static void
write_header(struct buf *out, const struct reader *r, const char *id)
{
	char date[64];

	clock_rfc5322(date, sizeof(date), clock_wall_us());
	(void)buf_printf(
		out,
		"Date: %s\r\n"
		"From: Mail Delivery System <MAILER-DAEMON@%s>\r\n"
		"To: <%s>\r\n"
		"Subject: %llu outbound mail%s parked\r\n"
		"Message-ID: <%s@%s>\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=us-ascii\r\n\r\n",
		date, role_hostname(), r->to, (unsigned long long)r->count,
		r->count == 1 ? " was" : "s were", id, role_hostname());
}

static int
write_text(void *arg, const char *id, struct buf *out)
{
	const struct reader *r = arg;

	write_header(out, r, id);
	(void)buf_printf(
		out,
		"Hosts that may send outwards through %s have sent "
		"mail that looks like\r\nspam or is dangerous. It was "
		"not delivered, and its senders were not told.\r\n\r\n",
		role_hostname());
	(void)buf_add_span(out, buf_span(&r->list));
	if (r->list.len >= LIST_MAX)
		(void)buf_add_str(out, "More than these: see \"mcctl queue "
				       "list hold\".\r\n\r\n");
	return buf_add_str(out,
			   "What to do with one:\r\n"
			   "  mcctl explain ID            why it was parked\r\n"
			   "  mcctl queue unhold ID       let it go on\r\n"
			   "  mcctl queue delete ID       delete it\r\n"
			   "  mcctl quarantine release|delete ID\r\n"
			   "                              when it is in "
			   "quarantine\r\n");
}

/* When. */

static void
send_now(struct reader *r)
{
	r->told_ms = loop_now_ms();
	bounce_own(r->to, write_text, r);
	log_info("- report to=%s mails=%llu", log_text(r->to),
		 (unsigned long long)r->count);
	buf_clear(&r->list);
	r->count = 0;
}

/* A report is due, or nothing has come since the last. */
static void
on_time(void *arg)
{
	struct reader *r = arg;

	if (r->count == 0) {
		(void)dict_del(&self.readers, r->to);
		reader_free(r);
		return;
	}
	send_now(r);
	timer_set(&r->timer, role_knobs()->out_report_every);
}

static struct reader *
reader_of(const char *to)
{
	struct reader *r = dict_get(&self.readers, to);

	if (r != NULL || self.readers.count >= READERS_MAX)
		return r;
	r = xcalloc(1, sizeof(*r));
	if (!str_copy(r->to, sizeof(r->to), to)) {
		free(r);
		return NULL;
	}
	timer_init(&r->timer, on_time, r);
	timer_set(&r->timer, 0);
	(void)dict_set(&self.readers, r->to, r);
	return r;
}

static void
add_to(const char *to, const struct parked *p)
{
	struct reader *r = reader_of(to);

	if (r == NULL) {
		log_warn("%s nobody is told: too many to tell", p->name);
		return;
	}
	r->count++;
	if (r->list.len < LIST_MAX)
		(void)buf_add_span(&r->list, buf_span(&p->text));
	if (self.is_stopping)
		send_now(r);
}

/* To whom. */

static void
parked_free(struct parked *p)
{
	timer_release(&p->down);
	buf_release(&p->text);
	free(p);
	self.asked--;
}

static void
on_down(void *arg)
{
	struct parked *p = arg;

	log_warn("%s nobody is told: control is down", p->name);
	parked_free(p);
}

static void
on_reply(void *arg, struct frame *f)
{
	struct parked *p = arg;

	if (f == NULL || f->type != FRAME_report_reply) {
		on_down(p);
		return;
	}
	if (FRAME_BODY(f, report_reply)->to[0] != '\0')
		add_to(FRAME_BODY(f, report_reply)->to, p);
	parked_free(p);
}

static bool
is_reported(const struct envelope *env, enum state state)
{
	return env->is_outbound && env->source == SOURCE_SMTP &&
	       (state == STATE_HOLD || state == STATE_QUARANTINE) &&
	       (env->is_spam || env->is_virus || env->is_dangerous);
}

void
report_parked(const struct envelope *env, enum state state)
{
	struct frame_report_ask ask = { .sender = env->sender };
	struct parked *p;

	if (!is_reported(env, state))
		return;
	if (self.asked >= ASKED_MAX) {
		log_warn("%s nobody is told: too many at a time", env->name);
		return;
	}
	p = xcalloc(1, sizeof(*p));
	self.asked++;
	timer_init(&p->down, on_down, p);
	(void)str_copy(p->name, sizeof(p->name), env->name);
	write_one(&p->text, env, state);
	if (peer_ask(peer_of(ROLE_CONTROL), FRAME_report_ask, &ask, -1, ASK_MS,
		     on_reply, p) == 0)
		timer_set(&p->down, 0);
}

/* The end. */

void
report_stop(void)
{
	const char *key;
	void *value;
	size_t it = 0;

	self.is_stopping = true;
	while (dict_next(&self.readers, &it, &key, &value)) {
		struct reader *r = value;

		timer_clear(&r->timer);
		if (r->count > 0)
			send_now(r);
	}
}

void
report_release(void)
{
	dict_release(&self.readers, reader_free);
}
