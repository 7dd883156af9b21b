/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Choosing and showing what is in quarantine.
 */
#include "quar.h"

#include <string.h>

#include "clock.h"
#include "str.h"

#define RECORD_RCPTS_BYTES 16384 /* of the recipients that a record shows */

static const char *const kind_names[QUAR_KIND_COUNT + 1] = {
	[QUAR_SPAM] = "spam",
	[QUAR_VIRUS] = "virus",
	[QUAR_DANGEROUS] = "dangerous",
};

const char *
quar_kind_name(enum quar_kind k)
{
	return k < QUAR_KIND_COUNT ? kind_names[k] : "unknown";
}

int
quar_kind_parse(const char *name, enum quar_kind *out)
{
	int k;

	for (k = 0; k < QUAR_KIND_COUNT; k++) {
		if (!str_eq(name, kind_names[k]))
			continue;
		*out = (enum quar_kind)k;
		return 0;
	}
	return -1;
}

enum quar_kind
quar_kind_of(const struct envelope *env)
{
	if (env->is_virus)
		return QUAR_VIRUS;
	return env->is_dangerous ? QUAR_DANGEROUS : QUAR_SPAM;
}

void
quar_row_of(const struct envelope *env, struct buf *rcpts, struct quar_row *out)
{
	size_t i;

	buf_clear(rcpts);
	rcpts->limit = QUAR_RCPTS_BYTES;
	for (i = 0; i < env->rcpt_count; i++)
		if (buf_printf(rcpts, "%s\n", env->rcpts[i].address) != 0)
			break;
	*out = (struct quar_row){
		.name = env->name,
		.received_us = env->received_us,
		.kind = quar_kind_of(env),
		.size = env->size,
		.sender = env->sender,
		.client_ip = env->client_ip,
		.message_id = env->message_id,
		.subject = env->subject,
		.reason = env->reason,
		.rcpt_count = (uint32_t)env->rcpt_count,
		.rcpts = buf_str(rcpts),
	};
}

/* Filters. */

static int
take_kind(const char *name, struct quar_filter *f, struct err *e)
{
	const char *near;

	f->has_kind = true;
	if (quar_kind_parse(name, &f->kind) == 0)
		return 0;
	near = str_nearest(name, kind_names);
	return err_set(e, "\"%.60s\" is no kind of mail in quarantine%s%s%s",
		       name, near != NULL ? "; did you mean " : "",
		       near != NULL ? near : "", near != NULL ? "?" : "");
}

static int
take_subject(const char *word, struct quar_filter *f, struct err *e)
{
	char *at = f->words;
	size_t i, left = sizeof(f->words);

	for (i = 0; i < f->word_count; i++) {
		left -= strlen(at) + 1;
		at += strlen(at) + 1;
	}
	if (f->word_count == QUAR_WORDS_MAX || !str_copy(at, left, word))
		return err_set(e, "subject: more than %d words",
			       QUAR_WORDS_MAX);
	f->word_count++;
	return 0;
}

static int
take_word(char *word, struct quar_filter *f, struct err *e)
{
	char *value = strchr(word, ':');

	if (value == NULL)
		return take_kind(word, f, e);
	*value++ = '\0';
	if (str_eq(word, "older"))
		return str_to_duration_ms(value, &f->older_ms, e);
	if (str_eq(word, "newer"))
		return str_to_duration_ms(value, &f->newer_ms, e);
	str_lower(value);
	if (str_eq(word, "kind"))
		return take_kind(value, f, e);
	if (str_eq(word, "subject"))
		return take_subject(value, f, e);
	if (str_eq(word, "domain"))
		(void)str_copy(f->domain, sizeof(f->domain), value);
	else if (str_eq(word, "rcpt"))
		(void)str_copy(f->rcpt, sizeof(f->rcpt), value);
	else if (str_eq(word, "from"))
		(void)str_copy(f->from, sizeof(f->from), value);
	else
		return err_set(e,
			       "\"%.60s:\" is not known; there are kind:, "
			       "domain:, rcpt:, from:, subject:, older: and "
			       "newer:",
			       word);
	return 0;
}

int
quar_filter_parse(const char *words, struct quar_filter *f, struct err *e)
{
	char copy[1025];
	char *rest = copy, *word;

	memset(f, 0, sizeof(*f));
	if (!str_copy(copy, sizeof(copy), words))
		return err_set(e, "filter: longer than %zu bytes",
			       sizeof(copy) - 1);
	while ((word = strsep(&rest, " ")) != NULL)
		if (word[0] != '\0' && take_word(word, f, e) < 0)
			return -1;
	return 0;
}

/* part is in lower case; letters of text of either case are the same. */
static bool
is_within(const char *text, const char *part)
{
	size_t n = strlen(part), i;

	if (n == 0)
		return true;
	for (; *text != '\0'; text++) {
		for (i = 0; i < n; i++)
			if (ascii_lower((unsigned char)text[i]) !=
			    (unsigned char)part[i])
				break;
		if (i == n)
			return true;
	}
	return false;
}

static bool
has_domain(const struct quar_row *r, const char *domain)
{
	char part[300];

	return str_fmt(part, sizeof(part), "@%s\n", domain) &&
	       is_within(r->rcpts, part);
}

static bool
has_words(const struct quar_filter *f, const char *subject)
{
	const char *word = f->words;
	size_t i;

	for (i = 0; i < f->word_count; i++) {
		if (!is_within(subject, word))
			return false;
		word += strlen(word) + 1;
	}
	return true;
}

bool
quar_filter_matches(const struct quar_filter *f, const struct quar_row *r,
		    int64_t now_us)
{
	int64_t age_ms = (now_us - r->received_us) / 1000;

	if ((f->has_kind && f->kind != r->kind) ||
	    (f->older_ms > 0 && age_ms < f->older_ms) ||
	    (f->newer_ms > 0 && age_ms >= f->newer_ms))
		return false;
	if (f->domain[0] != '\0' && !has_domain(r, f->domain))
		return false;
	return is_within(r->rcpts, f->rcpt) && is_within(r->sender, f->from) &&
	       has_words(f, r->subject);
}

/* Records. */

static void
add_rcpts(struct record *out, const struct quar_row *r)
{
	struct buf list = { .limit = 0 };
	size_t len = strlen(r->rcpts);
	const char *end;

	/* Whole lines, and none empty at the end. */
	if (len > RECORD_RCPTS_BYTES)
		len = RECORD_RCPTS_BYTES;
	end = len > 0 ? memrchr(r->rcpts, '\n', len) : NULL;
	if (end != NULL)
		(void)buf_add(&list, r->rcpts, (size_t)(end - r->rcpts));
	record_list(out, "rcpt", buf_str(&list));
	buf_release(&list);
	record_int(out, "rcpts", r->rcpt_count);
}

void
quar_record(struct record *out, const struct quar_row *r, int64_t now_us)
{
	int64_t age = (now_us - r->received_us) / 1000000;

	record_str(out, "id", r->name);
	record_str(out, "kind", quar_kind_name(r->kind));
	record_int(out, "size", (int64_t)r->size);
	record_int(out, "age_s", age > 0 ? age : 0);
	record_str(out, "sender", r->sender);
	add_rcpts(out, r);
	record_str(out, "subject", r->subject);
	record_str(out, "reason", r->reason);
}

void
quar_record_full(struct record *out, const struct quar_row *r, int64_t now_us)
{
	char when[40];

	quar_record(out, r, now_us);
	clock_iso8601(when, sizeof(when), r->received_us);
	record_str(out, "received", when);
	record_str(out, "client_ip", r->client_ip);
	record_str(out, "message_id", r->message_id);
}
