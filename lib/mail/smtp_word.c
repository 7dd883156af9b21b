/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Words and numbers of command lines, and the faults found in them.
 */
#include "smtp_word.h"

#include <string.h>

#include "str.h"

#define NUMBER_DIGITS_MAX 20 /* RFC 1870 section 3, RFC 3030 section 2 */

int
smtp_fault_set(struct smtp_fault *f, int code, const char *enhanced,
	       const char *what)
{
	f->code = code;
	f->enhanced = enhanced;
	return err_set(&f->text, "%s", what);
}

int
smtp_fault_about(struct smtp_fault *f, int code, const char *enhanced,
		 const char *what, struct span about)
{
	char shown[64];

	str_printable(shown, sizeof(shown), about.p, about.len);
	f->code = code;
	f->enhanced = enhanced;
	return err_set(&f->text, "%s: %s", what, shown);
}

bool
smtp_is_word(struct span s, const char *word)
{
	return span_ieq(s, span_of(word));
}

void
smtp_skip(struct span *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

struct span
smtp_cut(struct span *s, char stop)
{
	const char *at = s->len > 0 ? memchr(s->p, stop, s->len) : NULL;
	struct span front = *s;

	if (at != NULL)
		front.len = (size_t)(at - s->p);
	if (front.len > 0)
		smtp_skip(s, front.len);
	return front;
}

void
smtp_skip_blanks(struct span *s)
{
	while (s->len > 0 && *s->p == ' ')
		smtp_skip(s, 1);
}

bool
smtp_read_number(struct span s, uint64_t *out)
{
	uint64_t n = 0;
	unsigned digit;
	size_t i;

	if (s.len == 0 || s.len > NUMBER_DIGITS_MAX)
		return false;
	for (i = 0; i < s.len; i++) {
		if (!ascii_isdigit((unsigned char)s.p[i]))
			return false;
		digit = (unsigned)(s.p[i] - '0');
		n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
	}
	*out = n;
	return true;
}
