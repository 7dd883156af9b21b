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
part_matches(const struct queue_part *p, const char *address)
{
	size_t len = strlen(p->text), all = strlen(address);
	char lower[1024];

	if (len > all || (p->is_first && p->is_last && len != all))
		return false;
	(void)str_copy(lower, sizeof(lower), address);
	str_lower(lower);
	all = strlen(lower);
	if (p->is_first)
		return strncmp(lower, p->text, len) == 0;
	if (p->is_last)
		return all >= len && str_eq(lower + all - len, p->text);
	return strstr(lower, p->text) != NULL;
}

static bool
part_is_any(const struct queue_part *p)
{
	return p->text[0] == '\0' && !(p->is_first && p->is_last);
}

/* Each takes the value of a word. */

static int
take_part(const char *value, struct queue_part *p, struct err *e)
{
	size_t len;

	memset(p, 0, sizeof(*p));
	p->is_first = value[0] == '^';
	value += p->is_first;
	if (!str_copy(p->text, sizeof(p->text), value))
		return err_set(e, "\"%.60s...\" is too long for an address",
			       value);
	len = strlen(p->text);
	p->is_last = len > 0 && p->text[len - 1] == '$';
	if (p->is_last)
		p->text[len - 1] = '\0';
	str_lower(p->text);
	return 0;
}

static int
take_from(const char *value, struct queue_filter *f, struct err *e)
{
	return take_part(value, &f->from, e);
}

static int
take_rcpt(const char *value, struct queue_filter *f, struct err *e)
{
	return take_part(value, &f->rcpt, e);
}

static int
take_state(const char *name, struct queue_filter *f, struct err *e)
{
	const char *names[STATE_COUNT + 1] = { NULL };
	enum state state;
	const char *near;

	if (state_parse(name, &state) == 0) {
		f->states = 1U << state;
		return 0;
	}
	for (int s = 0; s < STATE_COUNT; s++)
		names[s] = state_name((enum state)s);
	near = str_nearest(name, names);
	return err_set(e, "\"%.60s\" is no state%s%s%s", name,
		       near != NULL ? "; did you mean " : "",
		       near != NULL ? near : "", near != NULL ? "?" : "");
}

static int
take_held(const char *value, struct queue_filter *f, struct err *e)
{
	bool is_held;

	if (str_to_bool(value, &is_held, e) < 0)
		return -1;
	f->states = is_held ? 1U << STATE_HOLD : QUEUE_STATES;
	return 0;
}

static int
take_older(const char *value, struct queue_filter *f, struct err *e)
{
	return str_to_duration_ms(value, &f->older_ms, e);
}

static int
take_younger(const char *value, struct queue_filter *f, struct err *e)
{
	return str_to_duration_ms(value, &f->younger_ms, e);
}

static int
take_size(const char *value, struct queue_filter *f, struct err *e)
{
	if (value[0] == '-')
		return str_to_bytes(value + 1, &f->size_max, e);
	return str_to_bytes(value + (value[0] == '+'), &f->size_min, e);
}

static int
take_show(const char *value, struct queue_filter *f, struct err *e)
{
	if (str_eq(value, "ids"))
		f->show = QUEUE_SHOW_IDS;
	else if (str_eq(value, "count"))
		f->show = QUEUE_SHOW_COUNT;
	else if (str_eq(value, "senders"))
		f->show = QUEUE_SHOW_SENDERS;
	else
		return err_set(e,
			       "show:%.60s: there are ids, count and senders",
			       value);
	return 0;
}

static const struct kind {
	const char *name;
	int (*take)(const char *value, struct queue_filter *f, struct err *e);
} kinds[] = {
	{ "from", take_from },	     { "rcpt", take_rcpt },
	{ "state", take_state },     { "older", take_older },
	{ "younger", take_younger }, { "size", take_size },
	{ "held", take_held },	     { "show", take_show },
};

static int
take_word(char *word, struct queue_filter *f, struct err *e)
{
	char *value = strchr(word, ':');

	if (value == NULL)
		return take_state(word, f, e);
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_eq(word, kinds[i].name))
			return kinds[i].take(value, f, e);
	return err_set(e,
		       "\"%.60s:\" is not known; there are from:, rcpt:, "
		       "state:, older:, younger:, size: and held:",
		       word);
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
queue_filter_admits(const struct queue_filter *f, enum state s, uint64_t size,
		    int64_t received_us, int64_t now_us)
{
	int64_t age_ms = (now_us - received_us) / 1000;

	if (f->states != 0 && (f->states & 1U << s) == 0)
		return false;
	if (f->older_ms > 0 && age_ms < f->older_ms)
		return false;
	if (f->younger_ms > 0 && age_ms >= f->younger_ms)
		return false;
	return size >= f->size_min && (f->size_max == 0 || size <= f->size_max);
}

bool
queue_filter_needs_envelope(const struct queue_filter *f)
{
	return !part_is_any(&f->from) || !part_is_any(&f->rcpt);
}

bool
queue_filter_matches(const struct queue_filter *f, enum state s,
		     const struct envelope *env, int64_t now_us)
{
	if (!queue_filter_admits(f, s, env->size, env->received_us, now_us))
		return false;
	if (!part_is_any(&f->from) && !part_matches(&f->from, env->sender))
		return false;
	if (part_is_any(&f->rcpt))
		return true;
	for (size_t i = 0; i < env->rcpt_count; i++)
		if (part_matches(&f->rcpt, env->rcpts[i].address))
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
