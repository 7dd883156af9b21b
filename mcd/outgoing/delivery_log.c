/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The line of a delivery.  Most of it is text of strangers: printable, cut,
 * and in quotes where it could pass for another word.
 */
#include "delivery_log.h"

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "str.h"

/* So that the line is not cut before the server's words. */
#define MESSAGE_ID_MAX 160
#define WORDS_MAX 400

/* "1.25", a time that went backwards is none. */
static void
seconds(char dst[24], int64_t ms)
{
	if (ms < 0)
		ms = 0;
	str_fmt(dst, 24, "%lld.%02lld", (long long)(ms / 1000),
		(long long)(ms % 1000 / 10));
}

/* Always in quotes: a server may say one word that looks like ours. */
static void
quoted(char *dst, size_t size, const char *text)
{
	const char *shown = log_text(text);

	if (*shown == '"')
		str_copy(dst, size, shown);
	else
		str_fmt(dst, size, "\"%s\"", shown);
}

static void
words_of(const struct client_result *r, char dst[WORDS_MAX * 2 + 4])
{
	char text[WORDS_MAX];

	if (r->code > 0)
		str_fmt(text, sizeof(text), "%d %s %s", r->code, r->enhanced,
			r->text);
	else
		str_copy(text, sizeof(text), r->text);
	quoted(dst, WORDS_MAX * 2 + 4, text);
}

void
delivery_log(const struct delivery_line *l)
{
	static const char *const states[] = {
		[OUTCOME_DELIVERED] = "sent",
		[OUTCOME_DEFERRED] = "deferred",
		[OUTCOME_FAILED] = "bounced",
	};
	const struct delivery_times *t = l->times;
	int64_t now_ms = loop_now_ms();
	int64_t begun_ms = t->begun_ms != 0 ? t->begun_ms : now_ms;
	int64_t all_ms = (clock_wall_us() - t->received_us) / 1000;
	char message_id[MESSAGE_ID_MAX];
	char words[WORDS_MAX * 2 + 4];
	char all[24], before[24], queue[24], connect[24], send[24];

	str_copy(message_id, sizeof(message_id), l->message_id);
	words_of(l->result, words);
	seconds(all, all_ms);
	seconds(before, all_ms - t->waited_ms - (now_ms - t->asked_ms));
	seconds(queue, t->waited_ms);
	seconds(connect, begun_ms - t->asked_ms);
	seconds(send, now_ms - begun_ms);
	log_info("%s deliver message_id=%s to=<%s> relay=%s delay=%s "
		 "delays=%s/%s/%s/%s tls=%s%s dsn=%s status=%s %s",
		 l->name, message_id[0] != '\0' ? log_text(message_id) : "-",
		 log_text(l->address),
		 l->relay[0] != '\0' ? log_text(l->relay) : "none", all, before,
		 queue, connect, send, log_text(l->tls),
		 l->is_8bit_unasked ? " note=8bit" : "", l->result->enhanced,
		 states[l->result->outcome], words);
}
