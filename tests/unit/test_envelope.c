/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Envelopes as text: kept samples of each version, everything written
 * read back, and every kind of damage refused with its line.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "buf.h"
#include "check.h"
#include "envelope.h"
#include "file.h"
#include "str.h"

#define ID "01jq8z5m3k7n2p4r"
#define HEAD                   \
	"mcgate-envelope: 1\n" \
	"name: " ID "\n"       \
	"generation: 1\n"      \
	"body: " ID "\n"       \
	"size: 1000\n"         \
	"received-us: 1700000000000000\n"

/* Appends the end line that is right for what stands in b. */
static void
close_text(struct buf *b)
{
	buf_printf(b, "end: %08" PRIX32 "\n", crc32_update(0, b->data, b->len));
}

static enum envelope_result
read_text(const struct buf *b, struct arena *a, struct envelope *env,
	  struct err *e)
{
	e->text[0] = '\0';
	return envelope_read(buf_span(b), a, env, e);
}

/* Samples. */

static void
load(const char *name, struct buf *b)
{
	const char *dir = getenv("MCGATE_SRCDIR");
	char path[4096];
	struct err e;

	str_fmt(path, sizeof(path), "%s/tests/data/envelope/%s",
		dir != NULL ? dir : ".", name);
	buf_clear(b);
	if (file_read(path, b, 65536, &e) < 0)
		printf("# %s\n", e.text);
}

static void
check_again(const char *name, const struct envelope *env,
	    const struct buf *text)
{
	struct buf out = { 0 };

	CHECK(envelope_write(env, &out, NULL) == 0 &&
		      span_eq(buf_span(&out), buf_span(text)),
	      "%s: written again it is the same", name);
	buf_release(&out);
}

static void
check_minimal(void)
{
	struct arena a = { 0 };
	struct buf text = { 0 };
	struct envelope env;
	struct err e;

	load("v1-minimal", &text);
	if (CHECK_INT(read_text(&text, &a, &env, &e), ENVELOPE_OK,
		      "v1-minimal is read: %s", e.text)) {
		CHECK_STR(env.name, ID, "v1-minimal: name");
		CHECK_STR(env.body, ID, "v1-minimal: body");
		CHECK(env.generation == 1 && env.size == 0 &&
			      env.received_us == 1700000000000000 &&
			      env.source == SOURCE_SMTP,
		      "v1-minimal: numbers");
		CHECK(env.sender[0] == '\0' && env.reason[0] == '\0' &&
			      env.helo[0] == '\0' && env.client_ip[0] == '\0',
		      "v1-minimal: what is left out is empty");
		CHECK(env.rcpt_count == 0 && env.edit_count == 0 &&
			      env.child_count == 0,
		      "v1-minimal: no lists");
		check_again("v1-minimal", &env, &text);
	}
	buf_release(&text);
	arena_release(&a);
}

static void
check_full_rcpts(const struct envelope *env)
{
	const struct rcpt *r = env->rcpts;

	CHECK_INT(env->rcpt_count, 2, "v1-full: recipients");
	CHECK_STR(r[0].address, "\"odd \\\\ one\"@b.example",
		  "v1-full: the first");
	CHECK_STR(r[0].orcpt, "rfc822;odd+2Bone@b.example", "v1-full: ORCPT");
	CHECK_STR(r[0].notify, "FAILURE,DELAY", "v1-full: NOTIFY");
	CHECK(r[0].attempts == 3 && r[0].is_delay_told && r[0].child == 0,
	      "v1-full: attempts");
	CHECK_STR(r[0].status, "451 4.3.0 later\tplease\r\n\x01",
		  "v1-full: status");
	CHECK_STR(r[1].address, "j\xc3\xb6rg@b.example", "v1-full: the second");
	CHECK(r[1].orcpt[0] == '\0' && r[1].status[0] == '\0' &&
		      !r[1].is_delay_told,
	      "v1-full: the second has nothing else");
}

