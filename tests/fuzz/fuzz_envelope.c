/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fuzzes the text form of envelopes and edits in frames.  The first byte
 * says what the rest is: a text as it is, a text that gets a right end
 * line, edits, or strings that an envelope is made of.  What is read is
 * written and read again to the same.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "buf.h"
#include "envelope.h"
#include "str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static bool
same_edits(const struct edit *a, const struct edit *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (a[i].offset != b[i].offset || a[i].length != b[i].length ||
		    !span_eq(a[i].text, b[i].text))
			return false;
	return true;
}

static void
check_rcpts(const struct envelope *a, const struct envelope *b)
{
	size_t i;

	must(a->rcpt_count == b->rcpt_count);
	for (i = 0; i < a->rcpt_count; i++) {
		const struct rcpt *x = &a->rcpts[i];
		const struct rcpt *y = &b->rcpts[i];

		must(str_eq(x->address, y->address));
		must(str_eq(x->orcpt, y->orcpt));
		must(str_eq(x->notify, y->notify));
		must(str_eq(x->status, y->status));
		must(x->child == y->child && x->attempts == y->attempts);
		must(x->is_delay_told == y->is_delay_told);
	}
}

static void
check_children(const struct envelope *a, const struct envelope *b)
{
	size_t i;

	must(a->child_count == b->child_count);
	for (i = 0; i < a->child_count; i++) {
		const struct child *x = &a->children[i];
		const struct child *y = &b->children[i];

		must(x->number == y->number && x->state == y->state);
		must(str_eq(x->reason, y->reason));
		must(x->edit_count == y->edit_count);
		must(same_edits(x->edits, y->edits, x->edit_count));
	}
}

static void
check_same(const struct envelope *a, const struct envelope *b)
{
	must(str_eq(a->name, b->name) && str_eq(a->body, b->body));
	must(a->generation == b->generation && a->size == b->size);
	must(a->received_us == b->received_us && a->source == b->source);
	must(a->is_outbound == b->is_outbound && a->is_8bit == b->is_8bit);
	must(a->is_utf8 == b->is_utf8 && a->deaths == b->deaths);
	must(a->trailer == b->trailer);
	must(a->next_attempt_ms == b->next_attempt_ms);
	must(a->active_ms == b->active_ms);
	must(str_eq(a->sender, b->sender) && str_eq(a->helo, b->helo));
	must(str_eq(a->client_ip, b->client_ip));
	must(str_eq(a->client_name, b->client_name));
	must(str_eq(a->message_id, b->message_id));
	must(str_eq(a->auth_spf, b->auth_spf));
	must(str_eq(a->envid, b->envid) && str_eq(a->ret, b->ret));
	must(str_eq(a->reason, b->reason));
	must(a->edit_count == b->edit_count);
	must(same_edits(a->edits, b->edits, a->edit_count));
	check_rcpts(a, b);
	check_children(a, b);
}

/* An envelope that was read, or one that can be written. */
static void
round_trip(const struct envelope *env)
{
	struct arena a = { 0 };
	struct buf one = { 0 };
	struct buf two = { 0 };
	struct envelope again;
	struct err e;

	must(envelope_write(env, &one, &e) == 0);
	must(envelope_read(buf_span(&one), &a, &again, &e) == ENVELOPE_OK);
	check_same(env, &again);
	must(envelope_write(&again, &two, &e) == 0);
	must(span_eq(buf_span(&one), buf_span(&two)));
	buf_release(&one);
	buf_release(&two);
	arena_release(&a);
}

static void
check_text(struct span in)
{
	struct arena a = { 0 };
	struct envelope env;
	struct err e = { "" };

	if (envelope_read(in, &a, &env, &e) == ENVELOPE_OK)
		round_trip(&env);
	else
		must(e.text[0] != '\0');
	arena_release(&a);
}

static void
check_closed(struct span in)
{
	struct buf b = { 0 };

	buf_add_str(&b, "mcgate-envelope: 1\n");
	buf_add_span(&b, in);
	buf_printf(&b, "end: %08" PRIX32 "\n", crc32_update(0, b.data, b.len));
	check_text(buf_span(&b));
	buf_release(&b);
}

static void
check_edits(struct span in)
{
	struct arena a = { 0 };
	struct buf out = { 0 };
	struct edit *edits;
	struct err e = { "" };
	size_t n;

	if (edits_read(in, &a, &edits, &n, &e) == 0) {
		must(edits_check(edits, n, UINT64_MAX, NULL) == 0);
		must(edits_write(edits, n, &out, NULL) == 0);
		must(span_eq(in, buf_span(&out)));
	} else {
		must(e.text[0] != '\0');
	}
	buf_release(&out);
	arena_release(&a);
}

/* The next string of at most 64 bytes, closed by a NUL in the input. */
static const char *
take(struct span *in, struct arena *a)
{
	size_t len = strnlen(in->p, in->len < 64 ? in->len : 64);
	const char *s = arena_strndup(a, in->p, len);

	len += len < in->len;
	in->p += len;
	in->len -= len;
	return s;
}

static void
check_made(struct span in)
{
	struct arena a = { 0 };
	struct envelope env;
	struct rcpt rcpts[16];
	struct edit edit;

	envelope_init(&env);
	str_copy(env.name, sizeof(env.name), "01jq8z5m3k7n2p4r");
	env.body = "01jq8z5m3k7n2p4r";
	edit = (struct edit){ 1, 2, { in.p, in.len < 100 ? in.len : 100 } };
	env.size = 10;
	env.edits = &edit;
	env.edit_count = 1;
	env.sender = take(&in, &a);
	env.client_ip = take(&in, &a);
	env.client_name = take(&in, &a);
	env.helo = take(&in, &a);
	env.message_id = take(&in, &a);
	env.auth_spf = take(&in, &a);
	env.envid = take(&in, &a);
	env.ret = take(&in, &a);
	env.reason = take(&in, &a);
	env.rcpts = rcpts;
	while (in.len > 0 && env.rcpt_count < 16)
		rcpts[env.rcpt_count++] =
			(struct rcpt){ .address = take(&in, &a),
				       .orcpt = take(&in, &a),
				       .notify = take(&in, &a),
				       .attempts = (uint32_t)in.len,
				       .is_delay_told = in.len % 2,
				       .status = take(&in, &a) };
	round_trip(&env);
	arena_release(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in;

	if (size == 0)
		return 0;
	in = (struct span){ (const char *)data + 1, size - 1 };
	switch (data[0]) {
	case '0':
		check_text(in);
		break;
	case '1':
		check_closed(in);
		break;
	case '2':
		check_edits(in);
		break;
	default:
		check_made(in);
		break;
	}
	return 0;
}
