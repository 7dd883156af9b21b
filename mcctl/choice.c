/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Options that choose messages, and ids in batches.
 */
#include "choice.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "envelope.h"
#include "str.h"

static const struct {
	const char *option;
	const char *word; /* the value comes behind it */
} choosers[] = {
	{ "from", "from:" },	   { "rcpt", "rcpt:" },
	{ "size", "size:" },	   { "older", "older:" },
	{ "younger", "younger:" }, { "held", "held:yes" },
	{ "queued", "held:no" },   { "ids", "show:ids" },
	{ "count", "show:count" }, { "sender", "show:senders" },
};

static int
add_word(struct ctx *c, struct buf *words, const char *word, const char *value)
{
	if (strpbrk(value, " \t\r\n") != NULL)
		return complain(c, EX_USAGE,
				"\"%.60s\": no blank can be looked for", value);
	if (buf_printf(words, "%s%s%s", words->len > 0 ? " " : "", word,
		       value) < 0)
		return complain(c, EX_USAGE, "filter: longer than 1000 bytes");
	return EX_OK;
}

int
choice_words(struct ctx *c, struct buf *words)
{
	int code = EX_OK;
	size_t i;

	if (option_is_given(c, "held") && option_is_given(c, "queued"))
		return complain(c, EX_USAGE, "--held or --queued, not both");
	if (option_is_given(c, "ids") && option_is_given(c, "count"))
		return complain(c, EX_USAGE, "--ids or --count, not both");
	for (i = 0; i < sizeof(choosers) / sizeof(choosers[0]); i++) {
		const char *value = option_value(c, choosers[i].option);

		if (value != NULL && code == EX_OK)
			code = add_word(c, words, choosers[i].word, value);
	}
	for (int k = 0; k < c->arg_count && code == EX_OK; k++)
		code = add_word(c, words, "", c->args[k]);
	return code;
}

/* The next id: 1, 0 at the end, -1. */
static int
next_id(struct ids *ids, char name[ENVELOPE_NAME_SIZE], struct err *e)
{
	char line[256];
	const char *text = line;
	size_t len;

	if (ids->in == NULL) {
		if (ids->at == ids->count)
			return 0;
		text = ids->args[ids->at++];
	} else {
		do {
			if (fgets(line, sizeof(line), ids->in) == NULL)
				return ferror(ids->in)
					       ? err_set(e,
							 "standard input: %s",
							 strerror(errno))
					       : 0;
			ids->line++;
			text = line + strspn(line, " \t\r\n");
		} while (text[0] == '\0');
	}
	len = strcspn(text, " \t\r\n");
	if (str_fmt(name, ENVELOPE_NAME_SIZE, "%.*s", (int)len, text) &&
	    envelope_name_valid(name, true))
		return 1;
	if (ids->in == NULL)
		return err_set(e, "\"%.60s\" is not a queue id", text);
	return err_set(e, "line %zu: \"%.*s\" is not a queue id", ids->line,
		       (int)(len < 60 ? len : 60), text);
}

int
choice_next(struct ids *ids, char names[IDS_BATCH_SIZE], struct err *e)
{
	char name[ENVELOPE_NAME_SIZE];
	size_t len = 0;
	int got = 0;

	names[0] = '\0';
	/* One more has room, and its blank. */
	while (len + ENVELOPE_NAME_SIZE + 1 < IDS_BATCH_SIZE) {
		got = next_id(ids, name, e);
		if (got <= 0)
			break;
		(void)str_fmt(names + len, IDS_BATCH_SIZE - len, "%s ", name);
		len += strlen(names + len);
	}
	/* What is no id stops all before anything of its batch is done. */
	return got < 0 ? -1 : len > 0;
}
