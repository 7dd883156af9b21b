/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What an envelope is: its keys, its names and states, and what holds of
 * every one.
 */
#include "envelope.h"

#include <string.h>

#include "envelope_field.h"
#include "str.h"

#define CHILD_DIGITS_MAX 6 /* of N in ID.N */

#define FIELD(since, key, kind, of, type, member)                              \
	{                                                                      \
		key, sizeof(key) - 1, kind, of, offsetof(struct type, member), \
			false, since                                           \
	}
#define OWN(key, kind, member) \
	FIELD(1, key, kind, OF_ENVELOPE, envelope, member)
#define RCPT(key, kind, member) FIELD(1, key, kind, OF_RCPT, rcpt, member)
#define CHILD(key, kind, member) FIELD(1, key, kind, OF_CHILD, child, member)
#define OWN2(key, kind, member) \
	FIELD(2, key, kind, OF_ENVELOPE, envelope, member)
#define OWN3(key, kind, member) \
	FIELD(3, key, kind, OF_ENVELOPE, envelope, member)
#define CHILD2(key, kind, member) FIELD(2, key, kind, OF_CHILD, child, member)
#define NEEDED(key, kind, member)                                  \
	{                                                          \
		key, sizeof(key) - 1, kind, OF_ENVELOPE,           \
			offsetof(struct envelope, member), true, 1 \
	}

const struct field envelope_fields[ENVELOPE_FIELDS] = {
	NEEDED("name", FIELD_NAME, name),
	NEEDED("generation", FIELD_U64, generation),
	NEEDED("body", FIELD_TEXT, body),
	NEEDED("size", FIELD_U64, size),
	NEEDED("received-us", FIELD_I64, received_us),
	OWN2("trailer", FIELD_U64, trailer),
	OWN("source", FIELD_SOURCE, source),
	OWN("outbound", FIELD_BOOL, is_outbound),
	OWN("8bit", FIELD_BOOL, is_8bit),
	OWN("utf8", FIELD_BOOL, is_utf8),
	OWN3("peer", FIELD_BOOL, is_peer),
	OWN2("spam", FIELD_BOOL, is_spam),
	OWN2("virus", FIELD_BOOL, is_virus),
	OWN2("dangerous", FIELD_BOOL, is_dangerous),
	OWN("sender", FIELD_TEXT, sender),
	OWN("client-ip", FIELD_TEXT, client_ip),
	OWN("client-name", FIELD_TEXT, client_name),
	OWN("helo", FIELD_TEXT, helo),
	OWN("message-id", FIELD_TEXT, message_id),
	OWN2("subject", FIELD_TEXT, subject),
	OWN2("auth-spf", FIELD_TEXT, auth_spf),
	OWN("envid", FIELD_TEXT, envid),
	OWN("ret", FIELD_TEXT, ret),
	OWN("reason", FIELD_TEXT, reason),
	OWN("deaths", FIELD_U32, deaths),
	OWN("next-attempt-ms", FIELD_I64, next_attempt_ms),
	OWN("active-ms", FIELD_I64, active_ms),
	OWN2("parked-s", FIELD_I64, parked_s),
	OWN("edit", FIELD_EDIT, edits),
	RCPT("rcpt", FIELD_RCPT, address),
	RCPT("rcpt-orcpt", FIELD_TEXT, orcpt),
	RCPT("rcpt-notify", FIELD_TEXT, notify),
	RCPT("rcpt-child", FIELD_U32, child),
	RCPT("rcpt-attempts", FIELD_U32, attempts),
	RCPT("rcpt-delay-told", FIELD_BOOL, is_delay_told),
	RCPT("rcpt-status", FIELD_TEXT, status),
	CHILD("child", FIELD_CHILD, number),
	CHILD("child-reason", FIELD_TEXT, reason),
	CHILD2("child-spam", FIELD_BOOL, is_spam),
	CHILD2("child-virus", FIELD_BOOL, is_virus),
	CHILD2("child-dangerous", FIELD_BOOL, is_dangerous),
	CHILD("child-edit", FIELD_EDIT, edits),
};