static void
check_full(void)
{
	struct arena a = { 0 };
	struct buf text = { 0 };
	struct envelope env;
	struct err e;

	load("v1-full", &text);
	if (CHECK_INT(read_text(&text, &a, &env, &e), ENVELOPE_OK,
		      "v1-full is read: %s", e.text)) {
		CHECK_STR(env.name, ID ".12", "v1-full: name");
		CHECK_STR(env.body, ID ".c", "v1-full: body");
		CHECK(env.generation == UINT64_MAX && env.size == 123456 &&
			      env.received_us == -1 && env.deaths == 2 &&
			      env.next_attempt_ms == 1700000060000 &&
			      env.active_ms == 59999 &&
			      env.source == SOURCE_OWN,
		      "v1-full: numbers");
		CHECK(env.is_outbound && env.is_8bit && env.is_utf8,
		      "v1-full: claims");
		CHECK_STR(env.sender, "a@b.example", "v1-full: sender");
		CHECK_STR(env.client_ip, "2001:db8::1", "v1-full: client");
		CHECK_STR(env.client_name, "mx.a.example", "v1-full: name");
		CHECK_STR(env.helo, " two spaces  ", "v1-full: helo");
		CHECK_STR(env.message_id, "<1@a.example>", "v1-full: id");
		CHECK_STR(env.envid, "QQ+2B1", "v1-full: ENVID");
		CHECK_STR(env.ret, "HDRS", "v1-full: RET");
		CHECK_STR(env.reason, "a: b", "v1-full: reason");
		CHECK(env.edit_count == 2 && env.edits[1].offset == 100 &&
			      env.edits[1].length == 20 &&
			      env.edits[1].text.len == 0 &&
			      span_eq(env.edits[0].text,
				      SPAN_LIT("X-A: \\\r\n\t\0\xff\r\n")),
		      "v1-full: edits");
		check_full_rcpts(&env);
		check_again("v1-full", &env, &text);
	}
	buf_release(&text);
	arena_release(&a);
}

static void
check_split(void)
{
	struct arena a = { 0 };
	struct buf text = { 0 };
	struct envelope env;
	struct err e;

	load("v1-split", &text);
	if (CHECK_INT(read_text(&text, &a, &env, &e), ENVELOPE_OK,
		      "v1-split is read: %s", e.text)) {
		CHECK(env.rcpt_count == 3 && env.rcpts[0].child == 1 &&
			      env.rcpts[1].child == 2 &&
			      env.rcpts[2].child == 1,
		      "v1-split: recipients");
		CHECK(env.child_count == 2 && env.children[0].number == 1 &&
			      env.children[0].state == STATE_OUTGOING &&
			      env.children[0].edit_count == 2 &&
			      env.children[1].number == 2 &&
			      env.children[1].state == STATE_QUARANTINE &&
			      env.children[1].edit_count == 0,
		      "v1-split: children");
		CHECK_STR(env.children[1].reason, "spam 12.5 of 5",
			  "v1-split: reason");
		check_again("v1-split", &env, &text);
	}
	buf_release(&text);
	arena_release(&a);
}

/* Written as version 2 only by what version 1 does not have. */
static void
check_judged(void)
{
	struct arena a = { 0 };
	struct buf text = { 0 };
	struct envelope env;
	struct err e;

	load("v2-judged", &text);
	if (CHECK_INT(read_text(&text, &a, &env, &e), ENVELOPE_OK,
		      "v2-judged is read: %s", e.text)) {
		CHECK(env.is_spam && env.is_virus && env.child_count == 1 &&
			      env.children[0].is_spam &&
			      env.children[0].is_virus,
		      "v2-judged: what the filters found");
		check_again("v2-judged", &env, &text);
		env.is_spam = env.is_virus = false;
		env.children[0].is_spam = env.children[0].is_virus = false;
		buf_clear(&text);
		CHECK(envelope_write(&env, &text, NULL) == 0 &&
			      str_has_prefix(buf_str(&text),
					     "mcgate-envelope: 1\n"),
		      "without it an older mcd can read it");
	}
	buf_release(&text);
	arena_release(&a);
}

static void
check_trailer(void)
{
	struct arena a = { 0 };
	struct buf text = { 0 };
	struct envelope env;
	struct err e;

	load("v2-trailer", &text);
	if (CHECK_INT(read_text(&text, &a, &env, &e), ENVELOPE_OK,
		      "v2-trailer is read: %s", e.text)) {
		CHECK_INT(env.trailer, 300,
			  "v2-trailer: bytes behind the body");
		check_again("v2-trailer", &env, &text);
	}
	buf_release(&text);
	arena_release(&a);
}

