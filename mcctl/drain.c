/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl drain, undrain: a setting, so that it is in the log of changes and
 * holds over a restart; what follows from it is mcd's.
 */
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "clock.h"
#include "command.h"
#include "status.h"
#include "str.h"

#define LOOK_MS 250
#define BEGIN_MS 3000 /* for mcd to know of it */

static int
put_drain(struct ctx *c, const char *value)
{
	enum db_result r;
	struct err e;

	r = db_put(c->db, "setting", "global drain", value, &e);
	return r == DB_OK ? EX_OK : complain_db(c, r, &e);
}

static void
print_state(struct ctx *c, const struct drain_state *s)
{
	struct record r = { 0 };

	if (!c->out.json) {
		printf("messages left: %lld\nsafe to stop: %s\n",
		       (long long)s->left, s->is_safe ? "yes" : "no");
		return;
	}
	record_bool(&r, "draining", s->is_draining);
	record_int(&r, "left", s->left);
	record_bool(&r, "safe_to_stop", s->is_safe);
	out_object(&c->out, &r);
	record_release(&r);
}

static void
pause_a_moment(void)
{
	struct timespec t = { .tv_nsec = LOOK_MS * 1000000L };

	(void)nanosleep(&t, NULL);
}

/* Looks until it has begun, and with is_to_end until it is safe to stop. */
static int
watch(struct ctx *c, struct drain_state *s, bool is_to_end, int64_t end_ms)
{
	int64_t begin_ms = clock_mono_ms() + BEGIN_MS;
	int code;

	for (;;) {
		code = status_drain(c, s);
		if (code != EX_OK || !s->is_running || s->is_safe)
			return code;
		if (!is_to_end &&
		    (s->is_draining || clock_mono_ms() >= begin_ms))
			return EX_OK;
		if (is_to_end && end_ms > 0 && clock_mono_ms() >= end_ms)
			return EX_OK;
		pause_a_moment();
	}
}

static int
after_drain(struct ctx *c)
{
	bool is_to_end = option_is_given(c, "wait");
	const char *timeout = option_value(c, "timeout");
	int64_t end_ms = 0;
	struct drain_state s;
	struct err e;
	int code;

	if (timeout != NULL && str_to_duration_ms(timeout, &end_ms, &e) < 0)
		return complain(c, EX_USAGE, "--timeout: %s", e.text);
	if (end_ms > 0)
		end_ms += clock_mono_ms();
	code = watch(c, &s, is_to_end, end_ms);
	if (code != EX_OK)
		return code;
	if (!s.is_running)
		return complain(c, EX_UNAVAILABLE,
				"mcd is not running; it drains when it is "
				"started");
	print_state(c, &s);
	if (!is_to_end || s.is_safe)
		return EX_OK;
	return complain(c, EX_TEMPFAIL, "not safe to stop yet: %lld left",
			(long long)s.left);
}

int
cmd_drain(struct ctx *c)
{
	const char *timeout = option_value(c, "timeout");
	int64_t ms;
	struct err e;

	if (timeout != NULL && str_to_duration_ms(timeout, &ms, &e) < 0)
		return complain(c, EX_USAGE, "--timeout: %s", e.text);
	c->then = after_drain;
	return put_drain(c, "yes");
}

int
cmd_undrain(struct ctx *c)
{
	return put_drain(c, NULL);
}
