/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Choosing and showing queued messages.
 */
#include "queue_view.h"

#include <string.h>

#include "clock.h"
#include "str.h"

static bool
is_within(const char *text, const char *part)
{
	char lower[1024];

	(void)str_copy(lower, sizeof(lower), text);
	str_lower(lower);
	return strstr(lower, part) != NULL;
}

static int
take_state(const char *name, struct queue_filter *f, struct err *e)
{
	const char *names[STATE_COUNT + 1] = { NULL };
	const char *near;

	f->has_state = true;
	if (state_parse(name, &f->state) == 0)
		return 0;
	for (int s = 0; s < STATE_COUNT; s++)
		names[s] = state_name((enum state)s);
	near = str_nearest(name, names);
	return err_set(e, "\"%.60s\" is no state%s%s%s", name,
		       near != NULL ? "; did you mean " : "",
		       near != NULL ? near : "", near != NULL ? "?" : "");
}

static int
take_word(char *word, struct queue_filter *f, struct err *e)
{
	char *value = strchr(word, ':');

	if (value == NULL)
		return take_state(word, f, e);
	*value++ = '\0';
	if (str_eq(word, "older"))
		return str_to_duration_ms(value, &f->older_ms, e);
	str_lower(value);
	if (str_eq(word, "state"))
		return take_state(value, f, e);
	if (str_eq(word, "from"))
		(void)str_copy(f->from, sizeof(f->from), value);
	else if (str_eq(word, "rcpt"))
		(void)str_copy(f->rcpt, sizeof(f->rcpt), value);
	else
		return err_set(e,
			       "\"%.60s:\" is not known; there are from:, "
			       "rcpt:, state: and older:",
			       word);
	return 0;
}

int
queue_filter_parse(const char *words, struct queue_filter *f, struct err *e)
{
	char copy[1025];
	char *rest = copy;
	char *word;

	memset(f, 0, sizeof(*f));
	if (!str_copy(copy, sizeof(copy), words))
		return err_set(e, "filter: longer than %zu bytes",
			       sizeof(copy) - 1);
	while ((word = strsep(&rest, " ")) != NULL)
		if (word[0] != '\0' && take_word(word, f, e) < 0)
			return -1;
	return 0;
}

bool
queue_filter_matches(const struct queue_filter *f, enum state s,
		     const struct envelope *env, int64_t now_us)
{
	if (f->has_state && f->state != s)
		return false;
	if (f->older_ms > 0 && (now_us - env->received_us) / 1000 < f->older_ms)
		return false;
	if (!is_within(env->sender, f->from))
		return false;
	if (f->rcpt[0] == '\0')
		return true;
	for (size_t i = 0; i < env->rcpt_count; i++)
		if (is_within(env->rcpts[i].address, f->rcpt))
			return true;
	return false;
}

void
queue_row(struct record *r, const struct envelope *env, enum state s,
	  int64_t next_s, int64_t now_us)
{
	int64_t age_us = now_us - env->received_us;
	struct buf rcpts = { 0 };
	const char *status = "";
	uint32_t attempts = 0;

	for (size_t i = 0; i < env->rcpt_count; i++) {
		const struct rcpt *to = &env->rcpts[i];

		if (i < QUEUE_VIEW_RCPTS)
			(void)buf_printf(&rcpts, "%s%s", i > 0 ? "\n" : "",
					 to->address);
		if (to->attempts > attempts)
			attempts = to->attempts;
		if (status[0] == '\0')
			status = to->status;
	}
	record_str(r, "id", env->name);
	record_str(r, "state", state_name(s));
	record_int(r, "size", (int64_t)env->size);
	record_int(r, "age_s", age_us > 0 ? age_us / 1000000 : 0);
	record_str(r, "sender", env->sender);
	record_list(r, "rcpt", buf_str(&rcpts));
	record_int(r, "rcpts", (int64_t)env->rcpt_count);
	record_int(r, "attempts", attempts);
	record_int(r, "next_s", next_s);
	record_str(r, "status", status);
	record_str(r, "reason", env->reason);
	buf_release(&rcpts);
}

void
queue_row_full(struct record *r, const struct envelope *env, enum state s,
	       int64_t next_s, int64_t now_us)
{
	char when[40];

	clock_iso8601(when, sizeof(when), env->received_us);
	queue_row(r, env, s, next_s, now_us);
	record_str(r, "received", when);
	record_str(r, "source", env->source == SOURCE_OWN ? "own" : "smtp");
	record_str(r, "direction", env->is_outbound ? "out" : "in");
	record_str(r, "client_ip", env->client_ip);
	record_str(r, "client_name", env->client_name);
	record_str(r, "helo", env->helo);
	record_str(r, "message_id", env->message_id);
	record_str(r, "envid", env->envid);
	record_str(r, "ret", env->ret);
	record_str(r, "body", env->body);
	record_int(r, "generation", (int64_t)env->generation);
	record_int(r, "deaths", env->deaths);
	record_int(r, "edits", (int64_t)env->edit_count);
	record_int(r, "active_s", env->active_ms / 1000);
}

void
queue_rcpt_row(struct record *r, const struct rcpt *rcpt)
{
	record_str(r, "rcpt", rcpt->address);
	record_int(r, "attempts", rcpt->attempts);
	record_str(r, "status", rcpt->status);
	record_str(r, "orcpt", rcpt->orcpt);
	record_str(r, "notify", rcpt->notify);
}