/* What a listed peer has sent needs version 3. */
static void
check_peer(void)
{
	struct arena a = { 0 };
	struct buf text = { 0 };
	struct envelope env;
	struct err e;

	load("v3-peer", &text);
	if (CHECK_INT(read_text(&text, &a, &env, &e), ENVELOPE_OK,
		      "v3-peer is read: %s", e.text)) {
		CHECK(env.is_peer, "v3-peer: its fields are believed");
		check_again("v3-peer", &env, &text);
		env.is_peer = false;
		buf_clear(&text);
		CHECK(envelope_write(&env, &text, NULL) == 0 &&
			      !str_has_prefix(buf_str(&text),
					      "mcgate-envelope: 3\n"),
		      "without it an older mcd can read it");
	}
	buf_release(&text);
	arena_release(&a);
}

static void
check_newer(void)
{
	struct arena a = { 0 };
	struct buf text = { 0 };
	struct envelope env;
	struct err e;

	load("v9", &text);
	CHECK_INT(read_text(&text, &a, &env, &e), ENVELOPE_NEWER,
		  "version 9 is not for us");
	CHECK_STR(e.text,
		  "written by a newer mcgate: envelope version 9, this one "
		  "knows up to 3",
		  "and that is said plainly");
	buf_release(&text);
	arena_release(&a);
}

/* What is refused. */

static const struct bad_row {
	const char *what;
	const char *text; /* before the end line */
	const char *says; /* in the error */
} bads[] = {
	{ "an unknown key", HEAD "color: red\n", "line 7: not a key" },
	{ "a key of another version", HEAD "sender: a\nrcpt: b\nprio: 1\n",
	  "line 9: not a key" },
	{ "a line without a colon", HEAD "sender\n", "line 7: not a key" },
	{ "a key without a space", HEAD "sender:a@b\n", "line 7: not a key" },
	{ "an empty line", HEAD "\n", "line 7: not a key" },
	{ "a key in another case", HEAD "Sender: a\n", "line 7: not a key" },
	{ "an end line in between", HEAD "end: 00000000\n",
	  "line 7: not a key" },
	{ "a second first line", HEAD "mcgate-envelope: 1\n",
	  "line 7: not a key" },
	{ "a key twice", HEAD "sender: a\nsender: a\n",
	  "line 8: sender is given twice" },
	{ "a needed key twice", HEAD "size: 1000\n",
	  "line 7: size is given twice" },
	{ "a key of a recipient twice",
	  HEAD "rcpt: a\nrcpt-status: x\nrcpt-status: x\n",
	  "line 9: rcpt-status is given twice" },
	{ "a key of a child twice",
	  HEAD "child: 1 hold\nchild-reason: x\nchild-reason: x\n",
	  "line 9: child-reason is given twice" },
	{ "a status without a recipient", HEAD "rcpt-status: x\n",
	  "line 7: rcpt-status: no rcpt or child above" },
	{ "an edit without a child", HEAD "child-edit: 1 2 x\n",
	  "line 7: child-edit: no rcpt or child above" },
	{ "an unknown escape", HEAD "sender: a\\q\n",
	  "line 7: sender: an escape" },
	{ "an escape that is cut", HEAD "sender: a\\x4\n",
	  "line 7: sender: an escape" },
	{ "a backslash at the end", HEAD "sender: a\\\n",
	  "line 7: sender: an escape" },
	{ "an escape in lower case", HEAD "sender: \\x0a\n",
	  "line 7: sender: an escape" },
	{ "an escaped NUL", HEAD "sender: a\\x00\n", "line 7: sender: a NUL" },
	{ "a number that is none", HEAD "deaths: x\n",
	  "line 7: deaths: not a number" },
	{ "an empty number", HEAD "deaths: \n",
	  "line 7: deaths: not a number" },
	{ "a number of 33 bits", HEAD "deaths: 4294967296\n",
	  "line 7: deaths: not a number of 32 bits" },
	{ "a number of 65 bits", HEAD "active-ms: 18446744073709551616\n",
	  "line 7: active-ms: not a whole number" },
	{ "a negative number too low", HEAD "active-ms: -9223372036854775809\n",
	  "line 7: active-ms: not a whole number" },
	{ "two signs", HEAD "active-ms: --1\n",
	  "line 7: active-ms: not a whole number" },
	{ "neither yes nor no", HEAD "8bit: true\n",
	  "line 7: 8bit: yes or no" },
	{ "an unknown source", HEAD "source: uucp\n",
	  "line 7: source: smtp or own" },
	{ "an edit without a length", HEAD "edit: 1\n",
	  "line 7: edit: offset and length" },
	{ "a negative edit", HEAD "edit: -1 2 x\n",
	  "line 7: edit: offset and length" },
	{ "edits that overlap", HEAD "edit: 1 5 x\nedit: 2 1 x\n",
	  "edit 2 reaches back" },
	{ "an edit outside the body", HEAD "edit: 999 2 x\n",
	  "edit 1 lies outside" },
	{ "a child's edit outside the body",
	  HEAD "child: 1 hold\nchild-edit: 1001 0 x\n",
	  "child 1: edit 1 lies outside" },
	{ "a child without a state", HEAD "child: 1\n",
	  "line 7: child: a state" },
	{ "a child with an unknown state", HEAD "child: 1 limbo\n",
	  "line 7: child: a state" },
	{ "a child without a number", HEAD "child: hold\n",
	  "line 7: child: a number" },
	{ "a child 0", HEAD "child: 0 hold\n", "child 0 is out of order" },
	{ "a child twice", HEAD "child: 1 hold\nchild: 1 hold\n",
	  "child 1 is out of order" },
	{ "a recipient whose child is missing",
	  HEAD "rcpt: a\nrcpt-child: 2\nchild: 1 hold\nchild: 3 hold\n",
	  "recipient 1 goes to child 2" },
	{ "a name that is too long",
	  "mcgate-envelope: 1\nname: " ID ".12345678\n",
	  "line 2: name: the name is too long" },
	{ "a name that is a path",
	  "mcgate-envelope: 1\nname: ../../etc/pas\n"
	  "generation: 1\nbody: " ID "\nsize: 1\n"
	  "received-us: 1\n",
	  "the name is not" },
	{ "a body that is a path",
	  "mcgate-envelope: 1\nname: " ID "\n"
	  "generation: 1\nbody: ../x\nsize: 1\n"
	  "received-us: 1\n",
	  "the body is not" },
	{ "no name",
	  "mcgate-envelope: 1\ngeneration: 1\nbody: " ID "\n"
	  "size: 1\nreceived-us: 1\n",
	  "no line with the key name" },
	{ "no keys", "mcgate-envelope: 1\n", "no line with the key name" },
	{ "version 0", "mcgate-envelope: 0\n", "line 1: not the first line" },
	{ "no version", "mcgate-envelope: \n", "line 1: not the first line" },
	{ "a version that is none", "mcgate-envelope: 1x\n",
	  "line 1: not the first line" },
	{ "another first line", "name: " ID "\n",
	  "line 1: not the first line" },
};

