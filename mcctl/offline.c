/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Counting, listing and showing envelopes without mcd.
 */
#include "offline.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "ledger.h"
#include "spool.h"
#include "str.h"

struct walk {
	struct ctx *c;
	int fd;
	int64_t now_us;
	int64_t counts[STATE_COUNT];
	int64_t oldest_us;
	struct arena arena;
};

static int
open_spool(struct ctx *c, struct walk *w)
{
	memset(w, 0, sizeof(*w));
	w->c = c;
	w->now_us = clock_wall_us();
	w->fd = file_open(AT_FDCWD, c->conf.spool_dir, O_RDONLY | O_DIRECTORY,
			  0);
	if (w->fd >= 0)
		return EX_OK;
	return complain(c, errno == EACCES ? EX_NOPERM : EX_NOINPUT,
			"mcd is not running, and its spool cannot be read: "
			"%s: %s",
			c->conf.spool_dir, strerror(errno));
}

static void
close_spool(struct walk *w)
{
	file_shut(&w->fd);
	arena_release(&w->arena);
}

static int
count_one(void *arg, enum state s, const char *name, int is_stray)
{
	struct walk *w = arg;
	struct id_parts id;

	if (is_stray)
		return 0;
	w->counts[s]++;
	if (s <= STATE_OUTGOING && id_parse(name, &id) == 0 &&
	    (w->oldest_us == 0 || id.wall_us < w->oldest_us))
		w->oldest_us = id.wall_us;
	return 0;
}

/* All states, or complains. */
static int
each_state(struct walk *w, spool_scan_fn *fn)
{
	struct err e;

	for (int s = 0; s < STATE_COUNT; s++)
		if (spool_scan(w->fd, (enum state)s, fn, w, &e) < 0)
			return complain(w->c, EX_IOERR, "%s", e.text);
	return EX_OK;
}

int
offline_count(struct ctx *c)
{
	struct record r = { 0 };
	struct walk w;
	int code = open_spool(c, &w);

	if (code != EX_OK)
		return code;
	code = each_state(&w, count_one);
	for (int s = 0; s < STATE_COUNT; s++)
		record_int(&r, state_name((enum state)s), w.counts[s]);
	record_int(&r, "oldest_s",
		   w.oldest_us == 0 ? 0 : (w.now_us - w.oldest_us) / 1000000);
	if (code == EX_OK)
		out_object(&c->out, &r);
	record_release(&r);
	close_spool(&w);
	return code;
}

static void
envelope_record(const struct envelope *env, enum state s, int64_t now_us,
		struct record *r)
{
	struct buf rcpts = { 0 };
	int64_t wait_ms = env->next_attempt_ms - now_us / 1000;
	uint32_t attempts = 0;

	for (size_t i = 0; i < env->rcpt_count; i++) {
		buf_printf(&rcpts, "%s%s", i > 0 ? "\n" : "",
			   env->rcpts[i].address);
		if (env->rcpts[i].attempts > attempts)
			attempts = env->rcpts[i].attempts;
	}
	record_str(r, "id", env->name);
	record_str(r, "state", state_name(s));
	record_int(r, "size", (int64_t)env->size);
	record_int(r, "age_s", (now_us - env->received_us) / 1000000);
	record_str(r, "sender", env->sender);
	record_list(r, "rcpt", buf_str(&rcpts));
	record_int(r, "rcpts", (int64_t)env->rcpt_count);
	record_int(r, "attempts", attempts);
	record_int(r, "next_s", wait_ms > 0 ? wait_ms / 1000 : 0);
	record_str(r, "status",
		   env->rcpt_count > 0 ? env->rcpts[0].status : "");
	record_str(r, "reason", env->reason);
	buf_release(&rcpts);
}

static int
list_one(void *arg, enum state s, const char *name, int is_stray)
{
	struct walk *w = arg;
	struct record r = { 0 };
	struct envelope env;
	struct err e = { "" };

	if (is_stray)
		return 0;
	arena_clear(&w->arena);
	if (spool_read_envelope(w->fd, s, name, &w->arena, &env, &e) ==
	    ENVELOPE_OK) {
		envelope_record(&env, s, w->now_us, &r);
	} else {
		envelope_init(&env);
		str_copy(env.name, sizeof(env.name), name);
		env.reason = e.text;
		envelope_record(&env, s, w->now_us, &r);
	}
	out_row(&w->c->out, &r);
	record_release(&r);
	return 0;
}

int
offline_list(struct ctx *c)
{
	struct walk w;
	int code = open_spool(c, &w);

	if (code != EX_OK)
		return code;
	code = each_state(&w, list_one);
	close_spool(&w);
	return code;
}

int
offline_show(struct ctx *c, const char *name)
{
	struct envelope env;
	struct walk w;
	bool is_found = false;
	int code;

	if (!envelope_name_valid(name, true))
		return complain(c, EX_DATAERR, "\"%s\" is not a queue id",
				name);
	code = open_spool(c, &w);
	if (code != EX_OK)
		return code;
	for (int s = 0; s < STATE_COUNT && !is_found; s++) {
		struct record r = { 0 };
		struct err e = { "" };

		if (spool_read_envelope(w.fd, (enum state)s, name, &w.arena,
					&env, &e) == ENVELOPE_OK) {
			envelope_record(&env, (enum state)s, w.now_us, &r);
			out_object(&c->out, &r);
			is_found = true;
		}
		record_release(&r);
	}
	close_spool(&w);
	return is_found ? EX_OK
			: complain(c, EX_DATAERR, "%s: not in the queue", name);
}

struct search {
	struct ctx *c;
	const char *any;
	size_t count;
};

static bool
event_matches(const struct ledger_event *ev, const char *any)
{
	return str_has_prefix(ev->name, any) || str_ieq(ev->rcpt, any) ||
	       str_ieq(ev->sender, any) || str_eq(ev->message_id, any) ||
	       str_eq(ev->client, any) ||
	       (ev->subject[0] != '\0' && strstr(ev->subject, any) != NULL);
}

static int
trace_one(void *arg, const struct ledger_event *ev)
{
	struct search *s = arg;
	struct record r = { 0 };

	if (!event_matches(ev, s->any))
		return 0;
	record_int(&r, "time", ev->at_us / 1000000);
	record_str(&r, "id", ev->name);
	record_str(&r, "event", ledger_verb_name(ev->verb));
	record_str(&r, "rcpt", ev->rcpt);
	record_str(&r, "sender", ev->sender);
	record_int(&r, "size", (int64_t)ev->size);
	record_int(&r, "delay_ms", ev->delay_ms);
	record_str(&r, "relay", ev->relay);
	record_str(&r, "status", ev->status);
	record_str(&r, "reason", ev->reason);
	record_str(&r, "who", ev->who);
	record_str(&r, "client", ev->client);
	record_str(&r, "message_id", ev->message_id);
	record_str(&r, "subject", ev->subject);
	out_row(&s->c->out, &r);
	record_release(&r);
	s->count++;
	return 0;
}

int
offline_trace(struct ctx *c, const char *any)
{
	struct search s = { .c = c, .any = any };
	struct err e;
	struct walk w;
	int code = open_spool(c, &w);
	int fd;

	if (code != EX_OK)
		return code;
	fd = file_open(w.fd, "ledger", O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		code = complain(c, EX_NOINPUT, "ledger: %s", strerror(errno));
	else if (ledger_each(fd, "", trace_one, NULL, &s, &e) < 0)
		code = complain(c, EX_IOERR, "%s", e.text);
	file_shut(&fd);
	close_spool(&w);
	return code;
}
