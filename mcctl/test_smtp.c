/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * mcctl test smtp: mcd plays a session as some client, nothing is queued;
 * where the value of each knob comes from is looked up here.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "address.h"
#include "asking.h"
#include "command.h"
#include "policy.h"
#include "str.h"
#include "target.h"

struct test {
	struct ctx *c;
	const struct policy *policy;
};

static const char *
text_of(const struct value *values, size_t count, const char *name)
{
	const struct value *v = record_find(values, count, name);

	return v != NULL && v->type == VALUE_STR && v->str != NULL ? v->str
								   : "";
}

static int
print_row(void *arg, const struct value *values, size_t count,
	  struct span encoded)
{
	struct test *t = arg;
	const char *names[] = { "stage", "check", "result", "reply", "detail" };
	const struct knob *k = knob_find(text_of(values, count, "knob"), NULL);
	char text[KNOB_TEXT_SIZE] = "", from[ADDRESS_TEXT_SIZE + 16] = "";
	struct policy_origin o;
	struct record r = { 0 };

	(void)encoded;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		record_str(&r, names[i], text_of(values, count, names[i]));
	if (k != NULL) {
		o = policy_effective(t->policy, k,
				     text_of(values, count, "of"));
		knob_text(k, &o.value, text, sizeof(text));
		str_fmt(from, sizeof(from), "%s%s%s",
			target_level_name(o.level),
			o.subject[0] != '\0' ? " " : "", o.subject);
	}
	record_str(&r, "knob", text_of(values, count, "knob"));
	record_str(&r, "value", text);
	record_str(&r, "from", from);
	out_row(&t->c->out, &r);
	record_release(&r);
	return ferror(stdout);
}

static int
put_word(struct ctx *c, struct buf *arg, const char *key, const char *value)
{
	if (value == NULL)
		value = "";
	if (strchr(value, '\n') != NULL)
		return complain(c, EX_DATAERR, "--%s: a line end in it", key);
	if (buf_printf(arg, "%s=%s\n", key, value) < 0)
		return complain(c, EX_DATAERR, "longer than 1000 bytes");
	return EX_OK;
}

static int
ask(struct ctx *c, struct asking_sink *sink, const char *arg)
{
	struct err e = { "" };
	int code = EX_OK;
	struct asking *a = asking_open(&c->conf, &code, &e);

	if (a != NULL) {
		code = asking_run(a, "test-smtp", arg, sink, &e);
		asking_close(a);
	}
	return code == EX_OK ? EX_OK : complain(c, code, "%s", e.text);
}

int
cmd_test_smtp(struct ctx *c)
{
	static const char *const options[] = { "helo", "from", "to" };
	struct test t = { .c = c };
	struct asking_sink sink = { .row = print_row, .arg = &t };
	const char *to = option_value(c, "to");
	struct buf arg = { .limit = 1000 };
	struct policy *p;
	struct err e;
	int code;

	if (option_value(c, "from-ip") == NULL)
		return complain(c, EX_USAGE, "--from-ip: expected an address");
	code = put_word(c, &arg, "ip", option_value(c, "from-ip"));
	for (size_t i = 0; i < 3 && code == EX_OK; i++) {
		const char *value = option_value(c, options[i]);

		if (i == 2 && to == NULL)
			value = "postmaster";
		code = put_word(c, &arg, options[i], value);
	}
	if (code == EX_OK) {
		p = policy_load(c->db, NULL, &e);
		t.policy = p;
		code = p != NULL ? ask(c, &sink, buf_str(&arg))
				 : complain(c, EX_UNAVAILABLE, "%s", e.text);
		policy_free(p);
	}
	buf_release(&arg);
	return code;
}