static void
check_bad(const struct bad_row *row)
{
	struct arena a = { 0 };
	struct buf text = { 0 };
	struct envelope env;
	struct err e;

	buf_add_str(&text, row->text);
	close_text(&text);
	CHECK(read_text(&text, &a, &env, &e) == ENVELOPE_BAD &&
		      strstr(e.text, row->says) != NULL,
	      "%s is refused", row->what);
	if (strstr(e.text, row->says) == NULL)
		printf("# \"%s\" instead of \"%s\"\n", e.text, row->says);
	buf_release(&text);
	arena_release(&a);
}

/* Every byte taken off, and every bit turned, is found. */
static void
check_damage(void)
{
	struct arena a = { 0 };
	struct buf text = { 0 };
	struct envelope env;
	struct err e;
	struct span in;
	unsigned cut = 0;
	unsigned turned = 0;
	size_t i;

	load("v1-full", &text);
	in = buf_span(&text);
	for (i = 0; i < text.len; i++) {
		cut += envelope_read((struct span){ in.p, i }, &a, &env, &e) ==
		       ENVELOPE_OK;
		arena_clear(&a);
	}
	CHECK_INT(cut, 0, "an envelope that is cut short is refused");
	for (i = 0; i < text.len * 8; i++) {
		text.data[i / 8] ^= (char)(1 << i % 8);
		turned += read_text(&text, &a, &env, &e) == ENVELOPE_OK;
		text.data[i / 8] ^= (char)(1 << i % 8);
		arena_clear(&a);
	}
	CHECK_INT(turned, 0, "an envelope with a bit turned is refused");
	buf_add_char(&text, '\n');
	CHECK_INT(read_text(&text, &a, &env, &e), ENVELOPE_BAD,
		  "something behind the end line is refused");
	buf_clear(&text);
	buf_add_str(&text, HEAD "sender: a");
	buf_add(&text, "\0b\n", 3);
	close_text(&text);
	CHECK_INT(read_text(&text, &a, &env, &e), ENVELOPE_BAD,
		  "a NUL in the text is refused");
	buf_clear(&text);
	buf_add_str(&text, HEAD "sender: a");
	close_text(&text);
	CHECK_INT(read_text(&text, &a, &env, &e), ENVELOPE_BAD,
		  "a line that does not end is refused");
	CHECK_INT(envelope_read((struct span){ NULL, 0 }, &a, &env, &e),
		  ENVELOPE_BAD, "an empty file is refused");
	buf_release(&text);
	arena_release(&a);
}