const char *const envelope_source_names[2] = {
	[SOURCE_SMTP] = "smtp",
	[SOURCE_OWN] = "own",
};

static const char *const state_names[STATE_COUNT] = {
	[STATE_INCOMING] = "incoming",	   [STATE_FILTERING] = "filtering",
	[STATE_OUTGOING] = "outgoing",	   [STATE_HOLD] = "hold",
	[STATE_QUARANTINE] = "quarantine", [STATE_CORRUPT] = "corrupt",
};

const char *
state_name(enum state s)
{
	return s < STATE_COUNT ? state_names[s] : "unknown";
}

int
state_parse(const char *name, enum state *out)
{
	size_t i;

	for (i = 0; i < STATE_COUNT; i++) {
		if (!str_eq(name, state_names[i]))
			continue;
		*out = (enum state)i;
		return 0;
	}
	return -1;
}

void
envelope_init(struct envelope *env)
{
	memset(env, 0, sizeof(*env));
	env->body = env->sender = env->client_ip = env->client_name = "";
	env->helo = env->message_id = env->subject = env->auth_spf = "";
	env->envid = env->ret = "";
	env->reason = "";
}

/* Where the 16 characters at the front of s end, NULL when they are not. */
static const char *
id_end(const char *s)
{
	size_t i;

	for (i = 0; i < ENVELOPE_ID_LEN; i++)
		if (s[i] == '\0' || strchr(ENVELOPE_ID_ALPHABET, s[i]) == NULL)
			return NULL;
	return s + ENVELOPE_ID_LEN;
}

bool
envelope_name_valid(const char *name, bool allow_child)
{
	const char *p = id_end(name);
	size_t n = 0;

	if (p == NULL || *p == '\0')
		return p != NULL;
	if (!allow_child || *p++ != '.' || *p == '0')
		return false;
	while (ascii_isdigit((unsigned char)p[n]))
		n++;
	return n > 0 && n <= CHILD_DIGITS_MAX && p[n] == '\0';
}

/* ID or ID.c: it becomes a file name. */
static bool
body_valid(const char *body)
{
	const char *p = id_end(body);

	return p != NULL && (*p == '\0' || str_eq(p, ".c"));
}

static int
check_children(const struct envelope *env, struct err *e)
{
	const struct child *c = env->children;
	uint32_t last = 0;
	size_t i;

	if (env->child_count > ENVELOPE_CHILDREN_MAX)
		return err_set(e, "more than %d children",
			       ENVELOPE_CHILDREN_MAX);
	for (i = 0; i < env->child_count; i++, c++) {
		if (c->number <= last || c->state >= STATE_COUNT)
			return err_set(e,
				       "child %u is out of order or has "
				       "no state",
				       (unsigned)c->number);
		last = c->number;
		if (edits_check(c->edits, c->edit_count, env->size, e) < 0)
			return err_prefix(e, "child %u", (unsigned)last);
	}
	return 0;
}

/* Children are ordered by number. */
static bool
has_child(const struct envelope *env, uint32_t number)
{
	size_t low = 0;
	size_t high = env->child_count;
	size_t mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (env->children[mid].number == number)
			return true;
		if (env->children[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

int
envelope_check(const struct envelope *env, struct err *e)
{
	size_t i;

	if (!envelope_name_valid(env->name, true))
		return err_set(e, "the name is not the name of an envelope");
	if (env->body == NULL || !body_valid(env->body))
		return err_set(e, "the body is not the name of a body");
	if (env->source > SOURCE_OWN)
		return err_set(e, "no such source");
	if (env->rcpt_count > ENVELOPE_RCPTS_MAX)
		return err_set(e, "more than %d recipients",
			       ENVELOPE_RCPTS_MAX);
	if (edits_check(env->edits, env->edit_count, env->size, e) < 0 ||
	    check_children(env, e) < 0)
		return -1;
	for (i = 0; env->child_count > 0 && i < env->rcpt_count; i++)
		if (env->rcpts[i].child != 0 &&
		    !has_child(env, env->rcpts[i].child))
			return err_set(e,
				       "recipient %zu goes to child %u, "
				       "which is not there",
				       i + 1, (unsigned)env->rcpts[i].child);
	return 0;
}
