/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A dict by "IP:PORT".  What is over is taken out when somebody looks.
 */
#include "bare.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "dict.h"
#include "record.h"
#include "str.h"
#include "xalloc.h"

#define ROWS_MAX 500 /* of one answer */

struct bare {
	int64_t until_ms;
	char name[256];
	char why[200];
};

static struct dict bares;

static void
drop_old(int64_t now_ms)
{
	const char *key;
	void *value;
	size_t it = 0;

	while (dict_next(&bares, &it, &key, &value))
		if (((struct bare *)value)->until_ms <= now_ms)
			free(dict_del(&bares, key));
}

void
bare_note(const char *name, const struct ip_port *to, const char *why,
	  int64_t now_ms, int64_t until_ms)
{
	char key[IP_TEXT_SIZE];
	struct bare *b;

	if (until_ms <= now_ms)
		return;
	if (bares.count >= BARE_MAX)
		drop_old(now_ms);
	if (bares.count >= BARE_MAX)
		return;
	ip_port_text(to, key);
	b = xcalloc(1, sizeof(*b));
	b->until_ms = until_ms;
	str_copy(b->name, sizeof(b->name), name);
	str_printable(b->why, sizeof(b->why), why, strlen(why));
	free(dict_set(&bares, key, b));
}

bool
bare_is_known(const struct ip_port *to, int64_t now_ms)
{
	char key[IP_TEXT_SIZE];
	const struct bare *b;

	if (bares.count == 0)
		return false;
	ip_port_text(to, key);
	b = dict_get(&bares, key);
	return b != NULL && b->until_ms > now_ms;
}

void
bare_forget(const struct ip_port *to)
{
	char key[IP_TEXT_SIZE];

	if (bares.count == 0)
		return;
	ip_port_text(to, key);
	free(dict_del(&bares, key));
}

static bool
is_meant(const char *key, const struct bare *b, const char *word)
{
	return strstr(key, word) != NULL || strstr(b->name, word) != NULL;
}

size_t
bare_flush(const char *word)
{
	size_t it = 0, count = 0;
	const char *key;
	void *value;

	while (dict_next(&bares, &it, &key, &value)) {
		if (!is_meant(key, value, word))
			continue;
		free(dict_del(&bares, key));
		count++;
	}
	return count;
}

static void
answer_row(peer_id p, uint32_t token, struct record *r)
{
	struct frame_ctl_row row = { .record = buf_span(&r->b) };

	(void)peer_answer(p, token, FRAME_ctl_row, &row, -1);
	record_release(r);
}

static void
list_one(peer_id p, uint32_t token, const char *key, const struct bare *b,
	 int64_t now_ms)
{
	struct record r = { 0 };
	char left[64];

	str_duration(left, sizeof(left), (b->until_ms - now_ms) / 1000 * 1000);
	record_str(&r, "host", b->name);
	record_str(&r, "address", key);
	record_str(&r, "tls", "none");
	record_str(&r, "kept_for", left);
	record_str(&r, "text", b->why);
	answer_row(p, token, &r);
}

static void
list(peer_id p, uint32_t token, const char *word, int64_t now_ms)
{
	size_t it = 0, rows = 0;
	const char *key;
	void *value;

	drop_old(now_ms);
	while (rows < ROWS_MAX && dict_next(&bares, &it, &key, &value)) {
		if (!is_meant(key, value, word))
			continue;
		list_one(p, token, key, value, now_ms);
		rows++;
	}
}

bool
bare_ask(peer_id from, struct frame *f, int64_t now_ms)
{
	const struct frame_ctl_ask *ask = FRAME_BODY(f, ctl_ask);
	struct frame_ctl_done done = { .exit_code = EX_OK,
				       .text = "",
				       .cursor = "" };
	struct record r = { 0 };

	if (str_eq(ask->command, "dest-list")) {
		list(from, f->token, ask->arg, now_ms);
	} else if (str_eq(ask->command, "dest-flush")) {
		record_int(&r, "forgotten", (int64_t)bare_flush(ask->arg));
		answer_row(from, f->token, &r);
	} else {
		return false;
	}
	(void)peer_answer(from, f->token, FRAME_ctl_done, &done, -1);
	return true;
}