/* What is written. */

static void
make(struct envelope *env)
{
	envelope_init(env);
	str_copy(env->name, sizeof(env->name), ID);
	env->body = ID;
	env->size = 1000;
	env->generation = 7;
}

static void
check_strings(void)
{
	char all[256];
	struct arena a = { 0 };
	struct buf text = { 0 };
	struct envelope env, got;
	struct rcpt rcpt = { 0 };
	struct edit edits[2] = { { 1, 2, { all, 256 } },
				 { 3, 1, { NULL, 0 } } };
	struct err e;
	int i;

	for (i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	make(&env);
	env.sender = env.helo = env.reason = env.auth_spf = all;
	rcpt.address = rcpt.status = all;
	env.rcpts = &rcpt;
	env.rcpt_count = 1;
	env.edits = edits;
	env.edit_count = 2;
	env.received_us = INT64_MIN;
	env.active_ms = INT64_MAX;
	CHECK(envelope_write(&env, &text, &e) == 0 &&
		      read_text(&text, &a, &got, &e) == ENVELOPE_OK,
	      "an envelope of odd texts is written and read");
	CHECK(str_eq(got.sender, all) && str_eq(got.helo, all) &&
		      str_eq(got.auth_spf, all) && str_eq(got.reason, all) &&
		      str_eq(got.rcpts[0].address, all) &&
		      str_eq(got.rcpts[0].status, all) &&
		      got.rcpts[0].notify[0] == '\0',
	      "every byte comes back");
	CHECK(span_eq(got.edits[0].text, edits[0].text) &&
		      got.edits[1].text.len == 0,
	      "every byte of an edit comes back, NUL too");
	CHECK(got.received_us == INT64_MIN && got.active_ms == INT64_MAX,
	      "the lowest and the highest number come back");
	for (i = 0; i < (int)text.len; i++)
		if ((unsigned char)text.data[i] < 32 && text.data[i] != '\n')
			break;
	CHECK_INT(i, text.len, "the text holds no control characters");
	buf_release(&text);
	arena_release(&a);
}

static void
check_limits(void)
{
	struct rcpt *rcpts = calloc(ENVELOPE_RCPTS_MAX + 1, sizeof(*rcpts));
	struct child *children =
		calloc(ENVELOPE_CHILDREN_MAX + 1, sizeof(*children));
	struct arena a = { 0 };
	struct buf text = { 0 };
	struct envelope env, got;
	struct err e;
	size_t i;

	for (i = 0; i <= ENVELOPE_RCPTS_MAX; i++)
		rcpts[i].address = "a@b.example";
	for (i = 0; i <= ENVELOPE_CHILDREN_MAX; i++)
		children[i].number = (uint32_t)i + 1;
	make(&env);
	env.rcpts = rcpts;
	env.rcpt_count = ENVELOPE_RCPTS_MAX;
	env.children = children;
	env.child_count = ENVELOPE_CHILDREN_MAX;
	for (i = 0; i < env.rcpt_count; i++)
		rcpts[i].child = (uint32_t)(i % ENVELOPE_CHILDREN_MAX);
	CHECK(envelope_write(&env, &text, &e) == 0 &&
		      read_text(&text, &a, &got, &e) == ENVELOPE_OK &&
		      got.rcpt_count == ENVELOPE_RCPTS_MAX &&
		      got.child_count == ENVELOPE_CHILDREN_MAX &&
		      got.rcpts[ENVELOPE_RCPTS_MAX - 1].child ==
			      rcpts[ENVELOPE_RCPTS_MAX - 1].child,
	      "as many recipients and children as may be");
	text.len -= 14;
	buf_add_str(&text, "child: 999 hold\n");
	close_text(&text);
	CHECK(read_text(&text, &a, &got, &e) == ENVELOPE_BAD &&
		      strstr(e.text, "too many children") != NULL,
	      "one child more is not read");
	buf_clear(&text);
	env.child_count++;
	CHECK(envelope_write(&env, &text, &e) == -1 && text.len == 0,
	      "nor written");
	env.child_count = 0;
	env.rcpt_count++;
	CHECK(envelope_write(&env, &text, &e) == -1 && text.len == 0,
	      "one recipient more is not written");
	env.rcpt_count--;
	envelope_write(&env, &text, &e);
	text.len -= 14;
	buf_add_str(&text, "rcpt: a\n");
	close_text(&text);
	CHECK(read_text(&text, &a, &got, &e) == ENVELOPE_BAD &&
		      strstr(e.text, "line 80") == NULL &&
		      strstr(e.text, "too many recipients") != NULL,
	      "nor read");
	buf_clear(&text);
	text.limit = 100;
	env.rcpt_count = 1;
	CHECK(envelope_write(&env, &text, &e) == -1 && text.len == 0,
	      "a buffer that is full is said");
	free(rcpts);
	free(children);
	buf_release(&text);
	arena_release(&a);
}

static void
check_too_large(void)
{
	static char status[8000];
	struct rcpt *rcpts = calloc(ENVELOPE_RCPTS_MAX, sizeof(*rcpts));
	struct buf text = { 0 };
	struct envelope env;
	size_t i;

	memset(status, 'x', sizeof(status) - 1);
	make(&env);
	for (i = 0; i < ENVELOPE_RCPTS_MAX; i++)
		rcpts[i].status = status;
	env.rcpts = rcpts;
	env.rcpt_count = ENVELOPE_RCPTS_MAX;
	buf_add_str(&text, "before");
	CHECK(envelope_write(&env, &text, NULL) == -1, "%d bytes and more",
	      ENVELOPE_MAX);
	CHECK_STR(buf_str(&text), "before", "leave what stood there");
	free(rcpts);
	buf_release(&text);
}

/* Names. */

static const struct name_row {
	const char *name;
	bool is_good, is_child;
} names[] = {
	{ ID, true, true },
	{ ID ".1", false, true },
	{ ID ".999999", false, true },
	{ ID ".1000000", false, false },
	{ ID ".0", false, false },
	{ ID ".01", false, false },
	{ ID ".", false, false },
	{ ID ".x", false, false },
	{ ID ".1.1", false, false },
	{ ID ".1x", false, false },
	{ ID "x", false, false },
	{ "", false, false },
	{ "01jq8z5m3k7n2p4", false, false },
	{ "01jq8z5m3k7n2p4u", false, false },
	{ "01JQ8Z5M3K7N2P4R", false, false },
	{ "0123456789abcde/", false, false },
	{ "................", false, false },
};

static void
check_names(void)
{
	enum state s;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK_INT(envelope_name_valid(names[i].name, false),
			  names[i].is_good, "\"%s\" alone", names[i].name);
		CHECK_INT(envelope_name_valid(names[i].name, true),
			  names[i].is_child, "\"%s\" or a child",
			  names[i].name);
	}
	for (i = 0; i < STATE_COUNT; i++)
		CHECK(state_parse(state_name((enum state)i), &s) == 0 &&
			      s == (enum state)i,
		      "state %s", state_name((enum state)i));
	CHECK_INT(state_parse("limbo", &s), -1, "no state limbo");
	CHECK_INT(state_parse("", &s), -1, "no state without a name");
	CHECK_STR(state_name(STATE_COUNT), "unknown", "no name beyond them");
}

int
main(void)
{
	size_t i;

	check_minimal();
	check_full();
	check_split();
	check_judged();
	check_trailer();
	check_peer();
	check_newer();
	for (i = 0; i < sizeof(bads) / sizeof(bads[0]); i++)
		check_bad(&bads[i]);
	check_damage();
	check_strings();
	check_limits();
	check_too_large();
	check_names();
	return check_done();
}
