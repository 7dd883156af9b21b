/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Words and quoting.
 */
#include "cmdline.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "xalloc.h"

void
cmdline_add(struct cmdline *l, const char *word)
{
	if (l->count < CMDLINE_WORDS)
		l->words[l->count++] = xstrdup(word);
}

void
cmdline_addf(struct cmdline *l, const char *fmt, ...)
{
	struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	(void)buf_vprintf(&b, fmt, ap);
	va_end(ap);
	cmdline_add(l, buf_str(&b));
	buf_release(&b);
}

/* One word off the text, NULL at its end; quotes are taken off. */
static const char *
take_word(const char *s, struct buf *word, struct err *e)
{
	char quote = '\0';

	for (; *s != '\0' && (quote != '\0' || *s != ' '); s++) {
		if (quote == '\0' && (*s == '\'' || *s == '"')) {
			quote = *s;
		} else if (*s == quote) {
			quote = '\0';
		} else {
			if (*s == '\\' && quote != '\'' && s[1] != '\0')
				s++;
			buf_add_char(word, *s);
		}
	}
	if (quote == '\0')
		return s;
	err_set(e, "the quote %c has no end", quote);
	return NULL;
}

int
cmdline_split(struct cmdline *l, const char *text, struct err *e)
{
	struct buf word = { 0 };

	for (;;) {
		text += strspn(text, " ");
		if (*text == '\0')
			break;
		buf_clear(&word);
		text = take_word(text, &word, e);
		if (text == NULL)
			break;
		cmdline_add(l, buf_str(&word));
	}
	buf_release(&word);
	return text != NULL ? 0 : -1;
}

static bool
is_plain(const char *s)
{
	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++)
		if (!ascii_isalnum((unsigned char)*s) &&
		    strchr("-_.,:/@%+=", *s) == NULL &&
		    (unsigned char)*s < 0x80)
			return false;
	return true;
}

void
cmdline_text(const struct cmdline *l, struct buf *out)
{
	for (int i = 0; i < l->count; i++) {
		const char *s = l->words[i];

		if (i > 0)
			buf_add_char(out, ' ');
		if (is_plain(s)) {
			buf_add_str(out, s);
			continue;
		}
		buf_add_char(out, '\'');
		for (; *s != '\0'; s++)
			if (*s == '\'')
				buf_add_str(out, "'\\''");
			else
				buf_add_char(out, *s);
		buf_add_char(out, '\'');
	}
}

void
cmdline_release(struct cmdline *l)
{
	for (int i = 0; i < l->count; i++)
		free(l->words[i]);
	memset(l, 0, sizeof(*l));
}
